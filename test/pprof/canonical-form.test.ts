// The canonical form of docs/formats.md, "Merged profiles", in one example that has a case for each of its rules.

import { expect, test } from "vitest";
import { decodeProfile } from "../../src/pprof/decode.ts";
import { Merger } from "../../src/pprof/merger.ts";
import { formatProfile } from "../../src/pprof/text.ts";
import { buildProfile, type FrameSpec, type MappingSpec } from "../support/profile-builder.ts";

const MAIN: MappingSpec = { start: 0x400000n, limit: 0x500000n, file: "/bin/main", buildId: "zz", hasFunctions: true };
const B: MappingSpec = { start: 0x7000n, limit: 0x8000n, file: "/lib/b.so", buildId: "b" };
const A: MappingSpec = { start: 0xffffffff81000000n, limit: 0xffffffff82000000n, file: "a" };

function frame(mapping: MappingSpec | undefined, offset: bigint, name: string, line = 1n): FrameSpec {
  const lines = [{ name, file: `${name}.c`, line }];
  return mapping ? { mapping, address: mapping.start + offset, lines } : { address: offset, lines };
}

const ROOT = frame(MAIN, 0x10n, "root");
const FIRST = buildProfile({
  mappings: [MAIN],
  samples: [
    { stack: [frame(B, 5n, "in b"), ROOT], values: [1, 10], labels: [["k", "v2"]] },
    { stack: [frame(B, 5n, "in b"), ROOT], values: [1, 10], labels: [["k", "v1"]], numbers: [["a", -1n, "s"]] },
    { stack: [frame(A, 2n ** 23n, "in a"), frame(B, 5n, "in b"), ROOT], values: [1, 10] },
    { stack: [frame(MAIN, 0x9n, "late")], values: [1, 10] },
    { stack: [frame(undefined, 0n, "z"), ROOT], values: [1, 10] },
    { stack: [frame(undefined, 0n, "y", 2n), ROOT], values: [1, 10] },
    { stack: [frame(undefined, 0n, "y", -1n), ROOT], values: [1, 10] },
    { stack: [frame(undefined, 0n, "nothing"), ROOT], values: [0, 0] },
  ],
  comments: ["one", "two"],
  timeNs: 1n,
});
const SECOND = buildProfile({
  sampleTypes: [
    ["cpu", "nanoseconds"],
    ["samples", "count"],
  ],
  samples: [
    { stack: [ROOT], values: [5, 1] },
    { stack: [], values: [7, 1] },
  ],
  comments: ["two", "three"],
  defaultSampleType: "cpu",
  durationNs: 3n,
  timeNs: 2n,
});

test("a merge is written as docs/formats.md says", () => {
  const merger = new Merger();
  merger.add(SECOND, 1);
  merger.add(FIRST, 0);
  expect(formatProfile(decodeProfile(merger.finish().bytes))).toBe(`sample type: "samples" "count"
sample type: "cpu" "nanoseconds"
default sample type: "cpu"
period type: "cpu" "nanoseconds"
period: 10000000
time: 1 ns
duration: 3 ns
comment: "one"
comment: "two"
comment: "three"
samples: 9
  1 7 |  |
  1 10 | 4 |
  1 5 | 5 |
  1 10 | 1 5 |
  1 10 | 2 5 |
  1 10 | 3 5 |
  1 10 | 7 5 | "k"="v1" "a"=-1 "s"
  1 10 | 7 5 | "k"="v2"
  1 10 | 6 7 5 |
locations: 7
  1: 0x0
    function 1 line -1:0
  2: 0x0
    function 1 line 2:0
  3: 0x0
    function 2 line 1:0
  4: 0x400009 mapping 1
    function 3 line 1:0
  5: 0x400010 mapping 1
    function 4 line 1:0
  6: 0xffffffff81800000 mapping 2
    function 5 line 1:0
  7: 0x7005 mapping 3
    function 6 line 1:0
mappings: 3
  1: 0x400000-0x500000 offset 0x0 file "/bin/main" build id "zz" has-functions
  2: 0xffffffff81000000-0xffffffff82000000 offset 0x0 file "a"
  3: 0x7000-0x8000 offset 0x0 file "/lib/b.so" build id "b"
functions: 6
  1: "y" system "y" file "y.c"
  2: "z" system "z" file "z.c"
  3: "late" system "late" file "late.c"
  4: "root" system "root" file "root.c"
  5: "in a" system "in a" file "in a.c"
  6: "in b" system "in b" file "in b.c"
`);
});
