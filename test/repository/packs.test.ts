// Packed profiles through the repository's face: everything reads as before, and the bytes as they were sent are gone.

import { createHash } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { DEFAULT_LIMITS } from "../../src/model/limits.ts";
import { EVERYTHING, parseSelector } from "../../src/model/selector.ts";
import { isGzip } from "../../src/pprof/gzip.ts";
import type { PackResult, PushRequest, Selection, VerifyResult } from "../../src/repository/repository.ts";
import { faultsOfMerges } from "../support/ledger.ts";
import { type OpenedRepository, openRepository } from "../support/open-repository.ts";
import { buildProfile, type ProfileSpec } from "../support/profile-builder.ts";
import { encodeGenerated, generateSet } from "../support/profile-generator.ts";

/** 2026-09-21T14:00Z. */
const BASE_NS = 1_789_999_200_000_000_000n;
const SECOND = 1_000_000_000n;
const DAY = 86_400n * SECOND;
let opened: OpenedRepository;

beforeEach(async () => {
  opened = await openRepository();
});
afterEach(() => opened[Symbol.asyncDispose]());

function cpuSpec(at: number, more: Partial<ProfileSpec> = {}): ProfileSpec {
  const samples = Array.from({ length: 1 + (at % 4) }, (_, nth) => ({
    stack: [`leaf${(at + nth) % 5}`, `middle${nth % 2}`, "main"],
    values: [at + 1, (at + 1) * 10],
  }));
  return { timeNs: BASE_NS + BigInt(at) * SECOND, durationNs: SECOND, samples, ...more };
}

async function push(at: number, request: Partial<PushRequest> = {}, spec: Partial<ProfileSpec> = {}) {
  const bytes = gzipSync(buildProfile(cpuSpec(at, spec)));
  const labels = [
    { name: "instance", value: `i${at % 3}` },
    { name: "zone", value: at % 2 ? "a" : "b" },
  ];
  const outcome = await opened.repository.push({ service: "auth", type: "cpu", labels, bytes, ...request });
  if (outcome.state !== "stored") throw new Error("not stored");
  return outcome.record;
}

async function pushMany(count: number, from = 0, request: Partial<PushRequest> = {}): Promise<string[]> {
  const records = await Promise.all(Array.from({ length: count }, (_, nth) => push(from + nth, request)));
  return records.map(({ id }) => id);
}

function merge(selection: Selection, more = {}) {
  return opened.repository.merge({ selection, signal: new AbortController().signal, ...more });
}

const select = (text: string): Selection => ({ selector: parseSelector(text, DEFAULT_LIMITS) });

async function packNow(): Promise<PackResult> {
  const { id } = opened.repository.startPack();
  const { result, error } = await opened.repository.operation(id, 60_000);
  if (error) throw new Error(error.message);
  return result as PackResult;
}

async function verify(): Promise<VerifyResult> {
  const { id } = opened.repository.startVerify();
  const { result, error } = await opened.repository.operation(id, 60_000);
  if (error) throw new Error(error.message);
  return result as VerifyResult;
}

/** What a merge says of its profiles: etags name the digest of the uncompressed bytes. */
async function sums(selections: readonly Selection[]) {
  const answers = [];
  for (const selection of selections) {
    const { bytes, summary } = await merge(selection);
    const { packs, loose, ...rest } = summary;
    expect(packs + loose).toBe(rest.merged);
    expect(rest.etag).toBe(`${createHash("sha256").update(gunzipSync(bytes)).digest("hex")}-m1`);
    answers.push(rest);
  }
  return answers;
}

const SELECTIONS = (ids: readonly string[]): Selection[] => [
  select('cpu{service="auth"}'),
  select('cpu{zone="a"}'),
  select('cpu{instance=~"i[12]"}'),
  select('cpu{instance!="i0",zone!="a"}'),
  { ...select("cpu{}"), interval: { startNs: BASE_NS + 7n * SECOND, endNs: BASE_NS + 31n * SECOND } },
  { selector: EVERYTHING, ids: ids.filter((_, at) => at % 5 === 0) },
  { ...select("cpu{}"), maxProfiles: 13 },
  { ...select("cpu{}"), maxProfiles: 13, strategy: "spread" },
  { ...select("cpu{}"), maxProfiles: 13, strategy: "most_cpu" },
];

