// One PGO profile over one window: which profiles, how often each counts, two sums of two halves of them, and what the compiler gets.

import { DomainError } from "../../model/errors.ts";
import type { Limits } from "../../model/limits.ts";
import { PLAIN_PGO_POLICY } from "../../model/pgo-policy.ts";
import { formatProfileId } from "../../model/profile-id.ts";
import type { ValueType } from "../../model/shape.ts";
import { faultReport, judge, type PgoReport } from "../../pgo/judge.ts";
import { reportText } from "../../pgo/report-text.ts";
import { skip } from "../candidates.ts";
import { canonicalOrders } from "../canonical-orders.ts";
import type { Damage, FoldedPack, MergeJobRequest } from "../merge-pool.ts";
import { damagedOf, looseProfiles, summaryOf, totalsOf, warningsOfSkipped } from "../merge-summary.ts";
import type { MergePlan } from "../planner.ts";
import type { MergeSummary, Selection, Skipped } from "../repository.ts";
import { type PlacedPlan, placePlan } from "../series-of-plan.ts";
import { type Candidate, samplesAndCpu } from "./candidate.ts";
import { choose, type LeftOut, type PgoChoice } from "./choice.ts";
import type { PgoFinished } from "./finish.ts";
import { HALVES_SEED, halvesOf } from "./halves.ts";
import type { PgoDependencies, PgoRequest } from "./pgo-profile.ts";
import { CPU, planSuitable, SAMPLES } from "./plan.ts";
import { versionsFirstSeen } from "./versions-first-seen.ts";

export interface PgoMade {
  /** gzip of the canonical protobuf. */
  bytes: Uint8Array;
  /** SHA-256 of the canonical protobuf, hex. */
  digest: string;
  report: PgoReport;
  /** It for people. */
  reportText: string;
  /** Values of the policy's mode label, sorted. */
  modes: readonly string[];
  summary: MergeSummary;
}

/** One profile in a PGO profile. */
export interface PgoInput {
  id: string;
  timeNs: bigint;
  weight: number;
}

export interface MadeWithInputs extends PgoMade {
  /** In canonical order. */
  inputs: PgoInput[];
  fingerprint: string | undefined;
}

/** Raised when the same profiles and policy give other bytes. Changes are listed in docs/formats.md. */
export const PGO_ALGORITHM_VERSION = 1;

/** A summary names the first few of those that were left out. */
const NAMED_IDS = 10;

/** Throws `not-found` where nothing is suitable, and what merges throw. */
export async function makePgo(
  dependencies: PgoDependencies,
  request: PgoRequest & { selection: Selection },
): Promise<MadeWithInputs> {
  const broken = new Map<number, string>();
  const damaged: Damage["damaged"] = [];
  for (;;) {
    const whole = await planSuitable(dependencies, request.selection, broken);
    const lost = new Set(damaged.map(({ input }) => input.id));
    const plan = { ...whole, inputs: whole.inputs.filter(({ id }) => !lost.has(id)) };
    if (plan.inputs.length + plan.packs.length === 0) {
      throw new DomainError("unavailable", `None of the ${whole.matched} profiles can be read: ${damaged[0]?.message}`);
    }
    const made = await makeOf(dependencies, request, plan, damagedOf(damaged, false));
    if (!("damagedPacks" in made)) return { ...made, fingerprint: damaged.length === 0 ? plan.fingerprint : undefined };
    // What is lost may have had its say in what the others count for.
    damaged.push(...made.damaged);
    for (const { pack, message } of made.damagedPacks) broken.set(pack.selected.question.packId, message);
  }
}

