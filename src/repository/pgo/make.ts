// One PGO profile over one window: which profiles, how often each counts, two sums of two halves of them, and what the compiler gets.

import { DomainError } from "../../model/errors.ts";
import type { Limits } from "../../model/limits.ts";
import { formatProfileId, parseProfileId } from "../../model/profile-id.ts";
import type { ValueType } from "../../model/shape.ts";
import type { PgoReport } from "../../pgo/report.ts";
import { canonicalOrders } from "../canonical-orders.ts";
import { skip } from "../candidates.ts";
import type { Damage, FoldedPack, MergeJobRequest } from "../merge-pool.ts";
import {
  damagedOf,
  looseProfiles,
  summaryOf,
  totalsOf,
  warningsOfSkipped,
} from "../merge-summary.ts";
import { type MergePlan, planMerge, type WantedShape } from "../planner.ts";
import type { MergeSummary, Selection, Skipped } from "../repository.ts";
import { type PlacedPlan, placePlan } from "../series-of-plan.ts";
import { type Candidate, samplesAndCpu } from "./candidate.ts";
import { choose, type LeftOut, type PgoChoice } from "./choice.ts";
import type { PgoFinished } from "./finish.ts";
import type { PgoDependencies, PgoRequest } from "./pgo-profile.ts";

export interface PgoMade {
  /** gzip of the canonical protobuf. */
  bytes: Uint8Array;
  /** SHA-256 of the canonical protobuf, hex. */
  digest: string;
  report: PgoReport;
  summary: MergeSummary;
}

/** One profile in a PGO profile. */
export interface PgoInput {
  id: string;
  weight: number;
}

export interface MadeWithInputs extends PgoMade {
  /** In canonical order. */
  inputs: PgoInput[];
  fingerprint: string | undefined;
}

/** Raised when the same profiles and policy give other bytes. Changes are listed in docs/formats.md. */
export const PGO_ALGORITHM_VERSION = 1;

const SAMPLES: ValueType = { type: "samples", unit: "count" };
const CPU: ValueType = { type: "cpu", unit: "nanoseconds" };
/** The first that any profile has is what all must have. */
const SHAPES: readonly WantedShape[] = [
  { columns: [SAMPLES, CPU], periodType: CPU },
  { columns: [SAMPLES, CPU] },
  { columns: [CPU], periodType: CPU },
  { columns: [SAMPLES], periodType: CPU },
  { columns: [CPU] },
  { columns: [SAMPLES] },
];

/** By which the halves are drawn that the report compares. */
const HALVES_SEED = 1;

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

async function planSuitable(
  { catalog, pool, limits }: PgoDependencies,
  selection: Selection,
  broken: Map<number, string>,
): Promise<MergePlan> {
  for (const shape of SHAPES) {
    try {
      return await planMerge(catalog, selection, shape, limits, false, (packs) => pool.select(packs, broken));
    } catch (error) {
      if (!(error instanceof DomainError) || error.kind !== "conflict") throw error;
    }
  }
  throw new DomainError("not-found", "Nothing suitable: no profile has a column samples/count or cpu/nanoseconds");
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
  for (;;) {
    const { policy } = request;
    const choice = choose(candidates, { policy, names: placed.names, withoutStartLines });
    const halves = halvesOf(plan, choice, orders);
    const sums: Uint8Array[] = [];
    for (const half of halves) {
      const sum: MergeJobRequest = { ...half, columns: plan.columns, maxResultBytes: limits.resultBytes, signal: request.signal };
      const { merged, ...damage } = await dependencies.pool.merge(sum);
      if (damage.damaged.length + damage.damagedPacks.length > 0 || !merged) return damage;
      sums.push(merged.gzipped);
    }
    const finished = await dependencies.pool.finishPgo({ sums, policy, previous: request.previous?.gzipped });
    if (finished.misplacedWeight === 0n || withoutStartLines.size > 0) return answerOf(request, plan, { choice, finished, lost });
    for (const candidate of await lackingStartLines(dependencies, plan, choice.taken)) withoutStartLines.add(candidate);
    if (withoutStartLines.size === 0) return answerOf(request, plan, { choice, finished, lost });
  }
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

type Half = Required<Pick<MergeJobRequest, "inputs" | "orders" | "weights" | "packs">>;

/** One or two: what is drawn by nobody is none. */
function halvesOf(plan: MergePlan, { taken, weights }: PgoChoice, orders: readonly Float64Array[]): Half[] {
  const bySide: { candidate: Candidate; weight: number }[][] = [[], []];
  for (const [nth, candidate] of taken.entries()) {
    bySide[sideOf(plan, candidate)]!.push({ candidate, weight: weights[nth]! });
  }
  return bySide.filter(({ length }) => length > 0).map((own) => halfOf(plan, own, orders));
}

/** A profile's side follows from its id, which is a digest, and the seed. */
function sideOf(plan: MergePlan, { source, at }: Candidate): 0 | 1 {
  const id = source === 0 ? parseProfileId(plan.inputs[at]!.id)! : plan.packs[source - 1]!.ids.subarray(at * 16, at * 16 + 16);
  const word = new DataView(id.buffer, id.byteOffset + 12, 4).getUint32(0);
  return (Math.imul(word ^ HALVES_SEED, 0x9e3779b1) >>> 31) as 0 | 1;
}

function halfOf(
  plan: MergePlan,
  own: readonly { candidate: Candidate; weight: number }[],
  orders: readonly Float64Array[],
): Half {
  const bySource = Map.groupBy(own, ({ candidate }) => candidate.source);
  const placesOf = (source: number) => {
    const members = bySource.get(source) ?? [];
    return {
      orders: Float64Array.from(members, ({ candidate }) => orders[source]![candidate.at]!),
      weights: Uint16Array.from(members, ({ weight }) => weight),
      at: members.map(({ candidate }) => candidate.at),
    };
  };
  const { at: looseAt, ...loose } = placesOf(0);
  return {
    inputs: looseAt.map((at) => plan.inputs[at]!),
    ...loose,
    packs: plan.packs.flatMap((pack, nth) => {
      const { at, ...counts } = placesOf(nth + 1);
      return at.length === 0 ? [] : [{ selected: { ...pack, rows: Uint32Array.from(at, (place) => pack.rows[place]!) }, ...counts }];
    }),
  };
}

/** Of those that are taken, the ones that say nowhere on which line a function begins. */
async function lackingStartLines({ pool }: PgoDependencies, plan: MergePlan, taken: readonly Candidate[]): Promise<Candidate[]> {
  const bySource = Map.groupBy(taken, ({ source }) => source);
  const lacking: Candidate[] = [];
  for (const [source, own] of bySource) {
    const found = source === 0
      ? await pool.looseStartLines(own.map(({ at }) => plan.inputs[at]!))
      : await pool.startLines(plan.packs[source - 1]!, Uint32Array.from(own, ({ at }) => plan.packs[source - 1]!.rows[at]!));
    lacking.push(...own.filter((_, nth) => !found[nth]));
  }
  return lacking;
}
