// How good a PGO profile is: numbers against bounds, and what to think of the whole. The bounds and their reasons are src/model/pgo-findings.ts;
// report-text.ts writes it for people.

import { PGO_FINDINGS, type PgoFindingName, type PgoFindingRule } from "../model/pgo-findings.ts";
import { PGO_VERDICTS, type PgoThreshold, type PgoVerdict } from "../model/pgo-policy.ts";
import type { PgoContent } from "./content.ts";
import type { PgoOverlap } from "./overlap.ts";

/** What one value of a label has of the CPU time: 0 to 1. */
export interface PgoShare {
  readonly value: string;
  readonly share: number;
}

/** Where a PGO profile came from. What is not known is absent, and is not judged. */
export interface PgoInputs {
  readonly profiles?: number;
  /** Sums before weights; else those of the file count. */
  readonly samples?: bigint;
  readonly cpuNs?: bigint;
  readonly wallNs?: bigint;
  readonly instances?: number;
  /** Distinct, UTC, 0 to 23. */
  readonly hoursOfDay?: readonly number[];
  /** The largest first. */
  readonly versions?: readonly PgoShare[];
  readonly goVersions?: readonly PgoShare[];
  /** Of the CPU time, what the newest of the versions has. */
  readonly newestVersionShare?: number;
  readonly earliestStartNs?: bigint;
  readonly latestStartNs?: bigint;
  /** Of the latest, when the report was made. */
  readonly ageNs?: bigint;
  /** Two random halves, drawn by `seed`. */
  readonly stability?: PgoOverlap & { readonly seed: string };
  readonly drift?: PgoOverlap & { readonly release: string };
  readonly skipped?: readonly { readonly reason: string; readonly profiles: number }[];
}

export interface PgoFacts {
  readonly content: PgoContent;
  readonly inputs: PgoInputs;
}

export interface PgoFinding {
  readonly name: PgoFindingName | "file";
  readonly value: number;
  readonly unit: PgoFindingRule["unit"];
  readonly verdict: PgoVerdict;
  readonly usableFrom: number | undefined;
  readonly goodFrom: number | undefined;
  readonly lessIsBetter: boolean;
  readonly reason: string;
}

export interface PgoReport {
  /** That of the worst finding. */
  readonly verdict: PgoVerdict;
  readonly findings: readonly PgoFinding[];
  /** Absent for what is no profile. */
  readonly facts: PgoFacts | undefined;
}

/** `thresholds` replace bounds of findings by name. */
export function judge(facts: PgoFacts, thresholds: readonly PgoThreshold[] = []): PgoReport {
  const bounds = new Map(thresholds.map((threshold) => [threshold.finding, threshold]));
  const findings = Object.entries(valuesOf(facts)).flatMap(([name, value]) =>
    value === undefined ? [] : [findingOf(name as PgoFindingName, value, bounds.get(name))],
  );
  return { verdict: worstOf(findings), findings, facts };
}

/** The report on a file that `go build` fails on, or takes for no profile. */
export function faultReport(reason: string, facts?: PgoFacts): PgoReport {
  const fault: PgoFinding = {
    name: "file",
    value: 0,
    unit: "",
    verdict: "unusable",
    usableFrom: undefined,
    goodFrom: undefined,
    lessIsBetter: false,
    reason,
  };
  return { verdict: "unusable", findings: [fault, ...(facts ? judge(facts).findings : [])], facts };
}

function valuesOf({ content, inputs }: PgoFacts): Record<PgoFindingName, number | undefined> {
  const cpuNs = inputs.cpuNs ?? content.cpuNs;
  const { wallNs, versions, goVersions, stability, drift } = inputs;
  return {
    samples: Number(inputs.samples ?? content.samples),
    edges: content.edges,
    cpu_time: seconds(cpuNs ?? 0n),
    without_start_line: content.shareWithoutStartLine,
    named: content.edges === 0 ? undefined : content.namedShare,
    wall_time: wallNs === undefined ? undefined : seconds(wallNs),
    utilization:
      cpuNs === undefined || wallNs === undefined || wallNs <= 0n ? undefined : Number(cpuNs) / Number(wallNs),
    instances: inputs.instances,
    hours_of_day: inputs.hoursOfDay?.length,
    newest_version: versions === undefined ? undefined : inputs.newestVersionShare,
    go_versions: goVersions?.filter(({ value }) => value !== "").length,
    age: inputs.ageNs === undefined ? undefined : seconds(inputs.ageNs),
    stability: stability?.weightOverlap,
    drift: drift && 1 - drift.weightOverlap,
    skipped: skippedShare(inputs),
  };
}

/** Left out because the policy says so. */
const CHOSEN: ReadonlySet<string> = new Set(["policy", "limit"]);

function skippedShare({ profiles, skipped }: PgoInputs): number | undefined {
  if (profiles === undefined || skipped === undefined) return undefined;
  const left = skipped.reduce((sum, { reason, profiles: count }) => sum + (CHOSEN.has(reason) ? 0 : count), 0);
  return left === 0 ? 0 : left / (left + profiles);
}

function findingOf(name: PgoFindingName, value: number, threshold: PgoThreshold | undefined): PgoFinding {
  const { unit, reason, ...rule }: PgoFindingRule = PGO_FINDINGS[name];
  const usableFrom = threshold?.usableFrom ?? rule.usableFrom;
  const goodFrom = threshold?.goodFrom ?? rule.goodFrom;
  const lessIsBetter = rule.lessIsBetter ?? false;
  const reaches = (bound: number | undefined) =>
    bound === undefined || (lessIsBetter ? value <= bound : value >= bound);
  const isUnusable =
    rule.unusableAt !== undefined && (lessIsBetter ? value >= rule.unusableAt : value <= rule.unusableAt);
  const verdict = isUnusable ? "unusable" : !reaches(usableFrom) ? "poor" : reaches(goodFrom) ? "good" : "usable";
  return { name, value, unit, verdict, usableFrom, goodFrom, lessIsBetter, reason };
}

function worstOf(findings: readonly PgoFinding[]): PgoVerdict {
  return PGO_VERDICTS.find((verdict) => findings.some((finding) => finding.verdict === verdict)) ?? "good";
}

function seconds(ns: bigint): number {
  return Number(ns) / 1e9;
}
