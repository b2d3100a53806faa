// Which loose profiles say on which lines their functions begin. Pure apart from reading blobs; src/repository/merge-worker.ts runs it.

import { DomainError } from "../model/errors.ts";
import type { Limits } from "../model/limits.ts";
import { withInflated } from "../pprof/gzip.ts";
import { hasStartLines } from "../pprof/start-lines.ts";
import type { BlobReader, Locator } from "../storage/blob-store.ts";

/** Legacy formats say no lines. What cannot be read counts as if it did: whoever sums it tells. */
export function looseStartLines(reader: BlobReader, locators: readonly Locator[], limits: Limits): boolean[] {
  return Array.from(reader.readMany(locators), (bytes) => {
    if (bytes instanceof Error) return true;
    try {
      return withInflated(bytes, limits.inflatedBytes, (inflated) => hasStartLines(inflated));
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      return error.kind !== "invalid";
    }
  });
}
