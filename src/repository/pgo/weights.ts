// How often each profile counts in a PGO profile, so that each instance and hour counts alike.

import { DomainError } from "../../model/errors.ts";
import type { PgoPolicy } from "../../model/pgo-policy.ts";
import type { SeriesNumbers } from "../series-of-plan.ts";
import { type Candidate, instanceOf } from "./candidate.ts";

const HOUR_NS = 3_600_000_000_000n;
/** What the weight of a group is at most: beyond, few samples would be blown up to a statement about everything. */
const MOST_WEIGHT = 100n;
/** Sums of values must stay below 2^62, so that none of the compiler's sums of edges passes 2^63. */
const MOST_SUM = 2n ** 62n;

/**
 * Each instance and hour comes near the largest: its profiles are multiplied by one whole number. Nothing is scaled down, which would round
 * rare samples to nothing.
 */
export function weightsOf(taken: readonly Candidate[], { weighting }: PgoPolicy, names: SeriesNumbers): number[] {
  const weights = weighting === "none" ? taken.map(() => 1) : groupWeights(taken, names);
  for (const column of ["samples", "cpuNs"] as const) {
    const sum = taken.reduce((total, candidate, at) => total + candidate[column] * BigInt(weights[at]!), 0n);
    if (sum >= MOST_SUM) {
      throw new DomainError(
        "conflict",
        `Cannot make a PGO profile: the weighted sum of ${column === "samples" ? "samples" : "CPU time"} is ${sum}, at most 2^62 is possible; ask for a shorter window, or weighting none`,
      );
    }
  }
  return weights;
}

function groupWeights(taken: readonly Candidate[], names: SeriesNumbers): number[] {
  const groupOf = ({ series, timeNs }: Candidate) => `${timeNs / HOUR_NS} ${instanceOf(names, series)}`;
  const totals = new Map<string, bigint>();
  for (const candidate of taken) {
    const group = groupOf(candidate);
    totals.set(group, (totals.get(group) ?? 0n) + candidate.cpuNs);
  }
  let largest = 0n;
  for (const total of totals.values()) if (total > largest) largest = total;
  const weightOf = (total: bigint) => {
    const weight = total > 0n ? (2n * largest + total) / (2n * total) : 1n;
    return Number(weight > MOST_WEIGHT ? MOST_WEIGHT : weight);
  };
  return taken.map((candidate) => weightOf(totals.get(groupOf(candidate))!));
}
