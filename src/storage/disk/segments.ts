// Appends to segments: one open for each kind, each batch with one write and one fdatasync. Sealing by size and age. Synchronous, so that
// one thread can append bytes and commit their rows in one go. What was there before the start is src/storage/disk/repair.ts's.

import { unlinkSync } from "node:fs";
import type { DomainError } from "../../model/errors.ts";
import type { Limits } from "../../model/limits.ts";
import type { BlobKind, Locator, Segment } from "../blob-store.ts";
import { syncFolderNow } from "./durable.ts";
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
  report: (message: string) => void;
}

/** The segments as seen by those who may be in another thread. */
export interface SegmentAccess {
  append(batch: readonly Uint8Array[], kind: BlobKind): Promise<Locator[]>;
  list(): Promise<Segment[]>;
  delete(segmentId: number): Promise<void>;
  sealAll(): Promise<void>;
}

export class Segments {
  readonly #options: SegmentsOptions;
  readonly #sealed: Map<number, Segment>;
  readonly #open = new Map<BlobKind, SegmentWriter>();
  #nextId: number;

  constructor(options: SegmentsOptions) {
    this.#options = options;
    this.#nextId = options.nextId;
    this.#sealed = new Map(options.found.map((segment) => [segment.segmentId, segment]));
  }

  append(batch: readonly Uint8Array[], kind: BlobKind): Locator[] {
    const writer = this.#writerFor(kind);
    try {
      return writer.append(batch);
    } catch (cause) {
      this.#abandon(writer);
      throw writeFailure(`append to segment ${writer.header.segmentId}`, cause);
    }
  }

  list(): Segment[] {
    for (const writer of this.#open.values()) if (this.#isOld(writer)) this.#seal(writer);
    const open = [...this.#open.values()].map((writer) => ({ ...describe(writer), sealed: false }));
    return [...this.#sealed.values(), ...open].sort((a, b) => a.segmentId - b.segmentId);
  }

  delete(segmentId: number): void {
    const { folder } = this.#options;
    for (const writer of this.#open.values()) if (writer.header.segmentId === segmentId) this.#seal(writer);
    try {
      unlinkSync(segmentPath(folder, segmentId));
      syncFolderNow(segmentsFolder(folder));
    } catch (cause) {
      if ((cause as { code?: string }).code !== "ENOENT") throw writeFailure(`delete segment ${segmentId}`, cause);
    }
    this.#sealed.delete(segmentId);
  }

  sealAll(): void {
    for (const writer of this.#open.values()) this.#seal(writer);
  }

  #writerFor(kind: BlobKind): SegmentWriter {
    const { folder, limits } = this.#options;
    const open = this.#open.get(kind);
    if (open && open.bytes < limits.segmentBytes && !this.#isOld(open)) return open;
    if (open) this.#seal(open);
    const segmentId = this.#nextId++;
    try {
      const writer = SegmentWriter.create(folder, { segmentId, kind, createdMs: Date.now() });
      this.#open.set(kind, writer);
      return writer;
    } catch (cause) {
      throw writeFailure(`make segment ${segmentId}`, cause);
    }
  }

  #isOld(writer: SegmentWriter): boolean {
    return Date.now() - writer.header.createdMs >= this.#options.limits.segmentMs;
  }

  /** Never fails the caller: a segment without its seal is looked through at the next start, nothing worse. */
  #seal(writer: SegmentWriter): void {
    this.#retire(writer);
    this.#reported(() => writer.seal(), `seal segment ${writer.header.segmentId}`);
  }

  /** After a failed write or sync the descriptor is never used for data again: the system may have dropped what it could not write. */
  #abandon(writer: SegmentWriter): void {
    this.#retire(writer);
    this.#reported(() => writer.abandon(), `cut segment ${writer.header.segmentId} after a failed append`);
  }

  #retire(writer: SegmentWriter): void {
    this.#open.delete(writer.header.kind);
    this.#sealed.set(writer.header.segmentId, { ...describe(writer), sealed: true });
  }

  #reported(action: () => void, what: string): void {
    try {
      action();
    } catch (cause) {
      const failure: DomainError = writeFailure(what, cause);
      this.#options.report(failure.message);
    }
  }
}

function describe(writer: SegmentWriter): Omit<Segment, "sealed"> {
  return { segmentId: writer.header.segmentId, kind: writer.header.kind, bytes: writer.bytes };
}
