// Rankings of a repository: the same from loose profiles, packs and both; snapshots and counters count as what they are.

import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../../src/model/limits.ts";
import { parseSelector } from "../../src/model/selector.ts";
import { decodeProfile } from "../../src/pprof/decode.ts";
import type { TopRequest } from "../../src/repository/repository.ts";
import { decodeTopRows } from "../../src/repository/top-ranking.ts";
import { naiveTop } from "../support/naive-top.ts";
import { type OpenedRepository, openRepository } from "../support/open-repository.ts";
import { buildProfile, type ProfileSpec } from "../support/profile-builder.ts";
import { encodeGenerated, generateSet } from "../support/profile-generator.ts";
import { Random } from "../support/random.ts";

const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
/** 2026-09-19T00:00Z, two days before the clock of the tests. */
const START_NS = 1_789_776_000_000_000_000n;
const MINUTE_NS = 60_000_000_000n;

let opened: OpenedRepository;
beforeEach(async () => {
  opened = await openRepository({ packHourProfiles: 4 });
});
afterEach(() => opened[Symbol.asyncDispose]());

interface Sent {
  service?: string;
  type?: string;
  labels?: Record<string, string>;
  minute?: number;
}

async function push(spec: ProfileSpec, { service = "auth", type = "heap", labels = {}, minute = 0 }: Sent = {}) {
  const bytes = buildProfile({ timeNs: START_NS + BigInt(minute) * MINUTE_NS, ...spec });
  const pairs = Object.entries(labels).map(([name, value]) => ({ name, value }));
  const outcome = await opened.repository.push({ service, type, labels: pairs, bytes });
  if (outcome.state === "empty") throw new Error("it is empty");
  return outcome.record;
}

async function packNow() {
  const { error } = await opened.repository.operation(opened.repository.startPack().id, 60_000);
  expect(error).toBeUndefined();
}

function ask(selector: string, request: Partial<TopRequest> = {}) {
  const selection = { selector: parseSelector(selector, DEFAULT_LIMITS) };
  const signal = new AbortController().signal;
  return opened.repository.top({ selection, grouping: "function", order: "flat", signal, ...request });
}

/** "name flat cum" in the order of the ranking. */
async function rank(selector: string, request: Partial<TopRequest> = {}): Promise<string[]> {
  return decodeTopRows((await ask(selector, request)).bytes).map(({ name, flat, cum }) => `${name} ${flat} ${cum}`);
}

const HEAP: [string, string][] = [
  ["alloc_space", "bytes"],
  ["inuse_space", "bytes"],
];
const heap = (inUse: number, allocated = inUse): ProfileSpec => ({
  sampleTypes: HEAP,
  periodType: ["space", "bytes"],
  defaultSampleType: "inuse_space",
  samples: [{ stack: ["alloc", "main"], values: [allocated, inUse] }],
});
const MEGABYTE = 1_000_000;

/** Calls `claim` with everything loose, everything packed, and one half of each. */
async function loosePackedAndMixed(pushAll: (half: 0 | 1) => Promise<void>, claim: () => Promise<void>) {
  await pushAll(0);
  await packNow();
  await pushAll(1);
  await claim();
  await packNow();
  await claim();
}

test(`sums of generated sets are ranked as a plain count of their merge, loose, packed and mixed (SEED=${SEED})`, async () => {
  const sets = Array.from({ length: 15 }, (_, nth) => generateSet(SEED + nth).map(encodeGenerated));
  let packed = 0;
  await loosePackedAndMixed(
    async (half) => {
      for (const [nth, raws] of sets.entries()) {
        for (const [at, bytes] of raws.entries()) {
          if (at % 2 === half) await opened.repository.push({ service: `s${nth}`, type: "any", labels: [], bytes });
        }
      }
    },
    async () => {
      for (const nth of sets.keys()) {
        const selection = { selector: parseSelector(`any{service="s${nth}"}`, DEFAULT_LIMITS) };
        const { signal } = new AbortController();
        const merged = await opened.repository.merge({ selection, signal }).catch(() => undefined);
        if (merged === undefined) continue;
        const profile = decodeProfile(gunzipSync(merged.bytes));
        const { bytes, summary, rowCount } = await ask(`any{service="s${nth}"}`, { method: "sum" });
        packed += summary.packs;
        expect(summary).toMatchObject({ matched: merged.summary.matched, merged: merged.summary.merged });
        const { defaultSampleType, sampleTypes } = profile;
        const named = sampleTypes.findIndex(({ type }) => type === defaultSampleType && type !== "");
        const column = named < 0 ? sampleTypes.length - 1 : named;
        expect(summary.sampleTypes).toMatchObject([sampleTypes[column]!]);
        const rows = decodeTopRows(bytes);
        expect(rowCount).toBe(rows.length);
        const ours = rows.map(({ name, flat, cum }): [string, object] => [name, { flat, cum }]);
        expect(Object.fromEntries(ours)).toEqual(Object.fromEntries(naiveTop(profile, column, "function")));
      }
    },
  );
  expect(packed).toBeGreaterThan(15);
});

