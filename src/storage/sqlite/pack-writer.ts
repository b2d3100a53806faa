// What changes in the catalog when profiles are packed: runs, the switch to a new set, and the rows that follow it. Every method runs
// inside a transaction of src/storage/sqlite/writer.ts.

import { DomainError } from "../../model/errors.ts";
import type { PackRun, PackRunRequest, PackSwitch } from "../pack-catalog.ts";
import { firstIdOfMs, idAfter, idRange } from "./id-range.ts";
import { PACK_LEVELS, PACKED, SET_ASIDE, WINDOW_NS } from "./pack-sets.ts";
import { type RawRow, rowOf } from "./profile-rows.ts";
import type { SegmentLedger } from "./segment-ledger.ts";
import type { Statements } from "./statements.ts";
import type { UsageLedger } from "./usage-ledger.ts";

/** Rows that one commit marks: uploads wait for no more. */
export const SETTLED_ROWS = 100;

interface Run extends PackRunRequest {
  coversSeq: number;
  /** Seqs of its profiles that were deleted since it began. */
  deleted: number[];
}

/** The set that has a profile; there is one at most. */
const SET_OF = `SELECT s.set_id FROM series r CROSS JOIN pack_set s INDEXED BY pack_set_by_window
  ON s.service_id = r.service_id AND s.type_id = r.type_id AND s.start_ns > @timeNs - ${WINDOW_NS} AND s.start_ns <= @timeNs
  WHERE r.series_id = @seriesId AND s.end_ns > @timeNs AND s.shape_id = @shapeId AND s.seq_from <= @seq AND s.covers_seq >= @seq`;
const UPDATE_ROW = `UPDATE profile SET flags = flags | @flag, segment_id = @segmentId, offset = @offset
  WHERE (service_id, type_id) = (SELECT service_id, type_id FROM series WHERE series_id = @seriesId) AND profile_id = @id`;
const INSERT_UNNAMED = "INSERT INTO pack_unnamed VALUES (?)";
const DELETE_UNNAMED = "DELETE FROM pack_unnamed WHERE pack_id = ?";

export class PackWriter {
  readonly #statements: Statements;
  readonly #segments: SegmentLedger;
  readonly #usage: UsageLedger;
  /** Lost with the process, as is what they were for. */
  readonly #runs = new Map<number, Run>();
  /** Of the transaction under way. */
  #noted: [run: Run, seq: number][] = [];
  #lastRunId = 0;

  constructor(statements: Statements, segments: SegmentLedger, usage: UsageLedger) {
    this.#statements = statements;
    this.#segments = segments;
    this.#usage = usage;
  }

