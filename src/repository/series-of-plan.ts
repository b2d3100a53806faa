// Of which series each profile of a plan is, and what is known of it without its samples: the totals of columns, how long it lasted. Loose
// profiles are looked up in the catalog, packed ones in their packs.

import { DomainError } from "../model/errors.ts";
import type { Labels } from "../model/labels.ts";
import { formatProfileId } from "../model/profile-id.ts";
import type { ValueType } from "../model/shape.ts";
import type { Catalog, StoredProfile } from "../storage/catalog.ts";
import { INSTANCE_LABELS } from "../storage/spread.ts";
import type { MergePool } from "./merge-pool.ts";
import type { MergePlan, SelectedPack } from "./planner.ts";

/** Of each profile of one source. */
export interface PlacedProfiles {
  /** Numbers of SeriesNumbers. -1: of no series, it was deleted meanwhile. */
  series: Int32Array;
  durationsNs: BigInt64Array;
  /** One list for each column that was asked for. */
  totals: BigInt64Array[];
}

export interface PlacedPlan {
  names: SeriesNumbers;
  /** Of the loose ones, then of each pack. Of no use where packs are damaged. */
  placed: PlacedProfiles[];
  /** Packs that cannot tell, and why. */
  damagedPacks: { pack: SelectedPack; message: string }[];
}

const RECORDS_PER_READ = 1000;

/** Numbers from 0 for series, whichever source names them. */
export class SeriesNumbers {
  readonly #numbers = new Map<string, number>();
  /** Of each series. */
  readonly labels: Labels[] = [];

  get count(): number {
    return this.labels.length;
  }

  of(service: string, type: string, labels: Labels): number {
    const key = JSON.stringify([service, type, labels.map(({ name, value }) => [name, value])]);
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    this.#numbers.set(key, this.count);
    return this.labels.push(labels) - 1;
  }

  /** The process a series is of, where a label says it: `name=value`. */
  instanceOf(series: number): string | undefined {
    const labels = this.labels[series]!;
    for (const instanceLabel of INSTANCE_LABELS) {
      const label = labels.find(({ name }) => name === instanceLabel);
      if (label) return `${label.name}=${label.value}`;
    }
    return undefined;
  }
}

/** Totals of columns are looked up for packs where `inPacks` says so, for loose profiles always. */
export async function placePlan(
  { catalog, pool }: { catalog: Catalog; pool: MergePool },
  plan: MergePlan,
  columns: readonly ValueType[],
  { inPacks }: { inPacks: boolean },
): Promise<PlacedPlan> {
  const names = new SeriesNumbers();
  const placed = [await placeLoose(catalog, plan, names, columns)];
  const damagedPacks: PlacedPlan["damagedPacks"] = [];
  for (const pack of plan.packs) {
    try {
      placed.push(await placePacked(catalog, pool, pack, names, inPacks ? columns : []));
    } catch (error) {
      if (!(error instanceof DomainError) || error.kind !== "unavailable") throw error;
      damagedPacks.push({ pack, message: error.message });
    }
  }
  return { names, placed, damagedPacks };
}

async function placeLoose(
  catalog: Catalog,
  { inputs }: MergePlan,
  names: SeriesNumbers,
  columns: readonly ValueType[],
): Promise<PlacedProfiles> {
  const series = new Int32Array(inputs.length).fill(-1);
  const durationsNs = new BigInt64Array(inputs.length);
  const totals = columns.map(() => new BigInt64Array(inputs.length));
  for (let from = 0; from < inputs.length; from += RECORDS_PER_READ) {
    const records = await catalog.get(inputs.slice(from, from + RECORDS_PER_READ).map(({ id }) => id));
    for (const [at, record] of records.entries()) {
      if (record === undefined) continue;
      series[from + at] = names.of(record.service, record.type, record.labels);
      durationsNs[from + at] = record.durationNs;
      for (const [nth, column] of columns.entries()) totals[nth]![from + at] = totalOf(record, column);
    }
  }
  return { series, durationsNs, totals };
}

async function placePacked(
  catalog: Catalog,
  pool: MergePool,
  pack: SelectedPack,
  names: SeriesNumbers,
  columns: readonly ValueType[],
): Promise<PlacedProfiles> {
  const { service, type } = catalog.packNames(pack.question.set);
  const { series, labels, durationsNs, totals, untold } = await pool.series(pack, columns);
  const numbers = new Map<number, number>();
  const numberOf = (own: number) => {
    const number = numbers.get(own) ?? names.of(service, type, labels[own]!);
    numbers.set(own, number);
    return number;
  };
  if (columns.length > 0 && untold.length > 0) {
    const idOf = (at: number) => formatProfileId(pack.ids.subarray(at * 16, at * 16 + 16));
    const records = await catalog.get(untold.map(idOf));
    for (const [nth, at] of untold.entries()) {
      for (const [place, column] of columns.entries()) totals[place]![at] = totalOf(records[nth], column);
    }
  }
  return { series: Int32Array.from(series, numberOf), durationsNs, totals };
}

function totalOf(record: StoredProfile | undefined, column: ValueType): bigint {
  const at = record?.shape?.columns.findIndex(({ type, unit }) => type === column.type && unit === column.unit) ?? -1;
  return record?.totals[at] ?? 0n;
}
