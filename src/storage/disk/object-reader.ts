// Reads objects of a folder without the store, synchronously, for threads. Writing them is src/storage/disk/objects.ts's.

import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { DomainError } from "../../model/errors.ts";
import { quote } from "../../model/text.ts";
import type { OpenObject } from "../blob-store.ts";
import { objectFile, objectsFolder } from "./objects.ts";

export function openObjectFile(folder: string, name: string): OpenObject {
  const descriptor = openDescriptor(folder, name);
  const sizeBytes = fstatSync(descriptor).size;
  return {
    sizeBytes,
    read(offset, length) {
      const bytes = new Uint8Array(Math.max(0, Math.min(length, sizeBytes - offset)));
      try {
        for (let filled = 0; filled < bytes.length; ) {
          const bytesRead = readSync(descriptor, bytes, filled, bytes.length - filled, offset + filled);
          if (bytesRead === 0) throw new DomainError("unavailable", `Object ${quote(name)} ended while it was read`);
          filled += bytesRead;
        }
      } catch (cause) {
        throw unreadable(name, cause);
      }
      return bytes;
    },
    [Symbol.dispose]: () => closeSync(descriptor),
  };
}

function openDescriptor(folder: string, name: string): number {
  try {
    return openSync(join(objectsFolder(folder), objectFile(name)), "r");
  } catch (cause) {
    if ((cause as { code?: string }).code !== "ENOENT") throw unreadable(name, cause);
    throw new DomainError("not-found", `There is no object ${quote(name)}`, { cause });
  }
}

function unreadable(name: string, cause: unknown): unknown {
  if (cause instanceof DomainError || !(cause instanceof Error) || !("code" in cause)) return cause;
  return new DomainError("unavailable", `Cannot read object ${quote(name)}: ${cause.message}`, { cause });
}
