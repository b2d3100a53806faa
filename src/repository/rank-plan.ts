// The rows of a ranking out of the profiles of a plan. How often each profile counts is series-weights.ts's; profiles that count alike are
// summed together, by merge-pool.ts, and top-ranking.ts adds the sums up.

import { DomainError } from "../model/errors.ts";
import type { Limits } from "../model/limits.ts";
import type { Aggregation, Column } from "../model/shape.ts";
import type { TopGrouping } from "../pprof/top.ts";
import type { Catalog } from "../storage/catalog.ts";
import type { PackKey } from "../storage/pack-catalog.ts";
import { canonicalOrders } from "./canonical-orders.ts";
import type { Damage, FoldedPack, MergePool } from "./merge-pool.ts";
import { looseProfiles } from "./merge-summary.ts";
import type { MergePlan, SelectedPack } from "./planner.ts";
import type { AggregationMethod, TopRequest } from "./repository.ts";
import { type PlanOrders, seriesWeights } from "./series-weights.ts";
import { tooSlow } from "./stop-flag.ts";
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
  const parts = partsOf(dependencies.catalog, request, { plan, orders, weighed });
  const columns = shown.column ? [shown.column] : plan.columns;
  const summed = await sumParts(dependencies, parts, columns, shown.column === undefined, request.signal, untilMs);
  // Several parts may have met the same pack.
  const byPack = new Map(summed.damage.damagedPacks.map((each) => [each.pack.selected.question.packId, each]));
  const damagedPacks = [...byPack.values()].map((each) => wholePack(each, plan, orders));
  const damage = { damaged: summed.damage.damaged, damagedPacks };
  if (damage.damaged.length + damagedPacks.length > 0) return { damage, ranking: undefined };
  const { order } = request;
  const ranking = await dependencies.pool.rank(summed.tops, { order, maxRows: dependencies.limits.topRows });
  const { method, warnings } = weighed;
  return { damage, ranking, column: columns[summed.column]!, method, isWrapped: summed.isWrapped, warnings };
}

async function sumParts(
  { pool, limits }: RankDependencies,
  parts: readonly Part[],
  columns: readonly Column[],
  areAllColumns: boolean,
  signal: AbortSignal,
  untilMs: number,
) {
  const damage: Damage = { damaged: [], damagedPacks: [] };
  const tops: WeightedTop[] = [];
  let column = 0;
  let isWrapped = false;
  for (const { inputs, packs, grouping, weight, divisor, orders } of parts) {
    if (performance.now() > untilMs) throw tooSlow(profilesOf(parts), limits.mergeMs);
    const sum = { inputs, orders: Float64Array.from(orders), packs, columns, areAllColumns, signal };
    const { merged, damaged, damagedPacks } = await pool.top(sum, grouping);
    damage.damaged.push(...damaged);
    damage.damagedPacks.push(...damagedPacks);
    if (merged === undefined) continue;
    column = merged.column;
    isWrapped ||= merged.isWrapped;
    tops.push({ rows: merged.rows, total: merged.total, sum: merged.sum, weight, divisor });
  }
  return { damage, tops, column, isWrapped };
}

function profilesOf(parts: readonly Part[]): number {
  const packed = (packs: readonly FoldedPack[]) => packs.reduce((sum, { orders }) => sum + orders.length, 0);
  return parts.reduce((sum, { inputs, packs }) => sum + inputs.length + packed(packs), 0);
}

/** Of a part of a pack, all that the plan has of it. */
function wholePack(
  { pack, message }: Damage["damagedPacks"][number],
  plan: MergePlan,
  orders: PlanOrders,
): Damage["damagedPacks"][number] {
  const at = plan.packs.findIndex(({ question }) => question.packId === pack.selected.question.packId);
  return { pack: { selected: plan.packs[at]!, orders: orders[at + 1]! }, message };
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
      pack: { selected: pack, orders: orders[plan.packs.indexOf(pack) + 1]! },
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
  { plan, orders, weighed }: { plan: MergePlan; orders: PlanOrders; weighed: Weighed },
): Part[] {
  const parts = new Map<string, Part>();
  const { method, weightOf } = weighed;
  const partOf = (key: PackKey, weight: number): Part => {
    const name = grouping === "service" ? `${key.serviceId} ${weight}` : `${weight}`;
    const part = parts.get(name) ?? {
      inputs: [],
      orders: [],
      packs: [],
      grouping: groupingOf(grouping, labelKey, () => catalog.packNames(key).service),
      weight: method === "mean" ? 1n : BigInt(weight),
      divisor: method === "mean" ? BigInt(weight) : 1n,
    };
    parts.set(name, part);
    return part;
  };
  for (const [at, input] of plan.inputs.entries()) {
    const weight = weightOf(0, at);
    if (weight === 0) continue;
    const part = partOf(input, weight);
    part.inputs.push(input);
    part.orders.push(orders[0]![at]!);
  }
  for (const [nth, pack] of plan.packs.entries()) {
    for (const [weight, folded] of byWeight(pack, orders[nth + 1]!, (at) => weightOf(nth + 1, at))) {
      partOf(pack.question.set, weight).packs.push(folded);
    }
  }
  return [...parts.values()];
}

/** The profiles of a pack that count, apart by how they do. */
function byWeight(pack: SelectedPack, orders: Float64Array, weightOf: (at: number) => number): Map<number, FoldedPack> {
  const places = new Map<number, number[]>();
  for (let at = 0; at < pack.rows.length; at++) {
    const weight = weightOf(at);
    if (weight === 0) continue;
    const own = places.get(weight);
    if (own) own.push(at);
    else places.set(weight, [at]);
  }
  const folded = [...places].map(([weight, own]): [number, FoldedPack] => {
    const selected = { ...pack, rows: Uint32Array.from(own, (at) => pack.rows[at]!) };
    return [weight, { selected, orders: Float64Array.from(own, (at) => orders[at]!) }];
  });
  return new Map(folded);
}

function groupingOf(
  grouping: TopRequest["grouping"],
  labelKey: string | undefined,
  service: () => string,
): TopGrouping {
  if (grouping === "service") return { by: "all", name: service() };
  return grouping === "label" ? { by: "label", key: labelKey ?? "" } : { by: grouping };
}
