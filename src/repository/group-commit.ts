// Group commit without a timer: a batch takes whatever waited while the one before it was written. One fdatasync and one catalog
// commit serve all of it, and all of it is acknowledged together.

import type { Limits } from "../model/limits.ts";
import type { BlobKind, BlobStore } from "../storage/blob-store.ts";
import type { Catalog, InsertOutcome, NewProfile } from "../storage/catalog.ts";

interface Waiting {
  profile: Omit<NewProfile, "locator">;
  bytes: Uint8Array;
  kind: BlobKind;
  resolve: (outcome: InsertOutcome) => void;
  reject: (reason: unknown) => void;
}

export class GroupCommit {
  readonly #blobs: BlobStore;
  readonly #catalog: Catalog;
  readonly #limits: Limits;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;
  /** Batches from their first byte to their acknowledgement. A batch's bytes need not wait for the rows of the one before. */
  readonly #underWay = new Set<Promise<void>>();

  constructor(blobs: BlobStore, catalog: Catalog, limits: Limits) {
    this.#blobs = blobs;
    this.#catalog = catalog;
    this.#limits = limits;
  }

  /** Resolves when bytes and row are durable. Rejects with the store's error, and nothing of this profile is acknowledged. */
  add(profile: Omit<NewProfile, "locator">, bytes: Uint8Array, kind: BlobKind): Promise<InsertOutcome> {
    const { promise, resolve, reject } = Promise.withResolvers<InsertOutcome>();
    this.#waiting.push({ profile, bytes, kind, resolve, reject });
    this.#writing ??= this.#writeAll();
    return promise;
  }

  /** Resolves when nothing is on its way. */
  async idle(): Promise<void> {
    await this.#writing;
    await this.settled();
  }

  /** Resolves when every batch that is under way now has its rows, or has failed; later ones are not waited for. */
  async settled(): Promise<void> {
    await Promise.all([...this.#underWay]);
  }

  async #writeAll(): Promise<void> {
    // One turn of the event loop, so that uploads that arrived together are written together.
    await new Promise(setImmediate);
    while (this.#waiting.length > 0) {
      const batch = this.#takeBatch();
      const appended = this.#append(batch);
      const written = appended
        .then((rows) => rows && this.#commit(batch, rows))
        .finally(() => this.#underWay.delete(written));
      this.#underWay.add(written);
      await appended;
    }
    this.#writing = undefined;
  }

  /** The longest run of one kind within the limits, at least one. */
  #takeBatch(): Waiting[] {
    let rows = 0;
    let bytes = 0;
    const kind = this.#waiting[0]?.kind;
    for (const waiting of this.#waiting) {
      bytes += waiting.bytes.length;
      if (rows > 0 && (waiting.kind !== kind || rows === this.#limits.commitRows || bytes > this.#limits.commitBytes))
        break;
      rows++;
    }
    return this.#waiting.splice(0, rows);
  }

  async #append(batch: Waiting[]): Promise<NewProfile[] | undefined> {
    try {
      const bytes = batch.map((waiting) => waiting.bytes);
      const locators = await this.#blobs.append(bytes, batch[0]!.kind);
      return batch.map(({ profile }, at) => ({ ...profile, locator: locators[at]! }));
    } catch (error) {
      for (const { reject } of batch) reject(error);
      return undefined;
    }
  }

  async #commit(batch: Waiting[], rows: NewProfile[]): Promise<void> {
    try {
      const outcomes = await this.#catalog.insert(rows);
      for (const [at, { resolve }] of batch.entries()) resolve(outcomes[at]!);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}
