// Packs that lie, over profiles of every writer and awkwardness there is: an hour is filled, packed, joined by late uploads, bereft of some,
// expired, joined again; after each step every total is google/pprof's of what a ledger says is there. test/repository/pack-ledger.test.ts takes
// these steps in any order, with plain profiles. Needs Go. SEED=n repeats a run.

import { afterAll, expect, test } from "vitest";
import { JudgedRepository, type LedgerEntry, select } from "../support/judged-repository.ts";
import { openRepository } from "../support/open-repository.ts";
import { startOracle } from "../support/oracle.ts";
import { encodeGenerated, generateSet } from "../support/profile-generator.ts";
import { Random } from "../support/random.ts";
import { type Family, recordedFamilies } from "../support/recorded-families.ts";
import { withTime } from "../support/with-time.ts";

const SEED = Number(process.env.SEED ?? Date.now() % 1_000_000_000);
const GENERATED_SETS = 70;
const MINUTE_NS = 60_000_000_000n;
const HOUR_NS = 60n * MINUTE_NS;
/** 2026-09-18T09:00Z, three days before the clock of the tests. */
const START_NS = 1_789_722_000_000_000_000n;
const PARTS = ["a", "b", "c"] as const;

const oracle = startOracle();
afterAll(() => oracle[Symbol.asyncDispose]());

/** Profiles of real writers, each taken again some minutes later, and sets of generated ones: int64 at its ends, load addresses, several
 * mappings, rows twice and of zeros, folded frames, comments, fields that nobody knows (test/support/profile-generator.ts). */
function families(): Pick<Family, "name" | "raws">[] {
  const again = (raw: Uint8Array, nth: number) => withTime(raw, START_NS + BigInt(nth) * 7n * MINUTE_NS);
  const recorded = recordedFamilies().map(({ name, raws, isLegacy }) => {
    const nine = Array.from({ length: 9 }, (_, nth) => raws[nth % raws.length]!);
    // Older formats have no time: the sender's is theirs.
    return { name, raws: isLegacy ? nine : nine.map(again) };
  });
  const generated = Array.from({ length: GENERATED_SETS }, (_, at) => ({
    name: `generated ${SEED + at}`,
    raws: [...generateSet(SEED + at), ...generateSet(SEED + at).reverse()].map(encodeGenerated),
  }));
  return [...recorded, ...generated];
}

test(`every total is google/pprof's of the ledger, whatever was packed and deleted in between (SEED=${SEED})`, async () => {
  await using opened = await openRepository({ packHourProfiles: 2, packSharePercent: 100, resultCacheBytes: 0 });
  const judged = new JudgedRepository(opened, oracle);
  const all = families();
  const clockNs = opened.clock.nowNs;
  const isOf = (service: string) => (entry: LedgerEntry) => entry.service === service;

  /** Every profile goes to the same hour, part and label each time, so that sending it again is a repeat, or brings back what was deleted. */
  async function push(isMeant: (nth: number) => boolean): Promise<void> {
    for (const { name, raws } of all) {
      for (const [nth, raw] of raws.entries()) {
        if (!isMeant(nth)) continue;
        const clientTimeNs = START_NS + BigInt(nth % 4) * 20n * MINUTE_NS;
        await judged.push({ service: name, part: PARTS[nth % PARTS.length]!, raw, clientTimeNs });
      }
    }
  }

  async function check(step: string): Promise<void> {
    const random = new Random(SEED + step.length);
    for (const { name } of all) {
      const told = `${name} after ${step}`;
      const service = JSON.stringify(name);
      await judged.compare(told, select(`any{service=${service}}`), isOf(name));
      const part = random.pick(PARTS);
      const isMeant = (entry: LedgerEntry) => entry.service === name && entry.part !== part;
      await judged.compare(`${told}, without part ${part}`, select(`any{service=${service},part!="${part}"}`), isMeant);
    }
    expect((await opened.repository.status()).profiles, step).toBe(judged.live.size);
  }

  await push((nth) => nth % 3 !== 1);
  await check("filling");
  // The day goes on: hours alone are packed.
  opened.clock.nowNs = START_NS + 3n * HOUR_NS;
  const { profiles, refused } = await judged.packNow();
  expect([profiles, refused]).toEqual([judged.live.size, 0]);
  await check("packing");
  opened.clock.nowNs = clockNs;
  await push((nth) => nth % 3 === 1);
  await check("late uploads");
  for (const { name } of all) {
    const [first] = judged.entries(isOf(name));
    if (first && judged.entries(isOf(name)).length > 1) await judged.delete(first.id);
  }
  expect(await judged.deleteSelection(select('any{part="b"}'), ({ part }) => part === "b")).toBeGreaterThan(20);
  await check("deletions");
  await judged.packNow();
  await check("packing the day");
  const endNs = START_NS + HOUR_NS;
  const old = select("any{}", { interval: { startNs: 0n, endNs } });
  expect(await judged.deleteSelection(old, ({ timeNs }) => timeNs < endNs)).toBeGreaterThan(20);
  await check("expiry");
  const [before] = [judged.live.size];
  await push((nth) => nth % 2 === 0);
  expect(judged.live.size).toBeGreaterThan(before);
  await check("late uploads, some of what was deleted before");
  await judged.packNow();
  await opened.reopen();
  await check("the last packing and a restart");
  await judged.compareDownloads();
  const verified = await opened.repository.operation(opened.repository.startVerify().id, 60_000);
  expect(verified.result).toMatchObject({ damagedPacks: 0, damaged: [] });
});
