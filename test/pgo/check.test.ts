// Files that are no PGO profile, and some that are: each gets a report.

import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../../src/model/limits.ts";
import { checkPgoFile } from "../../src/pgo/check.ts";
import { verdictLine } from "../../src/pgo/report-text.ts";
import { generateCpuProfile } from "../support/pgo-generator.ts";
import { buildProfile } from "../support/profile-builder.ts";
import { Random } from "../support/random.ts";

const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
const testdata = (name: string) => readFileSync(new URL(`../testdata/${name}`, import.meta.url));
const check = (file: Uint8Array) => checkPgoFile(file, DEFAULT_LIMITS);

const stack = [
  { address: 1n, lines: [{ name: "leaf", startLine: 1n, line: 2n }] },
  { address: 2n, lines: [{ name: "caller", startLine: 1n, line: 2n }] },
];

describe("unusable is", () => {
  test.each<[what: string, file: Uint8Array, why: RegExp]>([
    ["an empty file", new Uint8Array(0), /^It is empty, which go build takes for no profile/],
    ["text", Buffer.from("404 page not found\n"), /^go build fails on it: it is text.*begins with "404 page not found/],
    ["a page", Buffer.from("<!DOCTYPE html><html>…"), /it is text, not a profile, and begins with "<!DOCTYPE html>/],
    ["JSON", Buffer.from('{"message":"Not Found","code":404}'), /it is text, not a profile/],
    [
      "what go tool preprofile writes",
      Buffer.from("GO PREPROFILE V1\na\nb\n1 2\n"),
      /^go build fails on it: it is what/,
    ],
    ["a gzip cut short", gzipSync(buildProfile({ samples: [] })).subarray(0, 30), /^Cannot inflate the profile/],
    ["gzip in gzip", gzipSync(gzipSync("x")), /gzip again/],
    ["other bytes", Uint8Array.of(0xff, 0xfe, 0, 1), /^Cannot read the profile/],
    ["a heap profile", testdata("recorded/go-heap-1.pb.gz"), /it has neither samples\/count nor cpu\/nanoseconds/],
    [
      "a Java profile",
      testdata("written/jfr2pprof.pb.gz"),
      /^go build fails on it: no function says on which line it begins/,
    ],
    ["a Rust profile", testdata("written/pprof-rs-cpu-1.pb.gz"), /no function says on which line it begins/],
    ["one of a legacy format", testdata("legacy/gperftools-cpu-64-little.prof"), /^Cannot read the profile/],
    ["one whose values are all 0", buildProfile({ samples: [{ stack, values: [0, 0] }] }), /whose values are all 0/],
    [
      "one whose weights pass int64",
      buildProfile({ samples: [1, 2, 3].map(() => ({ stack, values: [2n ** 62n, 0n] })) }),
      /^Its weights sum to more than int64 holds/,
    ],
  ])("%s", (_, file, why) => {
    const report = check(file);
    expect(report.verdict).toBe("unusable");
    expect(report.findings[0]).toMatchObject({ name: "file", verdict: "unusable", reason: expect.stringMatching(why) });
    expect(verdictLine(report)).toMatch(/^unusable: [^\n]*$/);
  });

  test("a profile without samples, and one without calls", () => {
    expect(verdictLine(check(buildProfile({ samples: [] })))).toMatch(/^unusable: samples 0: /);
    const alone = buildProfile({ samples: [{ stack: stack.slice(0, 1), values: [5000, 50] }] });
    expect(verdictLine(check(alone))).toMatch(/^unusable: edges 0: /);
  });
});

test("a recorded CPU profile is judged by what it has, gzipped or not", () => {
  const file = testdata("recorded/go-cpu-1.pb.gz");
  const report = check(file);
  expect(report).toMatchObject({ verdict: "poor", facts: { content: { samples: 134n, edges: 26, hotEdges: 25 } } });
  expect(report.findings.map(({ name }) => name)).toEqual([
    "samples",
    "edges",
    "cpu_time",
    "without_start_line",
    "named",
    "wall_time",
    "utilization",
  ]);
});

test("what go build takes is reported as it stands: calls at lines that mean nothing are a share, not left out", () => {
  const lacking = [stack[0]!, { address: 3n, lines: [{ name: "caller", line: 400n }] }];
  const samples = [
    { stack, values: [3000, 30_000_000_000n] },
    { stack: lacking, values: [1000, 10_000_000_000n] },
  ];
  const { verdict, facts } = check(buildProfile({ samples, durationNs: 60_000_000_000n }));
  expect(facts).toMatchObject({ content: { samples: 4000n, edges: 2, shareWithoutStartLine: 0.25 } });
  expect(verdict).toBe("usable");
});

test("whatever becomes of a profile's bytes, there is a report", () => {
  const random = new Random(SEED);
  const verdicts = new Set<string>();
  for (let nth = 0; nth < 3000; nth++) {
    const file = Buffer.from(generateCpuProfile(SEED + (nth % 50)));
    for (let changes = random.between(0, 3); changes > 0; changes--) {
      file[random.between(0, file.length - 1)] = random.between(0, 255);
    }
    const cut = random.chance(0.2) ? file.subarray(0, random.between(0, file.length)) : file;
    try {
      verdicts.add(check(cut).verdict);
    } catch (error) {
      throw new Error(`SEED=${SEED}, ${nth}`, { cause: error });
    }
  }
  expect([...verdicts].sort()).toEqual(expect.arrayContaining(["poor", "unusable"]));
});