async function makeOf(
  dependencies: PgoDependencies,
  request: PgoRequest & { selection: Selection },
  plan: MergePlan,
  lost: Skipped[],
): Promise<Omit<MadeWithInputs, "fingerprint"> | Damage> {
  const { limits } = dependencies;
  const placed = await placePlan(dependencies, plan, plan.columns, { inPacks: true });
  const orders = await canonicalOrders([looseProfiles(plan.inputs), ...plan.packs]);
  if (placed.damagedPacks.length > 0) return damageOf(placed, plan, orders);
  const candidates = candidatesOf(plan, placed, orders, limits);
  const withoutStartLines = new Set<Candidate>();
  const { policy } = request;
  const firstSeenNs = policy.newestVersions > 0 ? await versionsFirstSeen(dependencies.catalog, request) : undefined;
  for (;;) {
    const choice = choose(candidates, {
      policy,
      names: placed.names,
      withoutStartLines,
      firstSeenNs,
      sourcePercent: limits.pgoSourcePercent,
    });
    const halves = halvesOf(plan, choice, orders);
    const sums: Uint8Array[] = [];
    for (const half of halves) {
      const sum: MergeJobRequest = {
        ...half,
        columns: plan.columns,
        maxResultBytes: limits.resultBytes,
        signal: request.signal,
      };
      const { merged, ...damage } = await dependencies.pool.merge(sum);
      if (damage.damaged.length + damage.damagedPacks.length > 0 || !merged) return damage;
      const wrapped = plan.columns.filter((_, column) => merged.wrapped[column]);
      if (wrapped.length > 0) throw passes64Bits(wrapped);
      sums.push(merged.gzipped);
    }
    const { previous, warnings } = await readPrevious(request);
    const finished = await dependencies.pool.finishPgo({ sums, policy, previous });
    // Profiles that say no start lines must not have their say in the weights of the others either. Once found, they are all found.
    const isSuspect =
      finished.content.leftOut.withoutStartLine > 0 &&
      withoutStartLines.size === 0 &&
      policy.name !== PLAIN_PGO_POLICY.name;
    const lacking = isSuspect ? await lackingStartLines(dependencies, plan, choice.taken) : [];
    if (lacking.length === 0) return answerOf(dependencies, request, plan, { choice, finished, lost, warnings });
    for (const candidate of lacking) withoutStartLines.add(candidate);
  }
}

function passes64Bits(columns: readonly ValueType[]): DomainError {
  const names = columns.map(({ type, unit }) => `${type}/${unit}`).join(", ");
  return new DomainError("conflict", `Cannot make a PGO profile: values of ${names} sum to more than 64 bits hold`);
}

function damageOf({ damagedPacks }: PlacedPlan, plan: MergePlan, orders: readonly Float64Array[]): Damage {
  const foldedOf = (at: number): FoldedPack => ({ selected: plan.packs[at]!, orders: orders[at + 1]! });
  return {
    damaged: [],
    damagedPacks: damagedPacks.map(({ pack, message }) => ({ pack: foldedOf(plan.packs.indexOf(pack)), message })),
  };
}

/** What was deleted meanwhile is none. Throws `too-large`. */
function candidatesOf(
  plan: MergePlan,
  { placed }: PlacedPlan,
  orders: readonly Float64Array[],
  limits: Limits,
): Candidate[] {
  const count = orders.reduce((sum, { length }) => sum + length, 0);
  if (count > limits.pgoProfiles) {
    throw new DomainError(
      "too-large",
      `Cannot make a PGO profile of ${count} profiles: at most ${limits.pgoProfiles} are allowed; ask for a shorter window or more labels`,
      { subject: "result" },
    );
  }
  const placeOf = (wanted: ValueType) => plan.columns.findIndex(({ type }) => type === wanted.type);
  const [samplesAt, cpuAt] = [placeOf(SAMPLES), placeOf(CPU)];
  return placed.flatMap(({ series, durationsNs, totals }, source) =>
    Array.from(series, (own, at): Candidate => {
      const timeNs = source === 0 ? plan.inputs[at]!.timeNs : plan.packs[source - 1]!.timesNs[at]!;
      const sums = samplesAndCpu(totals[samplesAt]?.[at], totals[cpuAt]?.[at]);
      return { source, at, order: orders[source]![at]!, series: own, timeNs, durationNs: durationsNs[at]!, ...sums };
    }).filter((candidate) => candidate.series >= 0),
  );
}

/** Of those that are taken, the ones that say nowhere on which line a function begins. */
async function lackingStartLines(
  { pool }: PgoDependencies,
  plan: MergePlan,
  taken: readonly Candidate[],
): Promise<Candidate[]> {
  const bySource = Map.groupBy(taken, ({ source }) => source);
  const lacking: Candidate[] = [];
  for (const [source, own] of bySource) {
    const found =
      source === 0
        ? await pool.looseStartLines(own.map(({ at }) => plan.inputs[at]!))
        : await pool.startLines(
            plan.packs[source - 1]!,
            Uint32Array.from(own, ({ at }) => plan.packs[source - 1]!.rows[at]!),
          );
    lacking.push(...own.filter((_, nth) => !found[nth]));
  }
  return lacking;
}

