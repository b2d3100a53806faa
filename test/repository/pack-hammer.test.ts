// Uploads, deletions, packing and merges, all at once. Each profile has a function of its own, so that a merge tells who is in it, and how
// often: who was acknowledged before the merge and is not being deleted must be in it once, who was deleted before it must not be. One half is
// deleted by id, the other by selector and window.

import { gunzipSync, gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../../src/model/limits.ts";
import { parseSelector } from "../../src/model/selector.ts";
import { decodeProfile } from "../../src/pprof/decode.ts";
import type { Repository } from "../../src/repository/repository.ts";
import { faultsOfMerges } from "../support/ledger.ts";
import { openRepository } from "../support/open-repository.ts";
import { buildProfile } from "../support/profile-builder.ts";
import { Random } from "../support/random.ts";

const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const UPLOADS = Number(process.env.UPLOADS ?? 400);
/** 2026-09-21T00:00Z. */
const DAY_NS = 1_789_948_800_000_000_000n;
const MINUTE_NS = 60_000_000_000n;
const ZONES = ["a", "b", "c"];
/** Few, so that the numbers compare as the events came. */
const SERVICES = ["one", "two"];

interface Entry {
  service: string;
  zone: string;
  /** From DAY_NS on. */
  minute: number;
  id?: string;
  /** Moments of a counter that every step raises. */
  sent: number;
  stored?: number;
  leaving?: number;
  gone?: number;
}

function profileOf(nth: number, timeNs: bigint): Uint8Array {
  const samples = [
    { stack: [`p${nth}`, "main"], values: [1, 10] },
    { stack: ["shared", "main"], values: [1, 10] },
  ];
  return buildProfile({ timeNs, durationNs: 1n, samples, comments: [`c${nth % 7}`] });
}

/** How often each profile is in the merge. */
function membersOf(merged: Uint8Array): Map<number, bigint> {
  const { samples, locations, functions } = decodeProfile(gunzipSync(merged));
  const nameOf = new Map(functions.map(({ id, name }) => [id, name]));
  const leafOf = new Map(locations.map(({ id, lines }) => [id, nameOf.get(lines[0]!.functionId)!]));
  const members = new Map<number, bigint>();
  for (const { locationIds, values } of samples) {
    const name = leafOf.get(locationIds[0]!)!;
    if (name.startsWith("p")) members.set(Number(name.slice(1)), values[0]!);
  }
  return members;
}

async function mergeOf(repository: Repository, text: string): Promise<Uint8Array | undefined> {
  const selection = { selector: parseSelector(text, DEFAULT_LIMITS) };
  return repository.merge({ selection, signal: new AbortController().signal }).then(
    ({ bytes, summary }) => {
      expect(summary.skipped).toEqual([]);
      return bytes;
    },
    (error) => {
      if (error.kind === "not-found") return undefined;
      throw error;
    },
  );
}

test(`every merge is of what was there, while all change at once (SEED=${SEED})`, { timeout: 240_000 }, async () => {
  await using opened = await openRepository({
    segmentBytes: 20_000,
    packProfiles: 40,
    packHourProfiles: 5,
    resultCacheBytes: SEED % 2 ? 0 : 1_000_000,
    packCacheBytes: SEED % 3 ? 50_000 : 5_000_000,
  });
  const random = new Random(SEED);
  const entries: Entry[] = [];
  let moment = 0;
  let deletedBySelector = 0;
  let isBusy = true;
  /** Resolves when the packing under way has ended. */
  let packing = Promise.withResolvers<void>();
  opened.clock.nowNs = DAY_NS + 50n * 60n * MINUTE_NS;

  async function write(own: Random): Promise<void> {
    while (entries.length < UPLOADS) {
      const nth = entries.length;
      // Over two days and the beginning of a third.
      const minute = own.between(0, 49 * 60);
      const timeNs = DAY_NS + BigInt(minute) * MINUTE_NS;
      const entry: Entry = { service: own.pick(SERVICES), zone: own.pick(ZONES), minute, sent: ++moment };
      entries.push(entry);
      const { repository } = opened;
      const labels = [{ name: "zone", value: entry.zone }];
      const bytes = gzipSync(profileOf(nth, timeNs));
      const outcome = await repository.push({ service: entry.service, type: "cpu", labels, bytes });
      if (outcome.state !== "stored") throw new Error("not stored");
      entry.id = outcome.record.id;
      entry.stored = ++moment;
      if (own.chance(0.2)) await removeOne(own);
      if (own.chance(0.05)) await removeWhere(own);
      // Or all would be there before the first packs are.
      if (nth % 50 === 49) await packing.promise;
    }
  }

  async function removeOne(own: Random): Promise<void> {
    const entry = own.pick(entries);
    if (entry.id === undefined || entry.leaving !== undefined) return;
    entry.leaving = ++moment;
    await opened.repository.delete(entry.id).catch((error) => {
      // A deletion by selector may have come first.
      if (error.kind !== "not-found") throw error;
    });
    entry.gone ??= ++moment;
  }

  async function removeWhere(own: Random): Promise<void> {
    const [service, zone] = [own.pick(SERVICES), own.pick(ZONES)];
    const from = own.between(0, 47 * 60);
    const startNs = DAY_NS + BigInt(from) * MINUTE_NS;
    const interval = { startNs, endNs: startNs + 150n * MINUTE_NS };
    const selection = { selector: parseSelector(`cpu{service="${service}",zone="${zone}"}`, DEFAULT_LIMITS), interval };
    const isMeant = (entry: Entry) =>
      entry.service === service && entry.zone === zone && entry.minute >= from && entry.minute < from + 150;
    const certain = entries.filter((entry) => entry.stored !== undefined && isMeant(entry));
    for (const entry of certain) entry.leaving ??= ++moment;
    const { etag } = await opened.repository.previewDelete(selection);
    // Who came meanwhile was counted or not, and is deleted or not.
    for (const entry of entries) if (isMeant(entry)) entry.leaving ??= ++moment;
    deletedBySelector += await opened.repository.deleteSelection(selection, etag);
    for (const entry of certain) entry.gone ??= ++moment;
  }

  async function pack(): Promise<number> {
    let packed = 0;
    while (isBusy) {
      opened.clock.nowNs += MINUTE_NS;
      const { id } = opened.repository.startPack();
      const { result, error } = await opened.repository.operation(id, 60_000);
      expect(error).toBeUndefined();
      packed += (result as { profiles: number }).profiles;
      packing.resolve();
      packing = Promise.withResolvers();
    }
    packing.resolve();
    return packed;
  }

  async function mergeSome(own: Random): Promise<number> {
    let merges = 0;
    for (; isBusy; merges++) {
      // The merge of nothing is answered at once, and would let nobody else run.
      await new Promise(setImmediate);
      const service = own.pick(SERVICES);
      const zone = own.chance(0.5) ? own.pick(ZONES) : undefined;
      const began = ++moment;
      const bytes = await mergeOf(
        opened.repository,
        `cpu{service="${service}"${zone === undefined ? "" : `,zone="${zone}"`}}`,
      );
      const ended = ++moment;
      const members = bytes ? membersOf(bytes) : new Map<number, bigint>();
      for (const [nth, entry] of entries.entries()) {
        const isMeant = entry.service === service && (zone === undefined || entry.zone === zone);
        const mustBeIn = isMeant && (entry.stored ?? Infinity) < began && (entry.leaving ?? Infinity) > ended;
        const mayBeIn = isMeant && entry.sent < ended && (entry.gone ?? Infinity) > began;
        const count = members.get(nth) ?? 0n;
        const told = () => `p${nth} is ${count} times in a merge from ${began} to ${ended}: ${JSON.stringify(entry)}`;
        if (mustBeIn) expect(count, told()).toBe(1n);
        else if (!mayBeIn) expect(count, told()).toBe(0n);
        else expect(count === 0n || count === 1n, told()).toBe(true);
      }
    }
    return merges;
  }

  async function download(own: Random): Promise<void> {
    while (isBusy) {
      await new Promise(setImmediate);
      const nth = own.between(0, Math.max(0, entries.length - 1));
      const entry = entries[nth];
      if (entry?.id === undefined) continue;
      const began = ++moment;
      const bytes = await opened.repository.download(entry.id).then(
        ({ bytes: found }) => found,
        (error) => {
          if (error.kind === "not-found") return undefined;
          throw error;
        },
      );
      if (bytes === undefined) expect(entry.leaving ?? Infinity, `${entry.id} is gone`).toBeLessThan(moment);
      else {
        expect(entry.gone ?? Infinity, `${entry.id} came back`).toBeGreaterThan(began);
        expect(gunzipSync(bytes).includes(`p${nth}`)).toBe(true);
      }
    }
  }

  const own = () => new Random(random.uint32());
  const others = [pack(), mergeSome(own()), mergeSome(own()), download(own())];
  try {
    await Promise.race([Promise.all([write(own()), write(own()), write(own())]), Promise.all(others)]);
  } finally {
    isBusy = false;
    await Promise.allSettled(others);
  }
  const [packed, merges] = (await Promise.all(others)) as number[];
  expect([packed! > UPLOADS / 4, merges! > 5, deletedBySelector > 0]).toEqual([true, true, true]);
  expect(await faultsOfMerges(opened.repository, SERVICES)).toEqual([]);
  const { id } = opened.repository.startVerify();
  expect((await opened.repository.operation(id, 60_000)).result).toMatchObject({ damagedPacks: 0 });
  expect(opened.events.filter(({ kind }) => /failed|damage|refused/.test(kind))).toEqual([]);
});
