// What a row of the benchmark says, and how it is judged. A missed target is told, never an error: machines differ.

import type { Size } from "./generate.ts";

export interface Row {
  /** Matched by the filter of the command line. */
  name: string;
  what: string;
  run(size: Size): Promise<Measurement>;
}

export interface Measurement {
  /** How much there was: profiles, bytes, series. */
  counts: Record<string, number>;
  /** Names end in their unit: Ms, PerSecond, Bytes, BytesEach (of one profile); those that end in Ratio are pure numbers. */
  figures: Record<string, number>;
  targets: Target[];
}

/** Judged at full size only. */
export interface Target {
  figure: string;
  atMost?: number;
  atLeast?: number;
}

export type Verdict = "met" | "missed" | "not judged";

export function judge({ figures }: Measurement, target: Target, size: Size): Verdict {
  if (size === "small") return "not judged";
  const value = figures[target.figure];
  if (value === undefined) throw new Error(`there is no figure ${target.figure} to judge`);
  const { atMost = Number.POSITIVE_INFINITY, atLeast = Number.NEGATIVE_INFINITY } = target;
  return value <= atMost && value >= atLeast ? "met" : "missed";
}

export function median(values: readonly number[]): number {
  return percentile(values, 50);
}

/** By the nearest rank. */
export function percentile(values: readonly number[], percent: number): number {
  if (values.length === 0) throw new Error("there is no percentile of nothing");
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))]!;
}
