// Deleting by id and by selection. A deletion leaves every answer when it is committed; src/repository/reclaim.ts frees the bytes.

import { hash } from "node:crypto";
import { DomainError } from "../model/errors.ts";
import { formatSelector } from "../model/selector.ts";
import { quote } from "../model/text.ts";
import type { Catalog } from "../storage/catalog.ts";
import type { DeletePreview, Deletion } from "./repository.ts";

/** Rows per commit: uploads wait for no more than this. */
const SLICE_ROWS = 250;

export async function deleteOne(catalog: Catalog, id: string): Promise<void> {
  const deleted = await catalog.delete([id]);
  if (deleted === 0) throw new DomainError("not-found", `There is no profile ${quote(id)}`);
}

/** Counts what would go, and pins it: the etag names the selection and the newest profile there is. */
export async function previewDelete(catalog: Catalog, selection: Deletion): Promise<DeletePreview> {
  const { count, sizeBytes, maxSeq } = await catalog.count(selection.selector, selection.interval);
  return { count, sizeBytes, etag: etagOf(selection, maxSeq) };
}

export async function deleteSelection(catalog: Catalog, selection: Deletion, etag: string): Promise<number> {
  const maxSeq = Number(/^(\d{1,15})-/.exec(etag)?.[1] ?? Number.NaN);
  if (etag !== etagOf(selection, maxSeq)) {
    throw new DomainError(
      "stale",
      "Cannot delete: the etag was given for another selection; preview this one and repeat the etag it answers",
    );
  }
  let deleted = 0;
  for (;;) {
    const slice = await catalog.deleteSelection(selection.selector, selection.interval, maxSeq, SLICE_ROWS);
    deleted += slice;
    if (slice < SLICE_ROWS) return deleted;
  }
}

function etagOf({ selector, interval }: Deletion, maxSeq: number): string {
  const identity = [formatSelector(selector), interval && [`${interval.startNs}`, `${interval.endNs}`]];
  return `${maxSeq}-${hash("sha256", JSON.stringify(identity), "base64url").slice(0, 22)}`;
}
