// How much of a PGO profile one source may make up, against plain sums of random fleets.

import { describe, expect, test } from "vitest";
import type { Candidate } from "../../../src/repository/pgo/candidate.ts";
import { overCap, type Weighed } from "../../../src/repository/pgo/source-cap.ts";
import { SeriesNumbers } from "../../../src/repository/series-of-plan.ts";
import { Random } from "../../support/random.ts";

const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
const source = (at: number) => `oss/${at.toString(16).padStart(16, "0")}`;

/** One list of CPU times for each source; "" is the team. */
function fleetOf(sources: Record<string, number[]>, weight = 1): { all: Weighed[]; names: SeriesNumbers } {
  const names = new SeriesNumbers();
  const all = Object.entries(sources).flatMap(([name, times]) => {
    const series = names.of("app", "cpu", name === "" ? [] : [{ name: "source", value: name }]);
    return times.map((cpu) => {
      const candidate = { series, cpuNs: BigInt(cpu) } as Candidate;
      return { candidate, weight };
    });
  });
  for (const [order, { candidate }] of all.entries()) candidate.order = order;
  return { all, names };
}

function left(sources: Record<string, number[]>, percent = 25): number[] {
  const { all, names } = fleetOf(sources);
  const gone = overCap(all, percent, names);
  return all.filter(({ candidate }) => !gone.has(candidate)).map(({ candidate }) => Number(candidate.cpuNs));
}

describe("overCap()", () => {
  test("leaves the team's profiles, and a fleet in which nobody stands out", () => {
    expect(left({ "": [1000, 1000], fleet: [9] })).toEqual([1000, 1000, 9]);
    expect(left({ [source(1)]: [10], [source(2)]: [9] })).toEqual([10, 9]);
    expect(left({ [source(1)]: [1000] })).toEqual([1000]);
    expect(left({})).toEqual([]);
  });

  test("takes the newest of a source that sends too much", () => {
    const others = Object.fromEntries(Array.from({ length: 9 }, (_, at) => [source(at), [10]]));
    const flood = Array.from({ length: 100 }, (_, at) => (at % 2) + 1);
    const kept = left({ ...others, [source(9)]: flood }).slice(9);
    expect(kept).toEqual(flood.slice(-kept.length));
    expect(kept.reduce((a, b) => a + b)).toBe(30); // a quarter of 120
  });

  test("takes nothing of a source whose every profile is beyond belief", () => {
    expect(left({ [source(1)]: [9], [source(2)]: [1e12] })).toEqual([9]);
    expect(left({ "": [100], [source(1)]: [1e12, 1e12] })).toEqual([100]);
  });

  test(`holds each source to its share in random fleets (seed ${SEED})`, () => {
    const random = new Random(SEED);
    for (let round = 0; round < 200; round++) {
      const sources: Record<string, number[]> = {
        "": Array.from({ length: random.between(0, 2) }, () => random.between(0, 999)),
      };
      const count = random.between(1, 12);
      for (let at = 0; at < count; at++) {
        sources[source(at)] = Array.from({ length: random.between(1, 40) }, () => random.between(1, 50));
      }
      const { all, names } = fleetOf(sources);
      const percent = random.between(1, 100);
      const gone = overCap(all, percent, names);
      const sums = new Map<number, number>();
      const most = new Map<number, number>();
      let before = 0;
      for (const { candidate } of all) {
        const cpu = Number(candidate.cpuNs);
        before += cpu;
        if (gone.has(candidate)) continue;
        sums.set(candidate.series, (sums.get(candidate.series) ?? 0) + cpu);
        most.set(candidate.series, Math.max(most.get(candidate.series) ?? 0, cpu));
      }
      const share = Math.max(percent / 100, 1 / count);
      for (const [series, sum] of sums) {
        if (names.labels[series]!.length > 0)
          expect(sum).toBeLessThanOrEqual(Math.max(share * before, most.get(series)!));
      }
    }
  });
});
