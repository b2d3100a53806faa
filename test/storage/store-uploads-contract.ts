// What every way of storing uploads promises, whoever appends and whoever inserts.

import { describe, expect, test } from "vitest";
import { DEFAULT_LIMITS, type Limits } from "../../src/model/limits.ts";
import { EVERYTHING } from "../../src/model/selector.ts";
import type { BlobKind, BlobStore } from "../../src/storage/blob-store.ts";
import type { Catalog } from "../../src/storage/catalog.ts";
import type { Space } from "../../src/storage/space.ts";
import type { NewUpload, StoreUploads } from "../../src/storage/store-uploads.ts";
import { newProfile, type ProfileFields } from "../support/catalog-profile.ts";
import { Random } from "../support/random.ts";

export interface StorageUnderTest extends AsyncDisposable {
  catalog: Catalog;
  blobs: BlobStore;
  store: StoreUploads;
}

type Open = (limits: Limits, spaceOf: () => Space) => Promise<StorageUnderTest>;

const GIB = 1024 ** 3;

export function uploadOf(text: string, fields: ProfileFields = {}): NewUpload {
  const { locator: _, ...profile } = newProfile({ content: text, ...fields });
  return { profile, bytes: new TextEncoder().encode(text) };
}

/** Of everything that the catalog has, oldest first. */
export async function textsOf({ catalog, blobs }: StorageUnderTest): Promise<string[]> {
  const records = await catalog.find({ selector: EVERYTHING, order: "oldest", limit: 10_000 });
  return Promise.all(records.map(async ({ locator }) => Buffer.from(await blobs.read(locator)).toString()));
}

export function describeStoreUploads(name: string, open: Open): void {
  const openStorage = (limits: Partial<Limits> = {}, space: Space = { freeBytes: GIB, totalBytes: GIB }) =>
    open({ ...DEFAULT_LIMITS, ...limits }, () => space);

  describe(`${name}: storing uploads`, () => {
    test("the outcomes come in the order given, and what they locate are the bytes, empty ones too", async () => {
      await using storage = await openStorage();
      const texts = ["one", "", "three".repeat(100_000)];
      const outcomes = await storage.store(
        texts.map((text, second) => uploadOf(text, { second })),
        "profile",
      );
      expect(outcomes.map(({ alreadyExisted, record }) => [alreadyExisted, record.seq, record.sizeBytes])).toEqual(
        texts.map((text, at) => [false, at + 1, text.length]),
      );
      for (const [at, { record }] of outcomes.entries()) {
        expect(Buffer.from(await storage.blobs.read(record.locator)).toString()).toBe(texts[at]);
      }
      expect(await storage.catalog.get(outcomes.map(({ record }) => record.id))).toEqual(
        outcomes.map(({ record }) => record),
      );
      expect(await textsOf(storage)).toEqual(texts);
    });

    test("nothing to store is nothing to do", async () => {
      await using storage = await openStorage();
      expect(await storage.store([], "profile")).toEqual([]);
    });

    test("a profile that is there already is answered, beside new ones", async () => {
      await using storage = await openStorage();
      const [first] = await storage.store([uploadOf("one")], "profile");
      const again = await storage.store([uploadOf("zero", { second: -1 }), uploadOf("one")], "profile");
      expect(again.map(({ alreadyExisted }) => alreadyExisted)).toEqual([false, true]);
      expect(again[1]!.record).toEqual(first!.record);
      expect(await textsOf(storage)).toEqual(["zero", "one"]);
    });

    test("kinds have segments of their own, and segments end at their size", async () => {
      await using storage = await openStorage({ segmentBytes: 100 });
      const kinds: BlobKind[] = ["profile", "opaque", "profile", "opaque"];
      const outcomes = await Promise.all(
        kinds.map((kind, second) => storage.store([uploadOf(`${second}`.repeat(100), { second })], kind)),
      );
      const segmentIds = outcomes.map(([outcome]) => outcome!.record.locator.segmentId);
      expect(new Set(segmentIds).size).toBe(4);
      const kindOf = new Map((await storage.blobs.segments()).map(({ segmentId, kind }) => [segmentId, kind]));
      expect(segmentIds.map((segmentId) => kindOf.get(segmentId))).toEqual(kinds);
    });

    test("batches at once, appends and deletions between them, each keep what is theirs", async () => {
      await using storage = await openStorage({ segmentBytes: 20_000, commitRows: 16, commitBytes: 10_000 });
      const random = new Random(5);
      const texts: string[] = [];
      const work: Promise<unknown>[] = [];
      for (let batch = 0; batch < 60; batch++) {
        const own = Array.from({ length: random.between(1, 20) }, (_, at) =>
          `${batch}/${at} `.repeat(random.between(1, 300)),
        );
        const first = texts.push(...own) - own.length;
        work.push(
          storage.store(
            own.map((text, at) => uploadOf(text, { second: first + at })),
            random.chance(0.2) ? "opaque" : "profile",
          ),
        );
        if (batch % 7 === 0) work.push(storage.blobs.append([new Uint8Array(500)], "profile"));
        if (batch % 11 === 0) work.push(storage.catalog.delete(["00000000000000000000000000"]));
      }
      await Promise.all(work);
      expect(await textsOf(storage)).toEqual(texts);
    });

    test("without space nothing is stored, and what is there stays; with space it goes on", async () => {
      const space = { freeBytes: GIB, totalBytes: GIB };
      await using storage = await openStorage({}, space);
      await storage.store([uploadOf("kept")], "profile");
      space.freeBytes = 0;
      const refused = storage.store([uploadOf("refused", { second: 1 })], "profile");
      await expect(refused).rejects.toMatchObject({ kind: "unavailable", subject: "disk-full" });
      space.freeBytes = GIB;
      await storage.store([uploadOf("later", { second: 2 })], "profile");
      expect(await textsOf(storage)).toEqual(["kept", "later"]);
    });
  });
}
