// PGO profiles of a repository: the same bytes from packs and loose profiles, in any order of upload; weights against plain arithmetic;
// what a policy chooses; and what one bad profile among good ones does, which is nothing.

import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../../../src/model/limits.ts";
import { DEFAULT_PGO_POLICY, type PgoPolicy, PLAIN_PGO_POLICY } from "../../../src/model/pgo-policy.ts";
import { EVERYTHING, parseSelector } from "../../../src/model/selector.ts";
import { preparePgo } from "../../../src/pgo/prepare.ts";
import { Merger } from "../../../src/pprof/merger.ts";
import { choose } from "../../../src/repository/pgo/choice.ts";
import type { PgoMade } from "../../../src/repository/pgo/make.ts";
import type { PgoQuestion } from "../../../src/repository/pgo/pgo.ts";
import { SeriesNumbers } from "../../../src/repository/series-of-plan.ts";
import { flipByte } from "../../support/flip-byte.ts";
import { type OpenedRepository, openRepository } from "../../support/open-repository.ts";
import { buildProfile, type FrameSpec, type ProfileSpec } from "../../support/profile-builder.ts";
import { Random } from "../../support/random.ts";

const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
const HOUR_NS = 3_600_000_000_000n;
const DAY_NS = 24n * HOUR_NS;
/** The last full hour of the tests' clock. */
const END_NS = 1_790_000_000_000_000_000n - (1_790_000_000_000_000_000n % HOUR_NS);

let opened: OpenedRepository;
beforeEach(async () => {
  opened = await openRepository({ packHourProfiles: 4 });
});
afterEach(() => opened[Symbol.asyncDispose]());

const JAVA_READ: FrameSpec = { lines: [{ name: "java.util.HashMap.get", file: "HashMap.java", line: 556n }] };
const JAVA_RUN: FrameSpec = { lines: [{ name: "java.lang.Thread.run", file: "Thread.java", line: 5n }] };
const JAVA_START: FrameSpec = { lines: [{ name: "java.lang.Thread.start", file: "Thread.java", line: 6n }] };
const JAVA_MAIN: FrameSpec = { lines: [{ name: "com.example.Auth.main", file: "Auth.java", line: 7n }] };

interface Sent {
  labels?: Record<string, string>;
  hoursAgo?: number;
  seconds?: number;
  type?: string;
  service?: string;
}

const frame = (name: string): FrameSpec => ({ lines: [{ name, line: 12n, startLine: 10n }] });

/** One sample of `count` counts through `callers`, ten milliseconds each. */
function cpu(count: number, callee = "leaf", more: Partial<ProfileSpec> = {}): ProfileSpec {
  const stack = [frame(callee), frame("caller"), frame("handle"), frame("serve"), frame("loop"), frame("main.main")];
  return { samples: [{ stack, values: [count, count * 10_000_000] }], ...more };
}

async function push(
  spec: ProfileSpec,
  { labels = {}, hoursAgo = 1, seconds = 0, type = "cpu", service = "auth" }: Sent = {},
) {
  const timeNs = END_NS - BigInt(hoursAgo) * HOUR_NS + BigInt(seconds) * 1_000_000_000n;
  const bytes = buildProfile({ timeNs, durationNs: 10_000_000_000n, ...spec });
  const pairs = Object.entries(labels).map(([name, value]) => ({ name, value }));
  const outcome = await opened.repository.push({ service, type, labels: pairs, bytes });
  if (outcome.state === "empty") throw new Error("it is empty");
  return { id: outcome.record.id, bytes };
}

async function packNow() {
  const { error } = await opened.repository.operation(opened.repository.startPack().id, 60_000);
  expect(error).toBeUndefined();
}

function ask(question: Partial<PgoQuestion> = {}): Promise<PgoMade> {
  return opened.repository.pgo.profile({ service: "auth", signal: new AbortController().signal, ...question });
}

async function setPolicy(change: Partial<PgoPolicy>) {
  await opened.repository.pgo.policies.put("auth", { ...DEFAULT_PGO_POLICY, minSamples: 1, ...change }, undefined);
}

const file = ({ bytes }: PgoMade) => gunzipSync(bytes);
const inputs = ({ report }: PgoMade) => report.facts!.inputs;
const skipped = ({ summary }: PgoMade) =>
  Object.fromEntries(summary.skipped.map(({ reason, count }) => [reason, count]));

interface Planned extends Sent {
  spec: ProfileSpec;
}

