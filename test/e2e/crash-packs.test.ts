// Power losses at random calls of a server that packs while it is uploaded to and deleted from: nothing that was acknowledged is lost,
// nothing comes back, and every profile is in each merge once. Needs gcc and Linux. CRASH_SEEDS sets how many crashes (default 200).

import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../../src/model/limits.ts";
import { startServer } from "../../src/server.ts";
import { type Crash, type Harness, missedByRecorder, openHarness } from "../crash/harness.ts";
import {
  broken,
  downloadDigest,
  type Promised,
  packNow,
  remove,
  serverArguments,
  upload,
  whenServing,
} from "../crash/server-process.ts";
import { faultsOfMerges } from "../support/ledger.ts";
import { Random } from "../support/random.ts";

const SEEDS = Number(process.env.CRASH_SEEDS ?? 200);
const SEEDS_PER_RUN = 20;
const WRITERS = 4;
const UPLOADS_PER_WRITER = 25;
const LIMITS = { segmentBytes: 100_000, diskReserveMinBytes: 0, diskReserveMaxBytes: 0, packProfiles: 16 };

let harness: Harness;
beforeAll(async () => {
  harness = await openHarness();
});
afterAll(() => harness[Symbol.asyncDispose]());

async function recordServer(seed: number, faulty = false) {
  const promised: Promised = new Map();
  let packs = 0;
  const recorded = await harness.record({
    command: process.execPath,
    arguments: (root) => serverArguments(`${root}/data`, LIMITS),
    async drive(child, faults) {
      const { url } = await whenServing(child);
      const breakDisk = faulty ? (random: Random) => breakSometimes(faults.path, random) : () => {};
      let isWriting = true;
      const packing = (async () => {
        while (isWriting) packs += Number((await packNow(url)) === undefined);
      })();
      const seeds = Array.from({ length: WRITERS }, (_, writer) => seed * WRITERS + writer);
      await Promise.all(seeds.map((own) => write(url, new Random(own), promised, breakDisk)));
      isWriting = false;
      await packing;
      rmSync(faults.path, { force: true });
      await packNow(url);
    },
  });
  expect(packs).toBeGreaterThan(faulty ? -1 : 1);
  return { recorded, promised };
}

const FAULTS = ["w 28 0 5", "w 5 3 1", "s 5 0 1", "s 5 2 3", "ws 28 1 6", "o 28 0 2"];

function breakSometimes(faultPath: string, random: Random): void {
  if (random.chance(0.1)) writeFileSync(faultPath, random.pick(FAULTS));
  else if (random.chance(0.5)) rmSync(faultPath, { force: true });
}

async function write(url: string, random: Random, promised: Promised, breakDisk: (random: Random) => void) {
  const mine: string[] = [];
  for (let at = 0; at < UPLOADS_PER_WRITER; at++) {
    breakDisk(random);
    const { id, digest, status, error } = await upload(url, random);
    if (id === undefined) {
      expect([503, 507], error).toContain(status);
      continue;
    }
    promised.set(id, digest);
    mine.push(id);
    if (!random.chance(0.3)) continue;
    const [leaving] = mine.splice(random.between(0, mine.length - 1), 1);
    expect([200, 503, 507]).toContain(await remove(url, leaving!));
  }
}

interface Acknowledged {
  stored: Promised;
  leaving: Promised;
  removed: string[];
}

function acknowledgedIn(output: string, promised: Promised): Acknowledged {
  const found = (pattern: RegExp) => new Set([...output.matchAll(pattern)].map((match) => match[1]!));
  const answered = found(/"id":"([0-9a-hjkmnp-tv-z]{26})"/g);
  const removing = found(/removing-([0-9a-hjkmnp-tv-z]{26})/g);
  const removed = found(/removed-([0-9a-hjkmnp-tv-z]{26})/g);
  const those = (holds: (id: string) => boolean) =>
    new Map([...promised].filter(([id]) => answered.has(id) && holds(id)));
  return {
    stored: those((id) => !removing.has(id)),
    leaving: those((id) => removing.has(id) && !removed.has(id)),
    removed: [...removed],
  };
}

async function verifyServer(dataFolder: string, { stored, leaving, removed }: Acknowledged): Promise<void> {
  const log: string[] = [];
  const logger = pino({ level: "warn" }, { write: (line: string) => void log.push(line) });
  const limits = { ...DEFAULT_LIMITS, ...LIMITS };
  const listen = [{ host: "127.0.0.1", port: 0 }];
  const packing = { originals: "until-packed" as const };
  const server = await startServer({ listen, dataFolder, limits, packing, logger, version: "test" });
  try {
    const url = `http://127.0.0.1:${server.addresses[0]!.port}`;
    const { repository } = server;
    const whole = async () => {
      expect(await broken(url, stored)).toEqual([]);
      for (const [id, digest] of leaving) expect([digest, undefined]).toContain(await downloadDigest(url, id, digest));
      for (const id of removed) expect(await downloadDigest(url, id), `${id} was deleted`).toBe(undefined);
      expect(await faultsOfMerges(repository, ["crash-1", "crash-2", "crash-3"])).toEqual([]);
    };
    await whole();
    expect(await packNow(url)).toBeUndefined();
    await whole();
    const { id } = repository.startVerify();
    expect((await repository.operation(id, 60_000)).result).toMatchObject({ damagedPacks: 0 });
    const { packs } = await repository.status();
    expect(readdirSync(join(dataFolder, "objects"))).toHaveLength(packs.packs);
  } finally {
    await server.close(0);
  }
  expect(log.filter((line) => /damaged|absent|"level":50/.test(line))).toEqual([]);
}

test("the recorder misses nothing that packing does to the folder", async () => {
  expect(await missedByRecorder((await recordServer(0)).recorded)).toEqual([]);
});

describe.each([
  ["on a good disk", false, SEEDS],
  ["on a disk that fails and fills up", true, Math.ceil(SEEDS / 4)],
])("packing, uploads and deletions survive crashes at random calls %s", (_, faulty, count) => {
  const runs = Array.from({ length: Math.ceil(count / SEEDS_PER_RUN) }, (_run, run) => run);
  test.each(runs)("run %i", async (run) => {
    const { recorded, promised } = await recordServer(run, faulty);
    let checked = 0;
    const verify = async ({ root, output }: Crash) => {
      const acknowledged = acknowledgedIn(output, promised);
      checked += acknowledged.stored.size;
      await verifyServer(`${root}/data`, acknowledged);
    };
    const first = run * SEEDS_PER_RUN;
    const seeds = Array.from({ length: Math.min(SEEDS_PER_RUN, count - first) }, (_seed, at) => first + at);
    await harness.crashEach(recorded, seeds, verify);
    expect(checked).toBeGreaterThan(0);
  });
});
