// What the packer and a merge ask of the catalog's file about packs: what is loose, what a run is to pack, what covers a selection.
// Synchronous: src/storage/sqlite/reader.ts calls it in a thread.

import type { Database } from "better-sqlite3";
import type { PackRunRequest, PackSet } from "../pack-catalog.ts";
import { idAfter, idRange } from "./id-range.ts";
import { RecordCollector, recordSql, type SelectionRule, type SortedRecords } from "./merge-records.ts";
import { PACKED, readSetsOfGroup, SET_ASIDE, setsFingerprint } from "./pack-sets.ts";
import { type ScanRequest, SelectionScan } from "./selection-scan.ts";
import type { Statements } from "./statements.ts";

const HOUR_NS = 3_600_000_000_000n;
/** Of a look over all that is loose, in one statement: some 30 ms. */
const LOOSE_ROWS = 20_000;

/** Rows of looseHours() as they cross a thread. */
export interface LooseRow {
  serviceId: number;
  typeId: number;
  shapeId: number;
  hour: bigint;
  profiles: number;
  sizeBytes: number;
  firstReceivedNs: bigint;
  lastReceivedNs: bigint;
}

/** Where a slice of looseHours() ended. */
export type LooseCursor = [serviceId: number, typeId: number, profileId: Uint8Array];

export interface RawPackRows {
  count: number;
  ids: Uint8Array<ArrayBuffer>;
  digests: Uint8Array<ArrayBuffer>;
  timesNs: BigInt64Array<ArrayBuffer>;
  receivedNs: BigInt64Array<ArrayBuffer>;
  seqs: Float64Array<ArrayBuffer>;
  seriesIds: Uint32Array<ArrayBuffer>;
  locators: Float64Array<ArrayBuffer>;
}

export function packTransferOf(rows: RawPackRows): ArrayBuffer[] {
  return [rows.ids, rows.digests, rows.timesNs, rows.receivedNs, rows.seqs, rows.seriesIds, rows.locators].map(
    ({ buffer }) => buffer,
  );
}

export interface CoverageRows extends SortedRecords {
  sets: PackSet[];
  loose: number;
  fingerprint: string;
}

export class PackReader {
  readonly #database: Database;
  readonly #statements: Statements;
  readonly #scan: SelectionScan;

  constructor(database: Database, statements: Statements, chunkRows: number) {
    this.#database = database;
    this.#statements = statements;
    this.#scan = new SelectionScan(statements, chunkRows);
  }

  looseHours(after: LooseCursor | undefined): { rows: LooseRow[]; next: LooseCursor | undefined } {
    const [serviceId, typeId, profileId] = after ?? [0, 0, new Uint8Array(0)];
    const from = { serviceId, typeId, profileId: Buffer.from(profileId) };
    const slice = `FROM profile INDEXED BY profile_loose WHERE flags & ${PACKED} = 0
      AND (service_id, type_id, profile_id) > (@serviceId, @typeId, @profileId) ORDER BY service_id, type_id, profile_id`;
    const last = this.#statements
      .plain(`SELECT service_id, type_id, profile_id ${slice} LIMIT 1 OFFSET ${LOOSE_ROWS - 1}`)
      .get(from) as LooseCursor | undefined;
    const rows = this.#statements
      .exact(
        `SELECT p.service_id, p.type_id, p.shape_id, p.time_ns / ${HOUR_NS}, count(*), sum(p.size_bytes), min(p.received_ns), max(p.received_ns)
        FROM (SELECT * ${slice} LIMIT ${LOOSE_ROWS}) p
        WHERE p.flags & ${SET_ASIDE} = 0 AND p.shape_id IS NOT NULL GROUP BY 1, 2, 3, 4`,
      )
      .all(from) as bigint[][];
    return {
      rows: rows.map((row) => ({
        serviceId: Number(row[0]),
        typeId: Number(row[1]),
        shapeId: Number(row[2]),
        hour: row[3]!,
        profiles: Number(row[4]),
        sizeBytes: Number(row[5]),
        firstReceivedNs: row[6]!,
        lastReceivedNs: row[7]!,
      })),
      next: last,
    };
  }

