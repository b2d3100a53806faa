// Packs that are damaged, gone, of another version, or not the ones that the catalog names: what they had is counted and named, read as it was
// sent where that is still there, and never counted twice; everything else is answered as if nothing had happened.

import { copyFile, readdir, readFile, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../../src/model/limits.ts";
import { EVERYTHING, parseSelector } from "../../src/model/selector.ts";
import type { Selection, VerifyResult } from "../../src/repository/repository.ts";
import { heapsBySpace } from "../pack/sorted-heaps.ts";
import { type OpenedRepository, openRepository } from "../support/open-repository.ts";
import { buildProfile } from "../support/profile-builder.ts";

/** 2026-09-21T14:00Z. */
const BASE_NS = 1_789_999_200_000_000_000n;
const SECOND = 1_000_000_000n;
const DAY = 86_400n * SECOND;
let opened: OpenedRepository;

beforeEach(async () => {
  opened = await openRepository();
});
afterEach(() => opened[Symbol.asyncDispose]());

async function reopenWith(...options: Parameters<typeof openRepository>): Promise<void> {
  await opened[Symbol.asyncDispose]();
  opened = await openRepository(...options);
}

/** Three instances in turn, a second each, `at` + 1 samples. */
async function push(at: number, service = "auth"): Promise<string> {
  const bytes = gzipSync(
    buildProfile({
      timeNs: BASE_NS + BigInt(at) * SECOND,
      durationNs: SECOND,
      samples: [{ stack: [`leaf${at % 5}`, "main"], values: [at + 1, (at + 1) * 10] }],
    }),
  );
  const labels = [{ name: "instance", value: `i${at % 3}` }];
  const outcome = await opened.repository.push({ service, type: "cpu", labels, bytes });
  if (outcome.state !== "stored") throw new Error("not stored");
  return outcome.record.id;
}

async function pushMany(count: number, from = 0, service = "auth"): Promise<string[]> {
  const ids: string[] = [];
  for (let nth = 0; nth < count; nth++) ids.push(await push(from + nth, service));
  return ids;
}

async function run(kind: "startPack" | "startVerify"): Promise<unknown> {
  const { id } = opened.repository[kind]();
  const { result, error } = await opened.repository.operation(id, 60_000);
  if (error) throw new Error(error.message);
  return result;
}

const verify = () => run("startVerify") as Promise<VerifyResult>;
const select = (text: string): Selection => ({ selector: parseSelector(text, DEFAULT_LIMITS) });
const merge = (selection: Selection, more = {}) =>
  opened.repository.merge({ selection, signal: new AbortController().signal, ...more });
const summaryOf = async (selection: Selection, more = {}) => (await merge(selection, more)).summary;
const samples = async (selection: Selection) => (await summaryOf(selection)).sampleTypes[0]!.total;
const packFiles = async () => {
  const folder = join(opened.folder, "objects");
  return (await readdir(folder)).sort().map((file) => join(folder, file));
};

/** What can become of a pack's file. */
const FATES: [what: string, says: string, change: (bytes: Uint8Array) => Uint8Array | undefined][] = [
  ["its first byte is another", "does not begin as packs do", (bytes) => bytes.with(0, bytes[0]! ^ 1)],
  ["it is of a newer version", "version 2, this program reads version 1", (bytes) => bytes.with(8, 2)],
  ["it is empty", "does not begin as packs do", () => new Uint8Array(0)],
  ["its first page is zeros", "does not begin as packs do", (bytes) => bytes.slice().fill(0, 0, 512)],
  ["its directory is damaged", "directory is damaged", (bytes) => bytes.with(40, bytes[40]! ^ 1)],
  ["it is cut", "it has", (bytes) => bytes.subarray(0, bytes.length - 1)],
  ["it is gone", "There is no object", () => undefined],
];

describe("a pack of which nothing can be read", () => {
  test("is left out, counted and named, whatever became of it, and nobody else suffers", {
    timeout: 120_000,
  }, async () => {
    const ids = await pushMany(20);
    await pushMany(10, 100, "other");
    await run("startPack");
    const files = await Promise.all((await packFiles()).map(async (path) => ({ path, bytes: await readFile(path) })));
    const { path, bytes } = files.find((file) => file.bytes.includes("auth"))!;
    for (const [what, says, change] of FATES) {
      const changed = change(Uint8Array.from(bytes));
      if (changed) await writeFile(path, changed);
      else await unlink(path);
      await opened.reopen();
      expect(await summaryOf(select("cpu{}")), what).toMatchObject({
        matched: 30,
        merged: 10,
        skipped: [{ reason: "damaged", count: 20, ids: ids.slice(0, 10), detail: expect.stringContaining(says) }],
        warnings: [expect.stringContaining(says)],
      });
      const named = { kind: "unavailable", message: expect.stringMatching(new RegExp(`Pack 1: .*${says}`)) };
      await expect(merge(select("cpu{}"), { strict: true }), what).rejects.toMatchObject({ kind: "unavailable" });
      await expect(merge(select('cpu{service="auth"}')), what).rejects.toMatchObject(named);
      await expect(opened.repository.download(ids[0]!), what).rejects.toMatchObject(named);
      const other = await summaryOf(select('cpu{service="other"}'));
      expect(other, what).toMatchObject({ merged: 10, skipped: [], warnings: [] });
      expect(await verify(), what).toMatchObject({ packs: 2, damagedPacks: 1, damaged: [{ packId: 1 }] });
    }
    await writeFile(path, bytes);
    await opened.reopen();
    expect(await summaryOf(select("cpu{}"))).toMatchObject({ merged: 30, skipped: [] });
    expect(await verify()).toMatchObject({ damagedPacks: 0 });
  });

  test("in a set of several packs, others are read, and what is left out is counted as it is, deletions or not", async () => {
    await reopenWith({ packProfiles: 10 });
    const ids = await pushMany(30);
    await run("startPack");
    const [first, ...others] = await packFiles();
    expect(others).toHaveLength(2);
    await unlink(first!);
    await opened.reopen();
    // Packs are sorted by series: the first one has those of instance i0.
    const [gone, there] = [ids.filter((_, at) => at % 3 === 0), ids.filter((_, at) => at % 3 !== 0)];
    for (const id of there) await opened.repository.download(id);
    await expect(opened.repository.download(gone[0]!)).rejects.toMatchObject({ kind: "unavailable" });
    const skipped = (count: number, named: string[]) => [{ reason: "damaged", count, ids: named }];
    expect(await summaryOf(select("cpu{}"))).toMatchObject({ matched: 30, merged: 20, skipped: skipped(10, gone) });
    for (const id of there.slice(0, 10)) await opened.repository.delete(id);
    expect(await summaryOf(select("cpu{}"))).toMatchObject({ matched: 20, merged: 10, skipped: skipped(10, gone) });
    await opened.repository.delete(gone[0]!);
    expect(await summaryOf(select("cpu{}"))).toMatchObject({
      matched: 19,
      merged: 10,
      skipped: skipped(9, gone.slice(1)),
    });
    await expect(merge(select("cpu{}"), { strict: true })).rejects.toMatchObject({ kind: "unavailable" });

    // Nothing of the pack is meant: nothing is left out.
    const meant = select('cpu{instance="i2"}');
    expect(await summaryOf(meant)).toMatchObject({ skipped: [], warnings: [] });
    const window = { startNs: BASE_NS + 3n * SECOND, endNs: BASE_NS + 28n * SECOND };
    expect(await summaryOf({ ...select("cpu{}"), interval: window })).toMatchObject({
      skipped: skipped(9, gone.slice(1)),
    });
    const byIds = { selector: EVERYTHING, ids: [gone[1]!, there[15]!, gone[2]!] };
    expect(await summaryOf(byIds)).toMatchObject({ matched: 3, merged: 1, skipped: skipped(2, gone.slice(1, 3)) });
    expect(await summaryOf({ ...select("cpu{}"), maxProfiles: 5 })).toMatchObject({ matched: 19 });
  });
});

describe("a sound pack in the place of another", () => {
  const swap = async (from: number, to: number) => {
    const files = await packFiles();
    await copyFile(files[from]!, files[to]!);
    await opened.reopen();
  };
  const notNamed = expect.stringContaining("It is not the pack that the catalog names");

  test("of another service is damage: nobody gets its numbers, nothing counts twice", async () => {
    const auth = await pushMany(10);
    const other = await pushMany(10, 1000, "other");
    await run("startPack");
    const before = await samples(select('cpu{service="auth"}'));
    await swap(0, 1);
    expect(await samples(select('cpu{service="auth"}'))).toBe(before);
    const refused = { kind: "unavailable", message: notNamed };
    await expect(merge(select('cpu{service="other"}'))).rejects.toMatchObject(refused);
    await expect(merge(select("cpu{}"), { strict: true })).rejects.toMatchObject(refused);
    await expect(opened.repository.download(other[0]!)).rejects.toMatchObject(refused);
    expect(await summaryOf(select("cpu{}"))).toMatchObject({ matched: 20, merged: 10, skipped: [{ count: 10 }] });
    expect(await samples(select("cpu{}"))).toBe(before);
    expect(await summaryOf({ selector: EVERYTHING, ids: [auth[0]!, other[0]!] })).toMatchObject({
      matched: 2,
      merged: 1,
      skipped: [{ reason: "damaged", count: 1, ids: [other[0]], detail: notNamed }],
    });
    expect(await verify()).toMatchObject({ damagedPacks: 1, damaged: [{ packId: 2, detail: notNamed }] });
  });

  test("of another day, or of the same set, is damage too", { timeout: 60_000 }, async () => {
    await reopenWith({ packProfiles: 10 });
    await pushMany(30);
    await pushMany(10, 86_400);
    opened.clock.nowNs = BASE_NS + 3n * DAY;
    await run("startPack");
    expect(await packFiles()).toHaveLength(4);
    const before = await samples(select('cpu{instance="i0"}'));
    for (const [from, to] of [
      [0, 3],
      [3, 0],
      [0, 1],
    ] as const) {
      const files = await packFiles();
      const kept = await readFile(files[to]!);
      await swap(from, to);
      expect(await summaryOf(select("cpu{}"))).toMatchObject({ matched: 40, merged: 30, skipped: [{ count: 10 }] });
      const check = await verify();
      expect(check).toMatchObject({ damagedPacks: 1, damaged: [{ packId: to + 1 }] });
      await writeFile(files[to]!, kept);
    }
    await opened.reopen();
    expect(await samples(select('cpu{instance="i0"}'))).toBe(before);
  });
});

describe("where what was sent is kept beside a damaged pack", () => {
  test.each([
    ["for good", "keep"],
    ["for a week", { keptNs: 7n * DAY }],
  ] as const)("%s, merges, rankings and downloads take that, and say so", { timeout: 60_000 }, async (_, originals) => {
    await reopenWith({}, { originals });
    const ids = await pushMany(20);
    await run("startPack");
    const before = await summaryOf(select("cpu{}"));
    const zone = await summaryOf(select('cpu{instance="i1"}'));
    expect(before).toMatchObject({ packs: 20, loose: 0 });
    const [path] = await packFiles();
    const bytes = await readFile(path!);
    // Directory, heads, tables, columns, orders: wherever it is, and whenever it is found.
    for (let at = 40; at < bytes.length; at += Math.ceil(bytes.length / 6)) {
      await writeFile(path!, bytes.with(at, bytes[at]! ^ 0xff));
      await opened.reopen();
      for (const strict of [false, true]) {
        const { warnings, packs, loose, ...after } = await summaryOf(select("cpu{}"), { strict });
        expect({ ...after, warnings: [] }).toEqual({ ...omit(before), warnings: [] });
        expect([20, 0]).toContain(packs);
        expect(loose).toBe(20 - packs);
        expect(warnings).toEqual(packs === 20 ? [] : [expect.stringMatching(/^20 read as they were sent: Pack 1: /)]);
      }
      expect(await samples(select('cpu{instance="i1"}'))).toBe(zone.sampleTypes[0]!.total);
      expect((await opened.repository.download(ids[3]!)).record.id).toBe(ids[3]);
      const ranked = await opened.repository.top({
        selection: select("cpu{}"),
        grouping: "function",
        order: "flat",
        signal: new AbortController().signal,
      });
      expect(ranked.summary).toMatchObject({ merged: 20, skipped: [] });
    }
    await unlink(path!);
    await opened.reopen();
    expect((await summaryOf(select("cpu{}"))).etag).toBe(before.etag);
  });

  test("what was deleted stays deleted, and late ones count once", async () => {
    await reopenWith({}, { originals: "keep" });
    const ids = await pushMany(20);
    await run("startPack");
    await opened.repository.delete(ids[0]!);
    await pushMany(5, 20);
    const before = await summaryOf(select("cpu{}"));
    const [path] = await packFiles();
    await unlink(path!);
    await opened.reopen();
    const after = await summaryOf(select("cpu{}"));
    expect(after).toMatchObject({ matched: 24, merged: 24, packs: 0, loose: 24, skipped: [], etag: before.etag });
  });
});

function omit({ packs, loose, ...rest }: Awaited<ReturnType<typeof summaryOf>>) {
  return rest;
}

test("what verification accepts, each download serves alone: heaps sorted by space", async () => {
  const raws = heapsBySpace(20, BASE_NS);
  const ids: string[] = [];
  for (const raw of raws) {
    const bytes = gzipSync(raw);
    const labels = [{ name: "instance", value: "i0" }];
    const outcome = await opened.repository.push({ service: "auth", type: "heap", labels, bytes });
    if (outcome.state === "stored") ids.push(outcome.record.id);
  }
  await run("startPack");
  expect(await verify()).toMatchObject({ packs: 1, profiles: 20, damagedPacks: 0 });
  for (const [nth, id] of ids.entries()) {
    expect(gunzipSync((await opened.repository.download(id)).bytes).equals(raws[nth]!)).toBe(true);
  }
  const interval = { startNs: BASE_NS + 5n * SECOND, endNs: BASE_NS + 6n * SECOND };
  const { bytes } = await merge({ ...select("heap{}"), interval }, { verbatimSingle: true });
  expect(gunzipSync(bytes).equals(raws[5]!)).toBe(true);
});