describe("packed profiles", () => {
  test("merge by selector, window, ids and limits as they did loose, and mixed with loose ones", async () => {
    const ids = await pushMany(60);
    const selections = SELECTIONS(ids);
    const before = await sums(selections);
    expect(await packNow()).toMatchObject({ profiles: 60, packs: 1, refused: 0 });
    expect((await merge(selections[0]!)).summary).toMatchObject({ packs: 60, loose: 0 });
    expect(await sums(selections)).toEqual(before);

    ids.push(...(await pushMany(25, 60)));
    const mixed = await sums(SELECTIONS(ids));
    expect((await merge(selections[0]!)).summary).toMatchObject({ packs: 60, loose: 25 });
    expect(await packNow()).toMatchObject({ profiles: 25, packs: 1 });
    expect(await sums(SELECTIONS(ids))).toEqual(mixed);
    await opened.reopen();
    expect(await sums(SELECTIONS(ids))).toEqual(mixed);
    expect(await verify()).toMatchObject({ packs: 2, profiles: 85, damaged: [], damagedPacks: 0 });
  });

  test("are listed, read and downloaded with the same inflated bytes, and their segments are gone", async () => {
    const ids = await pushMany(30);
    const raw = buildProfile(cpuSpec(99));
    ids.push((await push(99, { bytes: raw })).id);
    // A field that nobody knows is kept as bytes; these are more than the pool that small buffers share.
    const unknown = Buffer.concat([
      buildProfile(cpuSpec(98)),
      Buffer.from([0xfa, 0x3f, 0x80, 0xa0, 0x06]),
      Buffer.alloc(102_400, 7),
    ]);
    ids.push((await push(98, { bytes: gzipSync(unknown) })).id);
    const download = async (id: string) => (await opened.repository.download(id)).bytes;
    const before = await Promise.all(ids.map(download));
    const page = () => opened.repository.list({ selector: EVERYTHING, order: "newest", limit: 100 });
    const listed = await page();
    await packNow();
    expect(await readdir(join(opened.folder, "segments"))).toEqual([]);
    const after = await Promise.all(ids.map(download));
    const inflated = (bytes: Uint8Array) => Buffer.from(isGzip(bytes) ? gunzipSync(bytes) : bytes);
    expect(after.map(inflated)).toEqual(before.map(inflated));
    const plain = ({ locator, packed, rebuilt, ...record }: Record<string, unknown>) => record;
    expect((await page()).records.map((record) => plain({ ...record }))).toEqual(
      listed.records.map((record) => plain({ ...record })),
    );
    expect((await opened.repository.get(ids[0]!)).rebuilt).toBe(true);
  });

  test("a single match is answered as its download is", async () => {
    const [id] = await pushMany(1);
    await packNow();
    const { bytes, summary } = await merge(select("cpu{}"), { verbatimSingle: true });
    expect(Buffer.compare(bytes, (await opened.repository.download(id!)).bytes)).toBe(0);
    expect(summary).toMatchObject({ matched: 1, merged: 1, packs: 1, loose: 0 });
  });

  test("deleted ones leave every answer at once; the set is written anew when a quarter is gone, and goes when all are", async () => {
    const ids = await pushMany(40);
    await packNow();
    const [first] = await readdir(join(opened.folder, "objects"));
    await opened.repository.delete(ids[0]!);
    await expect(opened.repository.download(ids[0]!)).rejects.toMatchObject({ kind: "not-found" });
    expect((await merge(select("cpu{}"))).summary).toMatchObject({ matched: 39, merged: 39, packs: 39 });
    await packNow();
    expect(await readdir(join(opened.folder, "objects"))).toEqual([first]);
    for (const id of ids.slice(1, 10)) await opened.repository.delete(id);
    const before = await sums([select("cpu{}"), select('cpu{zone="a"}')]);
    await packNow();
    const [second, ...others] = await readdir(join(opened.folder, "objects"));
    expect([second === first, others]).toEqual([false, []]);
    expect(await sums([select("cpu{}"), select('cpu{zone="a"}')])).toEqual(before);
    for (const id of ids.slice(10)) await opened.repository.delete(id);
    await expect(merge(select("cpu{}"))).rejects.toMatchObject({ kind: "not-found" });
    await packNow();
    expect(await readdir(join(opened.folder, "objects"))).toEqual([]);
  });

  test("one sent again after its deletion is new, and loose", async () => {
    await pushMany(5);
    const { id } = await push(2);
    await packNow();
    await opened.repository.delete(id);
    expect((await push(2)).id).toBe(id);
    expect((await merge(select("cpu{}"))).summary).toMatchObject({ merged: 5, packs: 4, loose: 1 });
    await packNow();
    expect((await merge(select("cpu{}"))).summary).toMatchObject({ merged: 5, packs: 5, loose: 0 });
    expect(gunzipSync((await opened.repository.download(id)).bytes)).toEqual(Buffer.from(buildProfile(cpuSpec(2))));
  });

  test("of other columns are chosen or skipped by the newest, as loose ones are", async () => {
    const heap: Partial<ProfileSpec> = {
      sampleTypes: [["inuse_space", "bytes"]],
      samples: [{ stack: ["main"], values: [7] }],
    };
    await pushMany(4);
    await push(50, { labels: [] }, heap);
    await push(2, { labels: [] }, heap);
    const before = await sums([
      select("cpu{}"),
      { ...select("cpu{}"), interval: { startNs: 0n, endNs: BASE_NS + 4n * SECOND } },
    ]);
    expect(before[0]).toMatchObject({ merged: 2, skipped: [{ reason: "shape", count: 4 }] });
    await packNow();
    const after = await sums([
      select("cpu{}"),
      { ...select("cpu{}"), interval: { startNs: 0n, endNs: BASE_NS + 4n * SECOND } },
    ]);
    const plain = (all: typeof before) =>
      all.map(({ skipped, warnings, ...rest }) => ({
        ...rest,
        skipped: skipped.map(({ reason, count }) => [reason, count]),
      }));
    expect(plain(after)).toEqual(plain(before));
  });

  test("generated sets of every awkwardness, packed over two days and joined, sum and download as before", {
    timeout: 120_000,
  }, async () => {
    const digests = new Map<string, string>();
    for (let seed = 1; seed <= 40; seed++) {
      for (const [nth, profile] of generateSet(seed).entries()) {
        const bytes = encodeGenerated(profile);
        const outcome = await opened.repository
          .push({
            service: `s${seed}`,
            type: "cpu",
            labels: [{ name: "nth", value: `${nth}` }],
            bytes: nth % 2 ? bytes : gzipSync(bytes),
            clientTimeNs: BASE_NS + BigInt(seed * 3 + nth) * 3600n * SECOND,
          })
          .catch(() => undefined);
        if (outcome?.state === "stored")
          digests.set(outcome.record.id, createHash("sha256").update(bytes).digest("hex"));
      }
    }
    const services = Array.from({ length: 40 }, (_, at) => select(`cpu{service="s${at + 1}"}`));
    const all = async () => {
      const answers = [];
      for (const selection of services) {
        answers.push(
          await merge(selection).then(
            ({ summary }) => [summary.etag, summary.merged, summary.covered, summary.sampleTypes],
            (error) => error.kind,
          ),
        );
      }
      return answers;
    };
    const before = await all();
    opened.clock.nowNs = BASE_NS + 400n * 86_400n * SECOND;
    const result = await packNow();
    expect(result.profiles + result.refused).toBe(digests.size);
    expect([digests.size > 100, result.refused]).toEqual([true, 0]);
    expect(await all()).toEqual(before);
    for (const [id, digest] of digests) {
      const { bytes } = await opened.repository.download(id);
      expect(
        createHash("sha256")
          .update(isGzip(bytes) ? gunzipSync(bytes) : bytes)
          .digest("hex"),
      ).toBe(digest);
    }
    expect((await verify()).damagedPacks).toBe(0);
  });

  test("a damaged pack is left out of a merge, counted and named; strict fails; verify and download say what is wrong", async () => {
    const ids = await pushMany(20);
    await pushMany(10, 100, { service: "other" });
    await packNow();
    const objects = join(opened.folder, "objects");
    const sizes = await Promise.all(
      (await readdir(objects)).map(async (file) => [file, await readFile(join(objects, file))] as const),
    );
    const [file, bytes] = sizes.find(([, content]) => content.includes("auth"))!;
    const damage = async (at: number) => {
      const damaged = Uint8Array.from(bytes);
      damaged[at]! ^= 0xff;
      await writeFile(join(objects, file), damaged);
      await opened.reopen();
    };
    for (const at of [bytes.length - 1, Math.floor(bytes.length / 2), 40]) {
      await damage(at);
      const check = await verify();
      expect(check).toMatchObject({ packs: 2, damagedPacks: 1, damaged: [{ detail: expect.stringMatching(/pack/i) }] });
    }
    expect((await merge(select("cpu{}"))).summary).toMatchObject({
      matched: 30,
      merged: 10,
      skipped: [{ reason: "damaged", count: 20 }],
    });
    await expect(merge(select("cpu{}"), { strict: true })).rejects.toMatchObject({ kind: "unavailable" });
    await expect(merge(select('cpu{service="auth"}'))).rejects.toMatchObject({ kind: "unavailable" });
    const download = opened.repository.download(ids[0]!);
    await expect(download).rejects.toMatchObject({
      kind: "unavailable",
      message: expect.stringContaining("directory"),
    });
    await writeFile(join(objects, file), bytes);
    await opened.reopen();
    expect((await merge(select("cpu{}"))).summary).toMatchObject({ merged: 30, skipped: [] });
  });

  test("an answer is kept for as long as its profiles are the same", async () => {
    await pushMany(20);
    await packNow();
    const first = await merge(select("cpu{}"));
    expect((await merge(select("cpu{}"))).bytes).toBe(first.bytes);
    await push(3, { service: "other", type: "heap" });
    expect((await merge(select("cpu{}"))).bytes).toBe(first.bytes);
    expect((await merge(select('cpu{zone="a"}'))).bytes).not.toBe(first.bytes);
    const { id } = await push(30);
    const second = await merge(select("cpu{}"));
    expect(second.summary.merged).toBe(21);
    await opened.repository.delete(id);
    expect((await merge(select("cpu{}"))).summary).toMatchObject({ merged: 20, etag: first.summary.etag });
  });
});

