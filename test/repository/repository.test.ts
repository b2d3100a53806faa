// The use cases of profiles over the real drivers: what was pushed is found, downloaded, merged and deleted, also after a restart.

import { readFile, writeFile } from "node:fs/promises";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DomainError } from "../../src/model/errors.ts";
import { DEFAULT_LIMITS } from "../../src/model/limits.ts";
import { EVERYTHING, parseSelector, selectorOf } from "../../src/model/selector.ts";
import { decodeProfile } from "../../src/pprof/decode.ts";
import type { MergeRequest, PushRequest, Selection } from "../../src/repository/repository.ts";
import { segmentPath } from "../../src/storage/disk/segment-format.ts";
import { normalForm } from "../support/normal-form.ts";
import { type OpenedRepository, openRepository } from "../support/open-repository.ts";
import { buildGzip, buildProfile, type ProfileSpec } from "../support/profile-builder.ts";

const BASE_NS = 1_789_000_000_000_000_000n;
const SECOND = 1_000_000_000n;
let opened: OpenedRepository;

beforeEach(async () => {
  opened = await openRepository();
});
afterEach(() => opened[Symbol.asyncDispose]());

function cpuSpec(at: number, more: Partial<ProfileSpec> = {}): ProfileSpec {
  const samples = [{ stack: [`leaf${at % 3}`, "main"], values: [at + 1, (at + 1) * 10] }];
  return { timeNs: BASE_NS + BigInt(at) * SECOND, durationNs: SECOND, samples, ...more };
}

/** A profile whose sample type is the one byte FF. */
function withoutUtf8(): Uint8Array {
  const bytes = Buffer.from(
    buildProfile(
      cpuSpec(0, {
        sampleTypes: [
          ["!", "count"],
          ["cpu", "nanoseconds"],
        ],
      }),
    ),
  );
  bytes[bytes.indexOf("!")] = 0xff;
  return bytes;
}

/** Empty members that claim 256 MiB each. */
function memberFlood(): Uint8Array {
  return Buffer.concat([...Array.from({ length: 5_000 }, () => gzipSync("")), Buffer.from("ffffff0f", "hex")]);
}

function push(at: number, request: Partial<PushRequest> = {}, spec: Partial<ProfileSpec> = {}) {
  const bytes = buildGzip(cpuSpec(at, spec));
  return opened.repository.push({ service: "auth", type: "cpu", labels: [], bytes, ...request });
}

async function stored(outcome: ReturnType<typeof push>) {
  const answer = await outcome;
  if (answer.state !== "stored") throw new Error("not stored");
  return answer;
}

/** Flips a byte of a profile where it lies. */
async function damage(id: string): Promise<void> {
  const [found] = await opened.catalog.get([id]);
  const { segmentId, offset } = found!.locator;
  const path = segmentPath(opened.folder, segmentId);
  const file = await readFile(path);
  file[offset + 40]! ^= 0xff;
  await writeFile(path, file);
}

function merge(selection: Partial<Selection> = {}, more: Partial<MergeRequest> = {}) {
  const signal = new AbortController().signal;
  return opened.repository.merge({ selection: { selector: EVERYTHING, ...selection }, signal, ...more });
}

