// What a profile's content tells `push`: whether it is one, its type, and whether it has a time of its own.

import { DomainError } from "../model/errors.ts";
import type { Limits } from "../model/limits.ts";
import { quote } from "../model/text.ts";
import { inflate } from "../pprof/gzip.ts";
import { convertLegacy } from "../pprof/legacy/convert.ts";
import { noProfile } from "../pprof/no-profile.ts";
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

/** Go writes the same columns for both. */
const TYPES_OF_CONTENTION = [
  ["contentions", "block"],
  ["contentions", "mutex"],
] as const;

export function isGoTrace(bytes: Uint8Array): boolean {
  return GO_TRACE.test(Buffer.from(bytes.subarray(0, 32)).toString("latin1"));
}

/** Throws `invalid` for what is no profile, `too-large` beyond the limits. */
export function readSummary(bytes: Uint8Array, limits: Limits): ProfileSummary {
  const inflated = inflate(bytes, limits.inflatedBytes);
  try {
    return summarize(inflated, limits);
  } catch (error) {
    if (!(error instanceof DomainError) || error.kind !== "invalid") throw error;
    const converted = convertLegacy(inflated, limits);
    if (!converted) throw noProfile(inflated, error);
    return summarize(converted, limits);
  }
}

/**
 * The type by the columns. `name`, of the file or of the endpoint that it came from, helps where they leave it open. Throws `invalid`
 * where nothing tells it.
 */
export function guessType({ sampleTypes, defaultSampleType, periodType }: ProfileSummary, name: string): string {
  const columns = sampleTypes.map(({ type }) => type);
  // Go writes the same columns for both, and says which one matters.
  if (columns.includes("alloc_space") && defaultSampleType === "alloc_space") return "allocs";
  if (columns.includes("contentions")) {
    const named = /block|mutex/.exec(name)?.[0];
    if (named) return named;
    throw new DomainError("invalid", "Cannot tell block from mutex by the columns: say --type block or --type mutex");
  }
  const known =
    typeOf(columns) ??
    // Parca's agent counts samples, and says of what in the period.
    (columns.includes("samples") ? typeOf([periodType.type]) : undefined);
  if (known) return known;
  const shown = columns.map(quote).join(", ") || "none";
  throw new DomainError("invalid", `Cannot tell the type by the columns ${shown}: say it with --type`);
}

/** The types that the columns are of, where `type` is well known and not among them; else undefined. */
export function typesInstead({ sampleTypes, periodType }: ProfileSummary, type: string): string[] | undefined {
  const columns = sampleTypes.map((column) => column.type);
  const known: (readonly [column: string, type: string])[] = [...TYPE_OF_COLUMN, ...TYPES_OF_CONTENTION];
  // As in guessType(): samples are of what the period says.
  const told = columns.includes("samples") ? [...columns, periodType.type] : columns;
  const fitting = [...new Set(known.filter(([column]) => told.includes(column)).map(([, each]) => each))];
  const isOdd = fitting.length > 0 && !fitting.includes(type) && known.some(([, each]) => each === type);
  return isOdd ? fitting : undefined;
}

function typeOf(columns: readonly string[]): string | undefined {
  return TYPE_OF_COLUMN.find(([column]) => columns.includes(column))?.[1];
}
