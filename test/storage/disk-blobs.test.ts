// The disk driver: the contract, then what start-up does with what it finds.

import {
  appendFile,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rm,
  stat,
  truncate,
  unlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DEFAULT_LIMITS, type Limits } from "../../src/model/limits.ts";
import type { Locator } from "../../src/storage/blob-store.ts";
import { openDiskBlobs } from "../../src/storage/disk/blobs.ts";
import { segmentPath } from "../../src/storage/disk/segment-format.ts";
import { frameEnd } from "../../src/storage/frame.ts";
import { flipByte } from "../support/flip-byte.ts";
import { bytesOf, describeBlobStore } from "./blob-store-contract.ts";

let root: string;
let folders = 0;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "profusion-blobs-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

function newFolder(): string {
  return join(root, String(++folders));
}

describeBlobStore({
  name: "disk",
  open: (limits, spaceOf) =>
    openDiskBlobs({
      folder: newFolder(),
      limits,
      knownEnds: new Map(),
      report: (message) => expect.unreachable(message),
      ...(spaceOf && { spaceOf }),
    }),
  async damage(store, locator) {
    const source = store.source();
    if (source.driver !== "disk") throw new Error("Expected the disk driver");
    await flipByte(segmentPath(source.folder, locator.segmentId), locator.offset + 8);
  },
});

async function openStore(folder: string, known: readonly Locator[] = [], limits: Partial<Limits> = {}) {
  const knownEnds = new Map<number, number>();
  for (const locator of known) {
    knownEnds.set(locator.segmentId, Math.max(frameEnd(locator), knownEnds.get(locator.segmentId) ?? 0));
  }
  const reports: string[] = [];
  const report = (message: string) => void reports.push(message);
  const store = await openDiskBlobs({ folder, limits: { ...DEFAULT_LIMITS, ...limits }, knownEnds, report });
  return { store, reports };
}

/** Three blobs in one segment whose process ended without closing it; the store is left behind as a kill leaves it. */
async function killedStore(): Promise<{ folder: string; locators: Locator[]; path: string }> {
  const folder = newFolder();
  const closed = newFolder();
  const { store } = await openStore(closed);
  const locators = [
    ...(await store.append([bytesOf("one"), bytesOf("two")], "profile")),
    ...(await store.append([bytesOf("three")], "profile")),
  ];
  const path = segmentPath(folder, locators[0]!.segmentId);
  await mkdir(join(folder, "segments"), { recursive: true });
  await writeFile(path, await readFile(segmentPath(closed, locators[0]!.segmentId)));
  await store[Symbol.asyncDispose]();
  return { folder, locators, path };
}

