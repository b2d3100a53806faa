// How many profiles each of some series has in an interval, and when the first and the last start. Ids know milliseconds, so that the
// ids of an interval's edges hold profiles outside it; those are looked at one by one.

import { type Interval, NS_PER_MS } from "../../model/time.ts";
import { firstIdOfMs, idRange } from "./id-range.ts";
import type { Statements } from "./statements.ts";

/** Profiles of so many series are counted in one statement. */
const SERIES_PER_READ = 5_000;

type Outside = "" | "p.time_ns < @edgeNs" | "p.time_ns > @edgeNs";

/** Profiles of each series in the interval. */
export function readSeriesCounts(
  statements: Statements,
  { seriesIds, interval }: { seriesIds: Uint32Array; interval: Interval },
): Uint32Array<ArrayBuffer> {
  const counts = new Uint32Array(seriesIds.length);
  const range = idRange(interval);
  if (range === undefined) return counts;
  const ids = Array.from(seriesIds);
  const count = (low: Buffer, high: Buffer, outside: Outside, edgeNs = 0n) => {
    const statement = statements.plain(
      `SELECT j.key, count(*) FROM json_each(@ids) j
      CROSS JOIN profile k INDEXED BY profile_by_series
        ON k.series_id = j.value AND k.profile_id >= @low AND k.profile_id < @high
      ${outside && `CROSS JOIN profile p ON p.service_id = k.service_id AND p.type_id = k.type_id AND p.profile_id = k.profile_id AND ${outside}`}
      GROUP BY j.key`,
    );
    for (let from = 0; from < ids.length; from += SERIES_PER_READ) {
      const part = JSON.stringify(ids.slice(from, from + SERIES_PER_READ));
      const rows = statement.all({ ids: part, low, high, edgeNs }) as [number, number][];
      for (const [at, profiles] of rows) counts[from + at]! += outside ? -profiles : profiles;
    }
  };
  count(range.low, range.high, "");
  // What starts in the millisecond of an edge, but outside, was counted too.
  const { startNs, lastNs } = range;
  const startMs = startNs / NS_PER_MS;
  const lastMs = lastNs / NS_PER_MS;
  if (startNs > 0n && startNs % NS_PER_MS !== 0n)
    count(range.low, firstIdOfMs(Number(startMs) + 1), "p.time_ns < @edgeNs", startNs);
  if (lastNs % NS_PER_MS !== NS_PER_MS - 1n)
    count(firstIdOfMs(Number(lastMs)), range.high, "p.time_ns > @edgeNs", lastNs);
  return counts;
}

/** In place of both times of a series that lost its profiles since it was counted. */
export const NO_TIME = -(2n ** 63n);

/** First and last start of each series in the interval. Call in a read transaction: each takes several statements. */
export function readSeriesTimes(
  statements: Statements,
  { seriesIds, interval }: { seriesIds: Uint32Array; interval?: Interval },
): BigInt64Array<ArrayBuffer> {
  const times = new BigInt64Array(seriesIds.length * 2).fill(NO_TIME);
  const { low, high, startNs, lastNs } = idRange(interval)!;
  for (const [at, seriesId] of seriesIds.entries()) {
    const parameters = { seriesId, low, high, startNs, lastNs };
    const first = edgeTime(statements, "ASC", parameters);
    if (first !== undefined) times.set([first, edgeTime(statements, "DESC", parameters)!], at * 2);
  }
  return times;
}

/** The earliest or latest time within the millisecond of the first or last id: ids do not order inside one. */
function edgeTime(
  statements: Statements,
  direction: "ASC" | "DESC",
  parameters: Record<string, unknown>,
): bigint | undefined {
  const joined = `profile k INDEXED BY profile_by_series
    CROSS JOIN profile p ON p.service_id = k.service_id AND p.type_id = k.type_id AND p.profile_id = k.profile_id
    WHERE k.series_id = @seriesId AND k.profile_id >= @low AND k.profile_id < @high AND p.time_ns >= @startNs AND p.time_ns <= @lastNs`;
  const edge = statements
    .exact(`SELECT p.time_ns FROM ${joined} ORDER BY k.profile_id ${direction} LIMIT 1`)
    .get(parameters) as [bigint] | undefined;
  if (edge === undefined) return undefined;
  const ms = Number(edge[0] / NS_PER_MS);
  const sameMs = { ...parameters, low: firstIdOfMs(ms), high: firstIdOfMs(ms + 1) };
  const [time] = statements
    .exact(`SELECT ${direction === "ASC" ? "min" : "max"}(p.time_ns) FROM ${joined}`)
    .get(sameMs) as [bigint];
  return time;
}
