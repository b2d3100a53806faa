// One blob as every driver keeps it: length and checksum, then the bytes. Layout: docs/formats.md, "Segments". Where frames lie is a driver's.

import { crc32 } from "node:zlib";
import { DomainError } from "../model/errors.ts";
import type { Locator } from "./blob-store.ts";

/** Length and checksum, 4 bytes each, little-endian. */
export const FRAME_HEAD_BYTES = 8;
/** In place of a length: the segment ends here and takes no more. */
export const SEAL_MARK = 0xffff_ffff;

/** Of the whole frame in its segment. */
export function frameEnd({ offset, sizeBytes }: Locator): number {
  return offset + FRAME_HEAD_BYTES + sizeBytes;
}

/** Of frames that lie one behind the other. */
export function consecutiveLocators(segmentId: number, offset: number, sizes: readonly number[]): Locator[] {
  let next = offset;
  return sizes.map((sizeBytes) => {
    const locator = { segmentId, offset: next, sizeBytes };
    next = frameEnd(locator);
    return locator;
  });
}

/** The checksum covers where the frame lies, so that bytes of another place or another segment never pass for it. */
export function frameHead(segmentId: number, offset: number, lengthMark: number, bytes: Uint8Array): Buffer {
  const covered = Buffer.allocUnsafe(16);
  covered.writeUInt32LE(segmentId, 0);
  covered.writeBigUInt64LE(BigInt(offset), 4);
  covered.writeUInt32LE(lengthMark, 12);
  const head = Buffer.allocUnsafe(FRAME_HEAD_BYTES);
  head.writeUInt32LE(lengthMark, 0);
  head.writeUInt32LE(crc32(bytes, crc32(covered)), 4);
  return head;
}

/** The blob inside `frame`, the bytes from the locator's offset to its end. Throws `unavailable` where they are not what was written. */
export function openFrame(locator: Locator, frame: Uint8Array): Uint8Array {
  const { segmentId, offset, sizeBytes } = locator;
  if (frame.length < FRAME_HEAD_BYTES + sizeBytes) {
    throw damaged(locator, `${frame.length} of its ${FRAME_HEAD_BYTES + sizeBytes} bytes are there`);
  }
  const bytes = frame.subarray(FRAME_HEAD_BYTES, FRAME_HEAD_BYTES + sizeBytes);
  const head = frameHead(segmentId, offset, sizeBytes, bytes);
  if (head.compare(frame, 0, FRAME_HEAD_BYTES) !== 0) throw damaged(locator, "its checksum does not fit");
  return bytes;
}

function damaged({ segmentId, offset }: Locator, how: string): DomainError {
  return new DomainError("unavailable", `Cannot read the blob at offset ${offset} of segment ${segmentId}: ${how}`);
}

export function absentSegment({ segmentId }: Locator): DomainError {
  return new DomainError("not-found", `Segment ${segmentId} is not in the store: it was deleted`);
}
