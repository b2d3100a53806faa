// How often each profile of a plan counts, by its place in its series: what means, increases and last values are sums with. Sums count
// each profile once.

import { DomainError } from "../model/errors.ts";
import type { Labels } from "../model/labels.ts";
import { formatProfileId } from "../model/profile-id.ts";
import type { ValueType } from "../model/shape.ts";
import { increaseWeights } from "../pack/aggregation.ts";
import type { Catalog, StoredProfile } from "../storage/catalog.ts";
import { INSTANCE_LABELS } from "../storage/spread.ts";
import type { MergePool } from "./merge-pool.ts";
import type { MergePlan, SelectedPack } from "./planner.ts";
import type { AggregationMethod } from "./repository.ts";

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

/** Of each profile of one source. -1: of no series, it was deleted meanwhile. */
interface Placed {
  series: Int32Array;
  totals: BigInt64Array;
}

const RECORDS_PER_READ = 1000;

export async function seriesWeights(
  { catalog, pool }: { catalog: Catalog; pool: MergePool },
  plan: MergePlan,
  orders: PlanOrders,
  method: Exclude<AggregationMethod, "sum">,
  column: ValueType,
): Promise<SeriesWeights> {
  const names = new SeriesNumbers();
  const wanted = method === "increase" ? column : undefined;
  const placed = [await looseSeries(catalog, plan, names, column)];
  const damagedPacks: SeriesWeights["damagedPacks"] = [];
  for (const pack of plan.packs) {
    try {
      placed.push(await packSeries(catalog, pool, pack, names, wanted));
    } catch (error) {
      if (!(error instanceof DomainError) || error.kind !== "unavailable") throw error;
      damagedPacks.push({ pack, message: error.message });
    }
  }
  const weights = orders.map(({ length }) => new Int32Array(length));
  if (damagedPacks.length > 0) return { weights, unidentified: 0, all: names.count, damagedPacks };
  if (method === "mean") setCounts(placed, weights, names.count);
  else setByOrder(placed, orders, weights, names, method);
  const unidentified = method === "increase" ? names.isIdentified.filter((is) => !is).length : 0;
  return { weights, unidentified, all: names.count, damagedPacks };
}

/** Numbers from 0 for series, whichever source names them. */
class SeriesNumbers {
  readonly #numbers = new Map<string, number>();
  /** Whether a label says which process a series is of. */
  readonly isIdentified: boolean[] = [];

  get count(): number {
    return this.isIdentified.length;
  }

  of(service: string, type: string, labels: Labels): number {
    const key = JSON.stringify([service, type, labels.map(({ name, value }) => [name, value])]);
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    this.#numbers.set(key, this.count);
    return this.isIdentified.push(labels.some(({ name }) => INSTANCE_LABELS.includes(name))) - 1;
  }
}

async function looseSeries(
  catalog: Catalog,
  { inputs }: MergePlan,
  names: SeriesNumbers,
  column: ValueType,
): Promise<Placed> {
  const placed = { series: new Int32Array(inputs.length).fill(-1), totals: new BigInt64Array(inputs.length) };
  for (let from = 0; from < inputs.length; from += RECORDS_PER_READ) {
    const records = await catalog.get(inputs.slice(from, from + RECORDS_PER_READ).map(({ id }) => id));
    for (const [at, record] of records.entries()) {
      if (record === undefined) continue;
      placed.series[from + at] = names.of(record.service, record.type, record.labels);
      placed.totals[from + at] = totalOf(record, column);
    }
  }
  return placed;
}

async function packSeries(
  catalog: Catalog,
  pool: MergePool,
  pack: SelectedPack,
  names: SeriesNumbers,
  column: ValueType | undefined,
): Promise<Placed> {
  const { service, type } = catalog.packNames(pack.question.set);
  const { series, labels, totals = new BigInt64Array(series.length), untold } = await pool.series(pack, column);
  const numbers = new Map<number, number>();
  const numberOf = (own: number) => {
    const number = numbers.get(own) ?? names.of(service, type, labels[own]!);
    numbers.set(own, number);
    return number;
  };
  if (column && untold.length > 0) {
    const idOf = (at: number) => formatProfileId(pack.ids.subarray(at * 16, at * 16 + 16));
    const records = await catalog.get(untold.map(idOf));
    for (const [nth, at] of untold.entries()) totals[at] = totalOf(records[nth], column);
  }
  return { series: Int32Array.from(series, numberOf), totals };
}

function totalOf(record: StoredProfile | undefined, column: ValueType): bigint {
  const at = record?.shape?.columns.findIndex(({ type, unit }) => type === column.type && unit === column.unit) ?? -1;
  return record?.totals[at] ?? 0n;
}

function setCounts(placed: readonly Placed[], weights: readonly Int32Array[], seriesCount: number): void {
  const counts = new Int32Array(seriesCount);
  for (const { series } of placed) for (const own of series) if (own >= 0) counts[own]!++;
  for (const [source, { series }] of placed.entries()) {
    for (const [at, own] of series.entries()) if (own >= 0) weights[source]![at] = counts[own]!;
  }
}

function setByOrder(
  placed: readonly Placed[],
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
    if (method === "increase" && !names.isIdentified[series]) continue;
    own.sort((a, b) => a.order - b.order);
    const ownWeights =
      method === "last"
        ? own.map((_, nth) => Number(nth === own.length - 1))
        : increaseWeights(own.map(({ source, at }) => placed[source]!.totals[at]!));
    for (const [nth, { source, at }] of own.entries()) weights[source]![at] = ownWeights[nth]!;
  }
}
