// How the PGO profiles of a service are made: the policy, its defaults, and what it may be. Who keeps policies is src/storage/pgo-catalog.ts.

import { DomainError } from "./errors.ts";
import { canonicalLabels } from "./labels.ts";
import type { Limits } from "./limits.ts";
import { checkPgoThresholds } from "./pgo-findings.ts";
import { compileUnanchored } from "./regexp.ts";
import { parseSelector } from "./selector.ts";
import { quote } from "./text.ts";

/** From the worst to the best. */
export const PGO_VERDICTS = ["unusable", "poor", "usable", "good"] as const;
export type PgoVerdict = (typeof PGO_VERDICTS)[number];

export function isAtLeast(verdict: PgoVerdict, required: PgoVerdict): boolean {
  return PGO_VERDICTS.indexOf(verdict) >= PGO_VERDICTS.indexOf(required);
}

/** As google/pprof's Prune has it: what is below a matching frame is counted for its caller. */
export interface PruneRule {
  readonly drop: string;
  readonly keep?: string;
}

/** What a finding of the report is held against, where that is not the default. */
export interface PgoThreshold {
  readonly finding: string;
  readonly usableFrom?: number;
  readonly goodFrom?: number;
}

/** Each field is explained in PgoPolicy of proto/profusion/v1/pgo_service.proto. */
export interface PgoPolicy {
  readonly name: string;
  readonly selector: string;
  /** Absent: all of time. */
  readonly windowNs?: bigint | undefined;
  /** 0: all. */
  readonly newestVersions: number;
  readonly minSamples: number;
  readonly minProfiles: number;
  readonly minInstances: number;
  readonly weighting: "instance-hour" | "none";
  /** 0: all. */
  readonly topByCpu: number;
  /** "": none. */
  readonly modeLabel: string;
  readonly drop: readonly string[];
  readonly noInline: readonly string[];
  readonly prune: readonly PruneRule[];
  /** 0: all. */
  readonly keepLocations: number;
  readonly thresholds: readonly PgoThreshold[];
}

const DAY_NS = 24n * 3_600_000_000_000n;

/** What a service has that was told nothing else. */
export const DEFAULT_PGO_POLICY: PgoPolicy = {
  name: "default",
  selector: "cpu",
  windowNs: 7n * DAY_NS,
  newestVersions: 0,
  minSamples: 100,
  minProfiles: 1,
  minInstances: 1,
  weighting: "instance-hour",
  topByCpu: 0,
  modeLabel: "",
  drop: [],
  noInline: [],
  prune: [],
  keepLocations: 5,
  thresholds: [],
};

/** Everything, as it is: no window, no weights, no trimming. It cannot be changed. */
export const PLAIN_PGO_POLICY: PgoPolicy = {
  ...DEFAULT_PGO_POLICY,
  name: "plain",
  windowNs: undefined,
  minSamples: 0,
  weighting: "none",
  keepLocations: 0,
};

/** How often a window is doubled while the minimum is not met. */
export const PGO_WINDOW_DOUBLINGS = 4;

const POLICY_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
const HOUR_NS = 3_600_000_000_000n;
const MOST_RULES = 100;
const LONGEST_NAME = 4096;

/** Of policies, releases and channels. Throws `invalid`. */
export function checkPgoName(what: "policy" | "release" | "channel", name: string): void {
  if (POLICY_NAME.test(name)) return;
  throw new DomainError(
    "invalid",
    `Cannot name a ${what} ${quote(name)}: a name is 1 to 100 letters, digits, ".", "_" and "-", and begins with a letter or digit`,
  );
}

/** Throws `invalid`, naming the field and what it may be. */
export function checkPgoPolicy(policy: PgoPolicy, limits: Limits): void {
  checkPgoName("policy", policy.name);
  const refuse = (field: string, rule: string): never => {
    throw new DomainError("invalid", `Cannot take policy ${quote(policy.name)}: ${field} ${rule}`);
  };
  if (parseSelector(policy.selector, limits).services.length > 0)
    refuse("selector", "names a service: a policy is of one");
  const { windowNs } = policy;
  if (windowNs !== undefined && (windowNs < HOUR_NS || windowNs > 366n * DAY_NS)) refuse("window", "is 1h to 366d");
  const counts = {
    newest_versions: policy.newestVersions,
    min_samples: policy.minSamples,
    min_profiles: policy.minProfiles,
    min_instances: policy.minInstances,
    top_by_cpu: policy.topByCpu,
  };
  for (const [field, value] of Object.entries(counts)) {
    if (!Number.isSafeInteger(value) || value < 0) refuse(field, "is a whole number, 0 or more");
  }
  const { keepLocations } = policy;
  if (!Number.isSafeInteger(keepLocations) || keepLocations < 0 || keepLocations === 1) {
    refuse("keep_locations", "is -1 for all, or 2 or more: the compiler looks at two");
  }
  for (const [field, { length }] of Object.entries({
    drop: policy.drop,
    no_inline: policy.noInline,
    prune: policy.prune,
  })) {
    if (length > MOST_RULES) refuse(field, `has at most ${MOST_RULES} rules`);
  }
  checkPgoThresholds(policy.thresholds);
  const findings = policy.thresholds.map(({ finding }) => finding);
  if (new Set(findings).size < findings.length) refuse("thresholds", "name a finding twice");
  if (policy.modeLabel !== "") canonicalLabels([{ name: policy.modeLabel, value: "" }], limits);
  if (policy.drop.includes("")) refuse("drop", "has an empty expression, which matches everything");
  if (policy.noInline.some((name) => name === "" || name.length > LONGEST_NAME)) {
    refuse("no_inline", `has names of 1 to ${LONGEST_NAME} characters`);
  }
  for (const pattern of [...policy.drop, ...policy.prune.flatMap(({ drop, keep }) => [drop, keep ?? ""])]) {
    compileUnanchored(pattern, limits);
  }
  if (policy.prune.some(({ drop }) => drop === ""))
    refuse("prune", 'has a rule without "drop": "keep" alone drops nothing');
}
