// The profile type that a file's content tells, for `push` without --type.

import { DomainError } from "../model/errors.ts";
import type { Limits } from "../model/limits.ts";
import { quote } from "../model/text.ts";
import { inflate } from "../pprof/gzip.ts";
import { convertLegacy } from "../pprof/legacy/convert.ts";
import { type ProfileSummary, summarize } from "../pprof/summary.ts";

/** Go's execution traces begin with "go 1.22 trace" and three zeros. */
const GO_TRACE = /^go 1\.\d+ trace\0/;

/** Column names → type, for Go's runtime, gperftools, pprof-rs, pprof-nodejs; the first that fits. */
const TYPE_OF_COLUMN: readonly [column: string, type: string][] = [
  ["cpu", "cpu"],
  ["inuse_space", "heap"],
  ["space", "heap"],
  ["alloc_space", "allocs"],
  ["goroutine", "goroutine"],
  ["goroutines", "goroutine"],
  ["threadcreate", "threadcreate"],
  ["wall", "wall"],
];

/** Throws `invalid` for what is no profile, and where the columns leave the type open. `fileName` only helps with those. */
export function guessType(bytes: Uint8Array, fileName: string, limits: Limits): string {
  if (GO_TRACE.test(Buffer.from(bytes.subarray(0, 32)).toString("latin1"))) return "trace";
  const { sampleTypes, defaultSampleType } = read(inflate(bytes, limits.inflatedBytes), limits);
  const columns = sampleTypes.map(({ type }) => type);
  // Go writes the same columns for both, and says which one matters.
  if (columns.includes("alloc_space") && defaultSampleType === "alloc_space") return "allocs";
  if (columns.includes("contentions")) {
    const named = /block|mutex/.exec(fileName)?.[0];
    if (named) return named;
    throw new DomainError("invalid", "Cannot tell block from mutex by the columns: say --type block or --type mutex");
  }
  const known = TYPE_OF_COLUMN.find(([column]) => columns.includes(column));
  if (known) return known[1];
  const shown = columns.map(quote).join(", ") || "none";
  throw new DomainError("invalid", `Cannot tell the type by the columns ${shown}: say it with --type`);
}

function read(inflated: Uint8Array, limits: Limits): ProfileSummary {
  try {
    return summarize(inflated, limits);
  } catch (error) {
    const converted = error instanceof DomainError ? convertLegacy(inflated, limits) : undefined;
    if (!converted) throw error;
    return summarize(converted, limits);
  }
}
