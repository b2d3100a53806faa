// Of which series some profiles of a pack are, and what the totals of one of their columns are. Pure apart from reading blobs;
// src/repository/merge-worker.ts runs it.

import type { Labels } from "../model/labels.ts";
import type { ValueType } from "../model/shape.ts";
import { columnTotals } from "../pack/aggregation.ts";
import { KIND } from "../pack/pack-profiles.ts";
import type { BlobReader } from "../storage/blob-store.ts";
import { type DecodedParts, openPackHandle, type PackHandle } from "./pack-reading.ts";

/** Of each profile that was asked for, in that order. */
export interface RowSeries {
  /** Positions in `labels`. */
  series: Uint32Array;
  /** Of all series of the pack. */
  labels: readonly Labels[];
  /** Present where a column was asked for. */
  totals?: BigInt64Array;
  /** Positions of those whose totals the pack does not tell, since it has their bytes alone; 0 in `totals`. */
  untold: number[];
}

export interface SeriesAnswer extends RowSeries {
  decoded: DecodedParts;
}

/** Throws `unavailable` for a damaged pack. */
export function seriesInPack(
  reader: BlobReader,
  handle: PackHandle,
  rows: Uint32Array,
  column: ValueType | undefined,
): SeriesAnswer {
  using opened = openPackHandle(reader, handle);
  const heads = opened.heads();
  const untold: number[] = [];
  for (const [at, row] of rows.entries()) if (heads.kinds[row] === KIND.bytes) untold.push(at);
  const answer = {
    series: Uint32Array.from(rows, (row) => heads.series[row]!),
    labels: heads.labels,
    untold,
    decoded: opened.decoded,
  };
  if (column === undefined) return answer;
  const chosen = new Set(rows);
  const { pack } = opened;
  const place = pack.signature.shape.columns.findIndex(
    ({ type, unit }) => type === column.type && unit === column.unit,
  );
  const decoded = { pack, profiles: heads, tables: opened.tables() };
  const totals = opened.named(() => columnTotals(decoded, (row) => chosen.has(row)));
  return { ...answer, totals: BigInt64Array.from(rows, (row) => totals[row * pack.columns + place]!) };
}
