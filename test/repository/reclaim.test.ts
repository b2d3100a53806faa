import { describe, expect, test } from "vitest";
import { ReadGuard } from "../../src/repository/read-guard.ts";
import { Reclaim } from "../../src/repository/reclaim.ts";
import type { BlobStore } from "../../src/storage/blob-store.ts";
import type { Catalog, CatalogSegment } from "../../src/storage/catalog.ts";

interface FakeSegment extends CatalogSegment {
  sealed: boolean;
  readable?: boolean;
}

/** Segments as the catalog and the disk see them, and a log of what is done to them. */
function store(segments: FakeSegment[], uploadsSettled = async () => {}) {
  const log: string[] = [];
  const failures: string[] = [];
  const reads = new ReadGuard();
  const catalog = {
    segments: async () => segments,
    profilesInSegment: async (segmentId: number) => {
      const segment = segments.find((candidate) => candidate.segmentId === segmentId)!;
      return Array.from({ length: segment.live }, (_, at) => ({
        id: `${segmentId}/${at}`,
        locator: { segmentId, offset: at, sizeBytes: 1 },
        shape: {},
      }));
    },
    relocate: async (moves: { id: string }[]) => {
      log.push(`relocate ${moves.map(({ id }) => id).join(" ")}`);
      for (const { id } of moves) segments.find(({ segmentId }) => segmentId === Number.parseInt(id, 10))!.live--;
      return moves.map(({ id }) => id);
    },
    forgetSegment: async (segmentId: number) => void log.push(`forget ${segmentId}`),
  } as unknown as Catalog;
  const blobs = {
    segments: async () => segments.map(({ segmentId, sealed }) => ({ segmentId, sealed })),
    read: async ({ segmentId }: { segmentId: number }) => {
      if (segments.find((segment) => segment.segmentId === segmentId)?.readable === false) throw new Error("damaged");
      return new Uint8Array(1);
    },
    append: async (batch: Uint8Array[]) => batch.map((_, offset) => ({ segmentId: 99, offset, sizeBytes: 1 })),
    deleteSegment: async (segmentId: number) => void log.push(`unlink ${segmentId}`),
  } as unknown as BlobStore;
  const report = (message: string) => void failures.push(message);
  return { reclaim: new Reclaim({ catalog, blobs, reads, uploadsSettled, report }), reads, log, failures };
}

const segment = (segmentId: number, live: number, deadBytes: number, more: Partial<FakeSegment> = {}): FakeSegment => ({
  segmentId,
  bytes: 100,
  live,
  deadBytes,
  sealed: true,
  ...more,
});

describe("Reclaim", () => {
  test("unlinks sealed segments without live profiles and leaves the others", async () => {
    const { reclaim, log } = store([segment(1, 0, 100), segment(2, 5, 50), segment(3, 0, 100, { sealed: false })]);
    reclaim.request();
    await reclaim.idle();
    expect(log).toEqual(["unlink 1", "forget 1"]);
  });

  test("copies the survivors of a mostly dead segment out before it unlinks it", async () => {
    const { reclaim, log } = store([segment(1, 2, 51)]);
    reclaim.request();
    await reclaim.idle();
    expect(log).toEqual(["relocate 1/0 1/1", "unlink 1", "forget 1"]);
  });

  test("unlinks only after the reads under way have ended", async () => {
    const { reclaim, reads, log } = store([segment(1, 0, 100)]);
    const reading = reads.enter();
    const settled = Promise.withResolvers<void>();
    const drained = reads.drained.bind(reads);
    reads.drained = () => {
      settled.resolve();
      return drained();
    };
    reclaim.request();
    await settled.promise;
    expect(log).toEqual([]);
    reading[Symbol.dispose]();
    await reclaim.idle();
    expect(log).toEqual(["unlink 1", "forget 1"]);
  });

  test("counts the rows of uploads under way before it calls a segment dead", async () => {
    const one = segment(1, 0, 40);
    const { reclaim, log } = store([one], async () => {
      one.live = 1;
    });
    reclaim.request();
    await reclaim.idle();
    expect(log).toEqual([]);
  });

  test("stops after what is under way: the next start goes on", async () => {
    const { reclaim, reads, log } = store([segment(1, 0, 100), segment(2, 0, 100), segment(3, 2, 51)]);
    reads.drained = async () => {
      void reclaim.stop();
    };
    reclaim.request();
    await reclaim.idle();
    expect(log).toEqual(["unlink 1", "forget 1"]);
  });

  test("leaves a segment whose survivors cannot be read, says so, and frees the others", async () => {
    const { reclaim, log, failures } = store([segment(1, 1, 90, { readable: false }), segment(2, 0, 100)]);
    reclaim.request();
    await reclaim.idle();
    expect(failures).toEqual(["could not free segment 1"]);
    expect(log).toEqual(["unlink 2", "forget 2"]);
  });
});
