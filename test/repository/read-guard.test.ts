import { expect, test } from "vitest";
import { ReadGuard } from "../../src/repository/read-guard.ts";

test("drained() waits for the reads under way and not for later ones", async () => {
  const guard = new ReadGuard();
  const early = guard.enter();
  const ended: string[] = [];
  const drained = guard.drained().then(() => ended.push("drained"));
  using _late = guard.enter();
  await Promise.resolve();
  expect(ended).toEqual([]);
  early[Symbol.dispose]();
  await drained;
  expect(ended).toEqual(["drained"]);
});
