// A catalog and a blob store in one folder, written by one thread: what a single machine runs on.

import type { Limits } from "../../model/limits.ts";
import type { BlobStore } from "../blob-store.ts";
import type { Catalog } from "../catalog.ts";
import { openDiskBlobs } from "../disk/blobs.ts";
import type { SegmentAccess, SegmentsOptions } from "../disk/segments.ts";
import type { Space } from "../space.ts";
import { openSqliteCatalog } from "../sqlite/catalog.ts";
import type { StoreUploads } from "../store-uploads.ts";
import { StorageThread } from "../thread.ts";

export interface LocalStorageOptions {
  /** Locked by the caller, see src/storage/disk/lock.ts. */
  folder: string;
  limits: Limits;
  /** Told everything that start-up repaired or found damaged, and every failure that does not reach a caller. */
  report: (message: string) => void;
  /** Default: of the disk that holds the folder. */
  spaceOf?: () => Space;
}

export interface LocalStorage extends AsyncDisposable {
  catalog: Catalog;
  blobs: BlobStore;
  /** One append and one commit, in one turn of the thread. */
  store: StoreUploads;
}

/** Throws as openSqliteCatalog and openDiskBlobs do; nothing stays open then. */
export async function openLocalStorage(options: LocalStorageOptions): Promise<LocalStorage> {
  const { folder, limits, report } = options;
  await using opened = new AsyncDisposableStack();
  let writer!: StorageThread;
  const catalog = opened.use(
    await openSqliteCatalog({
      folder,
      limits,
      startWriter(data) {
        writer = new StorageThread(new URL("./writer-thread.ts", import.meta.url), data, report);
        return writer;
      },
    }),
  );
  const knownEnds = await catalog.segmentEnds();
  const openSegments = (found: SegmentsOptions) => openSegmentsIn(writer, found);
  const blobs = opened.use(await openDiskBlobs({ ...options, knownEnds, openSegments }));
  const kept = opened.move();
  return {
    catalog,
    blobs,
    async store(batch, kind) {
      blobs.checkSpace();
      return catalog.store(batch, kind);
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

async function openSegmentsIn(writer: StorageThread, { report: _, ...found }: SegmentsOptions): Promise<SegmentAccess> {
  await writer.request("openSegments", found);
  return {
    append(batch, kind) {
      // Copies: the caller goes on using its own, and cloning a view clones all that lies behind it.
      const copies = batch.map((bytes) => new Uint8Array(bytes));
      return writer.request(
        "appendToSegment",
        { batch: copies, kind },
        copies.map(({ buffer }) => buffer),
      );
    },
    list: () => writer.request("listSegments"),
    delete: (segmentId) => writer.request("deleteSegment", segmentId),
    sealAll: () => writer.request("sealSegments"),
  };
}