describe("what was sent", () => {
  const segments = async () => (await opened.catalog.segments()).reduce((sum, { live }) => sum + live, 0);

  test("is kept beside the packs where that is asked for, and merges take the packs", async () => {
    await opened[Symbol.asyncDispose]();
    opened = await openRepository({}, { originals: "keep" });
    const [id] = await pushMany(10);
    const before = (await opened.repository.download(id!)).bytes;
    await packNow();
    expect(await segments()).toBe(10);
    expect(Buffer.compare((await opened.repository.download(id!)).bytes, before)).toBe(0);
    expect((await merge(select("cpu{}"))).summary).toMatchObject({ packs: 10, loose: 0 });
  });

  test("goes so long after its receipt as is asked for", async () => {
    await opened[Symbol.asyncDispose]();
    opened = await openRepository({}, { originals: { keptNs: 7n * DAY } });
    await pushMany(10);
    await packNow();
    expect(await segments()).toBe(10);
    opened.clock.nowNs += 8n * DAY;
    await push(50);
    await packNow();
    expect(await segments()).toBe(1);
    expect((await merge(select("cpu{}"))).summary.merged).toBe(11);
  });

  test("goes when the policy changes from keep, to a duration or to until-packed, also what was packed before", async () => {
    await opened[Symbol.asyncDispose]();
    opened = await openRepository({}, { originals: "keep" });
    await pushMany(10);
    await packNow();
    await pushMany(4, 20);
    await opened.reopen({ keptNs: 7n * DAY });
    await packNow();
    expect(await segments()).toBe(14);
    opened.clock.nowNs += 8n * DAY;
    await pushMany(3, 40);
    await packNow();
    expect(await segments()).toBe(3);
    await opened.reopen("keep");
    await packNow();
    expect(await segments()).toBe(3);
    await opened.reopen("until-packed");
    await packNow();
    expect(await segments()).toBe(0);
    expect((await merge(select("cpu{}"))).summary.merged).toBe(17);
    expect(await verify()).toMatchObject({ damagedPacks: 0, profiles: 17 });
  });
});

