// Frees the bytes of deleted profiles: a segment without live profiles is unlinked; the survivors of one that is mostly dead are copied out
// first. Catalog first, then the reads under way, then the unlink.

import type { BlobStore } from "../storage/blob-store.ts";
import type { Catalog, CatalogSegment } from "../storage/catalog.ts";
import type { ReadGuard } from "./read-guard.ts";

export interface ReclaimDependencies {
  catalog: Catalog;
  blobs: BlobStore;
  reads: ReadGuard;
  /** Resolves when the uploads under way now have their rows. */
  uploadsSettled: () => Promise<void>;
  /** Told what could not be freed; it is tried again at the next deletion and at start. */
  report: (message: string, error: unknown) => void;
}

const COPIED_PROFILES = 64;

/** One sweep at a time; a request during a sweep starts another behind it. */
export class Reclaim {
  readonly #dependencies: ReclaimDependencies;
  #sweeping: Promise<void> | undefined;
  #again = false;
  #isStopped = false;

  constructor(dependencies: ReclaimDependencies) {
    this.#dependencies = dependencies;
  }

  request(): void {
    this.#again = true;
    this.#sweeping ??= this.#sweepAll();
  }

  async idle(): Promise<void> {
    while (this.#sweeping) await this.#sweeping;
  }

  /** Resolves when nothing is under way: what a sweep leaves, the next start takes up. Nothing is freed afterwards. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.idle();
  }

  async #sweepAll(): Promise<void> {
    while (this.#again && !this.#isStopped) {
      this.#again = false;
      try {
        await this.#sweep();
      } catch (error) {
        this.#dependencies.report("could not free the bytes of deleted profiles", error);
      }
    }
    this.#sweeping = undefined;
  }

  async #sweep(): Promise<void> {
    const { catalog, blobs, uploadsSettled, report } = this.#dependencies;
    // In this order: what is sealed gets no more bytes, and the bytes it got have their rows before live ones are counted.
    const sealed = new Set(
      (await blobs.segments()).filter((segment) => segment.sealed).map(({ segmentId }) => segmentId),
    );
    await uploadsSettled();
    for (const segment of await catalog.segments()) {
      const mostlyDead = segment.live > 0 && segment.deadBytes * 2 > segment.bytes;
      if (!sealed.has(segment.segmentId) || (segment.live > 0 && !mostlyDead)) continue;
      if (this.#isStopped) return;
      try {
        if (await this.#copyOut(segment)) await this.#unlink(segment.segmentId);
      } catch (error) {
        report(`could not free segment ${segment.segmentId}`, error);
      }
    }
  }

  /** Answers whether nobody is left; not so when it was stopped before. */
  async #copyOut({ segmentId }: CatalogSegment): Promise<boolean> {
    const { catalog, blobs, reads } = this.#dependencies;
    for (;;) {
      using _reading = reads.enter();
      const survivors = await catalog.profilesInSegment(segmentId, COPIED_PROFILES);
      if (survivors.length === 0) return true;
      if (this.#isStopped) return false;
      const bytes = await Promise.all(survivors.map(({ locator }) => blobs.read(locator)));
      const copies = await blobs.append(bytes, survivors[0]?.shape ? "profile" : "opaque");
      await catalog.relocate(survivors.map(({ id }, at) => ({ id, to: copies[at]! })));
    }
  }

  async #unlink(segmentId: number): Promise<void> {
    const { catalog, blobs, reads } = this.#dependencies;
    await reads.drained();
    await blobs.deleteSegment(segmentId);
    await catalog.forgetSegment(segmentId);
  }
}
