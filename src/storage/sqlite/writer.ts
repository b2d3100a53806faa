// All that changes the catalog, on the one connection that may write. Synchronous: src/storage/sqlite/writer-thread.ts runs it.

import type { Database } from "better-sqlite3";
import { DomainError } from "../../model/errors.ts";
import type { Locator } from "../blob-store.ts";
import { hasOriginal, type PackRun, type PackRunRequest, type PackSwitch } from "../pack-catalog.ts";
import type { NewNames } from "../series-index.ts";
import type { InsertMessage, InsertRow } from "./insert-message.ts";
import { NameTable } from "./name-table.ts";
import { PackWriter } from "./pack-writer.ts";
import { CHUNK_ROWS, PageReader } from "./page-reader.ts";
import type { PageRequest } from "./page-request.ts";
import type { PgoRequest } from "./pgo-rows.ts";
import { PgoWriter } from "./pgo-writer.ts";
import { type ProfileRows, packRows, type RawRow, rowOf } from "./profile-rows.ts";
import { clearExpiredRequests, earlierUpload, rememberRequest } from "./retries.ts";
import { SegmentLedger } from "./segment-ledger.ts";
import { Statements } from "./statements.ts";
import { UsageLedger } from "./usage-ledger.ts";

export interface InsertAnswer {
  names: NewNames;
  /** One per row: its position in commit order, or 0 where the profile was there. */
  seqs: Float64Array<ArrayBuffer>;
  seriesIds: Uint32Array<ArrayBuffer>;
  /** Those that were there, in the order of the rows. */
  existing: ProfileRows;
}

export interface Removal {
  count: number;
  /** Profiles removed, by series id. */
  series: Map<number, number>;
}

const INSERT_PROFILE = `INSERT INTO profile VALUES (@serviceId, @typeId, @id, @seriesId, @seq, @timeNs, @receivedNs, @durationNs,
  @claimedNs, @timeSource, @shapeId, @sizeBytes, @samples, @submitterId, @digest, @segmentId, @offset, @externalId,
  @v0, @v1, @v2, @v3, @moreTotals) ON CONFLICT DO NOTHING`;
const RELOCATE = `UPDATE profile SET segment_id = @segmentId, offset = @offset, size_bytes = @sizeBytes
  WHERE (service_id, type_id) = (SELECT service_id, type_id FROM series WHERE series_id = @seriesId) AND profile_id = @id`;
const REMOVE = `DELETE FROM profile
  WHERE (service_id, type_id) = (SELECT service_id, type_id FROM series WHERE series_id = ?) AND profile_id = ?`;

export class CatalogWriter {
  readonly #database: Database;
  readonly #names: NameTable;
  readonly #pages: PageReader;
  readonly #segments: SegmentLedger;
  readonly #usage: UsageLedger;
  readonly #packs: PackWriter;
  readonly #pgo: PgoWriter;
  readonly #statements: Statements;
  #seq: number;

  constructor(database: Database) {
    this.#database = database;
    this.#statements = new Statements(database);
    this.#names = new NameTable(this.#statements);
    this.#pages = new PageReader(this.#statements, CHUNK_ROWS);
    this.#segments = new SegmentLedger(this.#statements);
    this.#usage = new UsageLedger(this.#statements);
    this.#packs = new PackWriter(this.#statements, this.#segments, this.#usage);
    this.#pgo = new PgoWriter(this.#statements);
    this.#seq = this.#savedSeq();
  }

  /**
   * All batches in one commit; each gets its answer, or the error that it alone would have met: when the commit fails, each is tried again
   * by itself.
   */
  insertAll(batches: readonly InsertMessage[]): (InsertAnswer | { error: unknown })[] {
    try {
      return this.#commit(() => batches.map((batch) => this.#insertBatch(batch)));
    } catch (error) {
      if (batches.length === 1) return [{ error }];
      return batches.flatMap((batch) => this.insertAll([batch]));
    }
  }

