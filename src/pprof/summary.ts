// Check and summary of an upload in one pass over its bytes. It keeps nothing of the profile.

import type { Limits } from "../model/limits.ts";
import type { ValueType } from "../model/shape.ts";
import { ColumnTotals } from "./column-totals.ts";
import { MAPPING_STRIDE } from "./mapping-table.ts";
import { ProfileTables } from "./profile-tables.ts";
import { LABEL_STRIDE, SampleReader } from "./sample-reader.ts";

export interface SampleTypeSummary extends ValueType {
  /** Sum of the column over all samples, as an int64 that wraps. */
  total: bigint;
  /** True when the true sum does not fit int64. */
  wrapped: boolean;
}

export interface ProfileSummary {
  sampleTypes: SampleTypeSummary[];
  periodType: ValueType;
  /** In units of `periodType`. */
  period: bigint;
  /** Nanoseconds since 1970; 0 when the profile does not say. */
  timeNs: bigint;
  durationNs: bigint;
  /** 0 is a valid profile, in which nothing was seen. */
  sampleCount: number;
  functionCount: number;
  locationCount: number;
  /** Distinct and in the order of the mappings; mappings without one are left out. */
  buildIds: string[];
  /** Distinct, in the order of first use; the first `limits.sampleLabelKeys` that are no longer than a label's name may be. */
  sampleLabelKeys: string[];
  defaultSampleType: string;
}

// Tables of ordinary size are kept for the next call; larger ones are left to the garbage collector.
const KEPT_BYTES = 16 * 1024 * 1024;
let kept = new ProfileTables();

/**
 * Reads an inflated profile. Throws `invalid`, naming rule and place, for everything that google/pprof's parser and
 * CheckValid refuse, and `too-large` for more samples, frames or table rows than `limits` allow.
 */
export function summarize(raw: Uint8Array, limits: Limits): ProfileSummary {
  try {
    kept.load(raw, limits);
    return summaryOf(kept, limits);
  } finally {
    kept.release();
    if (kept.bytes > KEPT_BYTES) kept = new ProfileTables();
  }
}

function summaryOf(tables: ProfileTables, limits: Limits): ProfileSummary {
  const { totals, labelKeys } = readSamples(tables, limits);
  const { header } = tables;
  const valueType = ([type, unit]: [number, number]) => ({ type: tables.text(type), unit: tables.text(unit) });
  const { wrapped } = totals;
  const sums = totals.totals;
  return {
    sampleTypes: header.sampleTypes.map((type, at) => ({
      ...valueType(type),
      total: sums[at]!,
      wrapped: wrapped[at]!,
    })),
    periodType: valueType(header.periodType),
    period: header.period,
    timeNs: header.timeNs,
    durationNs: header.durationNs,
    sampleCount: tables.samples.count,
    functionCount: tables.functions.count,
    locationCount: tables.locations.count,
    buildIds: buildIds(tables),
    sampleLabelKeys: indexedKeys(tables, labelKeys, limits),
    defaultSampleType: tables.text(header.defaultSampleType),
  };
}

/** The label keys are string indexes in the order of first use, each once. */
function readSamples(tables: ProfileTables, limits: Limits): { totals: ColumnTotals; labelKeys: number[] } {
  const samples = new SampleReader(tables, limits);
  const totals = new ColumnTotals(tables.header.columnCount);
  const seen = new Uint8Array(tables.strings.count);
  const labelKeys: number[] = [];
  samples.start();
  for (let sample = 0; sample < tables.samples.count; sample++) {
    samples.read(sample);
    totals.add(samples.values);
    for (let at = 0; at < samples.labelCount; at++) {
      const key = samples.labels[at * LABEL_STRIDE]!;
      if (seen[key] !== 0) continue;
      seen[key] = 1;
      labelKeys.push(key);
    }
  }
  return { totals, labelKeys };
}

function indexedKeys(tables: ProfileTables, labelKeys: readonly number[], limits: Limits): string[] {
  const found = new Set<string>();
  for (const key of labelKeys) {
    if (found.size === limits.sampleLabelKeys) break;
    if (tables.strings.bounds[key * 2 + 1]! - tables.strings.bounds[key * 2]! <= limits.labelNameBytes) {
      found.add(tables.text(key));
    }
  }
  return [...found];
}

function buildIds(tables: ProfileTables): string[] {
  const found = new Set<string>();
  for (let row = 0; row < tables.mappings.count; row++) {
    const buildId = tables.text(tables.mappings.rows[row * MAPPING_STRIDE + 7]!);
    if (buildId !== "") found.add(buildId);
  }
  return [...found];
}