describe("push", () => {
  test("an acknowledged profile is listed and downloads byte for byte, also after a restart", async () => {
    const bytes = buildGzip(cpuSpec(0));
    const { record } = await stored(push(0, { bytes, labels: [{ name: "host", value: "a" }] }));
    for (const _ of ["before", "after a restart"]) {
      expect(Buffer.compare((await opened.repository.download(record.id)).bytes, bytes)).toBe(0);
      const page = await opened.repository.list({ selector: EVERYTHING, order: "newest", limit: 10 });
      expect(page.records).toMatchObject([
        {
          id: record.id,
          service: "auth",
          type: "cpu",
          labels: [{ name: "host", value: "a" }],
          timeNs: BASE_NS,
          totals: [1n, 10n],
        },
      ]);
      await opened.reopen();
    }
  });

  test("the same profile raw and gzipped, sent again and again at once, is one profile", async () => {
    const gzipped = buildGzip(cpuSpec(0));
    const raw = gunzipSync(gzipped);
    const bodies = [gzipped, raw, gzipSync(raw, { level: 1 }), gzipped, raw];
    const outcomes = await Promise.all(bodies.map((bytes) => stored(push(0, { bytes }))));
    expect(new Set(outcomes.map(({ record }) => record.id)).size).toBe(1);
    expect(outcomes.filter(({ alreadyExisted }) => !alreadyExisted)).toHaveLength(1);
  });

  test("labels differ, so do ids; their order does not matter", async () => {
    const labels = [
      { name: "b", value: "2" },
      { name: "a", value: "1" },
    ];
    const first = await stored(push(0, { labels }));
    const second = await stored(push(0, { labels: labels.toReversed() }));
    const third = await stored(push(0));
    expect(second.record.id).toBe(first.record.id);
    expect(third.record.id).not.toBe(first.record.id);
  });

  test("a time that cannot be believed is replaced by that of receipt and kept as the claim", async () => {
    const claimed = 5n;
    const { record, warnings } = await stored(push(0, {}, { timeNs: claimed }));
    expect(record).toMatchObject({ timeNs: opened.clock.nowNs, timeSource: "receipt", claimedTimeNs: claimed });
    expect(warnings.join()).toContain("1970-01-01T00:00:00.000000005Z");
  });

  test("the client's time counts only where the profile has none", async () => {
    const clientTimeNs = BASE_NS + 77n;
    const own = await stored(push(0, { clientTimeNs }));
    const none = await stored(push(1, { clientTimeNs }, { timeNs: 0n }));
    expect(own.record).toMatchObject({ timeNs: BASE_NS, timeSource: "profile" });
    expect(none.record).toMatchObject({ timeNs: clientTimeNs, timeSource: "client" });
  });

  test("a profile without samples is empty and not stored; a trace is stored as it is", async () => {
    expect(await push(0, {}, { samples: [] })).toEqual({ state: "empty" });
    const bytes = new TextEncoder().encode("go 1.26 trace, of any content");
    const { record } = await stored(push(0, { type: "trace", bytes }));
    expect(record.shape).toBeUndefined();
    expect(Buffer.compare((await opened.repository.download(record.id)).bytes, bytes)).toBe(0);
    expect((await opened.repository.list({ selector: EVERYTHING, order: "newest", limit: 10 })).records).toHaveLength(
      1,
    );
  });

  test.each([
    ["no profile", { bytes: new TextEncoder().encode("hello") }, "invalid", ""],
    ["an empty body", { bytes: new Uint8Array(0) }, "invalid", "empty"],
    ["truncated gzip", { bytes: buildGzip(cpuSpec(0)).subarray(0, 40) }, "invalid", ""],
    ["a sample type that is not UTF-8", { bytes: withoutUtf8() }, "invalid", "UTF-8"],
    ["more gzip members than any writer makes", { bytes: memberFlood() }, "too-large", "1000 gzip members"],
    ["a service without a name", { service: "" }, "invalid", "service"],
    ["a service with a control character", { service: "a\nb" }, "invalid", "control"],
    ["a service of 513 bytes", { service: "a".repeat(513) }, "invalid", "512"],
    ["a type that is no word", { type: "c p u" }, "invalid", "type"],
    ["a label of 1 MB", { labels: [{ name: "a", value: "x".repeat(1e6) }] }, "invalid", "4096"],
    [
      "10 000 labels",
      { labels: Array.from({ length: 1e4 }, (_, at) => ({ name: `n${at}`, value: "" })) },
      "invalid",
      "64",
    ],
    ["a lone surrogate in a label", { labels: [{ name: "a", value: "\ud800" }] }, "invalid", "UTF-8"],
    ["a bomb of 1 GiB of zeros", { bytes: gzipSync(Buffer.alloc(1 << 30), { level: 1 }) }, "too-large", "268435456"],
  ])("refuses %s, clearly and without effect", async (_, request, kind, named) => {
    await expect(push(0, request as Partial<PushRequest>)).rejects.toMatchObject({
      kind,
      message: expect.stringContaining(named),
    });
    expect((await opened.repository.list({ selector: EVERYTHING, order: "newest", limit: 10 })).records).toEqual([]);
    await expect(push(0)).resolves.toMatchObject({ state: "stored" });
  });

  test("a path is a legal service name and never becomes a path", async () => {
    await push(0, { service: "../../etc/passwd" });
    expect(await opened.repository.services({ selector: EVERYTHING, prefix: "", limit: 10 })).toMatchObject([
      { name: "../../etc/passwd" },
    ]);
  });
});

