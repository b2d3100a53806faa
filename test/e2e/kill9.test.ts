// kill -9 at random moments under eight writers, again and again over one data folder: what was acknowledged is there after every start.
// KILL_ROUNDS sets how often (default 20). Power losses are test/e2e/crash-server.test.ts's.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
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

const ROUNDS = Number(process.env.KILL_ROUNDS ?? 20);
const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 32));
const WRITERS = 8;
const LIMITS = { segmentBytes: 200_000, diskReserveMinBytes: 0, diskReserveMaxBytes: 0 };

let folder: string;
let running: ChildProcess | undefined;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "profusion-kill-"));
});
afterAll(async () => {
  running?.kill("SIGKILL");
  await rm(folder, { recursive: true, force: true });
});

/** What clients know. An id is in one of them. */
interface Ledger {
  stored: Promised;
  /** Its deletion was asked for and not answered. */
  leaving: Promised;
  removed: Set<string>;
}

async function start(): Promise<{ child: ChildProcess; url: string; warnings: string[] }> {
  const child = spawn(process.execPath, serverArguments(join(folder, "data"), LIMITS), {
    stdio: ["ignore", "pipe", "inherit"],
  });
  running = child;
  return { child, ...(await whenServing(child)) };
}

/** Writes until the server is killed, at the answer that `killAt` says, wherever the other writers are then. */
async function writeUntilKilled(child: ChildProcess, url: string, random: Random, ledger: Ledger): Promise<void> {
  const killAt = random.between(1, 120);
  const exited = once(child, "exit");
  let answers = 0;
  const answered = () => {
    if (++answers === killAt) child.kill("SIGKILL");
  };
  const write = async (own: Random) => {
    while (!child.killed) {
      const { id, digest, error } = await upload(url, own);
      if (id === undefined) throw new Error(`An upload was refused: ${error}`);
      ledger.stored.set(id, digest);
      answered();
      if (!own.chance(0.2)) continue;
      ledger.stored.delete(id);
      ledger.leaving.set(id, digest);
      expect(await remove(url, id)).toBe(200);
      ledger.leaving.delete(id);
      ledger.removed.add(id);
      answered();
    }
  };
  const writers = Array.from({ length: WRITERS }, () => new Random(random.uint32()));
  for (const outcome of await Promise.allSettled(writers.map(write))) {
    // A killed server breaks connections, and nothing else may go wrong.
    if (outcome.status === "rejected" && !(child.killed && outcome.reason instanceof TypeError)) throw outcome.reason;
  }
  await exited;
}

/** Of what is stored `checked`, of the others all. */
async function verify(url: string, { stored, leaving, removed }: Ledger, checked: Iterable<[string, string]>) {
  expect(await broken(url, checked)).toEqual([]);
  for (const [id, digest] of leaving) {
    const found = await downloadDigest(url, id);
    expect([digest, undefined]).toContain(found);
    leaving.delete(id);
    if (found) stored.set(id, digest);
  }
  for (const id of removed) expect(await downloadDigest(url, id), `${id} was deleted`).toBe(undefined);
  removed.clear();
}

/** All of the last round and some of the rounds before. */
function newestAndSome(stored: Promised, random: Random): [string, string][] {
  const all = [...stored];
  const older = all.slice(0, -200);
  return [...all.slice(-200), ...random.shuffle(older).slice(0, 50)];
}

test(`what was acknowledged survives ${ROUNDS} kills (SEED=${SEED})`, { timeout: ROUNDS * 30_000 }, async () => {
  const random = new Random(SEED);
  const ledger: Ledger = { stored: new Map(), leaving: new Map(), removed: new Set() };
  for (let round = 0; round < ROUNDS; round++) {
    const { child, url, warnings } = await start();
    await verify(url, ledger, newestAndSome(ledger.stored, random));
    expect(warnings.filter((line) => /damaged|absent/.test(line))).toEqual([]);
    await writeUntilKilled(child, url, random, ledger);
  }
  const { child, url } = await start();
  await verify(url, ledger, ledger.stored);
  expect(ledger.stored.size).toBeGreaterThan(ROUNDS);
  child.kill("SIGTERM");
  const [code] = await once(child, "exit");
  expect(code).toBe(0);
});
