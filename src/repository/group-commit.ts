// Group commit without a timer: a batch takes whatever waited while the one before it was written, bytes and rows. One fdatasync and one
// catalog commit serve all of it, and all of it is acknowledged together. Writing the next bytes beside the rows of the batch before made
// batches smaller by a quarter and an upload dearer by a sixth, for nothing (docs/decisions/ingest.md).

import type { Limits } from "../model/limits.ts";
import type { BlobKind } from "../storage/blob-store.ts";
import type { InsertOutcome } from "../storage/catalog.ts";
import type { NewUpload, StoreUploads } from "../storage/store-uploads.ts";

interface Waiting extends NewUpload {
  kind: BlobKind;
  resolve: (outcome: InsertOutcome) => void;
  reject: (reason: unknown) => void;
}

export class GroupCommit {
  readonly #store: StoreUploads;
  readonly #limits: Limits;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;
  /** The batch under way, from its first byte to its acknowledgement. */
  #batch: Promise<void> | undefined;

  constructor(store: StoreUploads, limits: Limits) {
    this.#store = store;
    this.#limits = limits;
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
    // One turn of the event loop, so that uploads that arrived together are written together.
    await new Promise(setImmediate);
    while (this.#waiting.length > 0) {
      this.#batch = this.#write(this.#takeBatch());
      await this.#batch;
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

  async #write(batch: readonly Waiting[]): Promise<void> {
    try {
      const outcomes = await this.#store(batch, batch[0]!.kind);
      for (const [at, { resolve }] of batch.entries()) resolve(outcomes[at]!);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}
