// Which files of packs stay and go, whatever becomes of the catalog and of packing.

import { copyFile, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../../src/model/limits.ts";
import { EVERYTHING } from "../../src/model/selector.ts";
import { Packer } from "../../src/repository/packer.ts";
import { ReadGuard } from "../../src/repository/read-guard.ts";
import { Reclaim } from "../../src/repository/reclaim.ts";
import type { Catalog } from "../../src/storage/catalog.ts";
import { type OpenedRepository, openRepository } from "../support/open-repository.ts";
import { buildProfile } from "../support/profile-builder.ts";

/** 2026-09-21T14:00Z. */
const BASE_NS = 1_789_999_200_000_000_000n;
const SECOND_NS = 1_000_000_000n;
let opened: OpenedRepository;

beforeEach(async () => {
  opened = await openRepository();
});
afterEach(() => opened[Symbol.asyncDispose]());

const profileAt = (second: number) =>
  buildProfile({
    timeNs: BASE_NS + BigInt(second) * SECOND_NS,
    durationNs: SECOND_NS,
    samples: [{ stack: [`f${second}`, "main"], values: [1, 10] }],
  });

async function pushSome(count: number, from = 0, service = "auth"): Promise<string[]> {
  const ids = [];
  for (let second = from; second < from + count; second++) {
    const outcome = await opened.repository.push({ service, type: "cpu", labels: [], bytes: profileAt(second) });
    if (outcome.state === "stored") ids.push(outcome.record.id);
  }
  return ids;
}

async function packNow(): Promise<void> {
  const { id } = opened.repository.startPack();
  const { error } = await opened.repository.operation(id, 60_000);
  if (error) throw new Error(error.message);
}

const objects = async () => (await readdir(join(opened.folder, "objects"))).sort();
const damage = () => opened.events.flatMap((event) => (event.kind === "pack-damage" ? [event.message] : []));

test("packs that a later catalog than ours made stay, start after start, and their numbers are not given again", async () => {
  const catalogFile = join(opened.folder, "catalog.db");
  await opened.reopen();
  await copyFile(catalogFile, join(opened.folder, "old.db"));
  await pushSome(5, 100);
  await packNow();
  await opened.close();
  const [later] = await objects();
  const bytes = await readFile(join(opened.folder, "objects", later!));
  for (const file of await readdir(opened.folder)) {
    if (file.startsWith("catalog.db")) await rm(join(opened.folder, file));
  }
  await copyFile(join(opened.folder, "old.db"), catalogFile);
  await opened.reopen();
  const ids = await pushSome(4, 300, "other");
  await packNow();
  await opened.reopen();
  await packNow();
  expect(damage()).toContainEqual("Pack 1 is kept, though the catalog does not know it: a later one made it");
  expect((await readFile(join(opened.folder, "objects", later!))).equals(bytes)).toBe(true);
  expect((await objects()).length).toBeGreaterThan(1);
  for (const [nth, id] of ids.entries()) {
    const sent = (await opened.repository.download(id)).bytes;
    expect(Buffer.from(gunzipSync(sent)).equals(profileAt(300 + nth))).toBe(true);
  }
});

test("packs that were replaced go when what comes after the switch fails, with the next look", async () => {
  await pushSome(8);
  await packNow();
  const [first] = await objects();
  const ids = (await opened.repository.list({ selector: EVERYTHING, order: "newest", limit: 8 })).records;
  for (const { id } of ids.slice(0, 4)) await opened.repository.delete(id);
  let failing = true;
  const catalog = new Proxy(opened.catalog, {
    get(target, name) {
      if (name === "settlePackSet" && failing) return () => Promise.reject(new Error("no settling"));
      const value = Reflect.get(target, name, target) as unknown;
      return typeof value === "function" ? value.bind(target) : value;
    },
  }) as Catalog;
  const reads = new ReadGuard();
  const { blobs } = opened;
  const packer = new Packer({
    catalog,
    blobs,
    reads,
    reclaim: new Reclaim({ catalog, blobs, reads, uploadsSettled: async () => {}, report: () => {} }),
    limits: DEFAULT_LIMITS,
    nowNs: () => opened.clock.nowNs,
    originals: "until-packed",
    forget: () => {},
    observe: () => {},
  });
  await expect(packer.packNow(() => {})).rejects.toThrow("no settling");
  const [second, ...others] = await objects();
  expect([second === first, others]).toEqual([false, []]);
  failing = false;
  await packer.packNow(() => {});
  expect(await opened.catalog.packSets({ unsettled: true })).toEqual([]);
  await packer.stop();
  expect(await objects()).toEqual([second]);
});
