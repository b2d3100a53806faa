// How much of a PGO profile may come from one source of a public key: what is beyond is left out, its newest profiles last.

import { isSource, SOURCE_LABEL } from "../../model/source.ts";
import { laterOf } from "../../model/time.ts";
import type { SeriesNumbers } from "../series-of-plan.ts";
import { type Candidate, labelOf } from "./candidate.ts";

export interface Weighed {
  candidate: Candidate;
  weight: number;
}

/**
 * Those to leave out so that no source has more than `percent` of the weighted CPU time of what remains, or than an equal share where
 * there are so few of them; one whose newest profile alone is more has that one, up to twice as much. What has no source is of the team
 * itself: it counts as one more, and is not capped.
 */
export function overCap(all: readonly Weighed[], percent: number, names: SeriesNumbers): Set<Candidate> {
  const sourceOf = ({ candidate }: Weighed) => labelOf(names, candidate.series, SOURCE_LABEL);
  const bySource = Map.groupBy(
    all.filter((each) => isSource(sourceOf(each))),
    sourceOf,
  );
  const gone = new Set<Candidate>();
  if (bySource.size === 0) return gone;
  const use = ({ candidate, weight }: Weighed) => candidate.cpuNs * BigInt(weight);
  const sum = (some: readonly Weighed[]) => some.reduce((total, each) => total + use(each), 0n);
  const sums = [...bySource.values()].map(sum);
  const own = sum(all) - sums.reduce((a, b) => a + b, 0n);
  const most = largestShare(sums, own, percent);
  for (const profiles of bySource.values()) {
    let left = most;
    for (const each of profiles.toSorted((a, b) => b.candidate.order - a.candidate.order)) {
      if (use(each) > (left === most ? 2n * most : left)) gone.add(each.candidate);
      else left -= use(each);
    }
  }
  return gone;
}

/** The largest m that is at most the allowed share of own + Σ min(sum, m): by halving, since a smaller m always is too. */
function largestShare(sums: readonly bigint[], own: bigint, percent: number): bigint {
  const shares = BigInt(sums.length) + (own > 0n ? 1n : 0n);
  /** m is allowed where m × 100 ≤ percent × total, or m × shares ≤ total. */
  const isAllowed = (most: bigint) => {
    const total = sums.reduce((all, sum) => all + (sum < most ? sum : most), own);
    return most * 100n <= BigInt(percent) * total || most * shares <= total;
  };
  let [low, high] = [0n, sums.reduce(laterOf)];
  while (low < high) {
    const middle = (low + high + 1n) / 2n;
    if (isAllowed(middle)) low = middle;
    else high = middle - 1n;
  }
  return low;
}
