// Which profiles of a plan a policy takes, how often each counts, and what is known of them. Pure, so that packs, order and threads do not
// show: all it knows of a profile is its series, time, duration and totals, which packs and the catalog tell alike.

import { DomainError } from "../../model/errors.ts";
import type { PgoPolicy } from "../../model/pgo-policy.ts";
import type { SeriesNumbers } from "../series-of-plan.ts";
import { type Candidate, labelOf } from "./candidate.ts";
import { factsOf, type PgoInputFacts, VERSION_LABEL, versionsNewestFirst } from "./input-facts.ts";
import { overCap } from "./source-cap.ts";
import { weightsOf } from "./weights.ts";

const SECOND_NS = 1_000_000_000n;

export interface LeftOut {
  reason: "zero" | "start-line" | "policy" | "limit";
  detail: string;
  candidates: Candidate[];
}

export interface PgoChoice {
  taken: Candidate[];
  /** Of each that is taken, from 1. */
  weights: number[];
  leftOut: LeftOut[];
  facts: PgoInputFacts;
}

export interface ChoiceOptions {
  policy: PgoPolicy;
  names: SeriesNumbers;
  /** Those that are known to say nowhere on which line a function begins. */
  withoutStartLines: ReadonlySet<Candidate>;
  /** Of the whole, for one source of a public key. */
  sourcePercent: number;
}

/** Throws `not-found` where the policy's minimum is not met, `conflict` where weights would take a sum too far. */
export function choose(candidates: readonly Candidate[], options: ChoiceOptions): PgoChoice {
  const { policy, names, withoutStartLines, sourcePercent } = options;
  const leftOut: LeftOut[] = [];
  const without = (
    from: readonly Candidate[],
    reason: LeftOut["reason"],
    detail: string,
    goes: (it: Candidate) => boolean,
  ) => {
    const gone = from.filter(goes);
    if (gone.length > 0) leftOut.push({ reason, detail, candidates: gone });
    return gone.length === 0 ? from : from.filter((it) => !goes(it));
  };
  let taken = without(
    candidates,
    "zero",
    "nothing was measured in them",
    ({ cpuNs, samples }) => cpuNs <= 0n && samples <= 0n,
  );
  taken = without(taken, "start-line", "none of their functions says on which line it begins", (it) =>
    withoutStartLines.has(it),
  );
  const versions = versionsOf(taken, policy, names);
  if (versions !== undefined) {
    const isOld = ({ series }: Candidate) => !versions.has(labelOf(names, series, VERSION_LABEL));
    taken = without(taken, "policy", `the policy takes the newest ${policy.newestVersions} versions`, isOld);
  }
  if (policy.topByCpu > 0 && taken.length > policy.topByCpu) {
    const top = new Set(taken.toSorted(byUse).slice(0, policy.topByCpu));
    const detail = `the policy takes the ${policy.topByCpu} with the most CPU time for each second`;
    taken = without(taken, "limit", detail, (it) => !top.has(it));
  }
  const weighed = weightsOf(taken, policy, names).map((weight, at) => ({ candidate: taken[at]!, weight }));
  const over = overCap(weighed, sourcePercent, names);
  taken = without(taken, "limit", "one source may make up so much of a PGO profile, and no more", (it) => over.has(it));
  const facts = factsOf(taken, policy, names);
  checkMinimum(policy, facts);
  // Not weighed anew: what is left of a source that had too much would be multiplied.
  const weights = weighed.filter(({ candidate }) => !over.has(candidate)).map(({ weight }) => weight);
  return { taken: [...taken], weights, leftOut, facts };
}

/**
 * The newest so many, by when each was first seen, and older ones, newest first, while there is less than the minimum. Undefined for all.
 */
function versionsOf(
  candidates: readonly Candidate[],
  policy: PgoPolicy,
  names: SeriesNumbers,
): Set<string> | undefined {
  if (policy.newestVersions === 0) return undefined;
  const versions = new Set<string>();
  const taken: Candidate[] = [];
  for (const { version, own } of versionsNewestFirst(candidates, names)) {
    if (versions.size >= policy.newestVersions && missing(policy, factsOf(taken, policy, names)).length === 0) break;
    versions.add(version);
    taken.push(...own);
  }
  return versions;
}

/** The most CPU time for each second first; equal ones in their order. A profile that does not say how long it took is taken for a second. */
function byUse(a: Candidate, b: Candidate): number {
  const seconds = ({ durationNs }: Candidate) => (durationNs > 0n ? durationNs : SECOND_NS);
  const difference = b.cpuNs * seconds(a) - a.cpuNs * seconds(b);
  return difference < 0n ? -1 : difference > 0n ? 1 : a.order - b.order;
}

function checkMinimum(policy: PgoPolicy, facts: PgoInputFacts): void {
  const lacking = missing(policy, facts);
  if (lacking.length === 0) return;
  throw new DomainError("not-found", `Nothing suitable for policy ${policy.name}: ${lacking.join(", ")}`);
}

function missing({ minSamples, minProfiles, minInstances }: PgoPolicy, facts: PgoInputFacts): string[] {
  const lacking = (what: string, present: bigint | number, least: number) =>
    present < least ? [`${present} ${what} where ${least} are the least`] : [];
  return [
    ...lacking("samples", facts.samples, minSamples),
    ...lacking("profiles", facts.profiles, Math.max(1, minProfiles)),
    ...lacking("instances", facts.instances, minInstances),
  ];
}
