// Disk and SQLite behind one writing thread: the contract of storing uploads, that of the blob store, and what only the two together can do.

import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DEFAULT_LIMITS, type Limits } from "../../src/model/limits.ts";
import { segmentPath } from "../../src/storage/disk/segment-format.ts";
import { openLocalStorage } from "../../src/storage/local/open-local-storage.ts";
import type { Space } from "../../src/storage/space.ts";
import { flipByte } from "../support/flip-byte.ts";
import { describeBlobStore } from "./blob-store-contract.ts";
import { describeStoreUploads, textsOf, uploadOf } from "./store-uploads-contract.ts";

let root: string;
let folders = 0;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "profusion-local-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

function newFolder(): string {
  return join(root, String(++folders));
}

const open = (limits: Limits, spaceOf?: () => Space, folder = newFolder()) =>
  openLocalStorage({
    folder,
    limits,
    report: (message) => expect.unreachable(message),
    ...(spaceOf && { spaceOf }),
  });

describeStoreUploads("local", open);

describeBlobStore({
  name: "disk, written by the catalog's thread",
  async open(limits, spaceOf) {
    const { blobs, [Symbol.asyncDispose]: close } = await open(limits, spaceOf);
    return Object.assign(blobs, { [Symbol.asyncDispose]: close });
  },
  async damage(store, locator) {
    const source = store.source();
    if (source.driver !== "disk") throw new Error("Expected the disk driver");
    await flipByte(segmentPath(source.folder, locator.segmentId), locator.offset + 8);
  },
});

describe("openLocalStorage()", () => {
  test("takes the bytes away from the caller", async () => {
    await using storage = await open(DEFAULT_LIMITS);
    const upload = uploadOf("mine no more");
    await storage.store([upload], "profile");
    expect(upload.bytes.length).toBe(0);
  });

  test("a batch whose bytes cannot be written has no rows, and the next one is stored", async () => {
    const folder = newFolder();
    await using storage = await open({ ...DEFAULT_LIMITS, segmentBytes: 1 }, undefined, folder);
    await storage.store([uploadOf("one")], "profile");
    await rm(join(folder, "segments"), { recursive: true });
    const failed = storage.store([uploadOf("two", { second: 2 })], "profile");
    await expect(failed).rejects.toMatchObject({ kind: "unavailable" });
    await mkdir(join(folder, "segments"));
    expect((await storage.catalog.statistics()).profiles).toBe(1);
    const [stored] = await storage.store([uploadOf("three", { second: 3 })], "profile");
    expect(Buffer.from(await storage.blobs.read(stored!.record.locator)).toString()).toBe("three");
  });

  test("a batch whose rows cannot be committed fails alone, also where it shared its sync with others", async () => {
    await using storage = await open(DEFAULT_LIMITS);
    const beyondSqlite = { durationNs: 2n ** 64n };
    const batches = [{}, {}, beyondSqlite, {}].map((fields, second) =>
      storage.store([uploadOf(`${second}`, { second, ...fields })], "profile"),
    );
    const outcomes = await Promise.allSettled(batches);
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected", "fulfilled"]);
    expect(await textsOf(storage)).toEqual(["0", "1", "3"]);
  });

  test("bytes and rows are there after reopening, and segments of the life before take nothing more", async () => {
    const folder = newFolder();
    const before = await open(DEFAULT_LIMITS, undefined, folder);
    const [first] = await before.store([uploadOf("one")], "profile");
    await before[Symbol.asyncDispose]();
    await using after = await open(DEFAULT_LIMITS, undefined, folder);
    const [second] = await after.store([uploadOf("two", { second: 1 })], "profile");
    expect(second!.record.locator.segmentId).toBeGreaterThan(first!.record.locator.segmentId);
    expect(await textsOf(after)).toEqual(["one", "two"]);
  });

  test("what was asked before it was closed is stored", async () => {
    const folder = newFolder();
    const before = await open(DEFAULT_LIMITS, undefined, folder);
    const stored = before.store([uploadOf("one")], "profile");
    await before[Symbol.asyncDispose]();
    expect(await stored).toHaveLength(1);
    await using after = await open(DEFAULT_LIMITS, undefined, folder);
    expect(await textsOf(after)).toEqual(["one"]);
  });
});
