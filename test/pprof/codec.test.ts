// Plain profiles there and back, and as text.

import { expect, test } from "vitest";
import { decodeProfile } from "../../src/pprof/decode.ts";
import { encodeProfile } from "../../src/pprof/encode.ts";
import { emptyProfile, type Profile } from "../../src/pprof/profile.ts";
import { formatProfile } from "../../src/pprof/text.ts";
import { encodeGenerated, generateSet } from "../support/profile-generator.ts";

const EVERYTHING: Profile = {
  sampleTypes: [
    { type: "alloc_objects", unit: "count" },
    { type: "alloc_space", unit: "bytes" },
  ],
  samples: [
    {
      locationIds: [18446744073709551615n, 2n],
      values: [-1n, 9223372036854775807n],
      labels: [
        { key: "endpoint", str: "/ü", num: 0n, unit: "" },
        { key: "size", str: "", num: -5n, unit: "bytes" },
        { key: "count", str: "", num: 3n, unit: "" },
      ],
    },
    { locationIds: [], values: [0n, 1n], labels: [] },
  ],
  mappings: [
    {
      id: 3n,
      start: 0xffffffff81000000n,
      limit: 0xffffffff82000000n,
      offset: 0x1000n,
      file: "[kernel.kallsyms]_text",
      buildId: "beef",
      hasFunctions: true,
      hasFilenames: false,
      hasLineNumbers: true,
      hasInlineFrames: false,
    },
  ],
  locations: [
    {
      id: 18446744073709551615n,
      mappingId: 3n,
      address: 0xffffffff81000123n,
      lines: [
        { functionId: 9n, line: 12n, column: 4n },
        { functionId: 9n, line: -1n, column: 0n },
      ],
      isFolded: true,
    },
    { id: 2n, mappingId: 0n, address: 0n, lines: [], isFolded: false },
  ],
  functions: [{ id: 9n, name: "run", systemName: "_Z3runv", file: "run.cc", startLine: 10n }],
  dropFrames: "runtime[.].*",
  keepFrames: "main",
  timeNs: 9007199254740993n,
  durationNs: 5n,
  periodType: { type: "space", unit: "bytes" },
  period: 524288n,
  comments: ["first", "", "first"],
  defaultSampleType: "alloc_space",
  docUrl: "https://example.com/",
};

test("every field survives encoding and decoding", () => {
  expect(decodeProfile(encodeProfile(EVERYTHING))).toEqual(EVERYTHING);
});

test("a profile in which nothing is said survives, too", () => {
  expect(decodeProfile(encodeProfile(emptyProfile()))).toEqual(emptyProfile());
});

test("generated profiles in all spellings of the wire decode to what encodes and decodes to itself", () => {
  for (let seed = 1; seed <= 60; seed++) {
    for (const generated of generateSet(seed)) {
      const decoded = decodeProfile(encodeGenerated(generated));
      expect(decodeProfile(encodeProfile(decoded)), `seed ${seed}`).toEqual(decoded);
    }
  }
});

test("formatProfile() tells every field", () => {
  expect(formatProfile(EVERYTHING)).toBe(`sample type: "alloc_objects" "count"
sample type: "alloc_space" "bytes"
default sample type: "alloc_space"
period type: "space" "bytes"
period: 524288
time: 9007199254740993 ns
duration: 5 ns
drop frames: "runtime[.].*"
keep frames: "main"
doc url: "https://example.com/"
comment: "first"
comment: ""
comment: "first"
samples: 2
  -1 9223372036854775807 | 18446744073709551615 2 | "endpoint"="/ü" "size"=-5 "bytes" "count"=3
  0 1 |  |
locations: 2
  18446744073709551615: 0xffffffff81000123 mapping 3 folded
    function 9 line 12:4
    function 9 line -1:0
  2: 0x0
mappings: 1
  3: 0xffffffff81000000-0xffffffff82000000 offset 0x1000 file "[kernel.kallsyms]_text" build id "beef" has-functions has-line-numbers
functions: 1
  9: "run" system "_Z3runv" file "run.cc" start line 10
`);
});
