// What the report says of the profiles that a PGO profile is made of, all of it unweighted.

import type { PgoPolicy } from "../../model/pgo-policy.ts";
import { earlierOf, laterOf } from "../../model/time.ts";
import type { PgoShare } from "../../pgo/judge.ts";
import type { SeriesNumbers } from "../series-of-plan.ts";
import { type Candidate, instanceOf, labelOf } from "./candidate.ts";

const HOUR_NS = 3_600_000_000_000n;
export const VERSION_LABEL = "version";
const GO_VERSION_LABEL = "go_version";

export interface PgoInputFacts {
  profiles: number;
  samples: bigint;
  cpuNs: bigint;
  wallNs: bigint;
  instances: number;
  /** 0 to 23, UTC, ascending. */
  hoursOfDay: number[];
  /** The largest first. */
  versions: PgoShare[];
  goVersions: PgoShare[];
  /** Of the version that was first seen last. */
  newestVersionShare: number;
  /** Values of the policy's mode label, sorted. */
  modes: string[];
  /** Starts of the first and the last. */
  earliestNs: bigint;
  latestNs: bigint;
}

export function factsOf(
  taken: readonly Candidate[],
  { modeLabel }: PgoPolicy,
  names: SeriesNumbers,
  firstSeenNs?: ReadonlyMap<string, bigint>,
): PgoInputFacts {
  const sum = (of: (candidate: Candidate) => bigint) => taken.reduce((total, candidate) => total + of(candidate), 0n);
  const cpuNs = sum((candidate) => candidate.cpuNs);
  const versions = sharesOf(taken, cpuNs, names, VERSION_LABEL);
  const newestVersion = versionsNewestFirst(taken, names, firstSeenNs)[0]?.version;
  const times = taken.map(({ timeNs }) => timeNs);
  const hours = new Set(times.map((timeNs) => Number((timeNs / HOUR_NS) % 24n)));
  const series = [...new Set(taken.map((candidate) => candidate.series))];
  const modes =
    modeLabel === "" ? [] : series.map((own) => labelOf(names, own, modeLabel)).filter((mode) => mode !== "");
  return {
    profiles: taken.length,
    samples: sum(({ samples }) => samples),
    cpuNs,
    wallNs: sum(({ durationNs }) => durationNs),
    instances: new Set(series.map((own) => instanceOf(names, own))).size,
    hoursOfDay: [...hours].sort((a, b) => a - b),
    versions,
    newestVersionShare: versions.find(({ value }) => value === newestVersion)?.share ?? 0,
    goVersions: sharesOf(taken, cpuNs, names, GO_VERSION_LABEL),
    modes: [...new Set(modes)].sort(),
    earliestNs: times.reduce(earlierOf, times[0] ?? 0n),
    latestNs: times.reduce(laterOf, times[0] ?? 0n),
  };
}

function sharesOf(taken: readonly Candidate[], cpuNs: bigint, names: SeriesNumbers, label: string): PgoShare[] {
  const sums = new Map<string, bigint>();
  for (const { series, cpuNs: own } of taken) {
    const value = labelOf(names, series, label);
    sums.set(value, (sums.get(value) ?? 0n) + own);
  }
  return [...sums]
    .map(([value, own]) => ({ value, share: cpuNs > 0n ? Number((own * 1_000_000n) / cpuNs) / 1_000_000 : 0 }))
    .sort((a, b) => b.share - a.share || (a.value < b.value ? -1 : 1));
}

/** By when each was first seen, of these where nothing else is known; of the same moment, the larger name. */
export function versionsNewestFirst(
  candidates: readonly Candidate[],
  names: SeriesNumbers,
  firstSeenNs?: ReadonlyMap<string, bigint>,
): { version: string; own: Candidate[] }[] {
  const byVersion = Map.groupBy(candidates, ({ series }) => labelOf(names, series, VERSION_LABEL));
  return [...byVersion]
    .map(([version, own]) => {
      const firstNs = own.map(({ timeNs }) => timeNs).reduce(earlierOf);
      return { version, own, firstNs: earlierOf(firstNs, firstSeenNs?.get(version) ?? firstNs) };
    })
    .sort((a, b) => (a.firstNs < b.firstNs ? 1 : a.firstNs > b.firstNs ? -1 : a.version < b.version ? 1 : -1));
}
