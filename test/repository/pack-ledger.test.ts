// Packs that lie: uploads, late ones and repeated ones, deletions by id and by selector, expiry, packing by hand and by the clock, restarts, in
// any order; after each step every answer equals a ledger that the test keeps. LEDGER_SEED=n repeats a run, LEDGER_STEPS=n makes a longer one.

import { gunzipSync, gzipSync } from "node:zlib";
import { fromBinary } from "@bufbuild/protobuf";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DomainError } from "../../src/model/errors.ts";
import { DEFAULT_LIMITS } from "../../src/model/limits.ts";
import { parseSelector } from "../../src/model/selector.ts";
import type { Selection } from "../../src/repository/repository.ts";
import { ProfileSchema } from "../gen/profile_pb.ts";
import { type OpenedRepository, openRepository } from "../support/open-repository.ts";
import { buildProfile } from "../support/profile-builder.ts";
import { Random } from "../support/random.ts";

const SEED = Number(process.env.LEDGER_SEED ?? Date.now() % 1_000_000_000);
const STEPS = Number(process.env.LEDGER_STEPS ?? 50);
const MINUTE = 60_000_000_000n;
const HOUR = 60n * MINUTE;
/** 2026-09-21T00:00Z. */
const DAY_NS = 1_789_948_800_000_000_000n;
const ZONES = ["a", "b", "c"];

/** What an upload was, by its id. */
interface Entry {
  id: string;
  at: number;
  timeNs: bigint;
  zone: string;
  rows: [stack: string, value: bigint][];
}

let opened: OpenedRepository;
let live: Map<string, Entry>;

beforeEach(async () => {
  // Hours are packed with few profiles and soon: the packer looks all the time, while everything else goes on.
  opened = await openRepository({ packPassMs: 5, packHourProfiles: 4, packGraceMs: 60_000, packLateMs: 600_000 });
  opened.clock.nowNs = DAY_NS + 30n * HOUR;
  live = new Map();
});
afterEach(() => opened[Symbol.asyncDispose]());

/** The n-th profile that there could be: the same n, the same bytes. */
function entryOf(at: number): Omit<Entry, "id"> {
  const random = new Random(at + 1);
  const rows = Array.from({ length: random.between(1, 4) }, (_, nth): [string, bigint] => [
    `leaf${random.between(0, 5)};middle${nth % 2};main`,
    random.chance(0.1) ? 0x4000_0000_0000_0001n : BigInt(random.between(0, 1000)),
  ]);
  const timeNs = DAY_NS + BigInt(random.between(0, 30 * 60)) * MINUTE + BigInt(at);
  return { at, timeNs, zone: ZONES[at % ZONES.length]!, rows };
}

async function upload(at: number): Promise<void> {
  const entry = entryOf(at);
  const bytes = buildProfile({
    sampleTypes: [["samples", "count"]],
    timeNs: entry.timeNs,
    samples: entry.rows.map(([stack, value]) => ({ stack: stack.split(";"), values: [value] })),
  });
  const labels = [{ name: "zone", value: entry.zone }];
  const outcome = await opened.repository.push({ service: "auth", type: "cpu", labels, bytes: gzipSync(bytes) });
  if (outcome.state !== "stored") throw new Error("An upload was not stored");
  expect(outcome.alreadyExisted).toBe(live.has(outcome.record.id));
  live.set(outcome.record.id, { ...entry, id: outcome.record.id });
}

const select = (text: string, more: Partial<Selection> = {}): Selection => ({
  selector: parseSelector(text, DEFAULT_LIMITS),
  ...more,
});

/** The rows of a merge, "" for none; equal stacks are one row, zero ones are none. */
async function answered(selection: Selection): Promise<{ merged: number; rows: Map<string, bigint> }> {
  const request = { selection, signal: new AbortController().signal };
  const answer = await opened.repository.merge(request).catch((error) => {
    if (error instanceof DomainError && error.kind === "not-found") return undefined;
    throw error;
  });
  if (answer === undefined) return { merged: 0, rows: new Map() };
  const { samples, locations, functions, strings } = fromBinary(ProfileSchema, gunzipSync(answer.bytes));
  const names = new Map(functions.map(({ id, nameText }) => [id, Buffer.from(strings[Number(nameText)]!).toString()]));
  const frames = new Map(locations.map(({ id, lines }) => [id, names.get(lines[0]!.functionId)!]));
  const rows = samples.map(({ locationIds, values }): [string, bigint] => [
    locationIds.map((id) => frames.get(id)!).join(";"),
    values[0]!,
  ]);
  const { merged, packs, loose } = answer.summary;
  expect(packs + loose).toBe(merged);
  return { merged, rows: new Map(rows) };
}

function expected(entries: readonly Entry[]): { merged: number; rows: Map<string, bigint> } {
  const rows = new Map<string, bigint>();
  for (const [stack, value] of entries.flatMap((entry) => entry.rows)) {
    rows.set(stack, BigInt.asIntN(64, (rows.get(stack) ?? 0n) + value));
  }
  for (const [stack, value] of rows) if (value === 0n) rows.delete(stack);
  return { merged: entries.length, rows };
}

