// Listing and reading single profiles.

import { DomainError } from "../model/errors.ts";
import type { Limits } from "../model/limits.ts";
import type { ProfileRecord } from "../model/profile-record.ts";
import { quote } from "../model/text.ts";
import type { BlobStore } from "../storage/blob-store.ts";
import type { Catalog, StoredProfile } from "../storage/catalog.ts";
import { hasOriginal } from "../storage/pack-catalog.ts";
import { setOf } from "./candidates.ts";
import type { MergePool } from "./merge-pool.ts";
import { placeOf } from "./pack-place.ts";
import { cutPage, recordBytes } from "./page.ts";
import type { ReadGuard } from "./read-guard.ts";
import type { Page, PageRequest } from "./repository.ts";

export async function listPage(catalog: Catalog, request: PageRequest, limits: Limits): Promise<Page> {
  const { limit } = request;
  if (!Number.isInteger(limit) || limit < 1 || limit > limits.pageSizeMax) {
    throw new DomainError(
      "invalid",
      `Cannot list ${limit} profiles a page: it must be a whole number from 1 to ${limits.pageSizeMax}`,
    );
  }
  const found = await catalog.find({ ...request, limit: limit + 1 });
  const { items: records, isMore } = cutPage(found, limit, limits.pageBytes, recordBytes);
  const last = records.at(-1);
  return { records, ...(isMore && last && { nextAfterId: last.id }) };
}

export async function getStored(catalog: Catalog, id: string): Promise<StoredProfile> {
  const [stored] = await catalog.get([id]);
  if (stored === undefined) throw absent(id);
  return stored;
}

function absent(id: string): DomainError {
  return new DomainError("not-found", `There is no profile ${quote(id)}`);
}

export interface DownloadDependencies {
  catalog: Catalog;
  blobs: BlobStore;
  pool: MergePool;
  reads: ReadGuard;
}

export async function download(
  dependencies: DownloadDependencies,
  id: string,
): Promise<{ record: ProfileRecord; bytes: Uint8Array }> {
  using _reading = dependencies.reads.enter();
  const record = await getStored(dependencies.catalog, id);
  return { record, bytes: await readStored(dependencies, record) };
}

/** As sent, or written again from its pack. Call it inside the read that found the record. */
export async function readStored(
  { catalog, blobs, pool }: Omit<DownloadDependencies, "reads">,
  { id, seq, digest, locator }: StoredProfile,
): Promise<Uint8Array> {
  if (hasOriginal(locator)) return blobs.read(locator);
  const { inputs, sets } = await catalog.mergeInputsByIds([id]);
  const [input] = inputs;
  if (input?.seq !== seq) throw absent(id);
  const set = setOf(input, sets);
  const names = catalog.packNames(set);
  let damage: unknown;
  for (const file of set.packs) {
    try {
      const bytes = await pool.rebuild(placeOf(set, file, names), seq, digest);
      if (bytes) return bytes;
    } catch (error) {
      if (!(error instanceof DomainError) || error.kind !== "unavailable") throw error;
      damage ??= error;
    }
  }
  const nowhere = `Cannot find profile ${id}: its bytes are in no segment and in no pack`;
  throw damage ?? new DomainError("unavailable", nowhere);
}
