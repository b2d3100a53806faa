// All that is asked of the catalog's file, on a connection that only reads. Synchronous: src/storage/sqlite/reader-thread.ts runs it.

import type { Database } from "better-sqlite3";
import type { Limits } from "../../model/limits.ts";
import { compileAnchored, regexpDeadline } from "../../model/regexp.ts";
import type { Interval } from "../../model/time.ts";
import type { CatalogSegment } from "../catalog.ts";
import type { PackIds, PackRunRequest, PackSet, PackSetQuery, PackStatistics } from "../pack-catalog.ts";
import { RecordCollector, recordSql, type SelectionRule, type SortedRecords } from "./merge-records.ts";
import { type CoverageRows, type LooseCursor, type LooseRow, PackReader, type RawPackRows } from "./pack-reader.ts";
import { readPackIds, readPackSets, readPackStatistics, WINDOW_NS } from "./pack-sets.ts";
import { CHUNK_ROWS, PageReader } from "./page-reader.ts";
import type { PageRequest } from "./page-request.ts";
import { PgoReader } from "./pgo-reader.ts";
import type { PgoRequest } from "./pgo-rows.ts";
import { type ProfileRows, packRows, rowOf } from "./profile-rows.ts";
import { readSegmentRows } from "./segment-rows.ts";
import { type ScanRequest, SelectionScan } from "./selection-scan.ts";
import { readSeriesCounts, readSeriesTimes } from "./series-interval.ts";
import { type IndexSnapshot, readExtents, readSnapshot, type SeriesExtents } from "./snapshot.ts";
import { Statements } from "./statements.ts";
import { readUsage, type UsageRow } from "./usage-ledger.ts";

export interface MergeScanRequest extends ScanRequest {
  rule: SelectionRule;
  /** By shape: which column most_cpu orders by, where it is not the first. */
  rankColumns: [shapeId: number, column: number][];
}

const IDS_PER_READ = 10_000;

export class CatalogReader {
  readonly #database: Database;
  readonly #limits: Limits;
  readonly #statements: Statements;
  readonly #pages: PageReader;
  readonly #scan: SelectionScan;
  readonly #packs: PackReader;
  readonly #pgo: PgoReader;

  constructor(database: Database, limits: Limits, chunkRows = CHUNK_ROWS) {
    this.#database = database;
    this.#limits = limits;
    this.#statements = new Statements(database);
    this.#pages = new PageReader(this.#statements, chunkRows);
    this.#scan = new SelectionScan(this.#statements, chunkRows);
    this.#packs = new PackReader(database, this.#statements, chunkRows);
    this.#pgo = new PgoReader(this.#statements);
  }

  snapshot(): IndexSnapshot {
    return readSnapshot(this.#statements);
  }

  extents(): SeriesExtents {
    return readExtents(this.#statements);
  }

  page(request: PageRequest): ProfileRows {
    return packRows(this.#pages.page(request), this.#statements);
  }

  /** Those that are there, in the order asked. */
  get({ ids, maxSeq }: { ids: Uint8Array[]; maxSeq: number }): ProfileRows {
    const rows = ids.map((id) => rowOf(this.#statements, id)).filter((row) => row !== undefined);
    return packRows(
      rows.filter((row) => Number(row[7]) <= maxSeq),
      this.#statements,
    );
  }

  usage(): UsageRow[] {
    return readUsage(this.#statements);
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

  /** Inputs and sets of one moment. */
  merge(request: MergeScanRequest): SortedRecords & { matched: number; sets: PackSet[] } {
    return this.#database.transaction(() => ({ ...this.#merge(request), sets: this.#packs.setsOf(request) }))();
  }

  #merge({ rule, rankColumns, ...request }: MergeScanRequest): SortedRecords & { matched: number } {
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
  mergeByIds(request: { ids: string[]; maxSeq: number }): SortedRecords & { sets: PackSet[] } {
    return this.#database.transaction(() => ({ ...this.#mergeByIds(request), sets: this.#setsOfIds(request.ids) }))();
  }

  #mergeByIds({ ids, maxSeq }: { ids: string[]; maxSeq: number }): SortedRecords {
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

  #setsOfIds(ids: readonly string[]): PackSet[] {
    const sets = this.#statements
      .plain(
        `SELECT DISTINCT s.set_id FROM json_each(@ids) j
        CROSS JOIN profile k INDEXED BY profile_by_id ON k.profile_id = unhex(j.value)
        CROSS JOIN profile p ON p.service_id = k.service_id AND p.type_id = k.type_id AND p.profile_id = k.profile_id
        CROSS JOIN pack_set s INDEXED BY pack_set_by_window ON s.service_id = p.service_id AND s.type_id = p.type_id
          AND s.start_ns > p.time_ns - ${WINDOW_NS} AND s.start_ns <= p.time_ns
        WHERE p.segment_id = 0 AND s.end_ns > p.time_ns AND s.shape_id = p.shape_id AND p.seq BETWEEN s.seq_from AND s.covers_seq`,
      )
      .all({ ids: JSON.stringify(ids) }) as [number][];
    return readPackSets(this.#statements, { setIds: sets.map(([setId]) => setId) });
  }

  looseHours(after: LooseCursor | undefined): { rows: LooseRow[]; next: LooseCursor | undefined } {
    return this.#packs.looseHours(after);
  }

  packSets(query: PackSetQuery): PackSet[] {
    return this.#database.transaction(() => readPackSets(this.#statements, query))();
  }

  packStatistics(): PackStatistics {
    return readPackStatistics(this.#statements);
  }

  packIds(): PackIds {
    return readPackIds(this.#statements);
  }

  packRows(run: PackRunRequest & { coversSeq: number }): RawPackRows {
    return this.#packs.packRows(run);
  }

  coverage(request: ScanRequest & { limit: number }): CoverageRows {
    return this.#packs.coverage(request);
  }

  coverageFingerprint(request: ScanRequest): string {
    return this.#packs.coverageFingerprint(request);
  }

  seriesCounts(request: { seriesIds: Uint32Array; interval: Interval }): Uint32Array<ArrayBuffer> {
    return readSeriesCounts(this.#statements, request);
  }

  seriesTimes(request: { seriesIds: Uint32Array; interval?: Interval }): BigInt64Array<ArrayBuffer> {
    return this.#database.transaction(() => readSeriesTimes(this.#statements, request))();
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

  /** A method of PgoReader, in one snapshot. */
  pgo({ method, argument }: PgoRequest<PgoReader>): unknown {
    return this.#database.transaction(() => this.#pgo[method](argument as never))();
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

  /** In the order of their offsets. */
  profilesInSegment({ segmentId, limit }: { segmentId: number; limit: number }): ProfileRows {
    return packRows(readSegmentRows(this.#statements, segmentId).slice(0, limit), this.#statements);
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