test("a server packs by itself what has closed, in hours and then in days, and late arrivals join", async () => {
  await opened[Symbol.asyncDispose]();
  opened = await openRepository({ packPassMs: 1, packHourProfiles: 5, packSharePercent: 100 });
  const sets = async () =>
    (await opened.catalog.packSets({})).map(({ level, packs }) => [
      level,
      packs.reduce((sum, { profiles }) => sum + profiles, 0),
    ]);
  const until = async (expected: unknown) => vi.waitFor(async () => expect(await sets()).toEqual(expected), 20_000);
  opened.clock.nowNs = BASE_NS + 600n * SECOND;
  await pushMany(10);
  opened.clock.nowNs = BASE_NS + 3600n * SECOND + 601n * SECOND;
  await until([["hour", 10]]);
  await pushMany(3, 20);
  await pushMany(1, 3700);
  opened.clock.nowNs = BASE_NS + 2n * DAY;
  await until([["day", 14]]);
  await pushMany(6, 30);
  opened.clock.nowNs += DAY;
  await until([["day", 20]]);
  expect((await merge(select("cpu{}"))).summary).toMatchObject({ merged: 20, packs: 20 });
  // A set is in every answer a moment before its rows are all marked, and it is told of.
  await vi.waitFor(() => expect(opened.events.filter(({ kind }) => kind === "packed")).toHaveLength(3), 20_000);
});