async function check(random: Random, step: string): Promise<void> {
  const entries = [...live.values()];
  const zone = random.pick(ZONES);
  const startNs = DAY_NS + BigInt(random.between(0, 24 * 60)) * MINUTE;
  const interval = { startNs, endNs: startNs + BigInt(random.between(1, 12)) * HOUR };
  const isInside = ({ timeNs }: Entry) => timeNs >= interval.startNs && timeNs < interval.endNs;
  const named = entries.filter(() => random.chance(0.3));
  const questions: [Selection, Entry[]][] = [
    [select("cpu{}"), entries],
    [select(`cpu{zone="${zone}"}`), entries.filter((entry) => entry.zone === zone)],
    [select(`cpu{zone!="${zone}"}`, { interval }), entries.filter((each) => each.zone !== zone && isInside(each))],
  ];
  if (named.length > 0) questions.push([select("{}", { ids: named.map(({ id }) => id) }), named]);
  for (const [at, [selection, wanted]] of questions.entries()) {
    expect(await answered(selection), `seed ${SEED}, after ${step}, question ${at}`).toEqual(expected(wanted));
  }
  expect((await opened.repository.status()).profiles, `seed ${SEED}, after ${step}`).toBe(entries.length);
}

async function packNow(): Promise<void> {
  const { id } = opened.repository.startPack();
  const { error } = await opened.repository.operation(id, 60_000);
  if (error) throw new Error(error.message);
}

/** Deletes a selection with its etag; the ledger says the same. */
async function deleteWhere(selection: Selection, isMeant: (entry: Entry) => boolean): Promise<void> {
  const meant = [...live.values()].filter(isMeant);
  if (meant.length === 0) return;
  const { etag, count } = await opened.repository.previewDelete(selection);
  expect(count).toBe(meant.length);
  expect(await opened.repository.deleteSelection(selection, etag)).toBe(meant.length);
  for (const { id } of meant) live.delete(id);
}

async function deleteOne(id: string): Promise<void> {
  await opened.repository.delete(id);
  live.delete(id);
}

/** Retention: all that is older. */
function expire(endNs: bigint): Promise<void> {
  return deleteWhere(select("cpu{}", { interval: { startNs: 0n, endNs } }), ({ timeNs }) => timeNs < endNs);
}

/** Everything that was sent says its own rows, by its own id, whether it was packed or not. */
async function checkDownloads(): Promise<void> {
  for (const { id, rows } of live.values()) {
    const { bytes } = await opened.repository.download(id);
    expect(fromBinary(ProfileSchema, gunzipSync(bytes)).samples.map(({ values }) => values[0])).toEqual(
      rows.map(([, value]) => value),
    );
  }
}

describe("the ledger agrees", () => {
  test("after an hour is filled, packed, joined by a late upload, bereft of one, expired, and joined again", async () => {
    const random = new Random(SEED);
    for (let at = 0; at < 40; at++) await upload(at);
    await check(random, "filling");
    opened.clock.nowNs = DAY_NS + 60n * HOUR;
    await packNow();
    await check(random, "packing");
    for (let at = 40; at < 45; at++) await upload(at);
    await check(random, "late uploads");
    await deleteWhere(select('cpu{zone="b"}'), ({ zone }) => zone === "b");
    await check(random, "deleting by selector");
    await packNow();
    await check(random, "packing the rest");
    await expire(DAY_NS + 10n * HOUR);
    await check(random, "expiry");
    for (let at = 0; at < 50; at += 3) await upload(at);
    await check(random, "late uploads, some of what was deleted before");
    await packNow();
    await check(random, "the last packing");
    await checkDownloads();
  });

  test("after every step of a random script, with the packer at work all the while", { timeout: 600_000 }, async () => {
    console.log(`LEDGER_SEED=${SEED}`);
    const random = new Random(SEED);
    let next = 0;
    const anyone = () => random.pick([...live.values()]);
    const steps: [name: string, weight: number, run: () => Promise<unknown>][] = [
      ["uploads", 6, () => Promise.all(Array.from({ length: random.between(1, 12) }, () => upload(next++)))],
      ["an upload sent again", 2, () => (next > 0 ? upload(random.between(0, next - 1)) : upload(next++))],
      ["time", 3, async () => (opened.clock.nowNs += BigInt(random.between(1, 5 * 60)) * MINUTE)],
      ["packing", 2, packNow],
      ["a deletion", 3, async () => live.size > 0 && deleteOne(anyone().id)],
      ["a deletion by zone", 1, () => deleteZone(random.pick(ZONES), random)],
      ["expiry", 1, () => expire(DAY_NS + BigInt(random.between(0, 8)) * HOUR)],
      ["uploads while packing", 2, () => Promise.all([packNow(), ...Array.from({ length: 5 }, () => upload(next++))])],
      ["a deletion while packing", 2, () => Promise.all([packNow(), live.size > 0 && deleteOne(anyone().id)])],
      ["a restart", 1, () => opened.reopen()],
    ];
    const all = steps.flatMap((step) => Array.from({ length: step[1] }, () => step));
    for (let nth = 1; nth <= STEPS; nth++) {
      const [name, , run] = random.pick(all);
      await run();
      await check(random, `${nth} steps, the last ${name}`);
    }
    await packNow();
    await check(random, "the end");
    await checkDownloads();
    expect(opened.events.filter(({ kind }) => /damage|failed|refused/.test(kind))).toEqual([]);
    const reasons = new Set(opened.events.map((event) => (event.kind === "packed" ? event.reason : undefined)));
    expect([...reasons]).toEqual(expect.arrayContaining(["day"]));
  });
});

/** Of a few hours of one zone. */
function deleteZone(zone: string, random: Random): Promise<void> {
  const startNs = DAY_NS + BigInt(random.between(0, 28)) * HOUR;
  const interval = { startNs, endNs: startNs + 2n * HOUR };
  return deleteWhere(
    select(`cpu{zone="${zone}"}`, { interval }),
    (entry) => entry.zone === zone && entry.timeNs >= interval.startNs && entry.timeNs < interval.endNs,
  );
}
