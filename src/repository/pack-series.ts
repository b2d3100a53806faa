// What a pack says of some of its profiles without their samples: of which series they are, the totals of columns, how long they lasted.
// Pure apart from reading blobs; src/repository/merge-worker.ts runs it.

import type { Labels } from "../model/labels.ts";
import type { ValueType } from "../model/shape.ts";
import { columnTotals } from "../pack/aggregation.ts";
import { KIND } from "../pack/pack-profiles.ts";
import { rowsWithStartLines } from "../pack/start-lines.ts";
import type { BlobReader } from "../storage/blob-store.ts";
import { type DecodedParts, openPackHandle, type PackHandle } from "./pack-reading.ts";

/** Of each profile that was asked for, in that order. */
export interface RowSeries {
  /** Positions in `labels`. */
  series: Uint32Array;
  /** Of all series of the pack. */
  labels: readonly Labels[];
  durationsNs: BigInt64Array;
  /** One list for each column that was asked for. */
  totals: BigInt64Array[];
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
  columns: readonly ValueType[],
): SeriesAnswer {
  using opened = openPackHandle(reader, handle);
  const heads = opened.heads();
  const untold: number[] = [];
  for (const [at, row] of rows.entries()) if (heads.kinds[row] === KIND.bytes) untold.push(at);
  const answer = {
    series: Uint32Array.from(rows, (row) => heads.series[row]!),
    labels: heads.labels,
    durationsNs: BigInt64Array.from(rows, (row) => heads.durationsNs[row]!),
    untold,
    decoded: opened.decoded,
  };
  if (columns.length === 0) return { ...answer, totals: [] };
  const chosen = new Set(rows);
  const { pack } = opened;
  const decoded = { pack, profiles: heads, tables: opened.tables() };
  const totals = opened.named(() => columnTotals(decoded, (row) => chosen.has(row)));
  const present = pack.signature.shape.columns;
  const placeOf = (column: ValueType) =>
    present.findIndex(({ type, unit }) => type === column.type && unit === column.unit);
  return {
    ...answer,
    totals: columns.map(placeOf).map((place) => BigInt64Array.from(rows, (row) => totals[row * pack.columns + place]!)),
  };
}

export interface StartLinesAnswer {
  /** Of each profile that was asked for. */
  found: boolean[];
  decoded: DecodedParts;
}

/** Throws `unavailable` for a damaged pack. */
export function startLinesInPack(reader: BlobReader, handle: PackHandle, rows: Uint32Array): StartLinesAnswer {
  using opened = openPackHandle(reader, handle);
  const decoded = { pack: opened.pack, profiles: opened.heads(), tables: opened.tables() };
  return { found: opened.named(() => rowsWithStartLines(decoded, rows)), decoded: opened.decoded };
}
