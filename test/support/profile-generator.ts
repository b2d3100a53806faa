// Sets of small profiles to merge, deterministic by seed: what writers of the format really do, and what they could do.
// A change here changes every set: rewrite test/testdata/oracle with `node test/support/merge-digests.ts` after it.

import { type Binary, type Frame, inventProgram, PROGRAM_KINDS, type Program } from "./generated-program.ts";
import {
  type BuildOptions,
  buildTables,
  type FrameSpec,
  type MappingSpec,
  type ProfileSpec,
  type SampleSpec,
} from "./profile-builder.ts";
import { encodeTables, type Spelling } from "./profile-tables.ts";
import { Random } from "./random.ts";

export interface GeneratedProfile {
  spec: ProfileSpec;
  spelling: Spelling;
  /** Seeds ids and repeated entities, so that encoding twice gives the same bytes. */
  seed: number;
  ids: "dense" | "sparse" | "hashed";
  repeatsEntities: boolean;
}

/** Two to six profiles of one invented program, whose shapes agree. */
export function generateSet(seed: number): GeneratedProfile[] {
  const random = new Random(seed);
  const program = inventProgram(PROGRAM_KINDS[seed % PROGRAM_KINDS.length]!, random);
  const stacks = Array.from({ length: random.between(2, 8) }, () => inventStack(random, program));
  const times = random.pick(["none", "all", "some", "far"] as const);
  const wild = random.chance(0.5);
  return Array.from({ length: random.between(2, 6) }, () => ({
    spec: inventProfile(random, program, stacks, times, wild),
    spelling: inventSpelling(random),
    seed: random.uint32(),
    ids: random.pick(["dense", "dense", "sparse", "hashed"]),
    repeatsEntities: random.chance(0.3),
  }));
}

/** The uncompressed protobuf. */
export function encodeGenerated(profile: GeneratedProfile): Uint8Array<ArrayBuffer> {
  const random = new Random(profile.seed);
  const options: BuildOptions = {
    idOf: (_, nth) => {
      if (profile.ids === "dense") return BigInt(nth + 1);
      if (profile.ids === "sparse") return BigInt(nth + 1) * 1_000_003n;
      // Odd multipliers permute 64-bit numbers: unique, and never 0 for nth + 1 below 2^64.
      return BigInt.asUintN(64, BigInt(nth + 1) * 0x9e37_79b9_7f4a_7c15n);
    },
    repeatEntity: () => profile.repeatsEntities && random.chance(0.2),
  };
  return encodeTables(buildTables(profile.spec, options), profile.spelling);
}

/** The same profile with every value negated, as int64 does it. */
export function negated(profile: GeneratedProfile): GeneratedProfile {
  const samples = profile.spec.samples.map((sample) => ({ ...sample, values: sample.values.map((v) => -BigInt(v)) }));
  return { ...profile, spec: { ...profile.spec, samples } };
}

function inventStack(random: Random, program: Program): Frame[] {
  if (random.chance(0.08)) return [];
  const stack = Array.from({ length: random.between(1, 6) }, () => random.pick(program.frames));
  // Recursion.
  return random.chance(0.1) ? [...stack, ...stack] : stack;
}

function inventProfile(
  random: Random,
  program: Program,
  stacks: Frame[][],
  times: "none" | "all" | "some" | "far",
  wild: boolean,
): ProfileSpec {
  const process = new Map(program.binaries.map((binary) => [binary, mapBinary(random, binary)]));
  const count = random.chance(0.05) ? 0 : random.between(1, 12);
  const samples = Array.from({ length: count }, () => inventSample(random, program, stacks, process, wild));
  const repeats = samples.filter(() => random.chance(0.15));
  const hasTime = times === "all" || times === "far" || (times === "some" && random.chance(0.5));
  const nearNs = 1_790_000_000_000_000_000n + BigInt(random.between(0, 3)) * 1_000_000_001n;
  return {
    sampleTypes: program.sampleTypes,
    periodType: program.periodType,
    period: random.chance(0.2) ? program.period * BigInt(random.between(0, 3)) : program.period,
    timeNs: hasTime ? (times === "far" ? random.int64() : nearNs) : 0n,
    durationNs: random.pick([0n, 10_000_000_000n, wild ? random.int64() : 1n]),
    samples: [...samples, ...repeats],
    mappings: random.chance(0.6) ? random.shuffle([...process.values()]).slice(0, random.between(0, 3)) : [],
    comments: ["built at dawn", "host a", "", "host b"].filter(() => random.chance(0.25)),
    dropFrames: random.pick(["", "", "runtime\\..*", "drop"]),
    keepFrames: random.pick(["", "", "main\\..*"]),
    docUrl: random.pick(["", "", "https://example.com/a", "https://example.com/b"]),
    defaultSampleType: random.chance(0.8) ? program.defaultSampleType : "samples",
  };
}

/** Where one process has a binary: moved by pages, its end known to within a page, its file under another path at times. */
function mapBinary(random: Random, binary: Binary): MappingSpec {
  const start = BigInt.asUintN(64, binary.start + (binary.moves ? BigInt(random.between(0, 5)) * 0x1000n : 0n));
  const slack = binary.sizeBytes > 0n && random.chance(0.3) ? -(binary.sizeBytes % 0x1000n) + 1n : 0n;
  return {
    start,
    limit: BigInt.asUintN(64, start + binary.sizeBytes + slack),
    offset: binary.offset,
    file: binary.buildId !== "" && random.chance(0.2) ? `/old${binary.file}` : binary.file,
    buildId: binary.buildId,
    hasFunctions: binary.symbolized,
    hasFilenames: binary.symbolized && random.chance(0.8),
    hasLineNumbers: binary.symbolized && random.chance(0.8),
    hasInlineFrames: random.chance(0.2),
  };
}

function inventSample(
  random: Random,
  program: Program,
  stacks: Frame[][],
  process: Map<Binary, MappingSpec>,
  wild: boolean,
): SampleSpec {
  const stack = random.pick(stacks).map((frame) => place(frame, process));
  const zero = random.chance(0.1);
  return {
    stack: random.chance(0.1) ? stack.slice(random.between(0, stack.length)) : stack,
    values: program.sampleTypes.map(() => (zero ? 0n : inventValue(random, wild))),
    labels: random.shuffle([...program.labels, ...program.labels]).filter(() => random.chance(0.1)),
    numbers: random.shuffle(program.numbers).filter(() => random.chance(0.08)),
  };
}

function place(frame: Frame, process: Map<Binary, MappingSpec>): FrameSpec {
  const { lines, folded } = frame;
  const mapping = frame.binary && process.get(frame.binary);
  if (!mapping) return { address: BigInt.asUintN(64, frame.address), lines, folded };
  return { mapping, address: BigInt.asUintN(64, mapping.start + frame.address), lines, folded };
}

function inventValue(random: Random, wild: boolean): bigint {
  if (random.chance(0.15)) return 0n;
  if (!wild || random.chance(0.5)) return BigInt(random.between(-3, 40));
  // Around 2^53, where doubles end, and near the ends of int64, where sums wrap.
  return random.pick([2n ** 53n + 1n, -(2n ** 53n) - 1n, 2n ** 63n - 1n, -(2n ** 63n), random.int64()]);
}

function inventSpelling(random: Random): Spelling {
  return {
    repeated: random.pick(["packed", "unpacked", "split"]),
    tables: random.pick(["samples-first", "strings-first"]),
    unknownFields: random.chance(0.2),
    zeros: random.chance(0.2),
  };
}
