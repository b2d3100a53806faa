// What a limit is, and the units that people write limits with. How they are read: limit.ts; as patterns: limit-pattern.ts.

export const KIB = 1024;
export const MIB = 1024 * KIB;

export type LimitUnit = "bytes" | "ms" | "percent" | "count";

export interface Limit {
  readonly unit: LimitUnit;
  readonly default: number;
  /** What it may be set to, both ends included. */
  readonly min: 0 | 1;
  readonly max: number;
  /** What it bounds, and why so. */
  readonly description: string;
  /** Whether a running server takes another value: only where every reader asks the server's one object each time. */
  readonly isReloadable: boolean;
}

/** Largest first. */
export const SIZES: readonly [name: string, factor: number][] = [
  ["TiB", MIB * MIB],
  ["GiB", KIB * MIB],
  ["MiB", MIB],
  ["KiB", KIB],
];
export const TIMES: readonly [name: string, factor: number][] = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
  ["ms", 1],
];