describe("heap in use", () => {
  test("is what is in use: 60 scrapes of 100 MB are 100 MB for each process; a sum of them says so", async () => {
    await loosePackedAndMixed(
      async (half) => {
        for (let minute = half; minute < 60; minute += 2) {
          for (const pod of ["a", "b"]) await push(heap(100 * MEGABYTE), { labels: { pod }, minute });
        }
      },
      async () => {
        expect(await rank("heap{}")).toEqual(["alloc 200000000 200000000", "main 0 200000000"]);
        const { method, total, summary } = await ask("heap{}");
        expect([method, total, summary.warnings]).toEqual(["mean", 200_000_000n, []]);
        expect(summary.sampleTypes).toEqual([
          { type: "inuse_space", unit: "bytes", aggregation: "gauge", total: 200_000_000n },
        ]);
        const summed = await ask("heap{}", { method: "sum" });
        expect(summed.total).toBe(12_000_000_000n);
        expect(summed.summary.warnings).toEqual(["inuse_space/bytes is gauge: this is the plain sum of 120 profiles"]);
        expect(await rank("heap{}", { method: "last" })).toEqual(["alloc 200000000 200000000", "main 0 200000000"]);
      },
    );
  });

  test("a mean is over the profiles of each series, and is rounded once, half to even", async () => {
    for (const [minute, inUse] of [1, 2].entries()) await push(heap(inUse), { labels: { pod: "a" }, minute });
    expect(await rank("heap{}")).toEqual(["alloc 2 2", "main 0 2"]);
    for (const [minute, inUse] of [1, 0, 1].entries()) await push(heap(inUse, 9), { labels: { pod: "b" }, minute });
    // 3/2 + 2/3 = 13/6
    expect(await rank("heap{}")).toEqual(["alloc 2 2", "main 0 2"]);
    await push(heap(1), { labels: { pod: "c" } });
    await push(heap(0, 9), { labels: { pod: "c" }, minute: 1 });
    // 13/6 + 1/2 = 8/3
    expect(await rank("heap{}")).toEqual(["alloc 3 3", "main 0 3"]);
  });

  test("the last of each series is the latest by time, in whatever order they came", async () => {
    for (const minute of [5, 90, 3]) await push(heap(minute), { labels: { pod: "a" }, minute });
    await packNow();
    for (const minute of [4, 80]) await push(heap(minute), { labels: { pod: "b" }, minute });
    expect(await rank("heap{}", { method: "last" })).toEqual(["alloc 170 170", "main 0 170"]);
  });
});

describe("what counts since a process began", () => {
  const column = { type: "alloc_space", unit: "bytes" };

  test("is ranked by its increase, restarts counted from nothing, across packs and loose profiles", async () => {
    const totals = { a: [100, 150, 20, 60], b: [10, 10, 30, 35] };
    await loosePackedAndMixed(
      async (half) => {
        for (const [pod, own] of Object.entries(totals)) {
          for (const [at, total] of own.entries()) {
            // Over the edge of an hour, so that packs of two hours are joined.
            if (at % 2 === half) await push(heap(1, total), { labels: { pod }, minute: 30 + at * 20 });
          }
        }
      },
      async () => {
        // a: 150 - 100 + 60; b: 35 - 10
        expect(await rank("heap{}", { column })).toEqual(["alloc 135 135", "main 0 135"]);
        expect((await ask("heap{}", { column })).method).toBe("increase");
      },
    );
  });

  test("series that do not tell their process are left out, and said to be", async () => {
    for (const minute of [0, 1]) {
      await push(heap(1, 10 + minute), { labels: { pod: "a" }, minute });
      await push(heap(1, 500 * minute + 1), { labels: { version: "1" }, minute });
    }
    const { summary } = await ask("heap{}", { column });
    expect(await rank("heap{}", { column })).toEqual(["alloc 1 1", "main 0 1"]);
    expect(summary.warnings).toEqual([
      "1 of 2 series are left out: no label instance, pod or host says which process they are of",
    ]);
  });

  test("where no series tells an increase it is the plain sum, with the reason; asked for, it is a conflict", async () => {
    await push(heap(1, 10), { labels: { pod: "a" } });
    await push(heap(1, 20), { labels: { version: "1" }, minute: 1 });
    const { method, summary } = await ask("heap{}", { column });
    expect(method).toBe("sum");
    expect(await rank("heap{}", { column })).toEqual(["alloc 30 30", "main 0 30"]);
    expect(summary.warnings).toEqual([
      expect.stringMatching(/^no increase of alloc_space\/bytes is known: it takes two profiles of one process/),
      "alloc_space/bytes is cumulative: this is the plain sum of 2 profiles",
    ]);
    await expect(ask("heap{}", { column, method: "increase" })).rejects.toMatchObject({ kind: "conflict" });
  });
});