function fleet(random: Random, count: number): Planned[] {
  return Array.from({ length: count }, (_, nth) => ({
    spec: cpu(random.between(1, 500), `leaf${random.between(0, 6)}`),
    labels: { instance: `i${nth % 3}`, version: `1.${nth % 2}` },
    hoursAgo: 1 + (nth % 5),
    seconds: nth,
  }));
}

test(`the same profiles give the same file and report in any order of upload, loose, packed and both (SEED=${SEED})`, async () => {
  const random = new Random(SEED);
  const all = fleet(random, 60);
  for (const { spec, ...sent } of all) await push(spec, sent);
  const loose = await ask();
  await packNow();
  const packed = await ask();
  expect([packed.summary.packs, packed.digest]).toEqual([60, loose.digest]);
  expect(packed.report).toEqual(loose.report);
  await using other = await openRepository({ packHourProfiles: 4 });
  const first = opened;
  opened = other;
  const shuffled = random.shuffle(all);
  for (const [nth, { spec, ...sent }] of shuffled.entries()) {
    if (nth === 30) await packNow();
    await push(spec, sent);
  }
  const mixed = await ask();
  opened = first;
  expect([mixed.summary.packs, mixed.summary.loose, mixed.digest]).toEqual([30, 30, loose.digest]);
  expect(Buffer.compare(file(mixed), file(loose))).toBe(0);
});

test(`each instance and hour comes near the largest: whole factors from 1 to 100 (SEED=${SEED})`, async () => {
  const random = new Random(SEED);
  const all = [
    ...fleet(random, 40),
    { spec: cpu(100_000), labels: { instance: "busy" }, hoursAgo: 2 },
    { spec: cpu(3), labels: { instance: "idle" }, hoursAgo: 3 },
  ];
  const sent: { bytes: Uint8Array; group: string; total: number }[] = [];
  for (const { spec, ...how } of all) {
    const { bytes } = await push(spec, how);
    sent.push({ bytes, group: `${how.hoursAgo} ${how.labels!.instance}`, total: Number(spec.samples[0]!.values[0]) });
  }
  const totals = new Map<string, number>();
  for (const { group, total } of sent) totals.set(group, (totals.get(group) ?? 0) + total);
  const largest = Math.max(...totals.values());
  const merger = new Merger();
  let order = 0;
  for (const { bytes, group } of sent) {
    const times = Math.min(100, Math.max(1, Math.round(largest / totals.get(group)!)));
    for (let time = 0; time < times; time++) merger.add(bytes, order++);
  }
  const { edges } = preparePgo(merger.finish().bytes, DEFAULT_PGO_POLICY, DEFAULT_LIMITS);
  for (const made of [await ask(), await packNow().then(() => ask())]) {
    expect(preparePgo(file(made), DEFAULT_PGO_POLICY, DEFAULT_LIMITS).edges).toEqual(edges);
  }
});

