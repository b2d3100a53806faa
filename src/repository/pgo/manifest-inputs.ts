// What a manifest says of the profiles that a PGO profile is made of: read from the catalog when it is published, not before.

import { setImmediate } from "node:timers/promises";
import { DomainError } from "../../model/errors.ts";
import type { ManifestInput } from "../../model/pgo-manifest.ts";
import type { Catalog } from "../../storage/catalog.ts";

/** Read at once: some milliseconds of a reader's time. */
const IDS_PER_READ = 1_000;

/** In the order given. Throws `conflict` where one was deleted meanwhile. */
export async function manifestInputs(
  catalog: Catalog,
  inputs: readonly Pick<ManifestInput, "id" | "weight">[],
): Promise<ManifestInput[]> {
  const found: ManifestInput[] = [];
  for (let at = 0; at < inputs.length; at += IDS_PER_READ) {
    const slice = inputs.slice(at, at + IDS_PER_READ);
    const records = await catalog.get(slice.map(({ id }) => id));
    for (const [nth, record] of records.entries()) {
      if (record === undefined) throw deletedMeanwhile(slice[nth]!.id);
      const { id, digest, timeNs, labels } = record;
      found.push({ id, digest, timeNs, labels, weight: slice[nth]!.weight });
    }
    await setImmediate();
  }
  return found;
}

function deletedMeanwhile(id: string): DomainError {
  return new DomainError(
    "conflict",
    `Cannot publish: profile ${id}, which is in it, was deleted meanwhile; publish again`,
  );
}