describe("a request id", () => {
  test("recognises a retry, and refuses another profile under the same id", async () => {
    const first = await stored(push(0, { requestId: "r1" }));
    expect(await stored(push(0, { requestId: "r1" }))).toMatchObject({
      alreadyExisted: true,
      record: { id: first.record.id },
    });
    for (const other of [push(1, { requestId: "r1" }), push(0, { requestId: "r1", service: "other" })]) {
      await expect(other).rejects.toMatchObject({
        kind: "conflict",
        message: expect.stringContaining(first.record.id),
      });
    }
    expect((await opened.catalog.statistics()).profiles).toBe(1);
  });
});

describe("list", () => {
  test("pages in both orders repeat nothing and miss nothing while new profiles arrive", async () => {
    for (let at = 0; at < 25; at++) await push(at);
    for (const order of ["newest", "oldest"] as const) {
      const seen: bigint[] = [];
      let afterId: string | undefined;
      do {
        const page = await opened.repository.list({
          selector: selectorOf("auth", "cpu"),
          order,
          limit: 4,
          ...(afterId && { afterId }),
        });
        seen.push(...page.records.map(({ timeNs }) => (timeNs - BASE_NS) / SECOND));
        afterId = page.nextAfterId;
        // Behind the cursor in one order, before it in the other: either way nothing known is repeated.
        await push(100 + seen.length);
      } while (afterId && seen.length < 60);
      expect(new Set(seen).size).toBe(seen.length);
      expect(seen.filter((at) => at < 25n).toSorted((a, b) => Number(a - b))).toEqual(
        Array.from({ length: 25 }, (_, at) => BigInt(at)),
      );
    }
  });

  test("refuses pages of no or too many profiles", async () => {
    for (const limit of [0, -1, 1.5, 1001]) {
      await expect(opened.repository.list({ selector: EVERYTHING, order: "newest", limit })).rejects.toMatchObject({
        kind: "invalid",
      });
    }
  });
});

