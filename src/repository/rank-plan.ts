// The rows of a ranking out of the profiles of a plan. How often each profile counts is series-weights.ts's; profiles that count alike are
// summed together, by merge-pool.ts, and top-ranking.ts adds the sums up.

import { DomainError } from "../model/errors.ts";
import type { Limits } from "../model/limits.ts";
import type { Aggregation, Column } from "../model/shape.ts";
import type { TopGrouping } from "../pprof/top.ts";
import type { Catalog } from "../storage/catalog.ts";
import { canonicalOrders } from "./canonical-orders.ts";
import { type Damage, type FoldedPack, type MergePool, tooSlow } from "./merge-pool.ts";
import { looseProfiles } from "./merge-summary.ts";
import type { MergePlan } from "./planner.ts";
import type { AggregationMethod, TopRequest } from "./repository.ts";
import { type PlanOrders, seriesWeights } from "./series-weights.ts";
import type { Ranking, WeightedTop } from "./top-ranking.ts";

export interface RankDependencies {
  catalog: Catalog;
  pool: MergePool;
  limits: Limits;
}

export type RankedPlan =
  | { damage: Damage; ranking: undefined }
  | {
      damage: Damage;
      ranking: Ranking;
      column: Column;
      method: AggregationMethod;
      /** Whether a sum of the column does not fit 64 bits. */
      isWrapped: boolean;
      warnings: string[];
    };

/** Profiles that count alike, and what their sum is grouped by. */
interface Part {
  inputs: MergePlan["inputs"][number][];
  orders: number[];
  packs: FoldedPack[];
  grouping: TopGrouping;
  weight: bigint;
  divisor: bigint;
}

/** How one profile counts: see SeriesWeights. */
type WeightOf = (source: number, at: number) => number;

const METHODS: Record<Aggregation, AggregationMethod> = { delta: "sum", gauge: "mean", cumulative: "increase" };

/** No ranking where something proved damaged: it is asked for anew without that. Throws `too-large` after `untilMs`. */
export async function rankPlan(
  dependencies: RankDependencies,
  request: TopRequest,
  plan: MergePlan,
  untilMs: number,
): Promise<RankedPlan> {
  const orders = await canonicalOrders([looseProfiles(plan.inputs), ...plan.packs]);
  const shown = await shownColumn(dependencies, request, plan, orders);
  if ("damage" in shown) return { damage: shown.damage, ranking: undefined };
  const weighed = await weigh(dependencies, request, plan, orders, shown.column);
  if (weighed.damage) return { damage: weighed.damage, ranking: undefined };
  const { method, weightOf, warnings } = weighed;
  const parts = partsOf(dependencies.catalog, request, plan, orders, method, weightOf);
  const columns = shown.column ? [shown.column] : plan.columns;
  const areAllColumns = shown.column === undefined;
  const damage: Damage = { damaged: [], damagedPacks: [] };
  const tops: WeightedTop[] = [];
  let at = 0;
  let isWrapped = false;
  for (const { inputs, packs, grouping, weight, divisor, orders: own } of parts) {
    if (performance.now() > untilMs) throw tooSlow(plan.matched, dependencies.limits.mergeMs);
    const sum = { inputs, orders: Float64Array.from(own), packs, columns, areAllColumns, signal: request.signal };
    const { merged, ...lost } = await dependencies.pool.top(sum, grouping);
    damage.damaged.push(...lost.damaged);
    damage.damagedPacks.push(...lost.damagedPacks.map((each) => wholePack(each, plan, orders)));
    if (merged === undefined) continue;
    at = merged.column;
    isWrapped ||= merged.isWrapped;
    tops.push({ rows: merged.rows, total: merged.total, sum: merged.sum, weight, divisor });
  }
  if (damage.damaged.length + damage.damagedPacks.length > 0) return { damage, ranking: undefined };
  const maxRows = dependencies.limits.topRows;
  const ranking = await dependencies.pool.rank(tops, { order: request.order, maxRows });
  return { damage, ranking, column: columns[at]!, method, isWrapped, warnings };
}

/** Of a part of a pack, all that the plan has of it. */
function wholePack(
  { pack, message }: Damage["damagedPacks"][number],
  plan: MergePlan,
  orders: PlanOrders,
): Damage["damagedPacks"][number] {
  const at = plan.packs.findIndex(({ question }) => question.packId === pack.selected.question.packId);
  return { pack: { selected: plan.packs[at]!, orders: orders[at + 1] as Float64Array }, message };
}

/**
 * The column, where it must be known before the sum is: profiles of which some columns are no deltas count by it. Otherwise the sum tells
 * which one it shows first; of snapshots the first profile is asked.
 */
