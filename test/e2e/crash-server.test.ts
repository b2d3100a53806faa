// Power losses of the whole server at random calls, SQLite's included: every profile that it acknowledged downloads byte for byte, and none
// whose deletion it acknowledged comes back. Needs gcc and Linux. CRASH_SEEDS sets how many crashes (default 200).

import { once } from "node:events";
import { rmSync, writeFileSync } from "node:fs";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../../src/model/limits.ts";
import { startServer } from "../../src/server.ts";
import { type Crash, type Harness, missedByRecorder, openHarness } from "../crash/harness.ts";
import {
  broken,
  downloadDigest,
  type Promised,
  remove,
  serverArguments,
  upload,
  whenServing,
} from "../crash/server-process.ts";
import { Random } from "../support/random.ts";

const SEEDS = Number(process.env.CRASH_SEEDS ?? 200);
const SEEDS_PER_RUN = 20;
const WRITERS = 8;
const UPLOADS_PER_WRITER = 25;
/** Small segments, so that sealing, freeing and copying out happen too. */
const LIMITS = { segmentBytes: 100_000, diskReserveMinBytes: 0, diskReserveMaxBytes: 0 };

let harness: Harness;
beforeAll(async () => {
  harness = await openHarness();
});
afterAll(() => harness[Symbol.asyncDispose]());

async function recordServer(seed: number, faulty = false) {
  const promised: Promised = new Map();
  const recorded = await harness.record({
    command: process.execPath,
    arguments: (root) => serverArguments(`${root}/data`, LIMITS),
    async drive(child, faults) {
      const { url } = await whenServing(child);
      const breakDisk = faulty ? (random: Random) => breakSometimes(faults.path, random) : () => {};
      const seeds = Array.from({ length: WRITERS }, (_, writer) => seed * WRITERS + writer);
      await Promise.all(seeds.map((own) => write(url, new Random(own), promised, breakDisk)));
      rmSync(faults.path, { force: true });
      if (seed % 2 === 0) return;
      child.kill("SIGTERM");
      await once(child, "exit");
    },
  });
  return { recorded, promised };
}

/** Short writes on a full disk, failed writes, failed syncs, also of what SQLite does. */
const FAULTS = ["w 28 0 5", "w 5 3 1", "s 5 0 1", "s 5 2 3", "ws 28 1 6", "o 28 0 2"];

function breakSometimes(faultPath: string, random: Random): void {
  if (random.chance(0.1)) writeFileSync(faultPath, random.pick(FAULTS));
  else if (random.chance(0.5)) rmSync(faultPath, { force: true });
}

/** On a disk that fails an upload and a deletion may be refused as unavailable; then nothing is promised. */
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
    if (!random.chance(0.4)) continue;
    const [leaving] = mine.splice(random.between(0, mine.length - 1), 1);
    expect([200, 503, 507]).toContain(await remove(url, leaving!));
  }
}

interface Acknowledged {
  /** Must be there. */
  stored: Promised;
  /** May be gone, but if it is there then whole. */
  leaving: Promised;
  /** Must be gone. */
  removed: string[];
}

/** Answers to uploads hold the id; what was announced of deletions is in answers too. */
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
  const server = await startServer({ listen, dataFolder, limits, logger, version: "test" });
  try {
    const url = `http://127.0.0.1:${server.addresses[0]!.port}`;
    expect(await broken(url, stored)).toEqual([]);
    for (const [id, digest] of leaving) expect([digest, undefined]).toContain(await downloadDigest(url, id));
    for (const id of removed) expect(await downloadDigest(url, id), `${id} was deleted`).toBe(undefined);
    const { status, id, digest } = await upload(url, new Random(removed.length));
    expect(status).toBe(200);
    expect(await downloadDigest(url, id!)).toBe(digest);
  } finally {
    await server.close(0);
  }
  expect(log.filter((line) => /damaged|absent|"level":50/.test(line))).toEqual([]);
}

test("the recorder misses nothing that the server does to its folder", async () => {
  for (const seed of [0, 1]) expect(await missedByRecorder((await recordServer(seed)).recorded)).toEqual([]);
});

describe.each([
  ["on a good disk", false, SEEDS],
  ["on a disk that fails and fills up", true, Math.ceil(SEEDS / 4)],
])("what was acknowledged survives crashes at random calls %s", (_, faulty, count) => {
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