  /** After a commit. */
  keepNoted(): void {
    for (const [run, seq] of this.#noted) run.deleted.push(seq);
    this.#noted = [];
  }

  /** After a rollback. */
  forgetNoted(): void {
    this.#noted = [];
  }

  /** Call for each row that is deleted, in the same transaction. */
  noteDeletion(row: RawRow): void {
    const [timeNs, seriesId, seq, flags, shapeId] = [row[2], row[6], Number(row[7]), Number(row[8]), row[9]];
    if (shapeId === null || flags & SET_ASIDE) return;
    const setId = this.#setOf(row);
    if (setId !== undefined) this.#statements.plain("INSERT INTO tombstone VALUES (?, ?)").run(setId, seq);
    if (this.#runs.size === 0) return;
    const [serviceId, typeId] = this.#statements
      .plain("SELECT service_id, type_id FROM series WHERE series_id = ?")
      .get(seriesId) as [number, number];
    for (const run of this.#runs.values()) {
      const isInside =
        run.serviceId === serviceId &&
        run.typeId === typeId &&
        run.shapeId === Number(shapeId) &&
        timeNs >= run.startNs &&
        timeNs < run.endNs &&
        seq >= run.seqFrom &&
        seq <= run.coversSeq;
      if (isInside) this.#noted.push([run, seq]);
    }
  }

  #setOf(row: RawRow): number | undefined {
    const [timeNs, seriesId, seq, shapeId] = [row[2], row[6], row[7], row[9]];
    return this.#statements.value(SET_OF, { timeNs, seriesId, seq, shapeId }) as number | undefined;
  }

  nextPackId(): number {
    this.#statements.plain("UPDATE counter SET value = value + 1 WHERE name = 'pack'").run();
    const packId = this.#statements.value("SELECT value FROM counter WHERE name = 'pack'") as number;
    this.#statements.plain(INSERT_UNNAMED).run(packId);
    return packId;
  }

  skipPackIds(last: number): void {
    this.#statements.plain("UPDATE counter SET value = max(value, ?) WHERE name = 'pack'").run(last);
  }

  forgetPacks(packIds: readonly number[]): void {
    for (const packId of packIds) this.#statements.plain(DELETE_UNNAMED).run(packId);
  }

  begin(request: PackRunRequest, seq: number): PackRun {
    const runId = ++this.#lastRunId;
    this.#runs.set(runId, { ...request, coversSeq: seq, deleted: [] });
    return { runId, coversSeq: seq };
  }

  /** After the commit of a switch, or without one. */
  end(runId: number): void {
    this.#runs.delete(runId);
  }

  setAside(ids: readonly Uint8Array[]): void {
    for (const id of ids) {
      const row = rowOf(this.#statements, id);
      if (row === undefined || this.#setOf(row) !== undefined) continue;
      const [seriesId, segmentId, offset] = [row[6], row[13], row[14]];
      this.#statements.plain(UPDATE_ROW).run({ flag: SET_ASIDE, seriesId, segmentId, offset, id: row[0] });
    }
  }

  switchTo({ runId, packs, seqs, replaces }: PackSwitch): { setId?: number; freed: number[] } {
    const run = this.#runs.get(runId);
    if (run === undefined)
      throw new DomainError("conflict", `Cannot switch to the packs of run ${runId}: it has ended`);
    const freed = replaces.flatMap((setId) => this.#dropSet(setId));
    this.#checkDisjoint(run);
    if (packs.length === 0) return { freed };
    const { lastInsertRowid } = this.#statements
      .plain(
        `INSERT INTO pack_set (service_id, type_id, shape_id, level, start_ns, end_ns, seq_from, covers_seq, settled)
        VALUES (@serviceId, @typeId, @shapeId, @levelNumber, @startNs, @endNs, @seqFrom, @coversSeq, 0)`,
      )
      .run({ ...run, levelNumber: PACK_LEVELS.indexOf(run.level) });
    const setId = Number(lastInsertRowid);
    const insertPack = this.#statements.plain("INSERT INTO pack VALUES (?, ?, ?, ?)");
    for (const { packId, profiles, sizeBytes } of packs) insertPack.run(packId, setId, profiles, sizeBytes);
    this.forgetPacks(packs.map(({ packId }) => packId));
    const insertTombstone = this.#statements.plain("INSERT INTO tombstone VALUES (?, ?) ON CONFLICT DO NOTHING");
    const inside = new Set(seqs);
    for (const seq of run.deleted) if (inside.has(seq)) insertTombstone.run(setId, seq);
    return { setId, freed };
  }

  /** Answers its packs. */
  #dropSet(setId: number): number[] {
    const packs = this.#statements.plain("SELECT pack_id FROM pack WHERE set_id = ?").all(setId) as [number][];
    this.#statements.plain("DELETE FROM pack WHERE set_id = ?").run(setId);
    this.#statements.plain("DELETE FROM tombstone WHERE set_id = ?").run(setId);
    const { changes } = this.#statements.plain("DELETE FROM pack_set WHERE set_id = ?").run(setId);
    if (changes === 0) throw new DomainError("conflict", `Cannot replace pack set ${setId}: it is gone`);
    for (const [packId] of packs) this.#statements.plain(INSERT_UNNAMED).run(packId);
    return packs.map(([packId]) => packId);
  }

  #checkDisjoint(run: Run): void {
    const other = this.#statements
      .plain(
        `SELECT set_id FROM pack_set INDEXED BY pack_set_by_window WHERE service_id = @serviceId AND type_id = @typeId
        AND shape_id = @shapeId AND start_ns > @startNs - ${WINDOW_NS} AND start_ns < @endNs AND end_ns > @startNs
        AND seq_from <= @coversSeq AND covers_seq >= @seqFrom`,
      )
      .get({ ...run }) as [number] | undefined;
    if (other === undefined) return;
    throw new DomainError("conflict", `Cannot switch to new packs: pack set ${other[0]} holds some of their profiles`);
  }

  settle({ setId, release, afterId }: { setId: number; release: boolean; afterId?: Uint8Array }): Buffer | undefined {
    const set = this.#statements
      .exact(
        `SELECT service_id, type_id, shape_id, start_ns, end_ns, seq_from, covers_seq FROM pack_set
        WHERE set_id = ? AND settled = 0`,
      )
      .get(setId) as bigint[] | undefined;
    if (set === undefined) return undefined;
    const [serviceId, typeId, shapeId, startNs, endNs, seqFrom, coversSeq] = set;
    const { low, high } = idRange({ startNs: startNs!, endNs: endNs! }) ?? {
      low: firstIdOfMs(0),
      high: firstIdOfMs(0),
    };
    const rows = this.#statements
      .exact(
        `SELECT p.profile_id, p.series_id, p.segment_id, p.offset, p.size_bytes FROM profile p INDEXED BY profile_loose
        WHERE p.flags & ${PACKED} = 0 AND p.service_id = @serviceId AND p.type_id = @typeId
        AND p.profile_id >= @from AND p.profile_id < @high AND p.flags & ${SET_ASIDE} = 0 AND p.shape_id = @shapeId
        AND p.time_ns >= @startNs AND p.time_ns < @endNs AND p.seq BETWEEN @seqFrom AND @coversSeq
        ORDER BY p.profile_id LIMIT ${SETTLED_ROWS}`,
      )
      .all({
        serviceId,
        typeId,
        shapeId,
        startNs,
        endNs,
        seqFrom,
        coversSeq,
        high,
        from: afterId ? idAfter(afterId) : low,
      }) as [Buffer, bigint, bigint, bigint, bigint][];
    for (const [id, seriesId, segmentId, offset, sizeBytes] of rows) {
      const to = release ? { segmentId: 0, offset: 0 } : { segmentId, offset };
      this.#statements.plain(UPDATE_ROW).run({ flag: PACKED, seriesId, id, ...to });
      if (release && segmentId !== 0n) {
        this.#segments.remove({ segmentId: Number(segmentId), offset: Number(offset), sizeBytes: Number(sizeBytes) });
        this.#usage.add(Number(serviceId), Number(typeId), { originalBytes: -Number(sizeBytes) });
      }
    }
    if (rows.length === SETTLED_ROWS) return rows.at(-1)![0];
    this.#statements.plain("UPDATE pack_set SET settled = 1 WHERE set_id = ?").run(setId);
    return undefined;
  }

  release(ids: readonly Uint8Array[]): number {
    let released = 0;
    for (const id of ids) {
      const row = rowOf(this.#statements, id);
      if (row === undefined || (Number(row[8]) & PACKED) === 0 || row[13] === 0n) continue;
      this.#statements.plain(UPDATE_ROW).run({ flag: PACKED, seriesId: row[6], segmentId: 0, offset: 0, id: row[0] });
      this.#segments.remove({ segmentId: Number(row[13]), offset: Number(row[14]), sizeBytes: Number(row[10]) });
      this.#usage.addToSeries(Number(row[6]), { originalBytes: -Number(row[10]) });
      released++;
    }
    return released;
  }
}
