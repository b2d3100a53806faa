// A profile that a PGO profile may be made of: what is known of it without its samples, which packs and the catalog tell alike.

import type { SeriesNumbers } from "../series-of-plan.ts";

/** Go's CPU profiler samples 100 times a second: what a profile without a column of counts is taken for. */
const NS_PER_SAMPLE = 10_000_000n;

/** One profile that may be taken. */
export interface Candidate {
  /** Which of the plan's sources: 0 the loose ones, then each pack; and its place there. */
  source: number;
  at: number;
  /** Its place in the canonical order of all. */
  order: number;
  series: number;
  timeNs: bigint;
  durationNs: bigint;
  /** Of samples/count; where there is no such column, what its CPU time comes to. */
  samples: bigint;
  /** Of cpu/nanoseconds; where there is no such column, what its samples come to. */
  cpuNs: bigint;
}

/** What a column that is not there comes to by the other. */
export function samplesAndCpu(
  samples: bigint | undefined,
  cpuNs: bigint | undefined,
): { samples: bigint; cpuNs: bigint } {
  return { samples: samples ?? (cpuNs ?? 0n) / NS_PER_SAMPLE, cpuNs: cpuNs ?? (samples ?? 0n) * NS_PER_SAMPLE };
}

/** "" where there is none. */
export function labelOf(names: SeriesNumbers, series: number, label: string): string {
  return names.labels[series]!.find(({ name }) => name === label)?.value ?? "";
}

/** Where no label names the process, the labels as a whole do. */
export function instanceOf(names: SeriesNumbers, series: number): string {
  return names.instanceOf(series) ?? JSON.stringify(names.labels[series]!.map(({ name, value }) => [name, value]));
}