describe("merge", () => {
  test("sums what the selector and the window choose, and says what it did", async () => {
    for (let at = 0; at < 10; at++) await push(at, { labels: [{ name: "version", value: at % 2 ? "1.1" : "1.0" }] });
    const selector = parseSelector('cpu{service="auth",version=~"1[.]1"}', DEFAULT_LIMITS);
    const interval = { startNs: BASE_NS + 2n * SECOND, endNs: BASE_NS + 9n * SECOND };
    const { bytes, summary } = await merge({ selector, interval });
    // 3, 5 and 7: values at + 1
    expect(summary).toMatchObject({
      matched: 3,
      merged: 3,
      loose: 3,
      packs: 0,
      interval,
      covered: { startNs: BASE_NS + 3n * SECOND, endNs: BASE_NS + 7n * SECOND + 1n },
      sampleTypes: [
        { type: "samples", unit: "count", total: 18n, aggregation: "delta" },
        { type: "cpu", unit: "nanoseconds", total: 180n, aggregation: "delta" },
      ],
      warnings: [],
    });
    expect(normalForm(gunzipSync(bytes)).text).toContain("leaf");
  });

  test("gives the same bytes and etag whatever the order of upload and the number of chunks", async () => {
    const order = Array.from({ length: 300 }, (_, at) => at);
    await Promise.all(order.map((at) => push(at)));
    const first = await merge();
    await using other = await openRepository();
    const mine = opened;
    opened = other;
    for (const at of order.toReversed()) void push(at);
    await push(299);
    opened = mine;
    while ((await other.catalog.statistics()).profiles < 300) await new Promise(setImmediate);
    const second = await other.repository.merge({
      selection: { selector: EVERYTHING },
      signal: new AbortController().signal,
    });
    expect(second.summary.etag).toBe(first.summary.etag);
    expect(Buffer.compare(gunzipSync(second.bytes), gunzipSync(first.bytes))).toBe(0);
  });

  test("keeps the one column that a profile-type id names, also of a single match", async () => {
    const sampleTypes: [string, string][] = [
      ["inuse_objects", "count"],
      ["inuse_space", "bytes"],
    ];
    const periodType: [string, string] = ["space", "bytes"];
    const samples = [{ stack: ["f"], values: [3, 100] }];
    const selector = parseSelector("memory:inuse_space:bytes:space:bytes", DEFAULT_LIMITS);
    for (let at = 0; at < 2; at++) {
      await push(at, { type: "heap" }, { sampleTypes, periodType, samples });
      const { summary } = await merge({ selector }, { verbatimSingle: true });
      expect(summary.sampleTypes).toMatchObject([{ type: "inuse_space", unit: "bytes", total: BigInt(at + 1) * 100n }]);
    }
  });

  test("warns of sums of snapshots", async () => {
    const sampleTypes: [string, string][] = [["inuse_space", "bytes"]];
    for (let at = 0; at < 2; at++)
      await push(at, { type: "heap" }, { sampleTypes, samples: [{ stack: ["f"], values: [100] }] });
    const { summary } = await merge();
    expect(summary.warnings.join()).toContain("inuse_space/bytes is gauge");
  });

  test("stores what the numbers of each column are", async () => {
    const sampleTypes: [string, string][] = [
      ["alloc_space", "bytes"],
      ["inuse_space", "bytes"],
      ["x", "count"],
    ];
    const { record } = await stored(
      push(0, { type: "heap" }, { sampleTypes, samples: [{ stack: ["f"], values: [1, 2, 3] }] }),
    );
    const [found] = await opened.catalog.get([record.id]);
    expect(found!.shape!.columns.map(({ aggregation }) => aggregation)).toEqual(["cumulative", "gauge", undefined]);
    const columns = [{ type: "inuse_space", unit: "bytes" }];
    const { summary } = await merge({}, { columns });
    expect(summary.sampleTypes).toEqual([{ ...columns[0], total: 2n, aggregation: "gauge" }]);
  });

  test("skips, counts and names a damaged profile; strict fails instead", async () => {
    const { record } = await stored(push(0));
    await push(1);
    await push(2);
    await damage(record.id);
    const { summary } = await merge();
    expect(summary).toMatchObject({
      matched: 3,
      merged: 2,
      loose: 2,
      covered: { startNs: BASE_NS + SECOND, endNs: BASE_NS + 2n * SECOND + 1n },
      skipped: [{ reason: "damaged", count: 1, ids: [record.id] }],
    });
    await expect(merge({}, { strict: true })).rejects.toMatchObject({
      kind: "unavailable",
      message: expect.stringContaining(record.id),
    });
    await expect(opened.repository.download(record.id)).rejects.toMatchObject({ kind: "unavailable" });
  });

  test("says which profile is damaged where none can be read", async () => {
    const { record } = await stored(push(0));
    await damage(record.id);
    for (const strict of [false, true]) {
      const merging = merge({ selector: selectorOf("auth", "cpu") }, { strict });
      await expect(merging).rejects.toMatchObject({ kind: "unavailable", message: expect.stringContaining("segment") });
    }
  });

  test("makes room for its answer before it reads a single match, and keeps its turn while a sum waits for room", async () => {
    const bytes = buildGzip(cpuSpec(0));
    const { record } = await stored(push(0, { bytes }));
    await damage(record.id);
    const asked: number[] = [];
    const noRoom = async (answerBytes: number) => {
      asked.push(answerBytes);
      throw new DomainError("exhausted", "no room");
    };
    // Damaged: had it been read, that would be said.
    await expect(merge({}, { verbatimSingle: true, reserve: noRoom })).rejects.toThrow("no room");
    expect(asked).toEqual([bytes.length]);
    await push(1);
    await expect(merge({}, { reserve: noRoom })).rejects.toThrow("no room");
    const { bytes: sum } = await merge();
    expect(asked).toEqual([bytes.length, sum.length]);
  });

  test("answers a single match as it was sent where that is asked for", async () => {
    const bytes = buildGzip(cpuSpec(0));
    await push(0, { bytes });
    expect(Buffer.compare((await merge({}, { verbatimSingle: true })).bytes, bytes)).toBe(0);
    expect(Buffer.compare((await merge()).bytes, bytes)).not.toBe(0);
  });

  test("folds legacy text formats through their conversion and downloads them as sent", async () => {
    const bytes = await readFile(new URL("../testdata/recorded/go-goroutine-debug1.txt", import.meta.url));
    const first = await stored(push(0, { type: "goroutine", bytes, labels: [{ name: "n", value: "1" }] }));
    await stored(push(0, { type: "goroutine", bytes, labels: [{ name: "n", value: "2" }] }));
    const { summary } = await merge({ selector: selectorOf("auth", "goroutine") });
    expect(summary.merged).toBe(2);
    expect(summary.sampleTypes[0]!.total).toBe(2n * first.record.totals[0]!);
    expect(Buffer.compare((await opened.repository.download(first.record.id)).bytes, bytes)).toBe(0);
  });

  test("is refused with the numbers where the result or the inputs pass a limit, and nothing is left behind", async () => {
    for (let at = 0; at < 5; at++) await push(at);
    await expect(merge({}, { maxResultBytes: 10 })).rejects.toMatchObject({ kind: "too-large", subject: "result" });
    await expect(merge()).resolves.toMatchObject({ summary: { merged: 5 } });
  });

  test("is answered with few nodes where the whole of it would be too large, and the refusal tells how large that is", async () => {
    // A recursion of 3000 frames, all of one size, beside 300 stacks that are smaller.
    const deep = Array.from({ length: 3000 }, (_, depth) => `recursion${depth}`);
    await push(0, {}, { samples: [{ stack: [...deep, "main"], values: [9, 90] }] });
    const small = (nth: number) => ({ stack: [`leaf${nth}`, "main"], values: [1, 10] });
    await push(1, {}, { samples: Array.from({ length: 300 }, (_, nth) => small(nth)) });
    const limit = { maxResultBytes: 20_000 };
    await expect(merge({}, limit)).rejects.toMatchObject({
      kind: "too-large",
      message: expect.stringMatching(/a merged profile of \d{6} bytes: at most 20000 are allowed.*max_nodes/),
    });
    const { bytes, summary } = await merge({}, { ...limit, maxNodes: 100 });
    expect(summary.warnings.join()).toContain("the 100 largest of 3301 nodes");
    expect(summary.sampleTypes.map(({ total }) => total)).toEqual([309n, 3090n]);
    const { samples, locations } = decodeProfile(gunzipSync(bytes));
    expect([samples.length, locations.length]).toEqual([2, 101]);
    expect(samples.map(({ locationIds, values }) => [locationIds.length, values[0]])).toEqual(
      expect.arrayContaining([
        [2, 300n],
        [101, 9n],
      ]),
    );
  });

  test("ends at once for a caller that left, and the next merge is served", async () => {
    for (let at = 0; at < 200; at++) void push(at);
    await push(200);
    const leaver = new AbortController();
    const left = merge({}, { signal: leaver.signal });
    leaver.abort();
    await expect(left).rejects.toMatchObject({ kind: "cancelled" });
    expect((await merge()).summary.skipped).toEqual([]);
  });
});

