// Threads that read packs: one that is lost costs a second try, one that is told to stop does so within a block, and bytes that are kept count.

import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../../src/model/limits.ts";
import type { PackQuestion } from "../../src/repository/candidates.ts";
import { MergeJob, type PackChunk } from "../../src/repository/merge-job.ts";
import { MergePool } from "../../src/repository/merge-pool.ts";
import { placeOf } from "../../src/repository/pack-place.ts";
import type { BlobReader } from "../../src/storage/blob-store.ts";
import { openBlobReader } from "../../src/storage/open-blob-reader.ts";
import { packName } from "../../src/storage/pack-name.ts";
import { type OpenedRepository, openRepository } from "../support/open-repository.ts";
import { buildProfile } from "../support/profile-builder.ts";

const BASE_NS = 1_789_999_200_000_000_000n;
const PROFILES = 200;
const KEPT_BYTES = 10_000;
let opened: OpenedRepository;
let ids: string[];
let questions: PackQuestion[];

beforeAll(async () => {
  opened = await openRepository();
  ids = [];
  // A field that nobody knows makes them large.
  const unknown = Buffer.concat([Buffer.from([0xfa, 0x3f, 0x90, 0x4e]), Buffer.alloc(KEPT_BYTES, 7)]);
  for (const [service, tail] of [
    ["rows", Buffer.alloc(0)],
    ["kept", unknown],
  ] as const) {
    const pushes = Array.from({ length: PROFILES }, async (_, at) => {
      const raw = buildProfile({
        timeNs: BASE_NS + BigInt(at),
        // Two mappings of one key, both with samples, are what rows cannot tell.
        samples: [frame(at, 0n), frame(at, service === "kept" ? 0x20_000n : 0n)],
      });
      const bytes = gzipSync(Buffer.concat([raw, tail]));
      const outcome = await opened.repository.push({ service, type: "cpu", labels: [], bytes });
      if (outcome.state === "stored") ids.push(outcome.record.id);
    });
    await Promise.all(pushes);
  }
  const { id } = opened.repository.startPack();
  await opened.repository.operation(id, 60_000);
  const sets = await opened.catalog.packSets({});
  questions = sets.flatMap((set) => {
    const names = opened.catalog.packNames(set);
    return set.packs.map((file) => ({ ...file, set, place: placeOf(set, file, names), labels: [] }));
  });
});
afterAll(() => opened[Symbol.asyncDispose]());

function frame(at: number, start: bigint) {
  const mapping = { start, limit: start + 0x1000n, file: "/bin/app", buildId: "b" };
  return { stack: [{ mapping, address: start + BigInt(at), lines: [{ name: `f${at}` }] }, "main"], values: [1, 10] };
}

const pool = (limits = {}) =>
  new MergePool(opened.blobs.source(), { ...DEFAULT_LIMITS, ...limits }, 1, (name) =>
    opened.blobs.objectReference(name),
  );

test("a download, a choice and its series whose thread is lost to another job are asked once more", async () => {
  await using merges = pool();
  const [stored] = await opened.catalog.get([ids[0]!]);
  const question = questions.find(({ place }) => place.service === stored!.service)!;
  const [selected] = await merges.select([question]);
  expect(selected!.rows).toHaveLength(PROFILES);
  const all = Promise.all([
    merges.rebuild(question.place, stored!.seq, stored!.digest),
    merges.select([question]),
    merges.series(selected!, []),
  ]);
  merges.replaceThreads();
  const [bytes, [again], { series }] = await all;
  expect(gunzipSync(bytes!).length).toBe(gunzipSync((await opened.repository.download(ids[0]!)).bytes).length);
  expect(again!.rows).toEqual(selected!.rows);
  expect(series).toHaveLength(PROFILES);
});

describe("a merge's part of a pack", () => {
  /** Reads the pack of a service; `onRead` is told of each read. */
  function chunkOf(service: string): PackChunk {
    const { place } = questions.find((question) => question.place.service === service)!;
    const reference = opened.blobs.objectReference(packName(place.packId));
    const rows = Uint32Array.from({ length: PROFILES }, (_, row) => row);
    return { at: 0, pack: { place, reference, parts: {} }, rows, orders: Float64Array.from(rows) };
  }

  function jobOf(onRead: (nth: number) => void): { job: MergeJob; stopFlag: Int32Array } {
    const reader = openBlobReader(opened.blobs.source());
    let reads = 0;
    const counting: BlobReader = {
      ...reader,
      openObject(reference) {
        const object = reader.openObject(reference);
        return {
          ...object,
          read(offset, length) {
            onRead(++reads);
            return object.read(offset, length);
          },
          [Symbol.dispose]: () => object[Symbol.dispose](),
        };
      },
    };
    const stopFlag = new Int32Array(new SharedArrayBuffer(4));
    const columns = questions[0]!.set && opened.catalog.packNames(questions[0]!.set).shape.columns;
    const options = { jobId: 1, columns, areAllColumns: true, maxResultBytes: 1e9, maxNodes: undefined, stopFlag };
    return { job: new MergeJob(counting, DEFAULT_LIMITS, options), stopFlag };
  }

  test.each(["rows", "kept"])("of %s stops before the next section that it would read", (service) => {
    let all = 0;
    const whole = jobOf((nth) => {
      all = nth;
    });
    expect(whole.job.fold(chunkOf(service))).toMatchObject({ damaged: [] });
    // The head, heads and tables, then the blocks: stopped at any of them, none is read after it.
    for (let stopAt = 1; stopAt < all; stopAt++) {
      let reads = 0;
      const { job, stopFlag } = jobOf((nth) => {
        reads = nth;
        if (nth === stopAt) Atomics.store(stopFlag, 0, 1);
      });
      expect(() => job.fold(chunkOf(service))).toThrow(expect.objectContaining({ kind: "cancelled" }));
      expect(reads).toBe(stopAt);
    }
  });

  test("counts what is read from kept bytes, as loose profiles are counted", async () => {
    const { job } = jobOf(() => {});
    expect(job.fold(chunkOf("kept")).inflatedBytes).toBeGreaterThan(PROFILES * KEPT_BYTES);
    expect(jobOf(() => {}).job.fold(chunkOf("rows")).inflatedBytes).toBe(0);
    await using merges = pool({ mergeInputBytes: PROFILES * KEPT_BYTES });
    const question = questions.find(({ place }) => place.service === "kept")!;
    const [selected] = await merges.select([question]);
    const orders = Float64Array.from(selected!.rows);
    const { columns } = opened.catalog.packNames(question.set).shape;
    const signal = new AbortController().signal;
    const request = { inputs: [], packs: [{ selected: selected!, orders }], columns, maxResultBytes: 1e9, signal };
    await expect(merges.merge(request)).rejects.toMatchObject({ kind: "too-large", subject: "result" });
  });
});