test(`means and increases of random series are those of plain rational arithmetic (SEED=${SEED})`, async () => {
  const random = new Random(SEED);
  const series = Array.from({ length: 12 }, (_, nth) => ({
    pod: `p${nth}`,
    values: Array.from({ length: random.between(1, 7) }, () => ({
      minute: random.between(0, 2000),
      inUse: random.between(-50, 1000),
      allocated: random.between(1, 1000),
    })),
  }));
  for (const { values } of series) {
    const minutes = new Set<number>();
    values.sort((a, b) => a.minute - b.minute);
    for (const value of values) {
      while (minutes.has(value.minute)) value.minute++;
      minutes.add(value.minute);
    }
    values.sort((a, b) => a.minute - b.minute);
  }
  const expectedMean = () => {
    const denominator = series.reduce((product, { values }) => product * BigInt(values.length), 1n);
    const sum = series.reduce(
      (all, { values }) =>
        all + values.reduce((own, { inUse }) => own + BigInt(inUse), 0n) * (denominator / BigInt(values.length)),
      0n,
    );
    const floor = (sum - (((sum % denominator) + denominator) % denominator)) / denominator;
    const rest = sum - floor * denominator;
    const isUp = rest * 2n > denominator || (rest * 2n === denominator && floor % 2n !== 0n);
    return isUp ? floor + 1n : floor;
  };
  const expectedIncrease = series.reduce((all, { values }) => {
    let own = 0;
    for (let at = 1; at < values.length; at++) {
      const [before, now] = [values[at - 1]!.allocated, values[at]!.allocated];
      own += now < before ? now : now - before;
    }
    return all + own;
  }, 0);
  const profiles = random.shuffle(series.flatMap(({ pod, values }) => values.map((value) => ({ pod, ...value }))));
  const pushSome = async (some: typeof profiles) => {
    for (const { pod, minute, inUse, allocated } of some)
      await push(heap(inUse, allocated), { labels: { pod }, minute });
  };
  const half = Math.floor(profiles.length / 2);
  await pushSome(profiles.slice(0, half));
  await packNow();
  await pushSome(profiles.slice(half));
  const inUse = { type: "inuse_space", unit: "bytes" };
  const allocated = { type: "alloc_space", unit: "bytes" };
  for (const _ of ["mixed", "packed"]) {
    expect((await ask("heap{}", { column: inUse })).summary.sampleTypes[0]!.total).toBe(expectedMean());
    const increase = await ask("heap{}", { column: allocated });
    expect(increase.method).toBe(series.some(({ values }) => values.length > 1) ? "increase" : "sum");
    if (increase.method === "increase") {
      expect(increase.summary.sampleTypes[0]!.total).toBe(BigInt(expectedIncrease));
    }
    await packNow();
  }
});

describe("by service and by label", () => {
  const cpu = (value: number, endpoint: string): ProfileSpec => ({
    samples: [{ stack: ["work", "main"], values: [1, value], labels: [["endpoint", endpoint]] }],
  });

  test("each service has the sum of its profiles, whichever types and packs they are in", async () => {
    await push(cpu(5, "/a"), { service: "auth", type: "cpu" });
    await push(cpu(7, "/b"), { service: "cart", type: "cpu" });
    await packNow();
    await push(cpu(20, "/b"), { service: "auth", type: "cpu", minute: 1 });
    expect(await rank("cpu{}", { grouping: "service" })).toEqual(["auth 25 25", "cart 7 7"]);
    const { total, summary } = await ask("cpu{}", { grouping: "service" });
    expect([total, summary.merged]).toEqual([32n, 3]);
    expect(await rank("cpu{}", { grouping: "label", labelKey: "endpoint" })).toEqual(["/b 27 27", "/a 5 5"]);
  });
});