describe("delete", () => {
  test("takes a profile out of every answer, and a second time there is nothing to delete", async () => {
    const { record } = await stored(push(0));
    await opened.repository.delete(record.id);
    await expect(opened.repository.get(record.id)).rejects.toMatchObject({ kind: "not-found" });
    await expect(opened.repository.download(record.id)).rejects.toMatchObject({ kind: "not-found" });
    await expect(opened.repository.delete(record.id)).rejects.toMatchObject({ kind: "not-found" });
    await expect(merge()).rejects.toMatchObject({ kind: "not-found" });
  });

  test("by selection deletes what was previewed and nothing that came later", async () => {
    for (let at = 0; at < 600; at++) void push(at);
    await push(600);
    while ((await opened.catalog.statistics()).profiles < 601) await new Promise(setImmediate);
    const selection = { selector: selectorOf("auth", "cpu") };
    const preview = await opened.repository.previewDelete(selection);
    expect(preview.count).toBe(601);
    await push(1000);
    expect(await opened.repository.deleteSelection(selection, preview.etag)).toBe(601);
    const { records } = await opened.repository.list({ selector: EVERYTHING, order: "newest", limit: 10 });
    expect(records.map(({ timeNs }) => timeNs)).toEqual([BASE_NS + 1000n * SECOND]);
  });

  test("refuses an etag of another selection, and one that was made up", async () => {
    await push(0);
    const { etag } = await opened.repository.previewDelete({ selector: selectorOf("auth") });
    for (const wrong of [etag, "9-AAAAAAAAAAAAAAAAAAAAAA", ""]) {
      await expect(opened.repository.deleteSelection({ selector: selectorOf("other") }, wrong)).rejects.toMatchObject({
        kind: "stale",
      });
    }
    expect((await opened.catalog.statistics()).profiles).toBe(1);
  });

  test("of what is being merged leaves the merge whole: its segments are unlinked after it", async () => {
    // Small segments, so that nearly all of them are sealed and can be freed at once.
    await using small = await openRepository({ segmentBytes: 1_000, commitRows: 8 });
    const { repository, blobs } = small;
    const samples = [{ stack: ["f"], values: [1, 1] }];
    const bodies = Array.from({ length: 300 }, (_, at) => buildGzip(cpuSpec(at, { samples })));
    await Promise.all(bodies.map((bytes) => repository.push({ service: "auth", type: "cpu", labels: [], bytes })));
    const before = (await blobs.segments()).length;
    expect(before).toBeGreaterThan(5);

    // The merge is held where it has its inputs and none of their bytes.
    const planned = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    const coverage = small.catalog.coverage.bind(small.catalog);
    small.catalog.coverage = async (query) => {
      const covered = await coverage(query);
      planned.resolve();
      await go.promise;
      return covered;
    };
    const signal = new AbortController().signal;
    const merging = repository.merge({ selection: { selector: EVERYTHING }, signal });
    await planned.promise;

    const preview = await repository.previewDelete({ selector: EVERYTHING });
    expect(await repository.deleteSelection({ selector: EVERYTHING }, preview.etag)).toBe(300);
    // Turns enough for a sweep that does not wait for the merge to unlink them all.
    for (let turn = 0; turn < 30; turn++) {
      await small.catalog.statistics();
      expect((await blobs.segments()).length).toBe(before);
    }
    go.resolve();
    const { summary } = await merging;
    expect(summary).toMatchObject({ matched: 300, merged: 300, skipped: [] });
    expect(summary.sampleTypes[0]!.total).toBe(300n);
    while ((await blobs.segments()).length > 1) await new Promise(setImmediate);
  });

  test("frees space below the reserve too, where uploads are refused: survivors are copied out of mostly dead segments", async () => {
    await using full = await openRepository({ segmentBytes: 20_000, commitRows: 4 });
    const { repository, blobs, space } = full;
    const pushTrace = (at: number) =>
      repository.push({ service: "s", type: "trace", labels: [], bytes: Buffer.alloc(5_000, `trace ${at}`) });
    const ids: string[] = [];
    for (let at = 0; at < 40; at++) {
      const outcome = await pushTrace(at);
      if (outcome.state === "stored") ids.push(outcome.record.id);
    }
    const before = (await blobs.segments()).length;
    expect(before).toBeGreaterThanOrEqual(8);
    space.freeBytes = 1_000_000;
    await expect(pushTrace(40)).rejects.toMatchObject({ subject: "disk-full" });
    for (const [at, id] of ids.entries()) if (at % 4 > 0) await repository.delete(id);
    while ((await blobs.segments()).length > before / 2) await new Promise(setImmediate);
    space.freeBytes = space.totalBytes;
    expect(await pushTrace(40)).toMatchObject({ state: "stored" });
    expect(
      Buffer.from((await repository.download(ids[0]!)).bytes)
        .toString()
        .slice(0, 7),
    ).toBe("trace 0");
  });

  test("a profile sent again after its deletion is there again", async () => {
    const first = await stored(push(0));
    await opened.repository.delete(first.record.id);
    const again = await stored(push(0));
    expect(again).toMatchObject({ alreadyExisted: false, record: { id: first.record.id } });
    expect((await opened.repository.get(first.record.id)).seq).toBeGreaterThan(first.record.seq);
  });
});
