import { describe, expect, test } from "vitest";
import { DomainError } from "../../src/model/errors.ts";
import { DEFAULT_LIMITS } from "../../src/model/limits.ts";
import { GroupCommit } from "../../src/repository/group-commit.ts";
import type { BlobStore } from "../../src/storage/blob-store.ts";
import type { Catalog, InsertOutcome, NewProfile } from "../../src/storage/catalog.ts";
import { appendThenInsert } from "../../src/storage/store-uploads.ts";

/** A store whose every call waits until the test lets it go on, and which records the order of what happened. */
function steppedStore() {
  const log: string[] = [];
  const waiting: { name: string; go: () => void; fail: (error: Error) => void }[] = [];
  let arrived = Promise.withResolvers<void>();
  const step = (name: string) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    waiting.push({ name, go: resolve, fail: reject });
    arrived.resolve();
    return promise;
  };
  const next = async () => {
    while (waiting.length === 0) {
      await arrived.promise;
      arrived = Promise.withResolvers();
    }
    return waiting.shift()!;
  };
  let offset = 0;
  const blobs = {
    checkSpace() {},
    async append(batch: Uint8Array[]) {
      await step(`append ${batch.length}`);
      log.push(`appended ${batch.length}`);
      return batch.map(({ length }) => ({ segmentId: 1, offset: offset++, sizeBytes: length }));
    },
  } as unknown as BlobStore;
  const catalog = {
    async insert(batch: NewProfile[]): Promise<InsertOutcome[]> {
      await step(`insert ${batch.length}`);
      log.push(`inserted ${batch.length}`);
      return batch.map(({ locator }) => ({ record: { locator } as never, alreadyExisted: false }));
    },
  } as unknown as Catalog;
  return { store: appendThenInsert(blobs, catalog), log, next };
}

const profile = {} as Omit<NewProfile, "locator">;
const upload = (size: number) => ({ profile, bytes: new Uint8Array(size) });

describe("GroupCommit", () => {
  test("writes what waited during one batch as the next one, bytes before rows", async () => {
    const { store, log, next } = steppedStore();
    const commits = new GroupCommit(store, DEFAULT_LIMITS);
    const first = commits.add(upload(1), "profile");
    const append = await next();
    const later = [commits.add(upload(2), "profile"), commits.add(upload(3), "profile")];
    append.go();
    for (const expected of ["insert 1", "append 2", "insert 2"]) {
      const call = await next();
      expect(call.name).toBe(expected);
      call.go();
    }
    expect(
      (await Promise.all(later)).map(({ record }) => (record as { locator: { sizeBytes: number } }).locator.sizeBytes),
    ).toEqual([2, 3]);
    expect(log).toEqual(["appended 1", "inserted 1", "appended 2", "inserted 2"]);
    await first;
  });

  test("cuts a batch at the limits of rows and bytes and where the kind changes", async () => {
    const { store, next } = steppedStore();
    const commits = new GroupCommit(store, { ...DEFAULT_LIMITS, commitRows: 2, commitBytes: 100 });
    const all = [10, 10, 10, 95, 200].map((size) => commits.add(upload(size), "profile"));
    all.push(commits.add(upload(1), "opaque"));
    const appended: string[] = [];
    while (appended.length < 5) {
      const call = await next();
      if (call.name.startsWith("append")) appended.push(call.name);
      call.go();
    }
    const rest = async () => {
      for (;;) (await next()).go();
    };
    void rest();
    await Promise.all(all);
    expect(appended).toEqual(["append 2", "append 1", "append 1", "append 1", "append 1"]);
  });

  test("fails only the batch whose bytes could not be written", async () => {
    const { store, next } = steppedStore();
    const commits = new GroupCommit(store, DEFAULT_LIMITS);
    const first = commits.add(upload(1), "profile");
    const append = await next();
    const second = commits.add(upload(2), "profile");
    append.fail(new DomainError("unavailable", "no space", { subject: "disk-full" }));
    await expect(first).rejects.toMatchObject({ subject: "disk-full" });
    (await next()).go();
    (await next()).go();
    await expect(second).resolves.toMatchObject({ alreadyExisted: false });
    await commits.idle();
  });

  test("settled() waits for a batch whose bytes are written until its rows are", async () => {
    const { store, log, next } = steppedStore();
    const commits = new GroupCommit(store, DEFAULT_LIMITS);
    const added = commits.add(upload(1), "profile");
    (await next()).go();
    const insert = await next();
    const settled = commits.settled().then(() => log.push("settled"));
    insert.go();
    await Promise.all([added, settled]);
    expect(log).toEqual(["appended 1", "inserted 1", "settled"]);
  });

  test("waits for uploads that are about to come and writes them in the same batch", async () => {
    const { store, log, next } = steppedStore();
    const coming = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    const commits = new GroupCommit(store, DEFAULT_LIMITS, () => {
      asked.resolve();
      return coming.promise;
    });
    const first = commits.add(upload(1), "profile");
    await asked.promise;
    const second = commits.add(upload(2), "profile");
    coming.resolve();
    (await next()).go();
    (await next()).go();
    await Promise.all([first, second]);
    expect(log).toEqual(["appended 2", "inserted 2"]);
  });

  test("does not wait long: an upload that takes its time holds up no other", async () => {
    const { store, log, next } = steppedStore();
    const commits = new GroupCommit(store, DEFAULT_LIMITS, () => new Promise(() => {}));
    const added = commits.add(upload(1), "profile");
    (await next()).go();
    (await next()).go();
    await added;
    expect(log).toEqual(["appended 1", "inserted 1"]);
  });
});
