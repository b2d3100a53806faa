// The catalog's lists out of the series index: how many profiles each service, type, label name, label value and series has.

import type { ListQuery, NameCount } from "./catalog.ts";
import { pageOfNames, Smallest } from "./name-list.ts";
import type { SeriesGroup, SeriesIndex } from "./series-index.ts";
import { compareSeries, parseSeriesKey, type SeriesIdentity } from "./series-key.ts";

/** Series, and how many of each one's profiles count. */
export interface SeriesCounts {
  seriesIds: Uint32Array;
  counts: Uint32Array;
}

export function groupList(
  index: SeriesIndex,
  { seriesIds, counts }: SeriesCounts,
  nameOf: (group: SeriesGroup) => string,
  query: ListQuery,
): NameCount[] {
  const byGroup = new Map<SeriesGroup, number>();
  for (const [at, seriesId] of seriesIds.entries()) {
    const group = index.groupOf(seriesId);
    byGroup.set(group, (byGroup.get(group) ?? 0) + counts[at]!);
  }
  const byName = new Map<string, number>();
  for (const [group, profiles] of byGroup) byName.set(nameOf(group), (byName.get(nameOf(group)) ?? 0) + profiles);
  return pageOfNames(byName, query);
}

export function labelNameList(index: SeriesIndex, { seriesIds, counts }: SeriesCounts, query: ListQuery): NameCount[] {
  const byName = new Map<string, number>();
  for (const [at, seriesId] of seriesIds.entries()) {
    let last: string | undefined;
    for (const labelId of index.labelIdsOf(seriesId)) {
      const { name } = index.labels.label(labelId);
      // A name may stand twice; labels are sorted by name.
      if (name !== last) byName.set(name, (byName.get(name) ?? 0) + counts[at]!);
      last = name;
    }
  }
  return pageOfNames(byName, query);
}

export function labelValueList(
  index: SeriesIndex,
  { seriesIds, counts }: SeriesCounts,
  labelName: string,
  query: ListQuery,
): NameCount[] {
  const countOf = new Uint32Array(index.lastSeriesId + 1);
  for (const [at, seriesId] of seriesIds.entries()) countOf[seriesId] = counts[at]!;
  return pageOfNames(valueCounts(index, labelName, countOf), query);
}

function* valueCounts(index: SeriesIndex, labelName: string, countOf: Uint32Array): Iterable<[string, number]> {
  for (const labelId of index.labels.labelIdsOf(labelName)) {
    let profiles = 0;
    for (const seriesId of index.labels.seriesOf(labelId)) profiles += countOf[seriesId] ?? 0;
    yield [index.labels.label(labelId).value, profiles];
  }
}

export interface ListedSeries extends SeriesIdentity {
  seriesId: number;
  profiles: number;
}

/** `prefix` is that of the service. */
export function seriesList(index: SeriesIndex, { seriesIds, counts }: SeriesCounts, query: ListQuery): ListedSeries[] {
  const after = query.after === undefined ? undefined : parseSeriesKey(query.after);
  const page = new Smallest<SeriesIdentity & { at: number }>(query.limit, compareSeries);
  for (const [at, seriesId] of seriesIds.entries()) {
    if (counts[at] === 0 || !index.groupOf(seriesId).service.startsWith(query.prefix)) continue;
    const identity = { ...index.identityOf(seriesId), at };
    if (after === undefined || compareSeries(identity, after) > 0) page.add(identity);
  }
  return page.sorted().map(({ at, ...identity }) => ({
    ...identity,
    seriesId: seriesIds[at]!,
    profiles: counts[at]!,
  }));
}
