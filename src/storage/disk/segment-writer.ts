// One segment while it takes appends. Synchronous: the thread that writes has nothing else to do. When a segment is sealed, and what follows
// a failure, is src/storage/disk/segments.ts's.

import { closeSync, fdatasyncSync, ftruncateSync, openSync, unlinkSync, writeSync, writevSync } from "node:fs";
import type { Locator } from "../blob-store.ts";
import { consecutiveLocators, frameEnd, frameHead } from "../frame.ts";
import { syncFolderNow } from "./durable.ts";
import {
  encodeSeal,
  encodeSegmentHeader,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
  segmentPath,
  segmentsFolder,
} from "./segment-format.ts";

export class SegmentWriter {
  readonly header: SegmentHeader;
  /** The end of what was acknowledged. */
  bytes = SEGMENT_HEADER_BYTES;
  readonly #descriptor: number;

  private constructor(header: SegmentHeader, descriptor: number) {
    this.header = header;
    this.#descriptor = descriptor;
  }

  /** Durable when it returns, its name too; where it fails no file is left. */
  static create(folder: string, header: SegmentHeader): SegmentWriter {
    const path = segmentPath(folder, header.segmentId);
    const descriptor = openSync(path, "wx");
    try {
      writeAll(descriptor, [encodeSegmentHeader(header)], 0);
      fdatasyncSync(descriptor);
      syncFolderNow(segmentsFolder(folder));
    } catch (error) {
      closeSync(descriptor);
      unlinkSync(path);
      throw error;
    }
    return new SegmentWriter(header, descriptor);
  }

  /** Durable when it returns. After a failure the segment must be abandoned: what the disk holds behind `bytes` is unknown. */
  append(batch: readonly Uint8Array[]): Locator[] {
    const { segmentId } = this.header;
    const sizes = batch.map(({ length }) => length);
    const locators = consecutiveLocators(segmentId, this.bytes, sizes);
    const pieces = locators.flatMap(({ offset, sizeBytes }, at) => {
      const bytes = batch[at]!;
      return [frameHead(segmentId, offset, sizeBytes, bytes), bytes];
    });
    writeAll(this.#descriptor, pieces, this.bytes);
    fdatasyncSync(this.#descriptor);
    this.bytes = locators.reduce((_, locator) => frameEnd(locator), this.bytes);
    return locators;
  }

  /** Closed in order: the next start need not look into it. */
  seal(): void {
    const seal = encodeSeal(this.header.segmentId, this.bytes);
    try {
      writeAll(this.#descriptor, [seal], this.bytes);
      fdatasyncSync(this.#descriptor);
    } finally {
      closeSync(this.#descriptor);
    }
  }

  /** Closed after a failure: gives back the space behind what was acknowledged, where the disk lets it. The next start cuts what is left. */
  abandon(): void {
    try {
      ftruncateSync(this.#descriptor, this.bytes);
    } finally {
      closeSync(this.#descriptor);
    }
  }
}

/** A write may end short, as it does where the disk fills; the write of what remains then says why. */
function writeAll(descriptor: number, pieces: readonly Uint8Array[], position: number): void {
  const written = writevSync(descriptor, pieces as Uint8Array[], position);
  const total = pieces.reduce((sum, piece) => sum + piece.length, 0);
  if (written === total) return;
  const all = Buffer.concat(pieces);
  for (let done = written; done < total; ) {
    done += writeSync(descriptor, all, done, total - done, position + done);
  }
}
