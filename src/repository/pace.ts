// Work in the background that leaves time for others: after each step a rest as long as its share asks for.

import { setTimeout as delay } from "node:timers/promises";

/** Percent of the time. */
export const FULL_PACE = 100;

/** Rests after `work` for so long that it took `percent` of the whole. */
export async function paced<Result>(percent: number, work: () => Promise<Result>): Promise<Result> {
  const startedMs = performance.now();
  const result = await work();
  if (percent < FULL_PACE) await delay((performance.now() - startedMs) * (FULL_PACE / percent - 1));
  return result;
}
