// Listing and reading single profiles.

import { DomainError } from "../model/errors.ts";
import type { Limits } from "../model/limits.ts";
import type { ProfileRecord } from "../model/profile-record.ts";
import { quote } from "../model/text.ts";
import type { BlobStore } from "../storage/blob-store.ts";
import type { Catalog, StoredProfile } from "../storage/catalog.ts";
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
  if (stored === undefined) throw new DomainError("not-found", `There is no profile ${quote(id)}`);
  return stored;
}

export async function download(
  catalog: Catalog,
  blobs: BlobStore,
  reads: ReadGuard,
  id: string,
): Promise<{ record: ProfileRecord; bytes: Uint8Array }> {
  using _reading = reads.enter();
  const record = await getStored(catalog, id);
  return { record, bytes: await blobs.read(record.locator) };
}