  packRows(run: PackRunRequest & { coversSeq: number }): RawPackRows {
    const { serviceId, typeId, shapeId, startNs, endNs, seqFrom, coversSeq } = run;
    const { low = idAfter(new Uint8Array(0)), high = low } = idRange({ startNs, endNs }) ?? {};
    const rows = this.#statements
      .exact(
        `SELECT p.profile_id, p.digest, p.time_ns, p.received_ns, p.seq, p.series_id, p.segment_id, p.offset, p.size_bytes
        FROM profile p NOT INDEXED WHERE p.service_id = @serviceId AND p.type_id = @typeId
        AND p.profile_id >= @low AND p.profile_id < @high AND p.shape_id = @shapeId AND p.time_ns >= @startNs AND p.time_ns < @endNs
        AND p.seq BETWEEN @seqFrom AND @coversSeq AND p.flags & ${SET_ASIDE} = 0 ORDER BY p.series_id, p.time_ns, p.profile_id`,
      )
      .all({ serviceId, typeId, shapeId, startNs, endNs, seqFrom, coversSeq, low, high }) as [
      Buffer,
      Buffer,
      ...bigint[],
    ][];
    const count = rows.length;
    const packed: RawPackRows = {
      count,
      ids: new Uint8Array(count * 16),
      digests: new Uint8Array(count * 32),
      timesNs: new BigInt64Array(count),
      receivedNs: new BigInt64Array(count),
      seqs: new Float64Array(count),
      seriesIds: new Uint32Array(count),
      locators: new Float64Array(count * 3),
    };
    for (const [at, row] of rows.entries()) {
      packed.ids.set(row[0], at * 16);
      packed.digests.set(row[1], at * 32);
      packed.timesNs[at] = row[2]!;
      packed.receivedNs[at] = row[3]!;
      packed.seqs[at] = Number(row[4]);
      packed.seriesIds[at] = Number(row[5]);
      for (let part = 0; part < 3; part++) packed.locators[at * 3 + part] = Number(row[6 + part]);
    }
    return packed;
  }

  /** All of one snapshot. */
  coverage(request: ScanRequest & { limit: number }): CoverageRows {
    return this.#database.transaction(() => {
      const sets = this.setsOf(request);
      const rule: SelectionRule = { limit: request.limit, strategy: "newest" };
      const collector = new RecordCollector(rule);
      const aggregate = (matches: string) =>
        `count(*) FILTER (WHERE ${matches}), max(p.seq) FILTER (WHERE ${matches}), group_concat(${recordSql(rule, "0")}, '') FILTER (WHERE ${matches})`;
      const loose = new LooseCount();
      this.#scan.forEach(this.#looseRequest(request, sets), aggregate, {}, ([rows, maxSeq, records]) => {
        loose.add(rows as bigint, maxSeq as bigint | null);
        if (records !== null && loose.rows <= request.limit) collector.add(records as string);
      });
      const fits = loose.rows <= request.limit;
      const found = fits ? collector.finish() : new RecordCollector(rule).finish();
      return { ...found, sets, loose: loose.rows, fingerprint: fingerprintOf(sets, loose) };
    })();
  }

  coverageFingerprint(request: ScanRequest): string {
    return this.#database.transaction(() => {
      const sets = this.setsOf(request);
      const aggregate = (matches: string) => `count(*) FILTER (WHERE ${matches}), max(p.seq) FILTER (WHERE ${matches})`;
      const loose = new LooseCount();
      this.#scan.forEach(this.#looseRequest(request, sets), aggregate, {}, ([rows, maxSeq]) => {
        loose.add(rows as bigint, maxSeq as bigint | null);
      });
      return fingerprintOf(sets, loose);
    })();
  }

  /** Those of the selected services and types that overlap the interval. */
  setsOf({ selection, interval }: ScanRequest): PackSet[] {
    const range = idRange(interval);
    if (range === undefined || selection.rows === 0) return [];
    return selection.groups.flatMap((group) => readSetsOfGroup(this.#statements, group, range.startNs, range.lastNs));
  }

  #looseRequest(request: ScanRequest, sets: readonly PackSet[]): ScanRequest {
    const packed = sets.reduce((sum, { packs }) => sum + packs.reduce((own, { profiles }) => own + profiles, 0), 0);
    const unsettled = this.#statements.value("SELECT EXISTS (SELECT 1 FROM pack_set WHERE settled = 0)") === 1;
    return { ...request, loose: { packed, unsettled } };
  }
}

/** Profiles only come with higher seqs than all before: equal counts and equal highest seqs are equal profiles. */
class LooseCount {
  rows = 0;
  maxSeq = 0;

  add(rows: bigint, maxSeq: bigint | null): void {
    this.rows += Number(rows);
    this.maxSeq = Math.max(this.maxSeq, Number(maxSeq ?? 0));
  }
}

function fingerprintOf(sets: readonly PackSet[], { rows, maxSeq }: LooseCount): string {
  return `${setsFingerprint(sets)};${rows}-${maxSeq}`;
}
