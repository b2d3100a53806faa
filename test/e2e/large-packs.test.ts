// Profiles at the limits in packs: a million samples each, trace ids on every one of them, recursion as deep as a stack may be. They are
// packed, verified, downloaded and merged as they were before, in bounded memory. Needs Linux, which tells a process's peak. SEED=n repeats a run.

import { hash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { gunzipSync, gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import type { Limits } from "../../src/model/limits.ts";
import { EVERYTHING } from "../../src/model/selector.ts";
import type { PackResult, VerifyResult } from "../../src/repository/repository.ts";
import { type LargeProfile, writeLargeProfile } from "../support/large-profile.ts";
import { type OpenedRepository, openRepository } from "../support/open-repository.ts";
import { Random } from "../support/random.ts";

const SEED = Number(process.env.SEED ?? Date.now() % 1_000_000_000);
const SAMPLES = 1_000_000;
const FUNCTIONS = 400;
/** 2026-09-20T00:00Z, the day before the clock of the tests. */
const START_NS = 1_789_862_400_000_000_000n;
const MIB = 1024 * 1024;

type Sample = LargeProfile["samples"] extends Iterable<infer Each> ? Each : never;

function* million(random: Random, traceOf?: (random: Random) => string | number): Generator<Sample> {
  for (let nth = 0; nth < SAMPLES; nth++) {
    const stack = [random.between(0, FUNCTIONS - 1), nth % 20, 20 + (nth % 7), 0];
    yield { stack, value: 1 + (nth % 100), ...(traceOf && { trace: traceOf(random) }) };
  }
}

const textTrace = (random: Random) => random.uint64().toString(16).padStart(16, "0");
const numericTrace = (random: Random) => random.uint32() * 2 ** 20;

/** Three functions that call each other in any order, `deepest` frames in all, so that no two stacks share more than their roots. */
function* recursive(random: Random, count: number, deepest: number): Generator<Sample> {
  for (let nth = 0; nth < count; nth++) {
    const depth = nth === 0 ? deepest : random.between(deepest >> 1, deepest);
    const common = Math.floor(depth * random.fraction());
    const stack = Array.from({ length: depth }, (_, at) => (at < common ? random.between(0, 2) : at % 3));
    yield { stack, value: nth + 1 };
  }
}

interface Case {
  name: string;
  profiles: number;
  samples(random: Random): Generator<Sample>;
  limits?: Partial<Limits>;
}

const CASES: Case[] = [
  { name: "a million samples", profiles: 3, samples: (random) => million(random) },
  { name: "a million samples, a text on each", profiles: 2, samples: (random) => million(random, textTrace) },
  { name: "a million samples, a number on each", profiles: 2, samples: (random) => million(random, numericTrace) },
  { name: "recursion 4096 deep", profiles: 6, samples: (random) => recursive(random, 30, 4096) },
  {
    name: "recursion 10 000 deep, where that is allowed",
    profiles: 6,
    samples: (random) => recursive(random, 20, 10_000),
    limits: { framesPerStack: 10_000 },
  },
];

/** More than at the beginning, at most: of the event loop, its workers, and the packer's thread together. */
const GROWTH_MAX_BYTES = 1536 * MIB;

test.for(CASES)(`$name (SEED=${SEED})`, async ({ profiles, samples, limits = {} }) => {
  // No times are asserted: a merge of these takes some seconds, and more on a busy machine.
  const patient = { mergeMs: 600_000, packSharePercent: 100, resultCacheBytes: 0 };
  await using opened = await openRepository({ ...limits, ...patient });
  const random = new Random(SEED);
  const digests = new Map<string, string>();
  for (let nth = 0; nth < profiles; nth++) {
    const timeNs = START_NS + BigInt(nth) * 60_000_000_000n;
    const raw = writeLargeProfile({ timeNs, functions: FUNCTIONS, samples: samples(random) });
    const bytes = gzipSync(raw, { level: 1 });
    const outcome = await opened.repository.push({ service: "large", type: "cpu", labels: [], bytes });
    if (outcome.state !== "stored") throw new Error("not stored");
    digests.set(outcome.record.id, hash("sha256", raw, "hex"));
  }
  const before = await sumOf(opened);
  await opened.reopen();
  const beforeBytes = await forgetPeak();
  const packed = await operationOf<PackResult>(opened, opened.repository.startPack().id);
  const packingBytes = (await memory()).peakBytes - beforeBytes;
  expect(packed).toMatchObject({ profiles, refused: 0 });
  expect((await operationOf<VerifyResult>(opened, opened.repository.startVerify().id)).damagedPacks).toBe(0);
  expect(await sumOf(opened)).toEqual({ ...before, packs: profiles, loose: 0 });
  for (const [id, digest] of digests) {
    const { bytes } = await opened.repository.download(id);
    expect(hash("sha256", gunzipSync(bytes), "hex")).toBe(digest);
  }
  const growthBytes = (await memory()).peakBytes - beforeBytes;
  const mib = (bytes: number) => Math.round(bytes / MIB);
  console.log(`${packed.packs} packs; ${mib(packingBytes)} MiB more while packing, ${mib(growthBytes)} MiB in all`);
  expect(growthBytes).toBeLessThan(GROWTH_MAX_BYTES);
});

/** The etag is the digest of the sum. */
async function sumOf({ repository }: OpenedRepository) {
  const { summary } = await repository.merge({
    selection: { selector: EVERYTHING },
    signal: new AbortController().signal,
  });
  const { etag, merged, packs, loose, skipped } = summary;
  return { etag, merged, packs, loose, skipped };
}

async function operationOf<Result>({ repository }: OpenedRepository, id: string): Promise<Result> {
  let operation = await repository.operation(id, 60_000);
  while (operation.endNs === undefined) operation = await repository.operation(id, 60_000);
  expect(operation.error).toBeUndefined();
  return operation.result as Result;
}

/** Answers what is resident now. */
async function forgetPeak(): Promise<number> {
  await writeFile("/proc/self/clear_refs", "5");
  return (await memory()).residentBytes;
}

async function memory() {
  const status = await readFile("/proc/self/status", "utf8");
  const bytesOf = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]) * 1024;
  return { residentBytes: bytesOf("VmRSS"), peakBytes: bytesOf("VmHWM") };
}
