// One segment while it takes appends. When it is sealed, and what follows a failure, is src/storage/disk/segments.ts's.

import { type FileHandle, open, unlink } from "node:fs/promises";
import type { Locator } from "../blob-store.ts";
import { frameEnd, frameHead } from "../frame.ts";
import { syncFolder } from "./durable.ts";
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
  readonly #handle: FileHandle;

  private constructor(header: SegmentHeader, handle: FileHandle) {
    this.header = header;
    this.#handle = handle;
  }

  /** Durable when it resolves, its name too; where it fails no file is left. */
  static async create(folder: string, header: SegmentHeader): Promise<SegmentWriter> {
    const path = segmentPath(folder, header.segmentId);
    const handle = await open(path, "wx");
    try {
      await writeAll(handle, [encodeSegmentHeader(header)], 0);
      await handle.datasync();
      await syncFolder(segmentsFolder(folder));
    } catch (error) {
      await handle.close();
      await unlink(path);
      throw error;
    }
    return new SegmentWriter(header, handle);
  }

  /** Durable when it resolves. After a failure the segment must be abandoned: what the disk holds behind `bytes` is unknown. */
  async append(batch: readonly Uint8Array[]): Promise<Locator[]> {
    const { segmentId } = this.header;
    const locators: Locator[] = [];
    const pieces: Uint8Array[] = [];
    let offset = this.bytes;
    for (const bytes of batch) {
      const locator = { segmentId, offset, sizeBytes: bytes.length };
      locators.push(locator);
      pieces.push(frameHead(segmentId, offset, bytes.length, bytes), bytes);
      offset = frameEnd(locator);
    }
    await writeAll(this.#handle, pieces, this.bytes);
    await this.#handle.datasync();
    this.bytes = offset;
    return locators;
  }

  /** Closed in order: the next start need not look into it. */
  async seal(): Promise<void> {
    const seal = encodeSeal(this.header.segmentId, this.bytes);
    try {
      await writeAll(this.#handle, [seal], this.bytes);
      await this.#handle.datasync();
    } finally {
      await this.#handle.close();
    }
  }

  /** Closed after a failure: gives back the space behind what was acknowledged, where the disk lets it. The next start cuts what is left. */
  async abandon(): Promise<void> {
    try {
      await this.#handle.truncate(this.bytes);
    } finally {
      await this.#handle.close();
    }
  }
}

/** A write may end short, as it does where the disk fills; the write of what remains then says why. */
async function writeAll(handle: FileHandle, pieces: readonly Uint8Array[], position: number): Promise<void> {
  const { bytesWritten } = await handle.writev(pieces as Uint8Array[], position);
  const total = pieces.reduce((sum, piece) => sum + piece.length, 0);
  if (bytesWritten === total) return;
  const rest = Buffer.concat(pieces).subarray(bytesWritten);
  for (let written = 0; written < rest.length; ) {
    written += (await handle.write(rest, written, rest.length - written, position + bytesWritten + written))
      .bytesWritten;
  }
}