describe("disk: reopening", () => {
  test("a store that was closed in order reopens without a word and never reuses an id", async () => {
    const folder = newFolder();
    const first = await openStore(folder, [], { segmentBytes: 1 });
    const locators = [
      ...(await first.store.append([bytesOf("one")], "profile")),
      ...(await first.store.append([bytesOf("two")], "opaque")),
    ];
    await first.store.put("a/b", bytesOf("object"));
    const before = await first.store.segments();
    await first.store[Symbol.asyncDispose]();

    const { store, reports } = await openStore(folder, locators);
    expect(reports).toEqual([]);
    for (const [at, locator] of locators.entries()) {
      expect(Buffer.from(await store.read(locator)).toString()).toBe(["one", "two"][at]);
    }
    expect(await store.list("")).toEqual(["a/b"]);
    const after = await store.segments();
    expect(after.map(({ segmentId, kind, sealed }) => ({ segmentId, kind, sealed }))).toEqual(
      before.map(({ segmentId, kind }) => ({ segmentId, kind, sealed: true })),
    );
    const [next] = await store.append([bytesOf("three")], "profile");
    expect(next!.segmentId).toBeGreaterThan(Math.max(...locators.map(({ segmentId }) => segmentId)));
    await store[Symbol.asyncDispose]();
  });

  test("an id that only the catalog still names is not reused", async () => {
    const { store, reports } = await openStore(newFolder(), [{ segmentId: 41, offset: 32, sizeBytes: 1 }]);
    expect(reports).toEqual([expect.stringContaining("Segment 41 is absent")]);
    expect((await store.append([bytesOf("x")], "profile"))[0]!.segmentId).toBe(42);
    await store[Symbol.asyncDispose]();
  });

  test("a segment that the catalog is done with, or that it alone lists, is there to be deleted", async () => {
    const { folder } = await killedStore();
    const reports: string[] = [];
    const report = (message: string) => void reports.push(message);
    const knownEnds = new Map([1, 2].map((segmentId) => [segmentId, 0]));
    await using store = await openDiskBlobs({ folder, limits: DEFAULT_LIMITS, knownEnds, report });
    expect(reports).toEqual([expect.stringContaining("Segment 1 is cut")]);
    const segments = await store.segments();
    expect(segments.map(({ segmentId, sealed }) => [segmentId, sealed])).toEqual([1, 2].map((id) => [id, true]));
    for (const { segmentId } of segments) await store.deleteSegment(segmentId);
    expect(await store.segments()).toEqual([]);
    expect((await store.append([bytesOf("x")], "profile"))[0]!.segmentId).toBe(3);
  });

  test("a tail that no row names is cut, said, and cut only once", async () => {
    const { folder, locators, path } = await killedStore();
    await appendFile(path, "torn");
    const first = await openStore(folder, locators.slice(0, 2));
    expect(first.reports).toEqual([expect.stringMatching(/Segment 1 is cut from \d+ to \d+ bytes/)]);
    expect(Buffer.from(await first.store.read(locators[1]!)).toString()).toBe("two");
    await expect(first.store.read(locators[2]!)).rejects.toMatchObject({ kind: "unavailable" });
    expect((await first.store.segments())[0]).toMatchObject({ bytes: frameEnd(locators[1]!), sealed: true });
    await first.store[Symbol.asyncDispose]();
    const second = await openStore(folder, locators.slice(0, 2));
    expect(second.reports).toEqual([]);
    await second.store[Symbol.asyncDispose]();
  });

  test("damage below what rows name is said at every start and never cut", async () => {
    const { folder, locators, path } = await killedStore();
    await appendFile(path, "torn");
    await flipByte(path, locators[1]!.offset + 8);
    const before = await readFile(path);
    for (let start = 0; start < 2; start++) {
      const { store, reports } = await openStore(folder, locators);
      expect(reports).toEqual([expect.stringContaining("Segment 1 is damaged")]);
      expect(Buffer.from(await store.read(locators[2]!)).toString()).toBe("three");
      await store[Symbol.asyncDispose]();
    }
    expect((await readFile(path)).equals(before)).toBe(true);
  });

  test.each([
    ["inside the last blob", -2],
    ["inside a blob's length", -20],
    ["down to the header", undefined],
  ])("a segment that lost named bytes %s is said and left as it is", async (_, change) => {
    const { folder, locators, path } = await killedStore();
    const size = change === undefined ? 32 : (await stat(path)).size + change;
    await truncate(path, size);
    const { store, reports } = await openStore(folder, locators);
    expect(reports).toEqual([expect.stringContaining("Segment 1 is damaged")]);
    await expect(store.read(locators[2]!)).rejects.toMatchObject({ kind: "unavailable" });
    expect((await stat(path)).size).toBe(size);
    await store[Symbol.asyncDispose]();
  });

  test("a huge length in a damaged frame costs no huge read", async () => {
    const { folder, locators, path } = await killedStore();
    await using handle = await open(path, "r+");
    await handle.write(Buffer.from([0xff, 0xff, 0xff, 0x7f]), 0, 4, locators[0]!.offset);
    const { store, reports } = await openStore(folder, locators);
    expect(reports).toEqual([expect.stringContaining("Segment 1 is damaged")]);
    await store[Symbol.asyncDispose]();
  });

  test("a damaged header is said, and the blobs behind it stay readable", async () => {
    const { folder, locators, path } = await killedStore();
    await flipByte(path, 3);
    const { store, reports } = await openStore(folder, locators);
    expect(reports).toEqual([expect.stringContaining("its header is damaged")]);
    expect(Buffer.from(await store.read(locators[0]!)).toString()).toBe("one");
    await store[Symbol.asyncDispose]();
  });

  test("a segment without rows is deleted where its process was killed", async () => {
    const { folder, path } = await killedStore();
    const { store, reports } = await openStore(folder);
    expect(reports).toEqual([expect.stringContaining("Segment 1 is deleted")]);
    await expect(stat(path)).rejects.toThrow("ENOENT");
    await store[Symbol.asyncDispose]();
  });

  test("a sealed segment without rows is deleted below what the catalog knows, and kept above it", async () => {
    const folder = newFolder();
    const first = await openStore(folder, [], { segmentBytes: 1 });
    const locators: Locator[] = [];
    for (const text of ["one", "two", "three"]) {
      locators.push(...(await first.store.append([bytesOf(text)], "profile")));
    }
    await first.store[Symbol.asyncDispose]();
    const { store, reports } = await openStore(folder, [locators[1]!]);
    expect(reports).toEqual([
      expect.stringContaining("Segment 1 is deleted"),
      expect.stringContaining("Segment 3 is kept"),
    ]);
    expect((await store.segments()).map(({ segmentId }) => segmentId)).toEqual([2, 3]);
    await store[Symbol.asyncDispose]();
  });

  test("a file that a kill cut while it was made, shorter than its header, is deleted", async () => {
    const { folder, path } = await killedStore();
    await truncate(path, 7);
    const { store, reports } = await openStore(folder);
    expect(reports).toEqual([expect.stringContaining("Segment 1 is deleted")]);
    await store[Symbol.asyncDispose]();
  });

  test("unfinished objects are deleted, said, and never listed", async () => {
    const folder = newFolder();
    const first = await openStore(folder);
    await first.store.put("whole", bytesOf("whole"));
    await first.store[Symbol.asyncDispose]();
    await writeFile(join(folder, "scratch", "1"), "half");
    const { store, reports } = await openStore(folder);
    expect(reports).toEqual(["1 unfinished objects are deleted"]);
    expect(await store.list("")).toEqual(["whole"]);
    expect(await readdir(join(folder, "scratch"))).toEqual([]);
    await store[Symbol.asyncDispose]();
  });

  test("files that are no segments are left alone", async () => {
    const { folder, locators } = await killedStore();
    await writeFile(join(folder, "segments", "README"), "mine");
    const { store } = await openStore(folder, locators);
    expect(await readFile(join(folder, "segments", "README"), "utf8")).toBe("mine");
    expect(await store.segments()).toHaveLength(1);
    await store[Symbol.asyncDispose]();
  });

  test("a segment whose folder is gone fails its appends as unavailable, and later ones work", async () => {
    const folder = newFolder();
    const { store } = await openStore(folder, [], { segmentBytes: 1 });
    await store.append([bytesOf("one")], "profile");
    await rm(join(folder, "segments"), { recursive: true });
    await expect(store.append([bytesOf("two")], "profile")).rejects.toMatchObject({ kind: "unavailable" });
    await mkdir(join(folder, "segments"));
    const [locator] = await store.append([bytesOf("three")], "profile");
    expect(Buffer.from(await store.read(locator!)).toString()).toBe("three");
    await unlink(segmentPath(folder, locator!.segmentId));
    await expect(store.read(locator!)).rejects.toMatchObject({ kind: "not-found" });
    await store[Symbol.asyncDispose]();
  });
});