describe("poison among good profiles", () => {
  const good = () => fleet(new Random(7), 100);
  const bad: [name: string, spec: ProfileSpec, left: Record<string, number>][] = [
    [
      "a heap profile",
      {
        ...cpu(1000),
        sampleTypes: [
          ["inuse_objects", "count"],
          ["inuse_space", "bytes"],
        ],
        periodType: ["space", "bytes"],
      },
      { shape: 1 },
    ],
    ["another period type, though the newest", { ...cpu(1000), periodType: ["wall", "nanoseconds"] }, { shape: 1 }],
    [
      "a profile without start lines",
      { samples: [{ stack: ["leaf", "caller", "main.main"], values: [900_000, 9_000_000_000_000] }] },
      { "start-line": 1 },
    ],
    ["Java's", { samples: [{ stack: [JAVA_READ, JAVA_MAIN], values: [5000, 50_000_000_000] }] }, { "start-line": 1 }],
    [
      "Java's, with one start line",
      {
        samples: [{ stack: [JAVA_READ, JAVA_MAIN, frame("a"), JAVA_RUN, JAVA_START], values: [5000, 50_000_000_000] }],
      },
      { "start-line": 1 },
    ],
    [
      "two million samples that took ten milliseconds",
      cpu(2_000_000, "evil", {
        samples: [{ stack: [frame("evil"), frame("main.main")], values: [2_000_000, 10_000_000] }],
      }),
      { implausible: 1 },
    ],
    [
      "146 years of CPU time",
      { samples: [{ stack: cpu(1).samples[0]!.stack, values: [1, 2n ** 62n] }] },
      { implausible: 1 },
    ],
    ["more cores than there are", cpu(10_000_000, "evil"), { implausible: 1 }],
    ["all-zero values", { samples: [{ stack: cpu(1).samples[0]!.stack, values: [0, 0] }] }, { zero: 1 }],
  ];
  test.each(bad)("%s is skipped, named, and changes nothing", async (_name, spec, left) => {
    for (const { spec: own, ...sent } of good()) await push(own, sent);
    const clean = await ask();
    const { id } = await push(spec, { labels: { instance: "poison" }, hoursAgo: 1, seconds: 3000 });
    for (const made of [await ask(), await packNow().then(() => ask())]) {
      expect(skipped(made)).toEqual(left);
      expect(made.summary.skipped[0]!.ids).toEqual([id]);
      expect(made.digest).toBe(clean.digest);
      expect([made.summary.matched, made.summary.merged]).toEqual([101, 100]);
      expect(made.summary.warnings.join()).toContain("1 skipped");
    }
  });

  test("columns in the other order are columns in the right order", async () => {
    const swapped: ProfileSpec = {
      ...cpu(0),
      sampleTypes: [
        ["cpu", "nanoseconds"],
        ["samples", "count"],
      ],
    };
    swapped.samples[0]!.values = [70_000_000, 7];
    for (const { spec, ...sent } of good()) await push(spec, sent);
    const { id } = await push(cpu(7), { labels: { instance: "i9" }, seconds: 3000 });
    const expected = await ask();
    await opened.repository.delete(id);
    await push(swapped, { labels: { instance: "i9" }, seconds: 3000 });
    expect((await ask()).digest).toBe(expected.digest);
  });

  test("a profile of more samples than one may have never gets in", async () => {
    await opened[Symbol.asyncDispose]();
    opened = await openRepository({ samples: 1000 });
    const many = { samples: Array.from({ length: 1001 }, (_, at) => ({ stack: [`f${at}`, "main"], values: [1, 1] })) };
    await expect(push(many)).rejects.toMatchObject({ kind: "too-large" });
  });

  test("frames without start lines inside a good profile cost those samples alone, and the report says what share", async () => {
    const mixed = cpu(75);
    mixed.samples.push({ stack: ["c_leaf", "c_caller", frame("main.main")], values: [25, 250_000_000] });
    await push(mixed);
    const made = await ask();
    expect(made.report.facts!.content).toMatchObject({ shareWithoutStartLine: 0.25, samples: 75n });
    expect(skipped(made)).toEqual({});
  });
});

