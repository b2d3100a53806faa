// What a start finds in the segments folder: tails that no row names are cut, damage below them is told and left alone.

import { type FileHandle, open, readdir, unlink } from "node:fs/promises";
import { DomainError } from "../../model/errors.ts";
import type { Segment } from "../blob-store.ts";
import { FRAME_HEAD_BYTES, frameEnd, openFrame } from "../frame.ts";
import { syncFolder } from "./durable.ts";
import {
  decodeSegmentHeader,
  encodeSeal,
  SEAL_BYTES,
  SEGMENT_HEADER_BYTES,
  segmentIdOf,
  segmentPath,
  segmentsFolder,
} from "./segment-format.ts";
import { writeFailure } from "./write-failure.ts";

export interface RepairOptions {
  folder: string;
  /** Per segment the end of the last frame that a row names; 0 where no row names one any more, so that it may go. */
  knownEnds: ReadonlyMap<number, number>;
  /** Told every change and every damage. */
  report: (message: string) => void;
}

/** Every segment of the folder, sealed; those that only the catalog lists too, so that whoever frees segments comes upon them. */
export async function repairSegments({ folder, knownEnds, report }: RepairOptions): Promise<Segment[]> {
  const ids = (await readdir(segmentsFolder(folder)))
    .map(segmentIdOf)
    .filter((segmentId) => segmentId !== undefined)
    .sort((a, b) => a - b);
  const present = new Set(ids);
  const segments: Segment[] = [];
  for (const [segmentId, knownEnd] of knownEnds) {
    if (present.has(segmentId)) continue;
    if (knownEnd > 0) report(`Segment ${segmentId} is absent, though the catalog names profiles in it`);
    segments.push({ segmentId, kind: "profile", bytes: 0, sealed: true });
  }
  const newestKnown = Math.max(0, ...knownEnds.keys());
  for (const segmentId of ids) {
    const path = segmentPath(folder, segmentId);
    const found = await look(path, segmentId, knownEnds.get(segmentId), newestKnown, report);
    if (found) segments.push(found);
    else await unlink(path);
  }
  await syncFolder(segmentsFolder(folder));
  return segments;
}

/** Undefined where the whole segment is garbage: bytes without rows. */
async function look(
  path: string,
  segmentId: number,
  knownEnd: number | undefined,
  newestKnown: number,
  report: (message: string) => void,
): Promise<Segment | undefined> {
  const handle = await open(path, "r+");
  try {
    const bytes = (await handle.stat()).size;
    const header = decodeSegmentHeader(await readAt(handle, 0, Math.min(bytes, SEGMENT_HEADER_BYTES)));
    const kind = header?.kind ?? "profile";
    const sealed = header !== undefined && (await isSealed(handle, segmentId, bytes));
    if (knownEnd === undefined) {
      // A sealed one that is newer than all the catalog knows may be more than garbage: the catalog may be an old copy.
      if (!sealed || segmentId < newestKnown) {
        report(`Segment ${segmentId} is deleted: ${bytes} bytes that no profile needs`);
        return undefined;
      }
      report(`Segment ${segmentId} is kept, though the catalog, which ends before it, names no profile in it`);
    }
    if (sealed) return { segmentId, kind, bytes, sealed: true };
    if (header === undefined) {
      report(`Segment ${segmentId} is left as it is: its header is damaged`);
      return { segmentId, kind, bytes, sealed: true };
    }
    return { segmentId, kind, bytes: await cutTail(handle, segmentId, bytes, knownEnd ?? 0, report), sealed: true };
  } finally {
    await handle.close();
  }
}

async function isSealed(handle: FileHandle, segmentId: number, bytes: number): Promise<boolean> {
  const at = bytes - SEAL_BYTES;
  if (at < SEGMENT_HEADER_BYTES) return false;
  return (await readAt(handle, at, SEAL_BYTES)).equals(encodeSeal(segmentId, at));
}

/** The segment that was open when the process ended. Checks every frame that rows may name, cuts what lies behind, seals. */
async function cutTail(
  handle: FileHandle,
  segmentId: number,
  bytes: number,
  knownEnd: number,
  report: (message: string) => void,
): Promise<number> {
  const { end, damaged } = await walk(handle, segmentId, bytes, knownEnd);
  if (damaged) {
    report(`Segment ${segmentId} is damaged below offset ${knownEnd}, where profiles are: ${damaged.message}`);
    return bytes;
  }
  if (bytes > end) {
    report(`Segment ${segmentId} is cut from ${bytes} to ${end} bytes: no profile needs what lay behind`);
    await handle.truncate(end);
  }
  try {
    await handle.write(encodeSeal(segmentId, end), 0, SEAL_BYTES, end);
    await handle.datasync();
  } catch (cause) {
    // A full disk must not keep a store from starting: the next start looks again.
    report(writeFailure(`seal segment ${segmentId}`, cause).message);
  }
  return end;
}

/** From frame to frame, up to the first that begins at `knownEnd` or behind it. Stops at the first damaged one. */
async function walk(
  handle: FileHandle,
  segmentId: number,
  bytes: number,
  knownEnd: number,
): Promise<{ end: number; damaged?: DomainError }> {
  let offset = SEGMENT_HEADER_BYTES;
  while (offset < knownEnd) {
    const head = await readAt(handle, offset, FRAME_HEAD_BYTES);
    const sizeBytes = head.length === FRAME_HEAD_BYTES ? head.readUInt32LE(0) : 0;
    const locator = { segmentId, offset, sizeBytes };
    try {
      // A damaged length may be huge: no more than the file has is read.
      openFrame(locator, await readAt(handle, offset, Math.max(0, Math.min(frameEnd(locator), bytes) - offset)));
    } catch (error) {
      if (error instanceof DomainError) return { end: offset, damaged: error };
      throw error;
    }
    offset = frameEnd(locator);
  }
  return { end: offset };
}

/** As many of the bytes as the file has. */
async function readAt(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(buffer, filled, length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}
