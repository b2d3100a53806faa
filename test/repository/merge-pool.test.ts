// Merges over threads: cancelling, limits, lost threads, fairness. What a merge means is proven elsewhere.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DEFAULT_LIMITS, type Limits } from "../../src/model/limits.ts";
import { MergePool } from "../../src/repository/merge-pool.ts";
import type { BlobSource } from "../../src/storage/blob-store.ts";
import type { MergeInput } from "../../src/storage/catalog.ts";
import { openDiskBlobs } from "../../src/storage/disk/blobs.ts";
import { buildGzip } from "../support/profile-builder.ts";

const COLUMNS = [
  { type: "samples", unit: "count" },
  { type: "cpu", unit: "nanoseconds" },
];
const PROFILES = 640;
let folder: string;
let source: BlobSource;
let inputs: MergeInput[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "profusion-"));
  await using blobs = await openDiskBlobs({ folder, limits: DEFAULT_LIMITS, knownEnds: new Map(), report: () => {} });
  const bodies = Array.from({ length: PROFILES }, (_, at) =>
    buildGzip({
      samples: Array.from({ length: 20 }, (_, row) => ({ stack: [`f${at}`, `g${row}`, "main"], values: [1, 10] })),
    }),
  );
  const locators = await blobs.append(bodies, "profile");
  inputs = locators.map((locator, at) => ({
    id: `${at}`,
    timeNs: BigInt(at),
    digest: new Uint8Array(32),
    serviceId: 1,
    typeId: 1,
    shapeId: 1,
    seq: at + 1,
    locator,
  }));
  source = blobs.source();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const never = new AbortController().signal;
const job = (more: Partial<Parameters<MergePool["merge"]>[0]> = {}) => ({
  inputs,
  columns: COLUMNS,
  maxResultBytes: DEFAULT_LIMITS.resultBytes,
  signal: never,
  ...more,
});
const pool = (limits: Partial<Limits> = {}, threads = 2) =>
  new MergePool(source, { ...DEFAULT_LIMITS, ...limits }, threads);

describe("MergePool", () => {
  test("one thread, two and three give the same bytes", async () => {
    const digests = new Set<string>();
    for (const threads of [1, 2, 3]) {
      await using merges = pool({}, threads);
      const { merged } = await merges.merge(job());
      digests.add(merged!.digest);
      expect(merged!.totals).toEqual([BigInt(PROFILES * 20), BigInt(PROFILES * 200)]);
    }
    expect(digests.size).toBe(1);
  });

  test("a small merge overtakes a large one that began before it", async () => {
    await using merges = pool({}, 1);
    const ended: string[] = [];
    const many = Array.from({ length: 5 }, () => inputs).flat();
    const large = merges.merge(job({ inputs: many })).then(() => ended.push("large"));
    const small = merges.merge(job({ inputs: inputs.slice(0, 3) })).then(() => ended.push("small"));
    await Promise.all([large, small]);
    expect(ended).toEqual(["small", "large"]);
  });

  test("a caller that leaves gets `cancelled`, and the threads serve the next merge", async () => {
    await using merges = pool();
    const leaver = new AbortController();
    const left = merges.merge(job({ signal: leaver.signal }));
    leaver.abort();
    await expect(left).rejects.toMatchObject({ kind: "cancelled" });
    await expect(merges.merge(job({ signal: leaver.signal }))).rejects.toMatchObject({ kind: "cancelled" });
    await expect(merges.merge(job())).resolves.toMatchObject({ damaged: [] });
  });

  test("limits of time, input and result are `too-large` with the way out, and harm no other merge", async () => {
    for (const limits of [{ mergeMs: 1 }, { mergeInputBytes: 1000 }]) {
      await using merges = pool(limits);
      await expect(merges.merge(job())).rejects.toMatchObject({
        kind: "too-large",
        subject: "result",
        message: expect.stringContaining("max_profiles"),
      });
    }
    await using merges = pool();
    await expect(merges.merge(job({ maxResultBytes: 1000 }))).rejects.toMatchObject({
      kind: "too-large",
      subject: "result",
    });
    await expect(merges.merge(job())).resolves.toMatchObject({ damaged: [] });
  });

  test("a job whose thread is lost in the middle starts again and sums everything once", async () => {
    await using merges = pool();
    const whole = await merges.merge(job());
    const answer = merges.merge(job());
    merges.replaceThreads();
    expect((await answer).merged!.digest).toBe(whole.merged!.digest);
  });

  test("what is damaged is named, and the rest is summed", async () => {
    await using merges = pool();
    const absent = { ...inputs[7]!, locator: { ...inputs[7]!.locator, segmentId: 999 } };
    const { damaged, merged } = await merges.merge(job({ inputs: inputs.with(7, absent) }));
    expect(damaged.map(({ input }) => input.id)).toEqual(["7"]);
    expect(merged!.totals[0]).toBe(BigInt((PROFILES - 1) * 20));
  });
});
