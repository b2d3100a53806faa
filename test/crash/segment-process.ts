// The process under test of the segment driver: appends, puts and deletes at random, and says on stdout what it was promised, when it was.
// Arguments: folder, seed, seconds' worth of work as a number of steps, and a path that it may make faults with (or nothing).

import { hash } from "node:crypto";
import { rmSync, writeFileSync } from "node:fs";
import { DomainError } from "../../src/model/errors.ts";
import { DEFAULT_LIMITS } from "../../src/model/limits.ts";
import type { Locator } from "../../src/storage/blob-store.ts";
import { openDiskBlobs } from "../../src/storage/disk/blobs.ts";
import { Random } from "../support/random.ts";

const [folder, seedText, stepsText, faultPath] = process.argv.slice(2);
const random = new Random(Number(seedText));
const limits = { ...DEFAULT_LIMITS, segmentBytes: 60_000, diskReserveMinBytes: 0, diskReserveMaxBytes: 0 };
const store = await openDiskBlobs({ folder: folder!, limits, knownEnds: new Map(), report: () => {} });

const FAULTS = ["w 28 0 3", "w 5 2 1", "s 5 0 1", "s 5 3 2", "o 28 0 2", "sw 28 1 4", "r 5 0 1"];

/** Segments that failed an append: they must take nothing more. */
const failed = new Set<number>();

async function appendSome(): Promise<void> {
  const batch = Array.from({ length: random.between(1, 6) }, () => content(random.between(0, 9000)));
  const kind = random.chance(0.2) ? "opaque" : "profile";
  let locators: Locator[];
  try {
    locators = await store.append(batch, kind);
  } catch (error) {
    const named = /append to segment (\d+)/.exec((error as Error).message);
    if (named) failed.add(Number(named[1]));
    throw error;
  }
  for (const [at, { segmentId, offset, sizeBytes }] of locators.entries()) {
    if (failed.has(segmentId)) throw new Error(`Segment ${segmentId} took an append after one that failed`);
    void say(`blob ${segmentId} ${offset} ${sizeBytes} ${digest(batch[at]!)}`);
  }
}

async function putOne(name: string): Promise<void> {
  const bytes = content(random.between(0, 20_000));
  await store.put(name, bytes);
  void say(`object ${name} ${digest(bytes)}`);
}

async function deleteOne(): Promise<void> {
  const sealed = (await store.segments()).filter((segment) => segment.sealed);
  if (sealed.length === 0) return;
  const { segmentId } = random.pick(sealed);
  // Before it begins, also where nobody has read the last hundred lines: what the deletion takes was promised until here.
  await say(`deleting ${segmentId}`);
  await store.deleteSegment(segmentId);
  void say(`deleted ${segmentId}`);
}

for (let step = 0; step < Number(stepsText); step++) {
  if (faultPath && random.chance(0.1)) writeFileSync(faultPath, random.pick(FAULTS));
  const tasks = Array.from({ length: random.between(1, 4) }, (_, task) => {
    if (random.chance(0.1)) return deleteOne();
    return random.chance(0.25) ? putOne(`packs/${step}-${task}`) : appendSome();
  });
  for (const outcome of await Promise.allSettled(tasks)) {
    // Faults must come out as the store's own errors, never as others.
    if (outcome.status === "rejected" && !(outcome.reason instanceof DomainError)) throw outcome.reason;
  }
  if (faultPath) rmSync(faultPath, { force: true });
}
// Half of them end in order, the others as a kill leaves them.
if (random.chance(0.5)) await store[Symbol.asyncDispose]();
void say("end");

function content(length: number): Buffer {
  return Buffer.alloc(length, `${random.uint32()} `);
}

function digest(bytes: Uint8Array): string {
  return hash("sha256", bytes, "hex");
}

/** Resolves when the line is out. */
function say(line: string): Promise<void> {
  return new Promise((resolve) => process.stdout.write(`${line}\n`, () => resolve()));
}