describe("a policy", () => {
  test("looks back seven days from the last full hour, and twice as far while its minimum is not met", async () => {
    await push(cpu(500), { hoursAgo: 0 });
    await expect(ask()).rejects.toMatchObject({ kind: "not-found" });
    expect((await ask({ untilNow: true })).summary.interval!.endNs).toBe(opened.clock.nowNs);
    await push(cpu(400), { hoursAgo: 24 * 20 });
    const old = await ask();
    expect(old.summary.interval).toEqual({ startNs: END_NS - 28n * DAY_NS, endNs: END_NS });
    expect(inputs(old).samples).toBe(400n);
    await push(cpu(300), { hoursAgo: 24 * 3 });
    expect(inputs(await ask()).samples).toBe(300n);
    const window = { startNs: END_NS - 21n * DAY_NS, endNs: END_NS - 19n * DAY_NS };
    expect(inputs(await ask({ interval: window })).samples).toBe(400n);
    await expect(ask({ interval: { startNs: 0n, endNs: 1n } })).rejects.toMatchObject({ kind: "not-found" });
  });

  test("has a minimum of samples, profiles and instances, and says what is missing", async () => {
    await push(cpu(99), { labels: { instance: "a" } });
    await expect(ask()).rejects.toThrow("99 samples where 100 are the least");
    await setPolicy({ minSamples: 99, minProfiles: 2, minInstances: 2 });
    await expect(ask()).rejects.toThrow("1 profiles where 2 are the least, 1 instances where 2 are the least");
    await push(cpu(1), { labels: { instance: "b" } });
    expect(inputs(await ask())).toMatchObject({ profiles: 2, instances: 2 });
  });

  test("takes the newest versions, and older ones while the minimum is not met", async () => {
    for (const [version, hoursAgo, count] of [
      ["1", 50, 400],
      ["1", 1, 400],
      ["2", 40, 300],
      ["3", 3, 50],
    ] as const) {
      await push(cpu(count, `of${version}`), { labels: { version }, hoursAgo });
    }
    await push(cpu(10, "straggler"), { labels: { version: "0" }, hoursAgo: 24 * 60 });
    await push(cpu(400, "straggler"), { labels: { version: "0" }, hoursAgo: 2 });
    await setPolicy({ newestVersions: 1, minSamples: 50 });
    const newest = await ask();
    expect(inputs(newest).versions).toEqual([{ value: "3", share: 1 }]);
    expect(skipped(newest)).toEqual({ policy: 4 });
    expect(newest.report.findings.find(({ name }) => name === "skipped")).toMatchObject({ value: 0 });
    await setPolicy({ newestVersions: 1, minSamples: 100 });
    expect(inputs(await ask()).versions!.map(({ value }) => value)).toEqual(["2", "3"]);
    expect(inputs(await ask())).toMatchObject({ newestVersionShare: expect.closeTo(1 / 7, 3) });
  });

  test("takes those with the most CPU time for each second, has modes of operation, and leaves out calls", async () => {
    await push(cpu(900, "slow", { durationNs: 100_000_000_000n }), { labels: { mode: "batch" }, seconds: 1 });
    await push(cpu(500, "fast"), { labels: { mode: "api" }, seconds: 2 });
    await push(cpu(400, "fast"), { labels: { mode: "api" }, seconds: 3 });
    await setPolicy({ topByCpu: 2, modeLabel: "mode" });
    const made = await ask();
    expect([inputs(made).samples, skipped(made), made.modes]).toEqual([900n, { limit: 1 }, ["api"]]);
    expect(inputs(await ask({ mode: "batch" })).samples).toBe(900n);
    await expect(ask({ mode: "none" })).rejects.toMatchObject({ kind: "not-found" });
    await expect(ask({ mode: "api", policy: "plain" })).rejects.toMatchObject({ kind: "invalid" });
    const edgesOf = async () =>
      preparePgo(file(await ask({ mode: "api" })), DEFAULT_PGO_POLICY, DEFAULT_LIMITS).edges.edges;
    expect((await edgesOf()).map(({ callee }) => callee)).toEqual(["fast"]);
    await setPolicy({ modeLabel: "mode", noInline: ["fast"] });
    await expect(edgesOf()).rejects.toMatchObject({ kind: "not-found" });
  });

  test("plain takes everything as it is, labels and all", async () => {
    const labelled = cpu(3);
    labelled.samples[0]!.labels = [["user", "a"]];
    const { bytes } = await push(labelled, { hoursAgo: 24 * 400 });
    const second = await push(cpu(4), { hoursAgo: 0 });
    const merger = new Merger();
    merger.add(bytes, 0);
    merger.add(second.bytes, 1);
    expect(Buffer.compare(file(await ask({ policy: PLAIN_PGO_POLICY.name })), merger.finish().bytes)).toBe(0);
    await expect(opened.repository.pgo.policies.put("auth", { ...PLAIN_PGO_POLICY }, undefined)).rejects.toMatchObject({
      kind: "invalid",
    });
  });

  test("plain says so where go build fails on everything as it is", async () => {
    await push({ samples: [{ stack: ["leaf", "main.main"], values: [500, 5_000_000_000] }] });
    const { report } = await ask({ policy: PLAIN_PGO_POLICY.name });
    expect([report.verdict, report.findings[0]!.name]).toEqual(["unusable", "file"]);
    expect(report.findings[0]!.reason).toContain("go build fails on it");
    await expect(ask()).rejects.toMatchObject({ kind: "not-found" });
  });

  test("takes of one source of a public key what its share is, in every policy; what is held apart is in none", async () => {
    const source = (at: number) => ({ source: `oss/${at.toString(16).padStart(16, "0")}` });
    for (let at = 1; at <= 5; at++) await push(cpu(30), { labels: source(at), seconds: at });
    for (let at = 0; at < 20; at++) await push(cpu(30, "flood"), { labels: source(6), seconds: 60 + at });
    await push(cpu(1000, "flood"), { labels: source(7), service: "quarantine/auth" });
    for (const policy of [DEFAULT_PGO_POLICY.name, PLAIN_PGO_POLICY.name]) {
      if (policy === DEFAULT_PGO_POLICY.name) await setPolicy({ weighting: "none" });
      const made = await ask({ policy });
      // Of five others at 30 a quarter is 50 of 200: one profile.
      expect(skipped(made)).toEqual({ limit: 19 });
      expect(inputs(made)).toMatchObject({ profiles: 6, samples: 180n });
    }
  });

  test("is of its service alone, and a question narrows it", async () => {
    await push(cpu(500), { labels: { region: "eu" } });
    await push(cpu(300), { labels: { region: "us" } });
    await push(cpu(9000), { service: "other" });
    await push(cpu(9000), { type: "wall" });
    expect(inputs(await ask()).samples).toBe(800n);
    const narrow = parseSelector('{region="eu"}', DEFAULT_LIMITS);
    expect(inputs(await ask({ narrow })).samples).toBe(500n);
    expect(inputs(await ask({ narrow: EVERYTHING })).samples).toBe(800n);
    await expect(ask({ policy: "none" })).rejects.toThrow(/has no policy .*none.*; it has default, plain/);
  });
});

