// All that is asked of the catalog's file, on a connection that only reads. Synchronous: src/storage/sqlite/reader-thread.ts runs it.

import type { Database } from "better-sqlite3";
import type { Limits } from "../../model/limits.ts";
import { compileAnchored, regexpDeadline } from "../../model/regexp.ts";
import { type Interval, NS_PER_MS } from "../../model/time.ts";
import type { CatalogSegment } from "../catalog.ts";
import { firstIdOfMs, idRange } from "./id-range.ts";
import { RecordCollector, recordSql, type SelectionRule, type SortedRecords } from "./merge-records.ts";
import { CHUNK_ROWS, PageReader, type PageRequest } from "./page-reader.ts";
import { type ProfileRows, packRows, type RawRow, ROW_BY_ID, ROW_COLUMNS } from "./profile-rows.ts";
import { type ScanRequest, SelectionScan } from "./selection-scan.ts";
import { type IndexSnapshot, readExtents, readSnapshot, type SeriesExtents } from "./snapshot.ts";
import { Statements } from "./statements.ts";
import { submitterName } from "./writer.ts";

export interface MergeScanRequest extends ScanRequest {
  rule: SelectionRule;
  /** By shape: which column most_cpu orders by, where it is not the first. */
  rankColumns: [shapeId: number, column: number][];
}

/** Profiles of so many series are counted in one statement. */
const SERIES_PER_READ = 5_000;
const IDS_PER_READ = 10_000;
const ROWS_PER_READ = 20_000;

export class CatalogReader {
  readonly #database: Database;
  readonly #limits: Limits;
  readonly #statements: Statements;
  readonly #pages: PageReader;
  readonly #scan: SelectionScan;

  constructor(database: Database, limits: Limits, chunkRows = CHUNK_ROWS) {
    this.#database = database;
    this.#limits = limits;
    this.#statements = new Statements(database);
    this.#pages = new PageReader(this.#statements, chunkRows);
    this.#scan = new SelectionScan(this.#statements, chunkRows);
  }

