import { expect, test } from "vitest";
import type { MergeAnswer } from "../../src/repository/repository.ts";
import { ResultCache } from "../../src/repository/result-cache.ts";

function answerOf(bytes: number): MergeAnswer {
  return { bytes: new Uint8Array(bytes) } as MergeAnswer;
}

const at = (version: string, fingerprint = version) => ({ version, fingerprint });
const never = () => Promise.reject(new Error("nobody should ask"));
const tells = (fingerprint: string) => () => Promise.resolve(fingerprint);

test("an answer is kept for its question and its inputs", async () => {
  const cache = new ResultCache(1_000_000);
  const answer = answerOf(10);
  cache.put("q", at("1"), answer);
  expect(await cache.get("q", "2", tells("2"))).toBeUndefined();
  expect(await cache.get("q", "2", tells("1"))).toBe(answer);
  expect(await cache.get("other", "1", never)).toBeUndefined();
  const later = answerOf(20);
  cache.put("q", at("2"), later);
  expect(await cache.get("q", "1", tells("1"))).toBeUndefined();
  expect(await cache.get("q", "2", never)).toBe(later);
});

test("while nothing changes nobody asks for the inputs; after a change that left them alone, once", async () => {
  const cache = new ResultCache(1_000_000);
  const answer = answerOf(10);
  cache.put("q", at("version 1", "inputs"), answer);
  expect(await cache.get("q", "version 1", never)).toBe(answer);
  expect(await cache.get("q", "version 2", tells("inputs"))).toBe(answer);
  expect(await cache.get("q", "version 2", never)).toBe(answer);
});

test("beyond its bytes, what was not used for longest goes; a huge answer is not kept at all", async () => {
  const cache = new ResultCache(100_000);
  for (const question of ["a", "b", "c", "d"]) cache.put(question, at("1"), answerOf(20_000));
  expect(await cache.get("a", "1", never)).toBeDefined();
  cache.put("e", at("1"), answerOf(20_000));
  cache.put("f", at("1"), answerOf(30_000));
  const kept: string[] = [];
  for (const question of ["a", "b", "c", "d", "e", "f"]) {
    if (await cache.get(question, "1", never)) kept.push(question);
  }
  expect(kept).toEqual(["a", "c", "d", "e"]);
  expect(cache.bytes).toBeLessThanOrEqual(100_000);
});
