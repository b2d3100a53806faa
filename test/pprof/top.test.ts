// Where the sums of a merge lie: against a plain count over the decoded merge, sample by sample.

import { describe, expect, test } from "vitest";
import { cleanPath } from "../../src/pprof/clean-path.ts";
import { decodeProfile } from "../../src/pprof/decode.ts";
import { Merger } from "../../src/pprof/merger.ts";
import { packageName } from "../../src/pprof/package-name.ts";
import type { TopGrouping } from "../../src/pprof/top.ts";
import { naiveTop } from "../support/naive-top.ts";
import { buildProfile, type ProfileSpec } from "../support/profile-builder.ts";
import { encodeGenerated, generateSet } from "../support/profile-generator.ts";

const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
const SETS = 400;

function mergerOf(...specs: ProfileSpec[]): Merger {
  const merger = new Merger();
  for (const [at, spec] of specs.entries()) merger.add(buildProfile(spec), at);
  return merger;
}

/** "name flat cum", sorted. */
function topOf(merger: Merger, grouping: TopGrouping): string[] {
  return merger
    .top(grouping)
    .rows.map(({ name, flat, cum }) => `${name} ${flat} ${cum}`)
    .sort();
}

const CALLS = {
  sampleTypes: [["samples", "count"]] as [string, string][],
  samples: [
    { stack: ["main.f", "main.g", "main.f", "main.main"], values: [5] },
    { stack: ["main.g", "main.main"], values: [-2] },
    { stack: [], values: [7] },
  ],
};

describe(`of ${SETS} generated sets (SEED=${SEED}),`, () => {
  test.each(["function", "line", "file"] as const)("each %s has the flat and cum of a plain count", (by) => {
    let rows = 0;
    for (let nth = 0; nth < SETS; nth++) {
      const merger = new Merger();
      for (const [at, profile] of generateSet(SEED + nth).entries()) merger.add(encodeGenerated(profile), at);
      const profile = decodeProfile(merger.finish().bytes);
      const top = merger.top({ by });
      const { type } = profile.sampleTypes[top.column]!;
      const named = profile.sampleTypes.some((each) => each.type === profile.defaultSampleType);
      expect(type).toBe(named ? profile.defaultSampleType : profile.sampleTypes.at(-1)!.type);
      const values = profile.samples.map((sample) => sample.values[top.column]!);
      expect(top.total).toBe(
        BigInt.asIntN(
          64,
          values.reduce((sum, value) => sum + (value < 0n ? -value : value), 0n),
        ),
      );
      expect(top.sum).toBe(
        BigInt.asIntN(
          64,
          values.reduce((sum, value) => sum + value, 0n),
        ),
      );
      const ours = top.rows.map(({ name, flat, cum }): [string, object] => [name, { flat, cum }]);
      expect(Object.fromEntries(ours), `set ${SEED + nth}`).toEqual(
        Object.fromEntries(naiveTop(profile, top.column, by)),
      );
      rows += ours.length;
    }
    expect(rows).toBeGreaterThan(SETS);
  });
});

test("recursion counts once for each stack, negative values count, and an empty stack is in the total alone", () => {
  const top = mergerOf(CALLS).top({ by: "function" });
  expect(topOf(mergerOf(CALLS), { by: "function" })).toEqual(["main.f 5 5", "main.g -2 3", "main.main 0 3"]);
  expect([top.total, top.sum]).toEqual([14n, 10n]);
});

test("inlined lines are frames: the innermost has the flat value", () => {
  const lines = [
    { name: "inner", file: "/src/./x/../a.go", line: 3n },
    { name: "outer", file: "/src/b.go", line: 9n },
  ];
  const merger = mergerOf({ samples: [{ stack: [{ lines, address: 64n }], values: [1, 10] }] });
  expect(topOf(merger, { by: "function" })).toEqual(["inner 10 10", "outer 0 10"]);
  expect(topOf(merger, { by: "line" })).toEqual(["inner /src/a.go:3 10 10", "outer /src/b.go:9 0 10"]);
  expect(merger.top({ by: "line" }).rows[0]).toMatchObject({ functionName: "inner", file: "/src/a.go", line: 3n });
  expect(topOf(merger, { by: "file" })).toEqual(["/src/a.go 10 10", "/src/b.go 0 10"]);
});

