// A segment's file: its name, its header, its seal. Layout: docs/formats.md, "Segments". Frames are src/storage/frame.ts's.

import { join } from "node:path";
import { crc32 } from "node:zlib";
import type { BlobKind } from "../blob-store.ts";
import { FRAME_HEAD_BYTES, frameHead, SEAL_MARK } from "../frame.ts";

const MAGIC = "PROFSEG1";
export const SEGMENT_HEADER_BYTES = 32;
export const SEAL_BYTES = FRAME_HEAD_BYTES;

const KINDS: readonly BlobKind[] = ["profile", "opaque"];
const SEGMENT_FILE = /^(\d{10})\.seg$/;
const NOTHING = new Uint8Array(0);

export function segmentsFolder(folder: string): string {
  return join(folder, "segments");
}

export function segmentPath(folder: string, segmentId: number): string {
  return join(segmentsFolder(folder), `${String(segmentId).padStart(10, "0")}.seg`);
}

/** Undefined where the file is no segment. */
export function segmentIdOf(fileName: string): number | undefined {
  const match = SEGMENT_FILE.exec(fileName);
  return match ? Number(match[1]) : undefined;
}

export interface SegmentHeader {
  segmentId: number;
  kind: BlobKind;
  createdMs: number;
}

export function encodeSegmentHeader({ segmentId, kind, createdMs }: SegmentHeader): Buffer {
  const header = Buffer.alloc(SEGMENT_HEADER_BYTES);
  header.write(MAGIC, 0, "latin1");
  header.writeUInt32LE(segmentId, 8);
  header.writeUInt32LE(KINDS.indexOf(kind), 12);
  header.writeBigUInt64LE(BigInt(createdMs), 16);
  header.writeUInt32LE(crc32(header.subarray(0, 28)), 28);
  return header;
}

/** Undefined where the bytes are no whole header of this version. */
export function decodeSegmentHeader(header: Buffer): SegmentHeader | undefined {
  if (header.length < SEGMENT_HEADER_BYTES || header.toString("latin1", 0, 8) !== MAGIC) return undefined;
  const kind = KINDS[header.readUInt32LE(12)];
  if (kind === undefined || header.readUInt32LE(28) !== crc32(header.subarray(0, 28))) return undefined;
  return { segmentId: header.readUInt32LE(8), kind, createdMs: Number(header.readBigUInt64LE(16)) };
}

/** The last bytes of a segment that was closed in order. */
export function encodeSeal(segmentId: number, offset: number): Buffer {
  return frameHead(segmentId, offset, SEAL_MARK, NOTHING);
}