test("weights that take a sum past 2^62 are refused, with the way out; so are values that wrap", async () => {
  const { stack } = cpu(1).samples[0]!;
  const huge = (rows: number) => ({
    durationNs: 0n,
    samples: Array.from({ length: rows }, (_, at) => ({
      stack: [frame(`leaf${at}`), ...stack],
      values: [2n ** 38n, 2n ** 61n],
    })),
  });
  await push(huge(1), { labels: { instance: "a" } });
  await push(huge(1), { labels: { instance: "b" }, seconds: 1 });
  await expect(ask()).rejects.toThrow("at most 2^62 is possible");
  await expect(ask({ policy: "plain" })).rejects.toThrow("at most 2^62 is possible");
  const wrapping = { ...huge(8), samples: [...huge(8).samples, ...cpu(5, "small").samples] };
  await push(wrapping, { service: "wrapping" });
  await expect(ask({ service: "wrapping", policy: "plain" })).rejects.toThrow(
    "cpu/nanoseconds sum to more than 64 bits hold",
  );
});

test("a service whose profiles lack the period type loses none of them by one that has it", async () => {
  for (const { spec, ...sent } of fleet(new Random(5), 20)) await push({ ...spec, periodType: null }, sent);
  const clean = await ask();
  await push({ samples: [{ stack: cpu(1).samples[0]!.stack, values: [0, 0] }] }, { labels: { instance: "poison" } });
  const made = await ask();
  expect([made.digest, skipped(made)]).toEqual([clean.digest, { shape: 1 }]);
});

test("a damaged profile or pack is skipped and named, and the others count as if it had never been", async () => {
  for (const { spec, ...sent } of fleet(new Random(3), 20)) await push(spec, sent);
  const clean = await ask();
  const { id } = await push(cpu(5000), { labels: { instance: "big" }, hoursAgo: 30 });
  const [record] = await opened.catalog.get([id]);
  const segments = join(opened.folder, "segments");
  const [segment] = await readdir(segments);
  await flipByte(join(segments, segment!), record!.locator.offset + record!.locator.sizeBytes - 5);
  const made = await ask();
  expect([made.digest, skipped(made), made.summary.skipped[0]!.ids]).toEqual([clean.digest, { damaged: 1 }, [id]]);
  await opened.repository.delete(id);
  await push(cpu(5000), { labels: { instance: "big" }, hoursAgo: 30, seconds: 1 });
  await packNow();
  expect((await ask()).digest).not.toBe(clean.digest);
  const packs = join(opened.folder, "objects");
  const sizes = await Promise.all(
    (await readdir(packs)).map(async (name) => ({ name, size: (await stat(join(packs, name))).size })),
  );
  const smallest = sizes.sort((a, b) => a.size - b.size)[0]!;
  await flipByte(join(packs, smallest.name), Math.floor(smallest.size / 2));
  await opened.reopen();
  expect(skipped(await ask())).toEqual({ damaged: 1 });
});

test("very many versions are gone through once", async () => {
  const names = new SeriesNumbers();
  const candidates = Array.from({ length: 20_000 }, (_, nth) => ({
    ...{ source: 0, at: nth, order: nth, timeNs: BigInt(nth), durationNs: 1n, samples: 1n, cpuNs: 10_000_000n },
    series: names.of("auth", "cpu", [{ name: "version", value: `${nth}` }]),
  }));
  const policy = { ...DEFAULT_PGO_POLICY, newestVersions: 1, minSamples: 20_000 };
  const { facts } = choose(candidates, { policy, names, withoutStartLines: new Set(), sourcePercent: 100 });
  expect(facts.versions).toHaveLength(20_000);
});

test("what is asked again is not made again, until a profile or a release comes", async () => {
  await push(cpu(500));
  const first = await ask();
  const merges = () => opened.events.filter(({ kind }) => kind === "merge").length;
  expect((await ask()).report).toBe(first.report);
  await push(cpu(100), { seconds: 5 });
  expect((await ask()).report).not.toBe(first.report);
  expect(merges()).toBe(3);
});
