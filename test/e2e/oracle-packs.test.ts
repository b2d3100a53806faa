// Merges out of packs against google/pprof itself: whole, of a label, of any ids, and mixed with loose profiles; out of one pack and out of
// hundreds. Needs Go. SEED=n repeats a run.

import { afterAll, expect, test } from "vitest";
import { JudgedRepository, select } from "../support/judged-repository.ts";
import { type OpenedRepository, openRepository } from "../support/open-repository.ts";
import { startOracle } from "../support/oracle.ts";
import { encodeGenerated, generateSet } from "../support/profile-generator.ts";
import { Random } from "../support/random.ts";
import { recordedFamilies } from "../support/recorded-families.ts";
import { withTime } from "../support/with-time.ts";

const SEED = Number(process.env.SEED ?? Date.now() % 1_000_000_000);
const SETS = 150;
const HOUR_NS = 3_600_000_000_000n;
const MINUTE_NS = 60_000_000_000n;
/** 2026-08-22T00:00Z, a month before the clock of the tests. */
const START_NS = 1_787_356_800_000_000_000n;

const oracle = startOracle();
afterAll(() => oracle[Symbol.asyncDispose]());

test(`${SETS} generated sets, packed, half packed and by label, have google/pprof's normal form (SEED=${SEED})`, async () => {
  await using opened = await openRepository({ packHourProfiles: 3, packSharePercent: 100 });
  const judged = new JudgedRepository(opened, oracle);
  const parts = ["a", "b"] as const;
  const sets = Array.from({ length: SETS }, (_, at) => generateSet(SEED + at).map(encodeGenerated));
  const isLate = (at: number) => at % 3 === 2;
  async function push(isMeant: (at: number) => boolean): Promise<void> {
    for (const [nth, raws] of sets.entries()) {
      for (const [at, raw] of raws.entries()) {
        if (isMeant(at)) await judged.push({ service: `s${nth}`, part: parts[at % 2]!, raw });
      }
    }
  }
  await push((at) => !isLate(at));
  expect((await judged.packNow()).profiles).toBeGreaterThan(SETS);
  await push(isLate);
  let packed = 0;
  for (const nth of sets.keys()) {
    const service = `s${nth}`;
    packed += await judged.compare(service, select(`any{service="${service}"}`), (each) => each.service === service);
    for (const part of parts) {
      packed += await judged.compare(
        `${service} ${part}`,
        select(`any{service="${service}",part="${part}"}`),
        (each) => each.service === service && each.part === part,
      );
    }
  }
  expect(packed).toBeGreaterThan(SETS);
});

/** A few profiles of the hour, recorded and generated ones, all of which Go's CPU profiles can be summed with. */
function profilesOfHour(hour: number, random: Random, recorded: readonly Uint8Array[]): Uint8Array[] {
  const timeOf = () => START_NS + BigInt(hour) * HOUR_NS + BigInt(random.between(0, 59)) * MINUTE_NS;
  // Of seven kinds of programs the first and the fourth have these columns.
  const generated = generateSet(7 * random.between(0, 100_000_000) + random.pick([0, 3]));
  for (const { spec } of generated)
    spec.timeNs = random.chance(0.7) ? timeOf() : random.pick([0n, -5n, 2n ** 63n - 1n]);
  const raws = generated.slice(0, 3).map(encodeGenerated);
  return random.chance(0.15) ? [...raws, withTime(random.pick(recorded), timeOf())] : raws;
}

async function packStatistics({ repository }: OpenedRepository) {
  return (await repository.status()).packs;
}

test.for([2, 24, 720])(`one service in %i packs of hours and in those of their days (SEED=${SEED})`, async (hours) => {
  await using opened = await openRepository({ packSharePercent: 100, packCacheBytes: 4_000_000, resultCacheBytes: 0 });
  const judged = new JudgedRepository(opened, oracle);
  const random = new Random(SEED + hours);
  const recorded = recordedFamilies().find(({ name }) => name === "go-cpu")!.raws;
  const clockNs = opened.clock.nowNs;

  async function push(hour: number): Promise<void> {
    const clientTimeNs = START_NS + BigInt(hour) * HOUR_NS;
    for (const raw of profilesOfHour(hour, random, recorded)) {
      await judged.push({ service: "busy", part: random.chance(0.1) ? "tenth" : "rest", raw, clientTimeNs });
    }
  }

  async function compareAll(told: string): Promise<void> {
    const all = await judged.compare(`${told}, all`, select("any{}"), () => true);
    expect(all, told).toBe((await packStatistics(opened)).profiles);
    await judged.compare(`${told}, a label`, select('any{part="tenth"}'), ({ part }) => part === "tenth");
    for (const nth of ["first", "second"]) {
      const ids = new Set(judged.entries(() => random.chance(0.1)).map(({ id }) => id));
      await judged.compare(`${told}, ${nth} tenth`, select("{}", { ids: [...ids] }), ({ id }) => ids.has(id));
    }
    const startNs = START_NS + BigInt(random.between(0, hours * 30)) * MINUTE_NS;
    const interval = { startNs, endNs: startNs + BigInt(hours * 30) * MINUTE_NS };
    const isInside = ({ timeNs }: { timeNs: bigint }) => timeNs >= interval.startNs && timeNs < interval.endNs;
    await judged.compare(`${told}, a window`, select("any{}", { interval }), isInside);
  }

  for (let hour = 0; hour < hours; hour++) await push(hour);
  // No day is over yet, so that hours are packed each by itself.
  opened.clock.nowNs = START_NS;
  expect((await judged.packNow()).refused).toBe(0);
  // Of a few hours nothing was kept: their profiles had no samples, or were like others.
  const packed = new Set(judged.entries(() => true).map(({ timeNs }) => timeNs / HOUR_NS));
  expect(packed.size).toBeGreaterThanOrEqual(Math.floor(hours * 0.9));
  expect((await packStatistics(opened)).packs).toBe(packed.size);
  await compareAll("hours");

  opened.clock.nowNs = clockNs;
  for (let nth = 0; nth < 10; nth++) await push(random.between(0, hours - 1));
  for (const { id } of judged.entries(() => random.chance(0.03))) await judged.delete(id);
  await compareAll("hours, loose ones and deletions");
  await judged.packNow();
  expect((await packStatistics(opened)).packs).toBe(Math.ceil(hours / 24));
  await compareAll("days");
  await judged.compareDownloads();
});
