// How many bytes of each segment are named by rows and how many are dead, and where the last named frame ends.

import { DomainError } from "../../model/errors.ts";
import type { Locator } from "../blob-store.ts";
import type { CatalogSegment } from "../catalog.ts";
import { frameEnd } from "../frame.ts";

export class SegmentCounts {
  readonly #segments = new Map<number, CatalogSegment & { endOffset: number }>();

  add(locator: Locator): void {
    const { segmentId, sizeBytes } = locator;
    const segment = this.#segments.get(segmentId) ?? { segmentId, bytes: 0, deadBytes: 0, live: 0, endOffset: 0 };
    segment.bytes += sizeBytes;
    segment.live++;
    segment.endOffset = Math.max(segment.endOffset, frameEnd(locator));
    this.#segments.set(segmentId, segment);
  }

  /** Its bytes are dead from now on; they were added before. */
  remove({ segmentId, sizeBytes }: Locator): void {
    const segment = this.#segments.get(segmentId)!;
    segment.live--;
    segment.deadBytes += sizeBytes;
  }

  /** Throws `conflict` where profiles lie in it. */
  forget(segmentId: number): void {
    const live = this.#segments.get(segmentId)?.live ?? 0;
    if (live > 0) throw new DomainError("conflict", `Cannot forget segment ${segmentId}: it holds ${live} profiles`);
    this.#segments.delete(segmentId);
  }

  /** Of each segment; 0 where no profile lies in it any more. */
  ends(): Map<number, number> {
    return new Map(
      [...this.#segments].map(([segmentId, { live, endOffset }]) => [segmentId, live > 0 ? endOffset : 0]),
    );
  }

  list(): CatalogSegment[] {
    const segments = [...this.#segments.values()].map(({ endOffset: _, ...segment }) => segment);
    return segments.sort((a, b) => a.segmentId - b.segmentId);
  }
}