async function shownColumn(
  { pool }: RankDependencies,
  { column, selection, method, grouping, signal }: TopRequest,
  plan: MergePlan,
  orders: PlanOrders,
): Promise<{ column: Column | undefined } | { damage: Damage }> {
  const { columns } = plan;
  if (column || columns.length === 1 || (selection.ids === undefined && selection.selector.column)) {
    return { column: columns[0] };
  }
  const areDeltas = columns.every(({ aggregation = "delta" }) => aggregation === "delta");
  if ((method === "sum" || areDeltas) && grouping !== "service") return { column: undefined };
  const source = orders.findIndex(([order]) => order === 0);
  const one = source === 0 ? { inputs: plan.inputs.slice(0, 1) } : { inputs: [], packs: [firstOf(plan, source - 1)] };
  const first = { ...one, orders: Float64Array.of(0), columns, areAllColumns: true, signal };
  const { merged, ...damage } = await pool.top(first, { by: "all", name: "" });
  if (merged) return { column: columns[merged.column] };
  return { damage: { ...damage, damagedPacks: damage.damagedPacks.map((each) => wholePack(each, plan, orders)) } };
}

function firstOf({ packs }: MergePlan, at: number): FoldedPack {
  const pack = packs[at]!;
  return { selected: { ...pack, rows: pack.rows.slice(0, 1) }, orders: Float64Array.of(0) };
}

interface Weighed {
  method: AggregationMethod;
  weightOf: WeightOf;
  warnings: string[];
  damage?: Damage;
}

/** Throws `conflict` where an increase is asked for that no series tells. */
async function weigh(
  dependencies: RankDependencies,
  request: TopRequest,
  plan: MergePlan,
  orders: PlanOrders,
  column: Column | undefined,
): Promise<Weighed> {
  const sum = { method: "sum" as const, weightOf: () => 1, warnings: [] };
  const method = request.method ?? METHODS[column?.aggregation ?? "delta"];
  if (method === "sum" || column === undefined) return sum;
  const { weights, unidentified, all, damagedPacks } = await seriesWeights(dependencies, plan, orders, method, column);
  if (damagedPacks.length > 0) {
    const lost = damagedPacks.map(({ pack, message }) => ({
      pack: { selected: pack, orders: orders[plan.packs.indexOf(pack) + 1] as Float64Array },
      message,
    }));
    return { ...sum, damage: { damaged: [], damagedPacks: lost } };
  }
  if (weights.some((own) => own.some((weight) => weight !== 0))) {
    const left = `${unidentified} of ${all} series are left out: no label instance, pod or host says which process they are of`;
    return { method, weightOf: (source, at) => weights[source]![at]!, warnings: unidentified > 0 ? [left] : [] };
  }
  if (method !== "increase") throw new DomainError("not-found", "No profile matches any more");
  const reason = `no increase of ${column.type}/${column.unit} is known: it takes two profiles of one process, told by a label instance, pod or host`;
  if (request.method) throw new DomainError("conflict", `Cannot rank an increase: ${reason}`);
  return { ...sum, warnings: [reason] };
}

/** One for each weight; by service, one for each of both. */
function partsOf(
  catalog: Catalog,
  { grouping, labelKey }: TopRequest,
  plan: MergePlan,
  orders: PlanOrders,
  method: AggregationMethod,
  weightOf: WeightOf,
): Iterable<Part> {
  const parts = new Map<string, Part>();
  const serviceOf = (key: Parameters<Catalog["packNames"]>[0]) => catalog.packNames(key).service;
  const part = (key: Parameters<Catalog["packNames"]>[0], weight: number): Part => {
    const name = `${weight} ${grouping === "service" ? key.serviceId : ""}`;
    const known = parts.get(name);
    if (known) return known;
    const made: Part = {
      inputs: [],
      orders: [],
      packs: [],
      grouping: groupingOf(grouping, labelKey, () => serviceOf(key)),
      weight: method === "mean" ? 1n : BigInt(weight),
      divisor: method === "mean" ? BigInt(weight) : 1n,
    };
    parts.set(name, made);
    return made;
  };
  for (const [at, input] of plan.inputs.entries()) {
    const weight = weightOf(0, at);
    if (weight === 0) continue;
    const own = part(input, weight);
    own.inputs.push(input);
    own.orders.push(orders[0]![at]!);
  }
  for (const [nth, pack] of plan.packs.entries()) {
    const ownOrders = orders[nth + 1]!;
    const places = new Map<number, number[]>();
    for (let at = 0; at < pack.rows.length; at++) {
      const weight = weightOf(nth + 1, at);
      if (weight === 0) continue;
      const own = places.get(weight);
      if (own) own.push(at);
      else places.set(weight, [at]);
    }
    for (const [weight, own] of places) {
      part(pack.question.set, weight).packs.push({
        selected: { ...pack, rows: Uint32Array.from(own, (at) => pack.rows[at]!) },
        orders: Float64Array.from(own, (at) => ownOrders[at]!),
      });
    }
  }
  return parts.values();
}

function groupingOf(
  grouping: TopRequest["grouping"],
  labelKey: string | undefined,
  service: () => string,
): TopGrouping {
  if (grouping === "service") return { by: "all", name: service() };
  return grouping === "label" ? { by: "label", key: labelKey ?? "" } : { by: grouping };
}