test("a ledger of fills, packs, late uploads, deletions and repeats agrees with every merge", {
  timeout: 120_000,
}, async () => {
  const { repository, clock } = opened;
  const services = ["auth", "cart"];
  const agrees = async () => expect(await faultsOfMerges(repository, services)).toEqual([]);
  clock.nowNs = BASE_NS + 7200n * SECOND;
  for (const service of services) await pushMany(30, 0, { service });
  await agrees();
  await packNow();
  await agrees();
  const late = await pushMany(8, 40);
  await agrees();
  const selection = select('cpu{service="auth",zone="a"}');
  const preview = await repository.previewDelete(selection);
  expect(await repository.deleteSelection(selection, preview.etag)).toBe(preview.count);
  await agrees();
  await packNow();
  await agrees();
  await repository.delete(late[0]!);
  await push(40);
  await push(1);
  await agrees();
  clock.nowNs = BASE_NS + 3n * DAY;
  await packNow();
  await agrees();
  const everything = select('cpu{service="cart"}');
  await repository.deleteSelection(everything, (await repository.previewDelete(everything)).etag);
  await pushMany(4, 2, { service: "cart" });
  await agrees();
  await packNow();
  await opened.reopen();
  await expect(faultsOfMerges(opened.repository, services)).resolves.toEqual([]);
  expect(await verify()).toMatchObject({ damagedPacks: 0 });
});
