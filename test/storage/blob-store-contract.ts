// What every driver of the blob store promises. Each driver's test file calls this once; what only a disk can do has tests of its own.

import { describe, expect, test } from "vitest";
import { DEFAULT_LIMITS, type Limits } from "../../src/model/limits.ts";
import type { BlobStore, Locator } from "../../src/storage/blob-store.ts";
import { openBlobReader } from "../../src/storage/open-blob-reader.ts";
import type { Space } from "../../src/storage/space.ts";
import { Random } from "../support/random.ts";

export interface DriverUnderTest {
  name: string;
  /** A new, empty store. */
  open(limits: Limits, spaceOf?: () => Space): Promise<BlobStore & AsyncDisposable>;
  /** Changes one byte of the stored blob. */
  damage(store: BlobStore, locator: Locator): Promise<void>;
}

const MIB = 1024 * 1024;

export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function textOf(bytes: Uint8Array | Error | undefined): string {
  if (!(bytes instanceof Uint8Array)) throw new Error(`Expected bytes, got ${bytes}`);
  return new TextDecoder().decode(bytes);
}

export function describeBlobStore(driver: DriverUnderTest): void {
  const open = (limits: Partial<Limits> = {}, spaceOf?: () => Space) =>
    driver.open({ ...DEFAULT_LIMITS, ...limits }, spaceOf);

  describe(`${driver.name}: segments`, () => {
    test("what was appended reads back, in the order given, empty blobs too", async () => {
      await using store = await open();
      const texts = ["first", "", "third", "x".repeat(3 * MIB)];
      const locators = await store.append(texts.map(bytesOf), "profile");
      expect(locators.map(({ sizeBytes }) => sizeBytes)).toEqual(texts.map((text) => text.length));
      for (const [at, locator] of locators.entries()) expect(textOf(await store.read(locator))).toBe(texts[at]);
    });

    test("appends at once each get their own bytes back", async () => {
      await using store = await open({ segmentBytes: 20_000 });
      const random = new Random(7);
      const batches = Array.from({ length: 60 }, (_, batch) =>
        Array.from({ length: random.between(1, 8) }, (_, at) => `${batch}/${at}/${"y".repeat(random.between(0, 900))}`),
      );
      const located = await Promise.all(
        batches.map((texts, at) => store.append(texts.map(bytesOf), at % 5 === 0 ? "opaque" : "profile")),
      );
      const read = await Promise.all(
        located.map((locators) => Promise.all(locators.map(async (one) => textOf(await store.read(one))))),
      );
      expect(read).toEqual(batches);
      expect(new Set(located.flat().map(({ segmentId, offset }) => `${segmentId} ${offset}`)).size).toBe(
        batches.flat().length,
      );
    });

    test("an empty batch is no append", async () => {
      await using store = await open();
      expect(await store.append([], "profile")).toEqual([]);
    });

    test("each kind has segments of its own", async () => {
      await using store = await open();
      const [profile] = await store.append([bytesOf("p")], "profile");
      const [opaque] = await store.append([bytesOf("o")], "opaque");
      const kinds = new Map((await store.segments()).map(({ segmentId, kind }) => [segmentId, kind]));
      expect(kinds.get(profile!.segmentId)).toBe("profile");
      expect(kinds.get(opaque!.segmentId)).toBe("opaque");
    });

    test("a segment is sealed once it is full, and segments() lists ascending", async () => {
      await using store = await open({ segmentBytes: 1000 });
      for (let at = 0; at < 5; at++) await store.append([new Uint8Array(600)], "profile");
      const segments = await store.segments();
      expect(segments.map(({ sealed }) => sealed)).toEqual([true, true, false]);
      expect(segments.map(({ segmentId }) => segmentId)).toEqual(segments.map(({ segmentId }) => segmentId).sort());
      for (const { bytes } of segments) expect(bytes).toBeGreaterThan(600);
    });

    test("a segment is sealed once it is old, without another append", async () => {
      await using store = await open({ segmentMs: 0 });
      const [locator] = await store.append([bytesOf("old")], "profile");
      expect(await store.segments()).toMatchObject([{ segmentId: locator!.segmentId, sealed: true }]);
    });

    test("damaged bytes are refused with segment and offset, and their neighbours read on", async () => {
      await using store = await open();
      const locators = await store.append(["one", "two", "three"].map(bytesOf), "profile");
      const [one, two, three] = locators;
      await driver.damage(store, two!);
      await expect(store.read(two!)).rejects.toMatchObject({
        kind: "unavailable",
        message: expect.stringContaining(`offset ${two!.offset} of segment ${two!.segmentId}`),
      });
      expect(textOf(await store.read(one!))).toBe("one");
      const read = openBlobReader(store.source()).readMany([three!, two!, one!]);
      expect(read[1]).toMatchObject({ kind: "unavailable" });
      expect([textOf(read[0]), textOf(read[2])]).toEqual(["three", "one"]);
    });

    test("a locator that points beside a blob is refused", async () => {
      await using store = await open();
      const [first] = await store.append([bytesOf("abcdefgh"), bytesOf("ijklmnop")], "profile");
      const wrong = [
        { ...first!, offset: first!.offset + 1 },
        { ...first!, sizeBytes: first!.sizeBytes - 1 },
        { ...first!, offset: first!.offset + 1_000_000 },
      ];
      for (const locator of wrong) await expect(store.read(locator)).rejects.toMatchObject({ kind: "unavailable" });
      for (const read of openBlobReader(store.source()).readMany(wrong)) {
        expect(read).toMatchObject({ kind: "unavailable" });
      }
    });

    test("a deleted segment is not found, by the store and by a reader, and deleting it again succeeds", async () => {
      await using store = await open({ segmentBytes: 1 });
      const [gone] = await store.append([bytesOf("gone")], "profile");
      const [kept] = await store.append([bytesOf("kept")], "profile");
      await store.deleteSegment(gone!.segmentId);
      await store.deleteSegment(gone!.segmentId);
      await expect(store.read(gone!)).rejects.toMatchObject({ kind: "not-found" });
      const [first, second] = openBlobReader(store.source()).readMany([gone!, kept!]);
      expect(first).toMatchObject({ kind: "not-found" });
      expect(textOf(second)).toBe("kept");
      expect((await store.segments()).map(({ segmentId }) => segmentId)).toEqual([kept!.segmentId]);
    });

    test("sealed before its time, a segment takes no more, and appends go on elsewhere", async () => {
      await using store = await open();
      const [first] = await store.append([bytesOf("a")], "profile");
      await store.sealSegments();
      expect(await store.segments()).toMatchObject([{ segmentId: first!.segmentId, sealed: true }]);
      const [second] = await store.append([bytesOf("b")], "profile");
      expect(second!.segmentId).toBeGreaterThan(first!.segmentId);
      expect(textOf(await store.read(first!))).toBe("a");
    });

    test("the segment that takes appends can be deleted, and appends go on elsewhere", async () => {
      await using store = await open();
      const [first] = await store.append([bytesOf("first")], "profile");
      await store.deleteSegment(first!.segmentId);
      const [second] = await store.append([bytesOf("second")], "profile");
      expect(second!.segmentId).not.toBe(first!.segmentId);
      expect(textOf(await store.read(second!))).toBe("second");
    });

    test("a reader answers in the order asked, whatever order the blobs lie in, and repeats what is asked twice", async () => {
      await using store = await open({ segmentBytes: 100_000 });
      const random = new Random(11);
      const texts = Array.from({ length: 400 }, (_, at) => `${at}:${"z".repeat(random.between(0, 4000))}`);
      const locators: Locator[] = [];
      for (let at = 0; at < texts.length; at += 20) {
        locators.push(...(await store.append(texts.slice(at, at + 20).map(bytesOf), "profile")));
      }
      const order = random.shuffle([...texts.keys(), 3, 3, 399]);
      const read = openBlobReader(store.source()).readMany(order.map((at) => locators[at]!));
      expect(read.map(textOf)).toEqual(order.map((at) => texts[at]));
    });
  });

  describe(`${driver.name}: space`, () => {
    test("below the reserve it is said, while reads go on, and so do appends: they may be what frees space", async () => {
      const space = { freeBytes: 1000 * MIB, totalBytes: 10_000 * MIB };
      await using store = await open({}, () => space);
      const [locator] = await store.append([bytesOf("kept")], "profile");
      space.freeBytes = 199 * MIB;
      const refusal = { kind: "unavailable", subject: "disk-full" };
      expect(() => store.checkSpace()).toThrow(expect.objectContaining(refusal));
      expect(textOf(await store.read(locator!))).toBe("kept");
      const [moved] = await store.append([bytesOf("moved")], "profile");
      expect(textOf(await store.read(moved!))).toBe("moved");
      space.freeBytes = 201 * MIB;
      store.checkSpace();
    });

    test.each([
      ["a small disk keeps the minimum", 100 * MIB, 64 * MIB],
      ["a large disk keeps no more than the maximum", 10_000_000 * MIB, 1024 * MIB],
    ])("%s in reserve", async (_, totalBytes, reserve) => {
      const space = { freeBytes: reserve, totalBytes };
      await using store = await open({}, () => space);
      store.checkSpace();
      space.freeBytes = reserve - 1;
      expect(() => store.checkSpace()).toThrow(`${reserve} are kept in reserve`);
    });
  });

  describe(`${driver.name}: objects`, () => {
    test("an object reads back by range, and a range that ends behind it is cut", async () => {
      await using store = await open();
      await store.put("packs/one.pack", bytesOf("0123456789"));
      expect(textOf(await store.readRange("packs/one.pack", 2, 3))).toBe("234");
      expect(textOf(await store.readRange("packs/one.pack", 8, 100))).toBe("89");
      expect(textOf(await store.readRange("packs/one.pack", 100, 1))).toBe("");
    });

    test("an object never changes: putting its name again is a conflict, at once or later", async () => {
      await using store = await open();
      const conflict = { kind: "conflict", message: 'Cannot put object "a": there is one of this name' };
      const first = store.put("a", bytesOf("first"));
      await expect(store.put("a", bytesOf("at once"))).rejects.toMatchObject(conflict);
      await first;
      await expect(store.put("a", bytesOf("later"))).rejects.toMatchObject(conflict);
      expect(textOf(await store.readRange("a", 0, 100))).toBe("first");
    });

    test("what the caller does with its buffer after put() is its own business", async () => {
      await using store = await open();
      const bytes = bytesOf("mine");
      await store.put("a", bytes);
      bytes.fill(0);
      expect(textOf(await store.readRange("a", 0, 100))).toBe("mine");
    });

    test("a thread reads an object by ranges, and an absent one is not found there either", async () => {
      await using store = await open();
      await store.put("pack/1", bytesOf("0123456789"));
      const reader = openBlobReader(store.source());
      using object = reader.openObject(structuredClone(store.objectReference("pack/1")));
      expect(object.sizeBytes).toBe(10);
      expect([object.read(2, 3), object.read(8, 9), object.read(20, 1)].map(textOf)).toEqual(["234", "89", ""]);
      await store.deleteObject("pack/1");
      expect(textOf(object.read(0, 2))).toBe("01");
      expect(() => reader.openObject(store.objectReference("pack/1"))).toThrow(
        expect.objectContaining({ kind: "not-found" }),
      );
    });

    test("an absent object is not found; deleting it succeeds; a deleted name can be put anew", async () => {
      await using store = await open();
      await expect(store.readRange("a", 0, 1)).rejects.toMatchObject({ kind: "not-found" });
      await store.deleteObject("a");
      await store.put("a", bytesOf("one"));
      await store.deleteObject("a");
      await expect(store.readRange("a", 0, 1)).rejects.toMatchObject({ kind: "not-found" });
      await store.put("a", bytesOf("two"));
      expect(textOf(await store.readRange("a", 0, 9))).toBe("two");
    });

    test("list() answers the names with the prefix in byte order", async () => {
      await using store = await open();
      for (const name of ["b", "a/2", "a/10", "a-1", "a", "a.b", "a/1/x"]) await store.put(name, bytesOf(name));
      expect(await store.list("")).toEqual(["a", "a-1", "a.b", "a/1/x", "a/10", "a/2", "b"]);
      expect(await store.list("a/1")).toEqual(["a/1/x", "a/10"]);
      expect(await store.list("c")).toEqual([]);
    });

    test.each(["", "../x", "a//b", "/a", "a/", "A", "a b", "a~b", ".", "a\0", "x".repeat(201)])(
      "%j is no object name",
      async (name) => {
        await using store = await open();
        await expect(store.put(name, bytesOf("x"))).rejects.toThrow("Cannot use object name");
        await expect(store.readRange(name, 0, 1)).rejects.toThrow("Cannot use object name");
        await expect(store.deleteObject(name)).rejects.toThrow("Cannot use object name");
      },
    );
  });
}
