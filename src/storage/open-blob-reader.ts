// From the plain data that a thread was sent to a reader: the one place that knows the drivers' readers.

import type { BlobReader, BlobSource } from "./blob-store.ts";
import { createSegmentReader } from "./disk/segment-reader.ts";
import { createArenaReader } from "./memory/arena-reader.ts";

export function openBlobReader(source: BlobSource): BlobReader {
  return source.driver === "disk" ? createSegmentReader(source.folder) : createArenaReader(source.arena);
}
