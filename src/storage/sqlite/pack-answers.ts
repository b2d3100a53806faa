// What a reader thread says of packs, in the words of the catalog's contract: with the labels that only the series index knows.

import type { Labels } from "../../model/labels.ts";
import { earlierOf, laterOf } from "../../model/time.ts";
import type { LooseHour, PackRows } from "../pack-catalog.ts";
import type { SeriesIndex } from "../series-index.ts";
import type { LooseRow, RawPackRows } from "./pack-reader.ts";

const HOUR_NS = 3_600_000_000_000n;

/** An hour may lie in several slices. */
export function joinLooseHours(rows: readonly LooseRow[]): LooseHour[] {
  const hours = new Map<string, LooseHour>();
  for (const { hour, ...row } of rows) {
    const key = `${row.serviceId} ${row.typeId} ${row.shapeId} ${hour}`;
    const known = hours.get(key);
    hours.set(key, known ? join(known, row) : { ...row, startNs: hour * HOUR_NS });
  }
  return [...hours.values()];
}

function join(known: LooseHour, row: Omit<LooseRow, "hour">): LooseHour {
  return {
    ...known,
    profiles: known.profiles + row.profiles,
    sizeBytes: known.sizeBytes + row.sizeBytes,
    firstReceivedNs: earlierOf(row.firstReceivedNs, known.firstReceivedNs),
    lastReceivedNs: laterOf(row.lastReceivedNs, known.lastReceivedNs),
  };
}

export function packRowsOf({ seriesIds, ...rows }: RawPackRows, index: SeriesIndex): PackRows {
  const labelSets: Labels[] = [];
  const positions = new Map<number, number>();
  const series = seriesIds.map((seriesId) => {
    let position = positions.get(seriesId);
    if (position === undefined) {
      position = labelSets.length;
      positions.set(seriesId, position);
      labelSets.push(index.labelsOf(seriesId));
    }
    return position;
  });
  return { ...rows, series, labelSets };
}
