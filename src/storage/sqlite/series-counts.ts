// Profiles of each selected series in an interval. The series index knows most; the database is asked only for series that reach over an
// edge of the interval.

import type { Interval } from "../../model/time.ts";
import type { SeriesIndex } from "../series-index.ts";
import type { SeriesCounts } from "../series-lists.ts";
import type { CatalogThreads } from "./catalog-threads.ts";
import { selectedIds } from "./page-reader.ts";

/** `series` of a selection that was resolved with `needsSeries`. */
export async function countSeries(
  series: Uint8Array,
  interval: Interval | undefined,
  index: SeriesIndex,
  threads: CatalogThreads,
): Promise<SeriesCounts> {
  const seriesIds = Uint32Array.from(selectedIds(series));
  const counts = new Uint32Array(seriesIds.length);
  const asked: number[] = [];
  const startMs = interval === undefined ? Number.NEGATIVE_INFINITY : Number(interval.startNs) / 1e6;
  const endMs = interval === undefined ? Number.POSITIVE_INFINITY : Number(interval.endNs) / 1e6;
  for (const [at, seriesId] of seriesIds.entries()) {
    const { rows, firstMs, lastMs } = index.extentOf(seriesId);
    // One millisecond of margin: doubles round nanoseconds.
    if (firstMs - 1 > startMs && lastMs + 2 < endMs) counts[at] = rows;
    else if (firstMs - 1 < endMs && lastMs + 2 > startMs) asked.push(at);
  }
  if (interval === undefined || asked.length === 0) return { seriesIds, counts };
  const answer = await threads.read<Uint32Array>("seriesCounts", {
    seriesIds: Uint32Array.from(asked, (at) => seriesIds[at]!),
    interval,
  });
  for (const [nth, at] of asked.entries()) counts[at] = answer[nth]!;
  return { seriesIds, counts };
}
