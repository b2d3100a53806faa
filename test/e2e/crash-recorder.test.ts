// Power losses at random calls, rebuilt from a recording: what the segment driver acknowledged is there. Needs gcc and Linux.
// CRASH_SEEDS sets how many crashes (default 200).

import { hash } from "node:crypto";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../../src/model/limits.ts";
import type { Locator } from "../../src/storage/blob-store.ts";
import { openDiskBlobs } from "../../src/storage/disk/blobs.ts";
import { frameEnd } from "../../src/storage/frame.ts";
import { type Crash, type Harness, missedByRecorder, openHarness } from "../crash/harness.ts";

const SEEDS = Number(process.env.CRASH_SEEDS ?? 200);
const SEEDS_PER_RUN = 10;

let harness: Harness;
beforeAll(async () => {
  harness = await openHarness();
});
afterAll(() => harness[Symbol.asyncDispose]());

function recordSegments(seed: number, faulty: boolean) {
  return harness.record({
    command: process.execPath,
    arguments: (root) => {
      const faultPath = root.replace(/root-[^/]*$/, "fault");
      const program = fileURLToPath(new URL("../crash/segment-process.ts", import.meta.url));
      return [program, `${root}/data`, String(seed), "40", ...(faulty ? [faultPath] : [])];
    },
    async drive(child) {
      child.stdout!.resume();
      const [code] = await once(child, "exit");
      expect(code).toBe(0);
    },
  });
}

interface Acknowledged {
  blobs: { locator: Locator; digest: string }[];
  objects: { name: string; digest: string }[];
  deleted: Set<number>;
}

function acknowledgedIn(output: string): Acknowledged {
  const acknowledged: Acknowledged = { blobs: [], objects: [], deleted: new Set() };
  const deleting = new Set<number>();
  // The last line may be cut.
  for (const line of output.split("\n").slice(0, -1)) {
    const [what, first, second, third, fourth] = line.split(" ");
    if (what === "blob") {
      const locator = { segmentId: Number(first), offset: Number(second), sizeBytes: Number(third) };
      acknowledged.blobs.push({ locator, digest: fourth! });
    }
    if (what === "object") acknowledged.objects.push({ name: first!, digest: second! });
    if (what === "deleting") deleting.add(Number(first));
    if (what === "deleted") acknowledged.deleted.add(Number(first));
  }
  acknowledged.blobs = acknowledged.blobs.filter(({ locator }) => !deleting.has(locator.segmentId));
  return acknowledged;
}

async function verifySegments({ root, output }: Crash): Promise<void> {
  const { blobs, objects, deleted } = acknowledgedIn(output);
  const knownEnds = new Map<number, number>();
  for (const { locator } of blobs) {
    knownEnds.set(locator.segmentId, Math.max(frameEnd(locator), knownEnds.get(locator.segmentId) ?? 0));
  }
  const limits = { ...DEFAULT_LIMITS, diskReserveMinBytes: 0, diskReserveMaxBytes: 0 };
  const reports: string[] = [];
  const report = (message: string) => void reports.push(message);
  for (let start = 0; start < 2; start++) {
    await using store = await openDiskBlobs({ folder: `${root}/data`, limits, knownEnds, report });
    for (const { locator, digest } of blobs) {
      expect(hash("sha256", await store.read(locator), "hex"), `blob ${JSON.stringify(locator)}`).toBe(digest);
    }
    for (const { name, digest } of objects) {
      expect(hash("sha256", await store.readRange(name, 0, 1e9), "hex"), name).toBe(digest);
    }
    const present = (await store.segments()).map(({ segmentId }) => segmentId);
    expect(present.filter((segmentId) => deleted.has(segmentId))).toEqual([]);
    const [locator] = await store.append([Buffer.from("after")], "profile");
    expect(Buffer.from(await store.read(locator!)).toString()).toBe("after");
    knownEnds.set(locator!.segmentId, frameEnd(locator!));
  }
  expect(reports.filter((message) => /damaged|absent/.test(message))).toEqual([]);
}

test("the recorder misses nothing that the process does to its folder", async () => {
  for (let seed = 1; seed <= 3; seed++)
    expect(await missedByRecorder(await recordSegments(seed, seed > 1))).toEqual([]);
});

test.each([
  ["on a good disk", false],
  ["on a disk that fails and fills up", true],
])(`what was acknowledged survives ${SEEDS} crashes at random calls %s`, async (_, faulty) => {
  for (let seed = 0; seed < SEEDS; seed += SEEDS_PER_RUN) {
    const recorded = await recordSegments(seed, faulty);
    const seeds = Array.from({ length: Math.min(SEEDS_PER_RUN, SEEDS - seed) }, (_, at) => seed + at);
    await harness.crashEach(recorded, seeds, verifySegments);
  }
});
