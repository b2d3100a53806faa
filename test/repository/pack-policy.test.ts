import { describe, expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../../src/model/limits.ts";
import { DAY_NS, HOUR_NS, type PackPlan, planPacks } from "../../src/repository/pack-policy.ts";
import type { LooseHour, PackLevel, PackSet } from "../../src/storage/pack-catalog.ts";

const KEY = { serviceId: 1, typeId: 2, shapeId: 3 };
/** 2026-09-22T00:00Z. */
const DAY = 1_790_035_200_000_000_000n;
const MINUTE_NS = 60_000_000_000n;

function loose(hour: number, profiles: number, more: Partial<LooseHour> = {}): LooseHour {
  const startNs = DAY + BigInt(hour) * HOUR_NS;
  const [firstReceivedNs, lastReceivedNs] = [startNs + MINUTE_NS, startNs + HOUR_NS - 1n];
  return { ...KEY, startNs, profiles, sizeBytes: profiles, firstReceivedNs, lastReceivedNs, ...more };
}

let lastSetId = 0;
function set(level: PackLevel, hour: number, profiles: number, coversSeq: number, deleted = 0): PackSet {
  const startNs = DAY + BigInt(hour) * HOUR_NS;
  return {
    ...KEY,
    setId: ++lastSetId,
    level,
    startNs,
    endNs: startNs + (level === "day" ? DAY_NS : HOUR_NS),
    seqFrom: 1,
    coversSeq,
    packs: [{ packId: lastSetId, profiles, sizeBytes: 1 }],
    deleted: new Float64Array(deleted),
  };
}

/** `at` is in hours since the day began. */
function plan(at: number, hours: LooseHour[], sets: PackSet[] = [], everything = false): PackPlan[] {
  const nowNs = DAY + BigInt(Math.round(at * 3600)) * 1_000_000_000n;
  return planPacks({ hours, sets, nowNs, limits: DEFAULT_LIMITS, everything });
}

function told(plans: PackPlan[]) {
  return plans.map(({ request, replaces, profiles, reason }) => ({
    level: request.level,
    hour: Number((request.startNs - DAY) / HOUR_NS),
    seqFrom: request.seqFrom,
    replaces: replaces.length,
    profiles,
    reason,
  }));
}

describe("planPacks()", () => {
  test("an hour with many profiles is packed when it has closed and the grace has passed", () => {
    expect(plan(3.1, [loose(2, 500)])).toEqual([]);
    expect(told(plan(3.2, [loose(2, 500)]))).toEqual([
      { level: "hour", hour: 2, seqFrom: 1, replaces: 0, profiles: 500, reason: "hour" },
    ]);
  });

  test("an hour with few waits for its day", () => {
    expect(plan(23.9, [loose(2, 127), loose(5, 1)])).toEqual([]);
    expect(told(plan(24.2, [loose(2, 127), loose(5, 1)]))).toEqual([
      { level: "day", hour: 0, seqFrom: 1, replaces: 0, profiles: 128, reason: "day" },
    ]);
  });

  test("a day that is over takes in its hours and what is loose", () => {
    const sets = [set("hour", 2, 500, 10), set("hour", 3, 400, 20)];
    expect(told(plan(24.2, [loose(2, 3)], sets))).toEqual([
      { level: "day", hour: 0, seqFrom: 1, replaces: 2, profiles: 903, reason: "day" },
    ]);
    expect(told(plan(24.2, [], sets))).toMatchObject([{ replaces: 2, profiles: 900 }]);
    expect(plan(24.1, [], sets)).toEqual([]);
  });

  test("what still arrives keeps a window open, but not for ever", () => {
    const arriving = (firstHoursAgo: number) => {
      const nowNs = DAY + 30n * HOUR_NS;
      const firstReceivedNs = nowNs - BigInt(Math.round(firstHoursAgo * 60)) * MINUTE_NS;
      return plan(30, [loose(2, 500, { firstReceivedNs, lastReceivedNs: nowNs })]);
    };
    expect(arriving(0.5)).toEqual([]);
    expect(told(arriving(1))).toMatchObject([{ level: "day", profiles: 500 }]);
  });

  test("late arrivals of a packed day: many get a set of their own, few wait, and a quarter is joined", () => {
    const sets = [set("day", 0, 2000, 77)];
    const late = (profiles: number, at = 26) => plan(at, [loose(2, profiles)], sets);
    expect(late(5)).toEqual([]);
    expect(told(late(128))).toEqual([
      { level: "day", hour: 0, seqFrom: 78, replaces: 0, profiles: 128, reason: "late" },
    ]);
    expect(told(late(500))).toEqual([
      { level: "day", hour: 0, seqFrom: 1, replaces: 1, profiles: 2500, reason: "late" },
    ]);
    expect(told(late(5, 40))).toMatchObject([{ seqFrom: 78, replaces: 0, profiles: 5 }]);
  });

  test("many sets of one window are joined", () => {
    const sets = [2000, 1, 1, 1].map((profiles, nth) => set("day", 0, profiles, nth + 1));
    expect(told(plan(40, [loose(2, 1)], sets))).toMatchObject([{ seqFrom: 1, replaces: 4 }]);
    const hours = [200, 128, 128, 128].map((profiles, nth) => set("hour", 2, profiles, nth + 1));
    expect(told(plan(5, [loose(2, 128)], hours))).toMatchObject([{ level: "hour", seqFrom: 1, replaces: 4 }]);
  });

  test("a set is written anew when a quarter of it is deleted, whether its day is over or not", () => {
    expect(plan(5, [], [set("hour", 2, 100, 9, 24)])).toEqual([]);
    expect(told(plan(5, [], [set("hour", 2, 100, 9, 25)]))).toEqual([
      { level: "hour", hour: 2, seqFrom: 1, replaces: 1, profiles: 100, reason: "deletions" },
    ]);
    expect(told(plan(90, [], [set("day", 0, 100, 9, 100)]))).toMatchObject([{ level: "day", reason: "deletions" }]);
  });

  test("everything: open hours too, however few; of a day that is over, the day", () => {
    const hours = [loose(2, 3), loose(3, 1)];
    expect(told(plan(3.5, hours, [], true))).toMatchObject([
      { level: "hour", hour: 2, profiles: 3 },
      { level: "hour", hour: 3, profiles: 1 },
    ]);
    expect(told(plan(3.5, [loose(2, 3)], [set("hour", 2, 9, 40)], true))).toMatchObject([{ seqFrom: 41, replaces: 0 }]);
    expect(told(plan(24.01, hours, [], true))).toMatchObject([{ level: "day", profiles: 4 }]);
    expect(told(plan(30, [loose(2, 1)], [set("day", 0, 900, 40)], true))).toMatchObject([
      { level: "day", seqFrom: 41, profiles: 1 },
    ]);
  });

  test("services, types and shapes are packed apart", () => {
    const hours = [loose(2, 200), loose(2, 300, { shapeId: 9 }), loose(2, 400, { serviceId: 9 })];
    expect(plan(4, hours).map(({ profiles }) => profiles)).toEqual([200, 300, 400]);
  });
});