interface Outcome {
  choice: PgoChoice;
  finished: PgoFinished;
  /** Loose profiles that are damaged. */
  lost: Skipped[];
  warnings: string[];
}

/** A damaged release costs the drift, not the profile. */
async function readPrevious({ previous }: PgoRequest): Promise<{ previous?: Uint8Array; warnings: string[] }> {
  try {
    return { ...(previous && { previous: await previous.read() }), warnings: [] };
  } catch (error) {
    if (!(error instanceof DomainError) || error.kind !== "unavailable") throw error;
    return { warnings: [`no drift is known: ${error.message}`] };
  }
}

function answerOf(
  { nowNs }: PgoDependencies,
  request: PgoRequest & { selection: Selection },
  plan: MergePlan,
  { choice, finished, lost, warnings }: Outcome,
): Omit<MadeWithInputs, "fingerprint"> {
  const { policy, previous } = request;
  const { content, fault, stability, drift, gzipped, digest } = finished;
  if (content.edges === 0 && fault === undefined) {
    throw new DomainError(
      "not-found",
      `Nothing suitable for policy ${policy.name}: no sample of ${choice.taken.length} profiles has a call whose caller says on which line it begins, as profiles of Go 1.20 and newer do`,
    );
  }
  const skipped = [...plan.skipped, ...lost, ...choice.leftOut.map((left) => skippedOf(plan, left))];
  const { earliestNs, latestNs, ...known } = choice.facts;
  const facts = {
    content,
    inputs: {
      ...known,
      earliestStartNs: earliestNs,
      latestStartNs: latestNs,
      ageNs: (request.interval ? nowNs() : (request.selection.interval?.endNs ?? nowNs())) - latestNs,
      ...(stability && { stability: { ...stability, seed: String(HALVES_SEED) } }),
      ...(drift && previous && { drift: { ...drift, release: previous.name } }),
      skipped: skipped.map(({ reason, count }) => ({ reason, profiles: count })),
    },
  };
  const report = fault === undefined ? judge(facts, policy.thresholds) : faultReport(fault, facts);
  const sums = { samples: choice.facts.samples, cpu: choice.facts.cpuNs };
  const columnTotals = plan.columns.map(({ type }) => sums[type as keyof typeof sums]);
  return {
    bytes: gzipped,
    digest,
    report,
    reportText: reportText(report),
    modes: choice.facts.modes,
    summary: {
      ...summaryOf(request, plan, takenOf(plan, choice), skipped),
      sampleTypes: totalsOf(plan.columns, columnTotals),
      algorithmVersion: PGO_ALGORITHM_VERSION,
      etag: digest,
      warnings: [...warningsOfSkipped(skipped), ...plan.warnings, ...warnings],
    },
    inputs: choice.taken.map(({ source, at, timeNs }, nth) => ({
      id: idOf(plan, source, at),
      timeNs,
      weight: choice.weights[nth]!,
    })),
  };
}

function skippedOf(plan: MergePlan, { reason, detail, candidates }: LeftOut): Skipped {
  const ids = candidates.slice(0, NAMED_IDS).map(({ source, at }) => idOf(plan, source, at));
  return skip(reason, ids, detail, candidates.length);
}

function idOf(plan: MergePlan, source: number, at: number): string {
  if (source === 0) return plan.inputs[at]!.id;
  return formatProfileId(plan.packs[source - 1]!.ids.subarray(at * 16, at * 16 + 16));
}

/** What a summary is of: the plan without what was left out. */
function takenOf(plan: MergePlan, { taken }: PgoChoice): Pick<MergePlan, "inputs" | "packs"> {
  const bySource = Map.groupBy(taken, ({ source }) => source);
  const of = (source: number) => (bySource.get(source) ?? []).toSorted((a, b) => a.order - b.order).map(({ at }) => at);
  return {
    inputs: of(0).map((at) => plan.inputs[at]!),
    packs: plan.packs.map((pack, nth) => {
      const places = of(nth + 1);
      const rows = Uint32Array.from(places, (at) => pack.rows[at]!);
      return { ...pack, rows, timesNs: BigInt64Array.from(places, (at) => pack.timesNs[at]!) };
    }),
  };
}
