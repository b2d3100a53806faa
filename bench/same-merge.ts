// A benchmark of wrong answers is worth nothing: each merge is held against google/pprof's by its columns' totals.

import { readFile } from "node:fs/promises";
import { DEFAULT_LIMITS } from "../src/model/limits.ts";
import { inflate } from "../src/pprof/gzip.ts";
import { summarize } from "../src/pprof/summary.ts";

/** Throws where two merges do not add up to the same. The whole of both is compared in test/pprof/conformance. */
export async function expectSameMerge(ours: Uint8Array, googleFile: string): Promise<void> {
  const google = describe(await readFile(googleFile));
  const own = describe(ours);
  if (own !== google) throw new Error(`the merge is wrong: ${own}, google/pprof says ${google}`);
}

/** A merge may be larger than an upload. */
function describe(gzipped: Uint8Array): string {
  const limits = { ...DEFAULT_LIMITS, samples: Number.MAX_SAFE_INTEGER };
  const { sampleTypes, sampleCount } = summarize(inflate(gzipped, Number.MAX_SAFE_INTEGER), limits);
  return `${sampleCount} samples, totals ${sampleTypes.map(({ total }) => total).join(" ")}`;
}