test("what has no symbols is its binary, and without one unknown", () => {
  const mapping = { start: 0x1000n, limit: 0x9000n, file: "/usr/lib/libc.so.6" };
  const merger = mergerOf({
    samples: [
      { stack: [{ mapping, address: 0x1010n }], values: [1, 2] },
      { stack: [{ mapping, address: 0x1020n }], values: [1, 3] },
      { stack: [{ address: 7n }], values: [1, 4] },
    ],
  });
  expect(topOf(merger, { by: "function" })).toEqual(["<unknown> 4 4", "[libc.so.6] 5 5"]);
});

test("frames that the profile says to drop go with what they call, but not before the first that stays", () => {
  const merger = mergerOf({
    sampleTypes: [["space", "bytes"]],
    dropFrames: "malloc|tc_.*",
    keepFrames: "tc_keep",
    samples: [
      { stack: ["brk", "malloc(int)", "main"], values: [1] },
      { stack: ["tc_keep", "main"], values: [2] },
      { stack: ["leaf", "malloc"], values: [4] },
    ],
  });
  expect(topOf(merger, { by: "function" })).toEqual(["leaf 4 4", "main 1 3", "malloc 0 4", "tc_keep 2 2"]);
  const broken = mergerOf({
    sampleTypes: [["space", "bytes"]],
    dropFrames: "(",
    samples: [{ stack: ["(", "main"], values: [1] }],
  });
  expect(topOf(broken, { by: "function" })).toEqual(["( 1 1", "main 0 1"]);
});

test("by a sample label each value has its samples, numbers their unit, and others the empty name", () => {
  const merger = mergerOf({
    sampleTypes: [["samples", "count"]],
    samples: [
      { stack: ["a"], values: [1], labels: [["endpoint", "/login"]] },
      {
        stack: ["b"],
        values: [2],
        labels: [
          ["endpoint", "/login"],
          ["endpoint", "/logout"],
        ],
      },
      {
        stack: ["b"],
        values: [4],
        numbers: [
          ["endpoint", 64n, "bytes"],
          ["other", 1n],
        ],
      },
      { stack: ["c"], values: [8] },
    ],
  });
  expect(topOf(merger, { by: "label", key: "endpoint" })).toEqual([
    " 8 8",
    "/login 3 3",
    "/logout 2 2",
    "64 bytes 4 4",
  ]);
  expect(topOf(merger, { by: "label", key: "nobody's" })).toEqual([" 15 15"]);
  expect(topOf(merger, { by: "all", name: "demo" })).toEqual(["demo 15 15"]);
});

test("by package, where the name tells none the folder of the file has its place", () => {
  const frame = (name: string, file = "") => ({ lines: [{ name, file }] });
  const merger = mergerOf({
    sampleTypes: [["samples", "count"]],
    samples: [
      { stack: [frame("net/http.(*conn).serve"), frame("net/http.(*Server).Serve")], values: [1] },
      { stack: [frame("parse", "node:internal/url")], values: [2] },
      { stack: [frame("readFile", "file:///app/lib/fs.js")], values: [4] },
    ],
  });
  expect(topOf(merger, { by: "package" })).toEqual(["file:/app/lib 4 4", "net/http 1 1", "node:internal 2 2"]);
});

test.each([
  ["bytes.Index", "bytes"],
  ["github.com/a/go-b.(*T[...]).M.func1", "github.com/a/go-b"],
  ["gopkg.in/yaml%2ev3.Unmarshal", "gopkg.in/yaml%2ev3"],
  ["main.Server.ServeHTTP", "main"],
  ["slices.SortFunc[go.shape.[]a/b.C]", "slices"],
  ["java.util.concurrent.Pool.run", "java.util.concurrent"],
  ["com/example/Main.main", "com/example"],
  ["std::thread::spawn", "std"],
  ["<alloc::vec::Vec<T> as core::ops::Drop>::drop", "alloc"],
  ["ns::operator/(A, B)", "ns"],
  ["(anonymous namespace)::f", undefined],
  ["main", undefined],
  ["(anonymous)", undefined],
  ["operator new(unsigned long)", undefined],
  ["", undefined],
])("the package of %s is %s", (name, expected) => {
  expect(packageName(name)).toBe(expected);
});

test.each([
  ["", ""],
  ["a//b/./c/../d/", "a/b/d"],
  ["../../a/..", "../.."],
  ["/../a", "/a"],
  ["./", "."],
  ["/", "/"],
  ["file:///app/x.js", "file:/app/x.js"],
  ["/proc/self/cwd/./pkg/a.cc", "pkg/a.cc"],
  ["/proc/self/cwd/pkg/a.cc", "pkg/a.cc"],
])("path %s is cleaned to %s", (path, clean) => {
  expect(cleanPath(path)).toBe(clean);
});