  delete(ids: readonly Uint8Array[]): Removal {
    return this.#commit(() =>
      this.#remove(ids.map((id) => rowOf(this.#statements, id)).filter((row) => row !== undefined)),
    );
  }

  deleteSelection(request: PageRequest): Removal {
    return this.#commit(() => this.#remove(this.#pages.page(request)));
  }

  /** Answers the positions of those moves whose profile is still there. */
  relocate({ ids, to }: { ids: readonly Uint8Array[]; to: readonly Locator[] }): number[] {
    return this.#commit(() => {
      const update = this.#statements.plain(RELOCATE);
      const moved: number[] = [];
      for (const [at, id] of ids.entries()) {
        const row = rowOf(this.#statements, id);
        const locator = to[at]!;
        this.#segments.add(locator, Buffer.from(id));
        // Gone, or packed: nobody needs the copy.
        if (row === undefined || row[13] === 0n) this.#segments.remove(locator);
        else {
          this.#segments.remove(locatorOf(row));
          update.run({ ...locator, seriesId: Number(row[6]), id: row[0] });
          const moreBytes = locator.sizeBytes - Number(row[10]);
          this.#usage.addToSeries(Number(row[6]), { sentBytes: moreBytes, originalBytes: moreBytes });
          moved.push(at);
        }
      }
      return moved;
    });
  }

  forgetSegment(segmentId: number): void {
    this.#commit(() => {
      const live = this.#statements.value("SELECT live FROM segment WHERE segment_id = ?", segmentId);
      if (live !== undefined && live !== 0) {
        throw new DomainError("conflict", `Cannot forget segment ${segmentId}: it holds ${live} profiles`);
      }
      this.#statements.plain("DELETE FROM segment WHERE segment_id = ?").run(segmentId);
    });
  }

  nextPackId(): number {
    return this.#commit(() => this.#packs.nextPackId());
  }

  skipPackIds(last: number): void {
    this.#commit(() => this.#packs.skipPackIds(last));
  }

  forgetPacks(packIds: readonly number[]): void {
    this.#commit(() => this.#packs.forgetPacks(packIds));
  }

  beginPack(request: PackRunRequest): PackRun {
    return this.#packs.begin(request, this.#seq);
  }

  abandonPack(runId: number): void {
    this.#packs.end(runId);
  }

  switchPackSet(change: PackSwitch): { setId?: number; freed: number[] } {
    const switched = this.#commit(() => this.#packs.switchTo(change));
    this.#packs.end(change.runId);
    return switched;
  }

  setAside(ids: readonly Uint8Array[]): void {
    this.#commit(() => this.#packs.setAside(ids));
  }

  settlePackSet(step: { setId: number; release: boolean; afterId?: Uint8Array }): Uint8Array | undefined {
    return this.#commit(() => this.#packs.settle(step));
  }

  releaseOriginals(ids: readonly Uint8Array[]): number {
    return this.#commit(() => this.#packs.release(ids));
  }

  /** A method of PgoWriter. */
  pgo({ method, argument }: PgoRequest<PgoWriter>): unknown {
    return this.#commit(() => this.#pgo[method](argument as never));
  }

  /** Waits for readers, writes the whole log back, and starts it anew. */
  restartLog(): void {
    this.#database.pragma("wal_checkpoint(RESTART)");
  }

  /** As the connection has it after a write, for the test that durability rests on. */
  synchronous(): number {
    return this.#database.pragma("synchronous", { simple: true }) as number;
  }

  /** Leaves the whole catalog in its one file. */
  close(): void {
    this.#database.pragma("wal_checkpoint(TRUNCATE)");
  }

  #commit<Result>(change: () => Result): Result {
    try {
      const result = this.#database
        .transaction(() => {
          const seq = this.#seq;
          const result = change();
          if (this.#seq !== seq)
            this.#statements.plain("UPDATE counter SET value = ? WHERE name = 'seq'").run(this.#seq);
          this.#segments.write();
          this.#usage.write();
          return result;
        })
        .immediate();
      this.#packs.keepNoted();
      return result;
    } catch (error) {
      this.#names.forget();
      this.#segments.forget();
      this.#usage.forget();
      this.#packs.forgetNoted();
      this.#seq = this.#savedSeq();
      throw error;
    }
  }

  #savedSeq(): number {
    return this.#statements.value("SELECT value FROM counter WHERE name = 'seq'") as number;
  }

  #insertBatch({ ids, digests, rows }: InsertMessage): InsertAnswer {
    const seqs = new Float64Array(rows.length);
    const seriesIds = new Uint32Array(rows.length);
    const existing: RawRow[] = [];
    let expires = 0n;
    for (const [at, row] of rows.entries()) {
      const id = Buffer.from(ids.buffer, ids.byteOffset + at * 16, 16);
      const digest = Buffer.from(digests.buffer, digests.byteOffset + at * 32, 32);
      const first = this.#insertOne(row, id, digest);
      if (first.row === undefined) seqs[at] = this.#seq;
      else existing.push(first.row);
      seriesIds[at] = first.seriesId;
      if (row.requestId !== null && row.receivedNs > expires) expires = row.receivedNs;
    }
    if (expires > 0n) clearExpiredRequests(this.#statements, expires);
    return {
      names: this.#names.takeCreated(),
      seqs,
      seriesIds,
      existing: packRows(existing, this.#statements),
    };
  }

  /** `row` is set where the profile was there already. */
  #insertOne(row: InsertRow, id: Buffer, digest: Buffer): { row: RawRow | undefined; seriesId: number } {
    const serviceId = this.#names.service(row.service);
    const typeId = this.#names.type(row.type);
    const seriesId = this.#names.series(serviceId, typeId, row.labelsText);
    const first =
      earlierUpload(this.#statements, row, seriesId, digest) ??
      this.#store(row, { serviceId, typeId, seriesId, id, digest });
    rememberRequest(this.#statements, row, first?.[0] ?? id);
    this.#segments.add(row, id);
    // A second copy is garbage, unless the caller says the same again.
    const sameCopy = first && isSameLocator(locatorOf(first), row);
    if (first) this.#segments.remove(row, sameCopy);
    return { row: first, seriesId };
  }

  /** The row that was there, or undefined when the new one is stored. */
  #store(
    row: InsertRow,
    own: { serviceId: number; typeId: number; seriesId: number; id: Buffer; digest: Buffer },
  ): RawRow | undefined {
    const [v0 = null, v1 = null, v2 = null, v3 = null, ...more] = row.totals;
    const { changes } = this.#statements.plain(INSERT_PROFILE).run({
      ...row,
      ...own,
      seq: this.#seq + 1,
      shapeId: row.shapeSignature === null ? null : this.#names.shape(row.shapeSignature),
      submitterId: row.submitter === null ? null : this.#names.submitter(row.submitter),
      v0,
      v1,
      v2,
      v3,
      moreTotals: more.length === 0 ? null : JSON.stringify(more.map(String)),
    });
    if (changes === 0) return rowOf(this.#statements, own.id);
    this.#seq++;
    const { sizeBytes } = row;
    this.#usage.add(own.serviceId, own.typeId, { profiles: 1, sentBytes: sizeBytes, originalBytes: sizeBytes });
    this.#names.sampleLabelKeys(own.seriesId, row.sampleLabelKeys);
    return undefined;
  }

  #remove(rows: readonly RawRow[]): Removal {
    const removal: Removal = { count: 0, series: new Map() };
    const remove = this.#statements.plain(REMOVE);
    for (const row of rows) {
      const seriesId = Number(row[6]);
      // Named twice in one call.
      if (remove.run(seriesId, row[0]).changes === 0) continue;
      const locator = locatorOf(row);
      if (hasOriginal(locator)) this.#segments.remove(locator);
      const originalBytes = hasOriginal(locator) ? -locator.sizeBytes : 0;
      this.#usage.addToSeries(seriesId, { profiles: -1, sentBytes: -locator.sizeBytes, originalBytes });
      this.#packs.noteDeletion(row);
      removal.count++;
      removal.series.set(seriesId, (removal.series.get(seriesId) ?? 0) + 1);
    }
    return removal;
  }
}

function locatorOf(row: RawRow): Locator {
  return { segmentId: Number(row[13]), offset: Number(row[14]), sizeBytes: Number(row[10]) };
}

function isSameLocator(a: Locator, b: Locator): boolean {
  return a.segmentId === b.segmentId && a.offset === b.offset;
}
