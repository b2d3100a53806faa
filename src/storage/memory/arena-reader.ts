// Reads blobs of the in-memory driver, from any thread: its arena is shared.

import { DomainError } from "../../model/errors.ts";
import { quote } from "../../model/text.ts";
import type { BlobReader, Locator } from "../blob-store.ts";
import { absentSegment, frameEnd, openFrame } from "../frame.ts";

export function createArenaReader(arena: SharedArrayBuffer): BlobReader {
  return {
    readMany: (locators) =>
      locators.map((locator) => {
        try {
          return readFromArena(arena, locator);
        } catch (error) {
          if (error instanceof DomainError) return error;
          throw error;
        }
      }),
    openObject: ({ name, bytes }) => {
      if (bytes === undefined) throw new DomainError("not-found", `There is no object ${quote(name)}`);
      const object = new Uint8Array(bytes);
      return {
        sizeBytes: object.length,
        read: (offset, length) => object.slice(offset, offset + length),
        [Symbol.dispose]: () => {},
      };
    },
  };
}

/** A frame whose segment was deleted is all zeros, head included, which is no frame. */
export function readFromArena(arena: SharedArrayBuffer, locator: Locator): Uint8Array {
  const end = Math.min(frameEnd(locator), arena.byteLength);
  const start = Math.min(locator.offset, end);
  const frame = new Uint8Array(arena, start, end - start).slice();
  if (frame.length > 0 && frame.subarray(0, 8).every((byte) => byte === 0)) throw absentSegment(locator);
  return openFrame(locator, frame);
}
