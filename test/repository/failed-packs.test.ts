import { expect, test } from "vitest";
import { FailedPacks } from "../../src/repository/failed-packs.ts";
import { DAY_NS, HOUR_NS, type PackPlan } from "../../src/repository/pack-policy.ts";

function planOf(startHour: bigint, hours: bigint): PackPlan {
  const startNs = startHour * HOUR_NS;
  const window = { startNs, endNs: startNs + hours * HOUR_NS, level: "hour" as const, seqFrom: 1 };
  return { request: { serviceId: 1, typeId: 1, shapeId: 1, ...window }, replaces: [], profiles: 1, reason: "hour" };
}

test("a window that fails again and again waits twice as long each time, up to a day", () => {
  const failed = new FailedPacks();
  const plan = planOf(3n, 1n);
  const waits = [];
  for (let nowNs = 0n, nth = 0; nth < 9; nth++) {
    failed.note(plan, nowNs);
    let waitNs = 0n;
    while (failed.isWaiting(plan.request, nowNs + waitNs)) waitNs += HOUR_NS / 4n;
    waits.push(Number(waitNs / (HOUR_NS / 4n)) / 4);
    nowNs += waitNs;
  }
  expect(waits).toEqual([0.25, 0.5, 1, 2, 4, 8, 16, 24, 24]);
  failed.succeeded(plan);
  expect(failed.count).toBe(0);
});

test("a window is no failure any more when one around it is packed, or when nothing is to be done in it", () => {
  const failed = new FailedPacks();
  for (const hour of [1n, 2n, 30n]) failed.note(planOf(hour, 1n), 0n);
  failed.succeeded(planOf(0n, 24n));
  expect(failed.count).toBe(1);
  failed.keepOnly([planOf(30n, 1n)], DAY_NS);
  expect(failed.count).toBe(1);
  failed.keepOnly([], 0n);
  expect(failed.count).toBe(1);
  failed.keepOnly([], DAY_NS);
  expect(failed.count).toBe(0);
});
