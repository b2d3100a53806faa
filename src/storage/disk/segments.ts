// Appends to segments: one open for each kind, batches one after another, each with one write and one fdatasync. Sealing by size and age.
// What was there before the start is src/storage/disk/repair.ts's.

import { unlink } from "node:fs/promises";
import type { DomainError } from "../../model/errors.ts";
import type { Limits } from "../../model/limits.ts";
import type { BlobKind, Locator, Segment } from "../blob-store.ts";
import { syncFolder } from "./durable.ts";
import { segmentPath, segmentsFolder } from "./segment-format.ts";
import { SegmentWriter } from "./segment-writer.ts";
import { writeFailure } from "./write-failure.ts";

export interface SegmentsOptions {
  folder: string;
  limits: Limits;
  /** What start-up found; all of it sealed. */
  found: readonly Segment[];
  /** Above every id that the folder or the catalog ever named. */
  nextId: number;
  checkSpace: () => void;
  report: (message: string) => void;
}

/** One kind's open segment and the turns of those who want to append to it. */
interface Lane {
  writer: SegmentWriter | undefined;
  turn: Promise<unknown>;
}

export class Segments implements AsyncDisposable {
  readonly #options: SegmentsOptions;
  readonly #sealed: Map<number, Segment>;
  readonly #lanes: Record<BlobKind, Lane> = {
    profile: { writer: undefined, turn: Promise.resolve() },
    opaque: { writer: undefined, turn: Promise.resolve() },
  };
  #nextId: number;

  constructor(options: SegmentsOptions) {
    this.#options = options;
    this.#nextId = options.nextId;
    this.#sealed = new Map(options.found.map((segment) => [segment.segmentId, segment]));
  }

  append(batch: readonly Uint8Array[], kind: BlobKind): Promise<Locator[]> {
    return inTurn(this.#lanes[kind], async (lane) => {
      this.#options.checkSpace();
      const writer = await this.#writerFor(lane, kind);
      try {
        return await writer.append(batch);
      } catch (cause) {
        await this.#abandon(lane, writer);
        throw writeFailure(`append to segment ${writer.header.segmentId}`, cause);
      }
    });
  }

  async list(): Promise<Segment[]> {
    const open: Segment[] = [];
    for (const lane of Object.values(this.#lanes)) {
      await inTurn(lane, async () => {
        if (lane.writer && this.#isOld(lane.writer)) await this.#seal(lane, lane.writer);
        if (lane.writer) open.push({ ...describe(lane.writer), sealed: false });
      });
    }
    return [...this.#sealed.values(), ...open].sort((a, b) => a.segmentId - b.segmentId);
  }

  async delete(segmentId: number): Promise<void> {
    const { folder } = this.#options;
    for (const lane of Object.values(this.#lanes)) {
      await inTurn(lane, async () => {
        if (lane.writer?.header.segmentId === segmentId) await this.#seal(lane, lane.writer);
      });
    }
    try {
      await unlink(segmentPath(folder, segmentId));
      await syncFolder(segmentsFolder(folder));
    } catch (cause) {
      if ((cause as { code?: string }).code !== "ENOENT") throw writeFailure(`delete segment ${segmentId}`, cause);
    }
    this.#sealed.delete(segmentId);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.sealAll();
  }

  async sealAll(): Promise<void> {
    for (const lane of Object.values(this.#lanes)) {
      await inTurn(lane, async () => {
        if (lane.writer) await this.#seal(lane, lane.writer);
      });
    }
  }

  async #writerFor(lane: Lane, kind: BlobKind): Promise<SegmentWriter> {
    const { folder, limits } = this.#options;
    const open = lane.writer;
    if (open && open.bytes < limits.segmentBytes && !this.#isOld(open)) return open;
    if (open) await this.#seal(lane, open);
    const segmentId = this.#nextId++;
    try {
      lane.writer = await SegmentWriter.create(folder, { segmentId, kind, createdMs: Date.now() });
    } catch (cause) {
      throw writeFailure(`make segment ${segmentId}`, cause);
    }
    return lane.writer;
  }

  #isOld(writer: SegmentWriter): boolean {
    return Date.now() - writer.header.createdMs >= this.#options.limits.segmentMs;
  }

  /** Never fails the caller: a segment without its seal is looked through at the next start, nothing worse. */
  async #seal(lane: Lane, writer: SegmentWriter): Promise<void> {
    this.#retire(lane, writer);
    await this.#reported(() => writer.seal(), `seal segment ${writer.header.segmentId}`);
  }

  /** After a failed write or sync the descriptor is never used for data again: the system may have dropped what it could not write. */
  async #abandon(lane: Lane, writer: SegmentWriter): Promise<void> {
    this.#retire(lane, writer);
    await this.#reported(() => writer.abandon(), `cut segment ${writer.header.segmentId} after a failed append`);
  }

  #retire(lane: Lane, writer: SegmentWriter): void {
    lane.writer = undefined;
    this.#sealed.set(writer.header.segmentId, { ...describe(writer), sealed: true });
  }

  async #reported(action: () => Promise<void>, what: string): Promise<void> {
    try {
      await action();
    } catch (cause) {
      const failure: DomainError = writeFailure(what, cause);
      this.#options.report(failure.message);
    }
  }
}

function describe(writer: SegmentWriter): Omit<Segment, "sealed"> {
  return { segmentId: writer.header.segmentId, kind: writer.header.kind, bytes: writer.bytes };
}

/** Runs `work` when everything asked of the lane before is done, however it ended. */
function inTurn<Result>(lane: Lane, work: (lane: Lane) => Promise<Result>): Promise<Result> {
  const done = lane.turn.then(() => work(lane));
  lane.turn = done.catch(() => {});
  return done;
}
