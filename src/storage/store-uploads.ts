// Uploads whose bytes and rows are stored together. How is a driver's; here is the plain way, over any blob store and any catalog.

import type { BlobKind, BlobStore } from "./blob-store.ts";
import type { Catalog, InsertOutcome, NewProfile } from "./catalog.ts";

export interface NewUpload {
  profile: Omit<NewProfile, "locator">;
  bytes: Uint8Array<ArrayBuffer>;
}

/**
 * Bytes before rows; both are durable when it resolves, in the order given. Throws what BlobStore.checkSpace, BlobStore.append and Catalog.insert throw; then
 * nothing of the batch is acknowledged. Takes the bytes away from the caller.
 */
export type StoreUploads = (batch: readonly NewUpload[], kind: BlobKind) => Promise<InsertOutcome[]>;

export function appendThenInsert(blobs: BlobStore, catalog: Catalog): StoreUploads {
  return async (batch, kind) => {
    blobs.checkSpace();
    const locators = await blobs.append(
      batch.map(({ bytes }) => bytes),
      kind,
    );
    return catalog.insert(batch.map(({ profile }, at) => ({ ...profile, locator: locators[at]! })));
  };
}