test("a pack that is damaged is left out, counted and named; strictly it is a failure", async () => {
  for (let minute = 0; minute < 5; minute++) await push(heap(100), { labels: { pod: "a" }, minute });
  for (let minute = 0; minute < 2; minute++) await push(heap(100), { labels: { pod: "b" }, minute });
  await packNow();
  await push(heap(40), { service: "cart", labels: { pod: "b" } });
  const [file] = (await readdir(join(opened.folder, "objects"))) as [string];
  const path = join(opened.folder, "objects", file);
  const bytes = await readFile(path);
  bytes[bytes.length - 1]! ^= 0xff;
  await writeFile(path, bytes);
  await opened.reopen();
  expect(await rank("heap{}")).toEqual(["alloc 40 40", "main 0 40"]);
  const { summary } = await ask("heap{}");
  expect(summary).toMatchObject({ matched: 8, merged: 1, skipped: [{ reason: "damaged", count: 7 }] });
  await expect(ask("heap{}", { strict: true })).rejects.toMatchObject({ kind: "unavailable" });
  await expect(ask('heap{service="auth"}')).rejects.toMatchObject({ kind: "unavailable" });
});

test("wherever a pack is damaged, it is left out whole or not at all, and what is left counts as if it were alone", async () => {
  for (let minute = 0; minute < 5; minute++) await push(heap(100), { labels: { pod: "a" }, minute });
  for (let minute = 0; minute < 2; minute++) await push(heap(100), { labels: { pod: "b" }, minute });
  await packNow();
  await push(heap(40), { service: "cart", labels: { pod: "b" } });
  const [file] = (await readdir(join(opened.folder, "objects"))) as [string];
  const path = join(opened.folder, "objects", file);
  const intact = await readFile(path);
  const step = Math.ceil((intact.length - 128) / 8);
  let lost = 0;
  for (let at = 64; at < intact.length - 64; at += step) {
    const bytes = Buffer.from(intact);
    bytes[at]! ^= 0xff;
    await writeFile(path, bytes);
    await opened.reopen();
    const { summary } = await ask("heap{}");
    const count = summary.skipped.reduce((sum, skipped) => sum + skipped.count, 0);
    expect([summary.matched, summary.merged + count]).toEqual([8, 8]);
    expect(await rank("heap{}")).toEqual(count === 0 ? ["alloc 240 240", "main 0 240"] : ["alloc 40 40", "main 0 40"]);
    if (count > 0) lost++;
  }
  expect(lost).toBeGreaterThan(0);
});

test("whoever leaves is told so", async () => {
  await push(heap(100));
  await expect(ask("heap{}", { signal: AbortSignal.abort() })).rejects.toMatchObject({ kind: "cancelled" });
});

test("an answer is kept while its profiles are the same, for each question apart", async () => {
  await push(heap(100), { labels: { pod: "a" } });
  const first = await ask("heap{}");
  expect((await ask("heap{}")).bytes).toBe(first.bytes);
  expect((await ask("heap{}", { order: "cum" })).bytes).not.toBe(first.bytes);
  await push(heap(300), { labels: { pod: "a" }, minute: 1 });
  expect(await rank("heap{}")).toEqual(["alloc 200 200", "main 0 200"]);
});

test("equal values are ranked by name, the largest by what was asked for first, cut at the limit of rows", async () => {
  await opened[Symbol.asyncDispose]();
  opened = await openRepository({ topRows: 2 });
  const stacks = [
    ["a", "m"],
    ["b", "m"],
    ["c", "n"],
  ];
  await push({ samples: stacks.map((stack, at) => ({ stack, values: [1, at === 1 ? -9 : 4] })) }, { type: "cpu" });
  expect(await rank("cpu{}")).toEqual(["b -9 -9", "a 4 4"]);
  expect(await rank("cpu{}", { order: "cum" })).toEqual(["b -9 -9", "m 0 -5"]);
  expect((await ask("cpu{}")).rowCount).toBe(5);
});