  snapshot(): IndexSnapshot {
    return readSnapshot(this.#statements);
  }

  extents(): SeriesExtents {
    return readExtents(this.#statements);
  }

  page(request: PageRequest): ProfileRows {
    return this.#pack(this.#pages.page(request));
  }

  /** Those that are there, in the order asked. */
  get({ ids, maxSeq }: { ids: Uint8Array[]; maxSeq: number }): ProfileRows {
    const rows = ids.map((id) => this.#statements.exact(ROW_BY_ID).get(Buffer.from(id)) as RawRow | undefined);
    return this.#pack(rows.filter((row) => row !== undefined && Number(row[7]) <= maxSeq) as RawRow[]);
  }

  count(request: ScanRequest): { count: number; sizeBytes: number } {
    let count = 0;
    let sizeBytes = 0;
    const aggregate = (matches: string) =>
      `count(*) FILTER (WHERE ${matches}), sum(p.size_bytes) FILTER (WHERE ${matches})`;
    this.#scan.forEach(request, aggregate, {}, ([rows, bytes]) => {
      count += Number(rows);
      sizeBytes += Number(bytes ?? 0);
    });
    return { count, sizeBytes };
  }

  merge({ rule, rankColumns, ...request }: MergeScanRequest): SortedRecords & { matched: number } {
    const collector = new RecordCollector(rule);
    const record = recordSql(rule, rule.strategy === "most_cpu" ? rankSql(rankColumns) : "0");
    let matched = 0;
    const aggregate = (matches: string) =>
      `count(*) FILTER (WHERE ${matches}), group_concat(${record}, '') FILTER (WHERE ${matches} AND p.profile_id >= @oldest)`;
    const more = {
      get oldest() {
        return collector.oldestWanted;
      },
    };
    this.#scan.forEach(request, aggregate, more, ([rows, records]) => {
      matched += Number(rows);
      if (records !== null) collector.add(records as string);
    });
    return { ...collector.finish(), matched };
  }

  /** Absent ids are left out; `ids` names each once. */
  mergeByIds({ ids, maxSeq }: { ids: string[]; maxSeq: number }): SortedRecords {
    const rule: SelectionRule = { limit: ids.length, strategy: "newest" };
    const collector = new RecordCollector(rule);
    const statement = this.#statements.plain(
      `SELECT group_concat(${recordSql(rule, "0")}, '') FROM json_each(@ids) j
      CROSS JOIN profile k INDEXED BY profile_by_id ON k.profile_id = unhex(j.value)
      CROSS JOIN profile p ON p.service_id = k.service_id AND p.type_id = k.type_id AND p.profile_id = k.profile_id
      WHERE p.seq <= @maxSeq`,
    );
    for (let at = 0; at < ids.length; at += IDS_PER_READ) {
      const [records] = statement.get({ ids: JSON.stringify(ids.slice(at, at + IDS_PER_READ)), maxSeq }) as [
        string | null,
      ];
      if (records !== null) collector.add(records);
    }
    return collector.finish();
  }

  /** Profiles of each series in the interval. */
  seriesCounts({ seriesIds, interval }: { seriesIds: Uint32Array; interval: Interval }): Uint32Array<ArrayBuffer> {
    const counts = new Uint32Array(seriesIds.length);
    const range = idRange(interval);
    if (range === undefined) return counts;
    const ids = Array.from(seriesIds);
    const count = (
      low: Buffer,
      high: Buffer,
      outside: "" | "p.time_ns < @edgeNs" | "p.time_ns > @edgeNs",
      edgeNs = 0n,
    ) => {
      const statement = this.#statements.plain(
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
    // Ids know milliseconds: what starts in the same one, but outside, was counted too.
    const { startNs, lastNs } = range;
    const startMs = startNs / NS_PER_MS;
    const lastMs = lastNs / NS_PER_MS;
    if (startNs > 0n && startNs % NS_PER_MS !== 0n)
      count(range.low, firstIdOfMs(Number(startMs) + 1), "p.time_ns < @edgeNs", startNs);
    if (lastNs % NS_PER_MS !== NS_PER_MS - 1n)
      count(firstIdOfMs(Number(lastMs)), range.high, "p.time_ns > @edgeNs", lastNs);
    return counts;
  }

  /** First and last start of each series in the interval, of which it has one or more. */
  seriesTimes({ seriesIds, interval }: { seriesIds: Uint32Array; interval?: Interval }): BigInt64Array<ArrayBuffer> {
    const times = new BigInt64Array(seriesIds.length * 2);
    const { low, high, startNs, lastNs } = idRange(interval)!;
    for (const [at, seriesId] of seriesIds.entries()) {
      const first = this.#edgeTime("ASC", { seriesId, low, high, startNs, lastNs });
      const last = this.#edgeTime("DESC", { seriesId, low, high, startNs, lastNs });
      times.set([first, last], at * 2);
    }
    return times;
  }

  /** The earliest or latest time within the millisecond of the first or last id: ids do not order inside one. */
  #edgeTime(direction: "ASC" | "DESC", parameters: Record<string, unknown>): bigint {
    const joined = `profile k INDEXED BY profile_by_series
      CROSS JOIN profile p ON p.service_id = k.service_id AND p.type_id = k.type_id AND p.profile_id = k.profile_id
      WHERE k.series_id = @seriesId AND k.profile_id >= @low AND k.profile_id < @high AND p.time_ns >= @startNs AND p.time_ns <= @lastNs`;
    const edge = this.#statements
      .exact(`SELECT p.time_ns FROM ${joined} ORDER BY k.profile_id ${direction} LIMIT 1`)
      .get(parameters) as [bigint] | undefined;
    // Deleted since it was counted.
    if (edge === undefined) return 0n;
    const ms = Number(edge[0] / NS_PER_MS);
    const sameMs = { ...parameters, low: firstIdOfMs(ms), high: firstIdOfMs(ms + 1) };
    const [time] = this.#statements
      .exact(`SELECT ${direction === "ASC" ? "min" : "max"}(p.time_ns) FROM ${joined}`)
      .get(sameMs) as [bigint];
    return time;
  }

  /** Which values of a label name the pattern matches: ids in (afterLabelId, lastLabelId], ascending. Throws `too-large` when it takes long. */
  matchValues(request: { name: string; pattern: string; afterLabelId: number; lastLabelId: number }) {
    const { name, pattern, afterLabelId, lastLabelId } = request;
    const matches = compileAnchored(pattern, this.#limits);
    const labels = this.#statements
      .plain("SELECT label_id, value FROM label WHERE name = ? AND label_id > ? AND label_id <= ?")
      .all(name, afterLabelId, lastLabelId) as [number, string][];
    const deadline = regexpDeadline(pattern, labels.length, this.#limits);
    const matching = labels.filter(([, value]) => {
      deadline();
      return matches(value);
    });
    return Uint32Array.from(matching.map(([labelId]) => labelId)).sort();
  }

  segments(): (CatalogSegment & { endOffset: number })[] {
    const rows = this.#statements
      .plain("SELECT segment_id, bytes, dead_bytes, live, end_offset FROM segment ORDER BY segment_id")
      .all() as [number, number, number, number, number][];
    return rows.map(([segmentId, bytes, deadBytes, live, endOffset]) => ({
      segmentId,
      bytes,
      deadBytes,
      live,
      endOffset,
    }));
  }

  profilesInSegment({ segmentId, limit }: { segmentId: number; limit: number }): ProfileRows {
    const found: RawRow[] = [];
    const segment = this.#statements
      .plain("SELECT first_id, last_id FROM segment WHERE segment_id = ?")
      .get(segmentId) as [Buffer, Buffer] | undefined;
    if (segment) {
      for (let [low, last] = segment; ; ) {
        const [next] = (this.#statements
          .plain(
            `SELECT profile_id FROM profile INDEXED BY profile_by_id WHERE profile_id > ? AND profile_id <= ?
            ORDER BY profile_id LIMIT 1 OFFSET ${ROWS_PER_READ}`,
          )
          .get(low, last) ?? [last]) as [Buffer];
        const rows = this.#statements
          .exact(
            `SELECT ${ROW_COLUMNS} FROM profile k INDEXED BY profile_by_id CROSS JOIN profile p
              ON p.service_id = k.service_id AND p.type_id = k.type_id AND p.profile_id = k.profile_id
            WHERE k.profile_id >= ? AND k.profile_id <= ? AND p.segment_id = ?`,
          )
          .all(low, next, segmentId) as RawRow[];
        // Both ends belong to a piece: the row between two of them comes twice.
        found.push(...(found.length > 0 && rows[0]?.[0].equals(found.at(-1)![0]) ? rows.slice(1) : rows));
        if (next.equals(last)) break;
        low = next;
      }
    }
    found.sort((a, b) => Number(a[14]) - Number(b[14]));
    return this.#pack(found.slice(0, limit));
  }

  /** Writes back what no reader needs any more; answers the pages that the log still holds. */
  checkpoint(): number {
    const [{ log, checkpointed }] = this.#database.pragma("wal_checkpoint(PASSIVE)") as [
      { log: number; checkpointed: number },
    ];
    return log - checkpointed;
  }

  /** As the connection has it, for the test that durability rests on. */
  synchronous(): number {
    return this.#database.pragma("synchronous", { simple: true }) as number;
  }

  #pack(rows: readonly RawRow[]): ProfileRows {
    return packRows(rows, (submitterId) => submitterName(this.#statements, submitterId));
  }
}

/** What most_cpu orders by: a shape's cpu column, else its first. */
function rankSql(rankColumns: [shapeId: number, column: number][]): string {
  const cases = rankColumns.map(([shapeId, column]) => {
    const total = column < 4 ? `p.v${column}` : `CAST(json_extract(p.more_totals, '$[${column - 4}]') AS INTEGER)`;
    return `WHEN ${Number(shapeId)} THEN ${total}`;
  });
  const chosen = cases.length === 0 ? "p.v0" : `CASE p.shape_id ${cases.join(" ")} ELSE p.v0 END`;
  return `coalesce(${chosen}, 0)`;
}
