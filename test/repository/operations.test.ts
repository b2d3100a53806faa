import { expect, test } from "vitest";
import { DomainError } from "../../src/model/errors.ts";
import { Operations } from "../../src/repository/operations.ts";

function newOperations() {
  let nowNs = 0n;
  return new Operations<string>(() => ++nowNs);
}

test("an operation runs on by itself, tells how far it is, and ends with its result", async () => {
  const operations = newOperations();
  const { promise, resolve } = Promise.withResolvers<string>();
  const { id } = operations.start("pack", (tell) => {
    tell("half");
    return promise;
  });
  expect(await operations.get(id, 0)).toMatchObject({ id, startNs: 1n, progress: "half" });
  const waiting = operations.get(id, 60_000);
  resolve("all");
  expect(await waiting).toEqual({ id, startNs: 1n, endNs: 2n, progress: "", result: "all" });
});

test("one of a kind runs at a time, and the next is a new one", async () => {
  const operations = newOperations();
  const { promise, resolve } = Promise.withResolvers<string>();
  const first = operations.start("pack", () => promise);
  expect(operations.start("pack", () => promise).id).toBe(first.id);
  expect(operations.start("verify", async () => "").id).not.toBe(first.id);
  resolve("done");
  await operations.idle();
  expect(operations.start("pack", () => promise).id).not.toBe(first.id);
});

test("one that is asked for anew while one runs begins when that has ended, one for all who ask meanwhile", async () => {
  const operations = newOperations();
  const { promise, resolve } = Promise.withResolvers<string>();
  const begun: string[] = [];
  const pass = (name: string, result: Promise<string>) => async () => {
    begun.push(name);
    return result;
  };
  const first = operations.startAnew("pack", pass("first", promise));
  const second = operations.startAnew("pack", pass("second", Promise.resolve("again")));
  expect(second.id).not.toBe(first.id);
  expect(operations.startAnew("pack", pass("third", promise)).id).toBe(second.id);
  expect(begun).toEqual(["first"]);
  resolve("done");
  expect((await operations.get(second.id, 60_000)).result).toBe("again");
  expect((await operations.get(first.id, 0)).result).toBe("done");
  expect(begun).toEqual(["first", "second"]);
  expect(operations.startAnew("pack", pass("fourth", promise)).id).not.toBe(second.id);
  expect(begun).toEqual(["first", "second", "fourth"]);
});

test("one that fails says why, and waiting ends with its time", async () => {
  const operations = newOperations();
  const failing = operations.start("pack", async () => {
    throw new DomainError("unavailable", "no space");
  });
  expect((await operations.get(failing.id, 60_000)).error).toEqual({ kind: "unavailable", message: "no space" });
  const endless = operations.start("verify", () => new Promise(() => {}));
  expect((await operations.get(endless.id, 1)).endNs).toBeUndefined();
  await expect(operations.get("no-such", 0)).rejects.toMatchObject({ kind: "not-found" });
});
