// How often each profile of a plan counts, by its place in its series: what means, increases and last values are sums with. Sums count
// each profile once.

import type { ValueType } from "../model/shape.ts";
import { increaseWeights } from "../pack/aggregation.ts";
import type { Catalog } from "../storage/catalog.ts";
import type { MergePool } from "./merge-pool.ts";
import type { MergePlan, SelectedPack } from "./planner.ts";
import type { AggregationMethod } from "./repository.ts";
import { type PlacedProfiles, placePlan, type SeriesNumbers } from "./series-of-plan.ts";

/** Orders of the profiles of a plan, as canonicalOrders() has them: the loose ones, then those of each pack. */
export type PlanOrders = readonly Float64Array[];

export interface SeriesWeights {
  /** As PlanOrders; 0: it does not count. Of means it is what to divide by: how many profiles its series has. */
  weights: Int32Array[];
  /** Series whose profiles count for nothing, since nothing says which process they are of, and all series. */
  unidentified: number;
  all: number;
  /** Packs that cannot tell, and why: the weights are of no use then. */
  damagedPacks: { pack: SelectedPack; message: string }[];
}

export async function seriesWeights(
  dependencies: { catalog: Catalog; pool: MergePool },
  plan: MergePlan,
  orders: PlanOrders,
  method: Exclude<AggregationMethod, "sum">,
  column: ValueType,
): Promise<SeriesWeights> {
  const { names, placed, damagedPacks } = await placePlan(dependencies, plan, [column], {
    inPacks: method === "increase",
  });
  const weights = orders.map(({ length }) => new Int32Array(length));
  if (damagedPacks.length > 0) return { weights, unidentified: 0, all: names.count, damagedPacks };
  if (method === "mean") setCounts(placed, weights, names.count);
  else setByOrder(placed, orders, weights, names, method);
  const isUnidentified = (_: unknown, series: number) => names.instanceOf(series) === undefined;
  const unidentified = method === "increase" ? names.labels.filter(isUnidentified).length : 0;
  return { weights, unidentified, all: names.count, damagedPacks };
}

function setCounts(placed: readonly PlacedProfiles[], weights: readonly Int32Array[], seriesCount: number): void {
  const counts = new Int32Array(seriesCount);
  for (const { series } of placed) for (const own of series) if (own >= 0) counts[own]!++;
  for (const [source, { series }] of placed.entries()) {
    for (const [at, own] of series.entries()) if (own >= 0) weights[source]![at] = counts[own]!;
  }
}

function setByOrder(
  placed: readonly PlacedProfiles[],
  orders: PlanOrders,
  weights: readonly Int32Array[],
  names: SeriesNumbers,
  method: "last" | "increase",
): void {
  const places: { source: number; at: number; order: number }[][] = Array.from({ length: names.count }, () => []);
  for (const [source, { series }] of placed.entries()) {
    for (const [at, own] of series.entries())
      if (own >= 0) places[own]!.push({ source, at, order: orders[source]![at]! });
  }
  for (const [series, own] of places.entries()) {
    if (method === "increase" && names.instanceOf(series) === undefined) continue;
    own.sort((a, b) => a.order - b.order);
    const ownWeights =
      method === "last"
        ? own.map((_, nth) => Number(nth === own.length - 1))
        : increaseWeights(own.map(({ source, at }) => placed[source]!.totals[0]![at]!));
    for (const [nth, { source, at }] of own.entries()) weights[source]![at] = ownWeights[nth]!;
  }
}
