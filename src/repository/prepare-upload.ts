// What an upload goes through before it is stored: inflate, check, summarise, digest. Pure; src/repository/ingest-worker.ts runs it in a thread.

import { hash } from "node:crypto";
import { DomainError } from "../model/errors.ts";
import type { Limits } from "../model/limits.ts";
import { deflate, withInflated } from "../pprof/gzip.ts";
import { convertLegacy } from "../pprof/legacy/convert.ts";
import { noProfile } from "../pprof/no-profile.ts";
import { scrubProfile } from "../pprof/scrub.ts";
import { type ProfileSummary, summarize } from "../pprof/summary.ts";

/** What is stored with an upload; the rest of its summary stays in the thread. */
export type UploadSummary = Pick<
  ProfileSummary,
  "sampleTypes" | "periodType" | "timeNs" | "durationNs" | "sampleCount" | "sampleLabelKeys"
>;

export interface PreparedUpload {
  /** SHA-256 of the inflated bytes as they were sent, legacy formats included. */
  digest: Uint8Array;
  /** Absent where the bytes are opaque. */
  summary?: UploadSummary;
}

/** Throws `invalid` and `too-large` for what must not be stored. Traces are opaque: any bytes, even none. */
export function prepareUpload(bytes: Uint8Array, type: string, limits: Limits): PreparedUpload {
  if (type === "trace") return { digest: hash("sha256", bytes, "buffer") };
  if (bytes.length === 0)
    throw new DomainError("invalid", "Cannot take an empty body: send a pprof profile, gzipped or raw");
  return withInflated(bytes, limits.inflatedBytes, (inflated) => ({
    digest: hash("sha256", inflated, "buffer"),
    summary: stored(summarizeAny(inflated, limits)),
  }));
}

/** Gzipped, as what is sent mostly is. Throws as prepareUpload() does, and for less: it is held as objects while it is scrubbed. */
export function scrubUpload(bytes: Uint8Array, limits: Limits): Uint8Array<ArrayBuffer> {
  const scrubbed = withInflated(bytes, limits.publicInflatedBytes, (inflated) => {
    summarizeAny(inflated, limits);
    return scrubProfile(convertLegacy(inflated, limits) ?? inflated);
  });
  return new Uint8Array(deflate(scrubbed));
}

/** google/pprof's order: the protobuf first, then the legacy formats; what neither reads fails with the protobuf's reason. */
function summarizeAny(inflated: Uint8Array, limits: Limits): ProfileSummary {
  try {
    return summarize(inflated, limits);
  } catch (error) {
    if (!(error instanceof DomainError) || error.kind !== "invalid") throw error;
    const converted = convertLegacy(inflated, limits);
    if (converted === undefined) throw noProfile(inflated, error);
    return summarize(converted, limits);
  }
}

function stored(summary: ProfileSummary): UploadSummary {
  const { sampleTypes, periodType, timeNs, durationNs, sampleCount, sampleLabelKeys } = summary;
  return { sampleTypes, periodType, timeNs, durationNs, sampleCount, sampleLabelKeys };
}
