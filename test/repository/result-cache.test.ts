import { expect, test } from "vitest";
import type { MergeAnswer } from "../../src/repository/repository.ts";
import { ResultCache } from "../../src/repository/result-cache.ts";

function answerOf(bytes: number): MergeAnswer {
  return { bytes: new Uint8Array(bytes) } as MergeAnswer;
}

test("an answer is kept for its question and its inputs", () => {
  const cache = new ResultCache(1_000_000);
  const answer = answerOf(10);
  cache.put("q", "1", answer);
  expect(cache.has("q")).toBe(true);
  expect(cache.get("q", "1")).toBe(answer);
  expect(cache.get("q", "2")).toBeUndefined();
  expect(cache.get("other", "1")).toBeUndefined();
  const later = answerOf(20);
  cache.put("q", "2", later);
  expect(cache.get("q", "1")).toBeUndefined();
  expect(cache.get("q", "2")).toBe(later);
});

test("beyond its bytes, what was not used for longest goes; a huge answer is not kept at all", () => {
  const cache = new ResultCache(100_000);
  for (const question of ["a", "b", "c", "d"]) cache.put(question, "1", answerOf(20_000));
  expect(cache.get("a", "1")).toBeDefined();
  cache.put("e", "1", answerOf(20_000));
  expect(["a", "b", "c", "d", "e"].filter((question) => cache.has(question))).toEqual(["a", "c", "d", "e"]);
  cache.put("f", "1", answerOf(30_000));
  expect(cache.has("f")).toBe(false);
  expect(cache.bytes).toBeLessThanOrEqual(100_000);
});
