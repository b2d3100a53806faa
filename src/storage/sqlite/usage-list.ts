// What each service and type takes, with the names and the series that the index knows.

import { compareUtf8 } from "../../model/text.ts";
import { NS_PER_MS } from "../../model/time.ts";
import type { Usage } from "../catalog.ts";
import type { SeriesIndex } from "../series-index.ts";
import type { UsageRow } from "./usage-ledger.ts";

/** Rows of a commit that the index has not taken yet are left out. */
export function usageList(index: SeriesIndex, rows: readonly UsageRow[]): Usage[] {
  const series = seriesCounts(index);
  const places = new Map(index.groups.map(({ serviceId, typeId }, at) => [`${serviceId} ${typeId}`, at]));
  const usages = rows.flatMap(({ serviceId, typeId, firstNs, lastNs, ...row }): Usage[] => {
    const at = places.get(`${serviceId} ${typeId}`) ?? -1;
    const group = index.groups[at];
    if (group === undefined || (row.profiles === 0 && row.packBytes === 0)) return [];
    const times = firstNs !== null && lastNs !== null && { firstNs: wholeMs(firstNs), lastNs: wholeMs(lastNs) };
    return [{ ...row, service: group.service, type: group.type, series: series[at]!, ...times }];
  });
  return usages.sort((a, b) => compareUtf8(a.service, b.service) || compareUtf8(a.type, b.type));
}

/** Of each group, those that have profiles. */
function seriesCounts(index: SeriesIndex): Uint32Array {
  const counts = new Uint32Array(index.groups.length);
  const { groupOf, rowsOf } = index.columns();
  for (let seriesId = 1; seriesId <= index.lastSeriesId; seriesId++) {
    if (rowsOf[seriesId]! > 0) counts[groupOf[seriesId]!]!++;
  }
  return counts;
}

function wholeMs(timeNs: bigint): bigint {
  return timeNs - (timeNs % NS_PER_MS);
}
