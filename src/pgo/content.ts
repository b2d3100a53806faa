// What there is in a PGO profile, as numbers: what its judgement begins with. Where it came from is told beside it (judge.ts).

import type { Profile } from "../pprof/profile.ts";
import { hotEdges, type PgoEdges } from "./edges.ts";

/** Rows of the profile that were left out, by why. */
export interface LeftOutSamples {
  readonly negative: number;
  readonly withoutStartLine: number;
  readonly unreadableName: number;
}

export interface PgoContent {
  /** Sum of samples/count; without that column, CPU time by the profile's period. */
  readonly samples: bigint;
  /** Sum of cpu/nanoseconds; undefined without that column. */
  readonly cpuNs: bigint | undefined;
  readonly edges: number;
  /** Of those, the ones that make up 99 % of the weight. */
  readonly hotEdges: number;
  readonly totalWeight: bigint;
  /** Share of the weight that is at lines that mean nothing, for want of start lines; it is left out where the file is ours. 0 to 1. */
  readonly shareWithoutStartLine: number;
  /** Share of the weight of calls between functions that have names: 0 to 1. */
  readonly namedShare: number;
  readonly leftOut: LeftOutSamples;
}

/** Go's runtime samples a hundred times a second. */
const DEFAULT_PERIOD_NS = 10_000_000n;

/** `all` are the edges before samples were left out. */
export function contentOf(
  profile: Profile,
  edges: PgoEdges,
  { all, leftOut }: { all: PgoEdges; leftOut: LeftOutSamples },
): PgoContent {
  const cpuNs = columnSum(profile, "cpu", "nanoseconds");
  const named = edges.edges.filter(({ caller, callee }) => caller !== "" && callee !== "");
  return {
    samples: columnSum(profile, "samples", "count") ?? (cpuNs ?? 0n) / periodNs(profile),
    cpuNs,
    edges: edges.edges.length,
    hotEdges: hotEdges(edges).length,
    totalWeight: edges.totalWeight,
    shareWithoutStartLine: shareWithoutStartLine(all),
    namedShare: share(
      named.reduce((sum, { weight }) => sum + weight, 0n),
      edges.totalWeight,
    ),
    leftOut,
  };
}

function shareWithoutStartLine({ refusal, misplacedWeight, totalWeight }: PgoEdges): number {
  return refusal === "no-start-line" ? 1 : share(misplacedWeight, totalWeight);
}

function share(part: bigint, whole: bigint): number {
  return whole <= 0n ? 0 : Number(part) / Number(whole);
}

/** Undefined where there is no such column. */
function columnSum({ sampleTypes, samples }: Profile, type: string, unit: string): bigint | undefined {
  const column = sampleTypes.findIndex((found) => found.type === type && found.unit === unit);
  return column < 0 ? undefined : samples.reduce((sum, { values }) => sum + values[column]!, 0n);
}

function periodNs({ periodType: { type, unit }, period }: Profile): bigint {
  return type === "cpu" && unit === "nanoseconds" && period > 0n ? period : DEFAULT_PERIOD_NS;
}
