// Merges out of packs against google/pprof itself: whole, of a label, and mixed with loose profiles. Needs Go.

import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../../src/model/limits.ts";
import { parseSelector } from "../../src/model/selector.ts";
import type { PackResult } from "../../src/repository/repository.ts";
import { canonical, listAll } from "../support/ledger.ts";
import { normalForm } from "../support/normal-form.ts";
import { type OpenedRepository, openRepository } from "../support/open-repository.ts";
import { startOracle } from "../support/oracle.ts";
import { buildProfile } from "../support/profile-builder.ts";
import { encodeGenerated, generateSet } from "../support/profile-generator.ts";
import { Random } from "../support/random.ts";

const SEED = Number(process.env.SEED ?? Date.now() % 1_000_000_000);
const SETS = 150;
const HOUR_NS = 3_600_000_000_000n;
/** 2026-09-19T00:00Z, two days before the clock of the tests. */
const START_NS = 1_789_776_000_000_000_000n;

const oracle = startOracle();
afterAll(() => oracle[Symbol.asyncDispose]());

/** What was sent, by id. */
type Sent = Map<string, Uint8Array>;

async function push({ repository }: OpenedRepository, sent: Sent, service: string, raw: Uint8Array, half: string) {
  const labels = [{ name: "half", value: half }];
  const outcome = await repository.push({ service, type: "any", labels, bytes: gzipSync(raw) });
  if (outcome.state === "stored") sent.set(outcome.record.id, raw);
}

async function packNow({ repository }: OpenedRepository): Promise<PackResult> {
  const { result, error } = await repository.operation(repository.startPack().id, 60_000);
  expect(error).toBeUndefined();
  return result as PackResult;
}

/** Answers how many of the profiles came from packs. */
async function compare({ repository }: OpenedRepository, sent: Sent, text: string): Promise<number> {
  const selector = parseSelector(text, DEFAULT_LIMITS);
  const matching = (await listAll(repository, selector)).sort(canonical);
  if (matching.length === 0) return 0;
  const { bytes, summary } = await repository.merge({ selection: { selector }, signal: new AbortController().signal });
  const theirs = await oracle.merge(matching.map(({ id }) => sent.get(id)!));
  const ours = normalForm(gunzipSync(bytes));
  expect(summary.merged, text).toBe(matching.length);
  expect(ours.text, text).toBe(theirs.text);
  expect(ours.attributes, text).toBe(theirs.attributes);
  return summary.packs;
}

test(`${SETS} generated sets, packed, half packed and by label, have google/pprof's normal form (SEED=${SEED})`, async () => {
  await using opened = await openRepository({ packHourProfiles: 3 });
  const sent: Sent = new Map();
  const halves = ["a", "b"] as const;
  const sets = Array.from({ length: SETS }, (_, at) => generateSet(SEED + at).map(encodeGenerated));
  const isLate = (at: number) => at % 3 === 2;
  for (const [nth, raws] of sets.entries()) {
    for (const [at, raw] of raws.entries()) if (!isLate(at)) await push(opened, sent, `s${nth}`, raw, halves[at % 2]!);
  }
  expect((await packNow(opened)).profiles).toBeGreaterThan(SETS);
  for (const [nth, raws] of sets.entries()) {
    for (const [at, raw] of raws.entries()) if (isLate(at)) await push(opened, sent, `s${nth}`, raw, halves[at % 2]!);
  }
  let packed = 0;
  for (const nth of sets.keys()) {
    packed += await compare(opened, sent, `any{service="s${nth}"}`);
    for (const half of halves) packed += await compare(opened, sent, `any{service="s${nth}",half="${half}"}`);
  }
  expect(packed).toBeGreaterThan(SETS);
});

test(`one service over 24 hours and a day: 10 % of its profiles and all of them (SEED=${SEED})`, async () => {
  await using opened = await openRepository({ packHourProfiles: 5 });
  const sent: Sent = new Map();
  const random = new Random(SEED);
  for (let hour = 0; hour < 24; hour++) {
    for (let at = 0; at < 20; at++) {
      const stack = Array.from({ length: random.between(1, 8) }, (_, depth) => `f${depth}_${random.between(0, 4)}`);
      const timeNs = START_NS + BigInt(hour) * HOUR_NS + BigInt(at) * 1_000_000_000n;
      const samples = Array.from({ length: 5 }, () => ({
        stack: stack.slice(random.between(0, 1)),
        values: [1, random.between(-5, 99)],
      }));
      await push(
        opened,
        sent,
        "day",
        buildProfile({ timeNs, durationNs: 1n, samples }),
        random.chance(0.1) ? "tenth" : "rest",
      );
    }
  }
  for (const _ of ["hours", "the day"]) {
    await packNow(opened);
    expect(await compare(opened, sent, `any{service="day"}`)).toBe(480);
    expect(await compare(opened, sent, `any{half="tenth"}`)).toBeGreaterThan(10);
  }
});
