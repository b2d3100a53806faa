// The files of packs against the catalog: which ones nobody names any more and go, which ones are not this catalog's and stay, which are absent.

import type { BlobStore } from "../storage/blob-store.ts";
import type { Catalog } from "../storage/catalog.ts";
import { PACK_NAMES, packIdOf, packName } from "../storage/pack-name.ts";
import type { ReadGuard } from "./read-guard.ts";

export interface PackFilesOptions {
  catalog: Catalog;
  blobs: BlobStore;
  reads: ReadGuard;
  /** Called when a pack is gone. */
  forget: (packId: number) => void;
}

/**
 * Deletes the packs that the catalog made and does not name: those of runs that ended without a switch, and those that were replaced. Only
 * while no run is under way.
 */
export async function deleteUnnamed({ catalog, blobs, reads, forget }: PackFilesOptions): Promise<void> {
  const { unnamed } = await catalog.packIds();
  if (unnamed.length === 0) return;
  await reads.drained();
  for (const packId of unnamed) {
    forget(packId);
    await blobs.deleteObject(packName(packId));
  }
  await catalog.forgetPacks(unnamed);
}

/**
 * For the start. Packs that the catalog never made are left alone: it may be an old copy, and they may be all that is left of their
 * profiles. Their numbers are not given again.
 */
export async function comparePackFiles(
  { catalog, blobs }: PackFilesOptions,
  report: (message: string) => void,
): Promise<void> {
  const present = new Set((await blobs.list(PACK_NAMES)).map(packIdOf).filter((packId) => packId !== undefined));
  await catalog.skipPackIds(Math.max(0, ...present));
  const { named, unnamed } = await catalog.packIds();
  for (const packId of named) {
    if (!present.delete(packId)) report(`Pack ${packId} is absent, though the catalog names it`);
  }
  for (const packId of unnamed) present.delete(packId);
  for (const packId of present)
    report(`Pack ${packId} is kept, though the catalog does not know it: a later one made it`);
}
