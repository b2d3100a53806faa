// Which profiles of a plan a policy takes, how often each counts, and what is known of them. Pure, so that packs, order and threads do not
// show: all it knows of a profile is its series, time, duration and totals, which packs and the catalog tell alike.

import { DomainError } from "../../model/errors.ts";
import { type PgoPolicy, PLAIN_PGO_POLICY } from "../../model/pgo-policy.ts";
import type { SeriesNumbers } from "../series-of-plan.ts";
import { type Candidate, instanceOf, labelOf } from "./candidate.ts";
import { factsOf, type PgoInputFacts, VERSION_LABEL, versionsNewestFirst } from "./input-facts.ts";
import { overCap } from "./source-cap.ts";
import { weightsOf } from "./weights.ts";

const SECOND_NS = 1_000_000_000n;
/** Profilers sample some hundred times a second; 10 000 times is the most that Go allows, once a second the least of any use. */
const LEAST_NS_PER_SAMPLE = 100_000n;
const MOST_NS_PER_SAMPLE = SECOND_NS;
/** Less is a number in another unit. */
const LEAST_DURATION_NS = 1_000_000n;
/** More than any machine has. */
const MOST_CORES = 4096n;

export interface LeftOut {
  reason: "zero" | "implausible" | "start-line" | "policy" | "limit";
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
  /** When each version was first seen, whenever that was; needed where the policy takes the newest. */
  firstSeenNs?: ReadonlyMap<string, bigint> | undefined;
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
  if (policy.name !== PLAIN_PGO_POLICY.name) taken = without(taken, "implausible", IMPLAUSIBLE, isImplausible);
  taken = without(taken, "start-line", "most of their functions do not say on which line they begin", (it) =>
    withoutStartLines.has(it),
  );
  const versions = versionsOf(taken, options);
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
  const facts = factsOf(taken, policy, names, options.firstSeenNs);
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
  { policy, names, firstSeenNs }: ChoiceOptions,
): Set<string> | undefined {
  if (policy.newestVersions === 0) return undefined;
  const versions = new Set<string>();
  const instances = new Set<string>();
  const sums = { samples: 0n, profiles: 0, instances: 0 };
  for (const { version, own } of versionsNewestFirst(candidates, names, firstSeenNs)) {
    if (versions.size >= policy.newestVersions && missing(policy, sums).length === 0) break;
    versions.add(version);
    for (const { samples, series } of own) {
      sums.samples += samples;
      instances.add(instanceOf(names, series));
    }
    sums.profiles += own.length;
    sums.instances = instances.size;
  }
  return versions;
}

const IMPLAUSIBLE = `each sample stands for less than 100 us or more than 1 s of CPU time, or more than ${MOST_CORES} cores were busy`;

/** What no profiler measures, and would take the place of all that was measured. */
function isImplausible({ samples, cpuNs, durationNs }: Candidate): boolean {
  if (cpuNs < samples * LEAST_NS_PER_SAMPLE || cpuNs > samples * MOST_NS_PER_SAMPLE) return true;
  return durationNs >= LEAST_DURATION_NS && cpuNs > durationNs * MOST_CORES;
}

/** The most CPU time for each second first; equal ones in their order. A profile of less than a second is taken for one of a second. */
function byUse(a: Candidate, b: Candidate): number {
  const seconds = ({ durationNs }: Candidate) => (durationNs > SECOND_NS ? durationNs : SECOND_NS);
  const difference = b.cpuNs * seconds(a) - a.cpuNs * seconds(b);
  return difference < 0n ? -1 : difference > 0n ? 1 : a.order - b.order;
}

function checkMinimum(policy: PgoPolicy, facts: PgoInputFacts): void {
  const lacking = missing(policy, facts);
  if (lacking.length === 0) return;
  throw new DomainError("not-found", `Nothing suitable for policy ${policy.name}: ${lacking.join(", ")}`);
}

function missing(
  { minSamples, minProfiles, minInstances }: PgoPolicy,
  facts: Pick<PgoInputFacts, "samples" | "profiles" | "instances">,
): string[] {
  const lacking = (what: string, present: bigint | number, least: number) =>
    present < least ? [`${present} ${what} where ${least} are the least`] : [];
  return [
    ...lacking("samples", facts.samples, minSamples),
    ...lacking("profiles", facts.profiles, Math.max(1, minProfiles)),
    ...lacking("instances", facts.instances, minInstances),
  ];
}
