// Reads blobs from the segments of a folder without the store. In threads: in batches, synchronously, neighbours in one read. On the event
// loop: one at a time, not blocking it.

import { closeSync, openSync, readSync } from "node:fs";
import { open } from "node:fs/promises";
import { DomainError } from "../../model/errors.ts";
import type { BlobReader, Locator } from "../blob-store.ts";
import { absentSegment, frameEnd, openFrame } from "../frame.ts";
import { openObjectFile } from "./object-reader.ts";
import { segmentPath } from "./segment-format.ts";

/** Reading over a gap costs less than another call: 64 KiB come from the page cache in about 10 µs. */
const GAP_BYTES = 64 * 1024;
/** One read is held until every blob in it is done with. */
const RUN_BYTES = 1024 * 1024;

interface Wanted extends Locator {
  /** Position in what was asked. */
  at: number;
}

/** Keeps no descriptor between calls, which would hold the bytes of deleted segments on the disk. */
export function createSegmentReader(folder: string): BlobReader {
  return {
    readMany(locators) {
      const answers: (Uint8Array | DomainError)[] = new Array(locators.length);
      const wanted = locators.map((locator, at) => ({ ...locator, at }));
      wanted.sort((a, b) => a.segmentId - b.segmentId || a.offset - b.offset);
      for (let from = 0; from < wanted.length; ) {
        let to = from + 1;
        while (to < wanted.length && wanted[to]!.segmentId === wanted[from]!.segmentId) to++;
        readSegment(folder, wanted.slice(from, to), answers);
        from = to;
      }
      return answers;
    },
    openObject: ({ name }) => openObjectFile(folder, name),
  };
}

function readSegment(folder: string, wanted: readonly Wanted[], answers: (Uint8Array | DomainError)[]): void {
  let descriptor: number;
  try {
    descriptor = openSync(segmentPath(folder, wanted[0]!.segmentId), "r");
  } catch (cause) {
    for (const one of wanted) answers[one.at] = failure(one, cause);
    return;
  }
  try {
    for (let from = 0; from < wanted.length; ) {
      const to = runEnd(wanted, from);
      readRun(descriptor, wanted.slice(from, to), answers);
      from = to;
    }
  } finally {
    closeSync(descriptor);
  }
}

function runEnd(wanted: readonly Wanted[], from: number): number {
  const start = wanted[from]!.offset;
  let end = frameEnd(wanted[from]!);
  let to = from + 1;
  for (; to < wanted.length; to++) {
    const next = wanted[to]!;
    if (next.offset > end + GAP_BYTES || frameEnd(next) > start + RUN_BYTES) break;
    end = Math.max(end, frameEnd(next));
  }
  return to;
}

function readRun(descriptor: number, run: readonly Wanted[], answers: (Uint8Array | DomainError)[]): void {
  const start = run[0]!.offset;
  const buffer = new Uint8Array(Math.max(...run.map(frameEnd)) - start);
  let filled = 0;
  try {
    while (filled < buffer.length) {
      const bytesRead = readSync(descriptor, buffer, filled, buffer.length - filled, start + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
  } catch (cause) {
    // An unreadable sector must not take its neighbours with it.
    if (run.length > 1) for (const one of run) readRun(descriptor, [one], answers);
    else answers[run[0]!.at] = failure(run[0]!, cause);
    return;
  }
  for (const one of run) {
    try {
      answers[one.at] = openFrame(one, buffer.subarray(one.offset - start, Math.min(frameEnd(one) - start, filled)));
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      answers[one.at] = error;
    }
  }
}

/** Throws as BlobStore.read says. */
export async function readBlob(folder: string, locator: Locator): Promise<Uint8Array> {
  const frame = new Uint8Array(frameEnd(locator) - locator.offset);
  let filled = 0;
  try {
    await using handle = await open(segmentPath(folder, locator.segmentId), "r");
    while (filled < frame.length) {
      const { bytesRead } = await handle.read(frame, filled, frame.length - filled, locator.offset + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
  } catch (cause) {
    throw failure(locator, cause);
  }
  return openFrame(locator, frame.subarray(0, filled));
}

function failure(locator: Locator, cause: unknown): DomainError {
  const code = (cause as { code?: unknown }).code;
  if (code === "ENOENT") return absentSegment(locator);
  if (!(cause instanceof Error) || typeof code !== "string") throw cause;
  return new DomainError(
    "unavailable",
    `Cannot read the blob at offset ${locator.offset} of segment ${locator.segmentId}: ${cause.message}`,
    { cause },
  );
}
