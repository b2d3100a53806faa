// V8's trees → profiles, against trees whose sums are known.

import { describe, expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../../src/model/limits.ts";
import { decodeProfile } from "../../src/pprof/decode.ts";
import { encodeProfile } from "../../src/pprof/encode.ts";
import type { Profile } from "../../src/pprof/profile.ts";
import { summarize } from "../../src/pprof/summary.ts";
import { cpuProfileOfV8, heapProfileOfV8, type V8CallFrame, type V8CpuProfile } from "../../src/pprof/v8-profiles.ts";

const frame = (functionName: string, url = "", lineNumber = -1, columnNumber = -1): V8CallFrame => {
  return { functionName, url, lineNumber, columnNumber };
};
const MAIN = "file:///app/a%20b/main.ts";

/** (root) → main → {work, work again by way of an anonymous function}, (idle), (garbage collector). */
const CPU: V8CpuProfile = {
  startTime: 1_000_000,
  endTime: 3_500_000,
  nodes: [
    { id: 1, callFrame: frame("(root)"), hitCount: 0, children: [2, 6, 7] },
    {
      id: 2,
      callFrame: frame("main", MAIN, 9, 0),
      hitCount: 1,
      children: [3, 4],
      positionTicks: [{ line: 12, ticks: 1 }],
    },
    {
      id: 3,
      callFrame: frame("work", MAIN, 19, 4),
      hitCount: 6,
      positionTicks: [
        { line: 21, ticks: 2 },
        { line: 23, ticks: 3 },
      ],
    },
    { id: 4, callFrame: frame("", "node:internal/timers", 254, 8), hitCount: 0, children: [5] },
    { id: 5, callFrame: frame("work", MAIN, 19, 4), hitCount: 1, positionTicks: [{ line: 21, ticks: 1 }] },
    { id: 6, callFrame: frame("(idle)"), hitCount: 200 },
    { id: 7, callFrame: frame("(garbage collector)"), hitCount: 2 },
  ],
};

/** Each sample as `leaf:line < caller:line = values`. */
function shown(profile: Profile): string[] {
  const functions = new Map(profile.functions.map((each) => [each.id, each]));
  const locations = new Map(profile.locations.map((each) => [each.id, each.lines[0]!]));
  return profile.samples.map(({ locationIds, values }) => {
    const frames = locationIds.map((id) => {
      const { functionId, line } = locations.get(id)!;
      return `${functions.get(functionId)!.name}:${line}`;
    });
    return `${frames.join(" < ")} = ${values.join(" ")}`;
  });
}

describe("cpuProfileOfV8()", () => {
  const profile = cpuProfileOfV8(CPU, 1_700_000_000_000_000_000n, 10_000_000n);

  test("counts each hit where it was, with its callers, and none of an idle thread", () => {
    expect(shown(profile)).toEqual([
      "main:12 = 1 10000000",
      "work:21 < main:10 = 2 20000000",
      "work:23 < main:10 = 3 30000000",
      "work:20 < main:10 = 1 10000000", // the hit whose line V8 does not tell
      "work:21 < (anonymous timers:255):255 < main:10 = 1 10000000",
      "(garbage collector):0 = 2 20000000",
    ]);
  });

  test("names files as they are on the disk, and every function once", () => {
    expect(profile.functions.map(({ name, file, startLine }) => `${name} ${file} ${startLine}`)).toEqual([
      "main /app/a b/main.ts 10",
      "work /app/a b/main.ts 20",
      "(anonymous timers:255) node:internal/timers 255",
      "(garbage collector)  0",
    ]);
  });

  test("says its columns with units, its time, its length and its period", () => {
    expect(profile).toMatchObject({
      sampleTypes: [
        { type: "samples", unit: "count" },
        { type: "cpu", unit: "nanoseconds" },
      ],
      periodType: { type: "cpu", unit: "nanoseconds" },
      period: 10_000_000n,
      timeNs: 1_700_000_000_000_000_000n,
      durationNs: 2_500_000_000n,
    });
  });

  test("is a profile that is accepted", () => {
    const bytes = encodeProfile(profile);
    expect(summarize(bytes, DEFAULT_LIMITS)).toMatchObject({ sampleCount: 6 });
    expect(decodeProfile(bytes)).toEqual(profile);
  });
});

describe("heapProfileOfV8()", () => {
  const head = {
    callFrame: frame("(root)"),
    selfSize: 0,
    children: [
      {
        callFrame: frame("main", MAIN, 9, 0),
        selfSize: 1024,
        children: [{ callFrame: frame("keep", MAIN, 30, 0), selfSize: 524_288.4, children: [] }],
      },
      { callFrame: frame("(V8 API)"), selfSize: 2048, children: [] },
    ],
  };
  const profile = heapProfileOfV8(head, 5n, 524_288n);

  test("has what each call keeps, with its callers", () => {
    expect(shown(profile).toSorted()).toEqual(["(V8 API):0 = 2048", "keep:31 < main:10 = 524288", "main:10 = 1024"]);
    expect(profile).toMatchObject({ sampleTypes: [{ type: "inuse_space", unit: "bytes" }], period: 524_288n });
  });

  test("is a profile that is accepted", () => {
    expect(summarize(encodeProfile(profile), DEFAULT_LIMITS)).toMatchObject({ sampleCount: 3 });
  });
});
