// Group commit: a batch takes whatever waited while the one before it was written, bytes and rows, and what is about to come. One write, one
// sync and one catalog commit serve all of it, and all of it is acknowledged together. What larger batches save, and what overlapping them
// costs: docs/decisions/ingest.md.

import type { Limits } from "../model/limits.ts";
import type { BlobKind } from "../storage/blob-store.ts";
import type { InsertOutcome } from "../storage/catalog.ts";
import type { NewUpload, StoreUploads } from "../storage/store-uploads.ts";

interface Waiting extends NewUpload {
  kind: BlobKind;
  resolve: (outcome: InsertOutcome) => void;
  reject: (reason: unknown) => void;
}

/** A batch waits so long for uploads that are being checked: some of usual size take a millisecond, a huge one must not hold up others. */
const GATHER_MS = 5;

export class GroupCommit {
  readonly #store: StoreUploads;
  readonly #limits: Limits;
  readonly #upcoming: () => Promise<void>;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;
  /** The batch under way, from its first byte to its acknowledgement. */
  #batch: Promise<void> | undefined;

  /** `upcoming` resolves when the uploads that are about to be added now are, or have failed. */
  constructor(store: StoreUploads, limits: Limits, upcoming: () => Promise<void> = async () => {}) {
    this.#store = store;
    this.#limits = limits;
    this.#upcoming = upcoming;
  }

  /**
   * Resolves when bytes and row are durable. Rejects with the store's error, and nothing of this profile is acknowledged. Takes the bytes
   * away from the caller.
   */
  add({ profile, bytes }: NewUpload, kind: BlobKind): Promise<InsertOutcome> {
    const { promise, resolve, reject } = Promise.withResolvers<InsertOutcome>();
    this.#waiting.push({ profile, bytes, kind, resolve, reject });
    this.#writing ??= this.#writeAll();
    return promise;
  }

  /** Resolves when nothing is on its way. */
  async idle(): Promise<void> {
    await this.#writing;
  }

  /** Resolves when the batch under way now has its rows, or has failed; later ones are not waited for. */
  async settled(): Promise<void> {
    await this.#batch;
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      await this.#gather();
      this.#batch = this.#write(this.#takeBatch());
      await this.#batch;
    }
    this.#writing = undefined;
  }

  async #gather(): Promise<void> {
    const patience = Promise.withResolvers<void>();
    const timer = setTimeout(patience.resolve, GATHER_MS);
    await Promise.race([this.#upcoming(), patience.promise]);
    clearTimeout(timer);
    // One turn of the event loop, so that uploads that arrived together are written together.
    await new Promise(setImmediate);
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

  async #write(batch: readonly Waiting[]): Promise<void> {
    try {
      const outcomes = await this.#store(batch, batch[0]!.kind);
      for (const [at, { resolve }] of batch.entries()) resolve(outcomes[at]!);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}
