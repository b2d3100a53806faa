// Invented CPU profiles with what decides about call edges: recursion, inlining, functions without start line, calls before their function's
// first line, equal weights, Go's generic names, names that are no ASCII, several mappings. Deterministic by seed.

import { buildTables, type FrameSpec, type LineSpec, type MappingSpec, type ProfileSpec } from "./profile-builder.ts";
import { encodeTables, type Spelling } from "./profile-tables.ts";
import { Random } from "./random.ts";

const NAMES = [
  "main.main",
  "main.(*Server).handle",
  "main.(*Server).handle.func1",
  "main.Map[go.shape.int,go.shape.string]",
  "main.(*List[go.shape.struct { Key string; Value int }]).Push",
  "main.größe",
  "runtime.mallocgc",
  "runtime.gopark",
  "encoding/json.(*encodeState).marshal",
  "github.com/a/b.v2.F·dwrap·1",
  "𝕏.f",
  "\ue000.f",
  "memmove",
];

const MAPPINGS: MappingSpec[] = [
  { start: 0x40_0000n, limit: 0x50_0000n, file: "/app/server", buildId: "b1", hasFunctions: true },
  { start: 0x7f00_0000_0000n, limit: 0x7f00_0001_0000n, file: "/lib/libc.so.6" },
  { start: 0xffff_ffff_ff60_0000n, limit: 0xffff_ffff_ff60_1000n, file: "[vsyscall]" },
];

export interface PgoGeneration {
  /** Default true: some functions do not say where they begin. */
  lacksStartLines?: boolean;
  /** Default true: some values are negative. */
  hasNegatives?: boolean;
}

/** The uncompressed protobuf. */
export function generateCpuProfile(seed: number, options: PgoGeneration = {}): Uint8Array<ArrayBuffer> {
  const random = new Random(seed);
  const spelling: Spelling = {
    repeated: random.pick(["packed", "unpacked", "split"]),
    tables: random.pick(["samples-first", "strings-first"]),
    unknownFields: random.chance(0.2),
    zeros: random.chance(0.2),
  };
  return encodeTables(buildTables(inventSpec(random, options)), spelling);
}

function inventSpec(random: Random, { lacksStartLines = true, hasNegatives = true }: PgoGeneration): ProfileSpec {
  const functions = NAMES.flatMap((name) => {
    const lacks = lacksStartLines && random.chance(0.15);
    const fn = { name, file: "/src/a.go", startLine: lacks ? 0n : BigInt(random.between(1, 60)) };
    // A second of the same name: two builds in one profile.
    return random.chance(0.2) ? [fn, { ...fn, startLine: fn.startLine + 1n }] : [fn];
  });
  const frames = Array.from({ length: random.between(4, 25) }, () => inventFrame(random, functions, lacksStartLines));
  const sampleTypes = random.pick<[string, string][]>([
    [
      ["samples", "count"],
      ["cpu", "nanoseconds"],
    ],
    [
      ["cpu", "nanoseconds"],
      ["samples", "count"],
    ],
    [
      ["other", "count"],
      ["cpu", "nanoseconds"],
    ],
    [["samples", "count"]],
  ]);
  return {
    sampleTypes,
    timeNs: 1_790_000_000_000_000_000n,
    durationNs: 10_000_000_000n,
    mappings: MAPPINGS,
    comments: random.chance(0.3) ? ["a comment"] : [],
    dropFrames: random.chance(0.3) ? "runtime.*" : "",
    samples: Array.from({ length: random.between(1, 60) }, () => {
      const stack = Array.from({ length: random.between(0, 7) }, () => random.pick(frames));
      const values = sampleTypes.map(() => inventValue(random, hasNegatives));
      const labels: [string, string][] = random.chance(0.3) ? [["endpoint", random.pick(["/a", "/b"])]] : [];
      return { stack: random.chance(0.2) ? stack.flatMap((frame) => [frame, frame]) : stack, values, labels };
    }),
  };
}

function inventFrame(random: Random, functions: LineSpec[], lacksStartLines: boolean): FrameSpec {
  const mapping = random.pick(MAPPINGS);
  // Few addresses, so that frames meet at one.
  const address = BigInt.asUintN(64, mapping.start + BigInt(random.between(0, 6)) * 16n);
  const depth = lacksStartLines && random.chance(0.1) ? 0 : random.pick([1, 1, 1, 2, 3, 5]);
  const lines = Array.from({ length: depth }, () => {
    const fn = random.pick(functions);
    return { ...fn, line: fn.startLine! + BigInt(random.between(-3, 12)), column: BigInt(random.between(0, 2)) };
  });
  return random.chance(0.1) ? { address, lines } : { mapping, address, lines };
}

function inventValue(random: Random, hasNegatives: boolean): bigint {
  if (random.chance(0.1)) return 0n;
  if (hasNegatives && random.chance(0.05)) return -1n;
  // Few values, so that weights are equal.
  return random.chance(0.7) ? BigInt(random.between(1, 4)) : BigInt(random.between(1, 2 ** 31));
}
