// Power losses at random calls of a process that publishes releases: what was acknowledged is there, and what was not is there whole or not at
// all. Needs gcc and Linux. CRASH_SEEDS sets how many crashes (default 200).

import { hash } from "node:crypto";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../../src/model/limits.ts";
import { DEFAULT_PGO_POLICY } from "../../src/model/pgo-policy.ts";
import { createReleases } from "../../src/repository/pgo/releases.ts";
import { openLocalStorage } from "../../src/storage/local/open-local-storage.ts";
import { type Crash, type Harness, missedByRecorder, openHarness } from "../crash/harness.ts";

const SEEDS = Number(process.env.CRASH_SEEDS ?? 200);
const SEEDS_PER_RUN = 20;
const TIMES = "15";

let harness: Harness;
beforeAll(async () => {
  harness = await openHarness();
});
afterAll(() => harness[Symbol.asyncDispose]());

function recordReleases(seed: number, faulty: boolean) {
  return harness.record({
    command: process.execPath,
    arguments: (root) => {
      const faultPath = root.replace(/root-[^/]*$/, "fault");
      const program = fileURLToPath(new URL("../crash/release-process.ts", import.meta.url));
      return [program, `${root}/data`, String(seed), TIMES, ...(faulty ? [faultPath] : [])];
    },
    async drive(child) {
      child.stdout!.resume();
      const [code] = await once(child, "exit");
      expect(code).toBe(0);
    },
  });
}

interface Acknowledged {
  releases: { name: string; profile: string; manifest: string }[];
  /** Where the channel was last, as it was told. */
  channel: { release: string; version: number } | undefined;
}

function acknowledgedIn(output: string): Acknowledged {
  // The last line may be cut.
  const lines = output
    .split("\n")
    .slice(0, -1)
    .map((line) => line.split(" "));
  const moves = lines.flatMap(([what, release, version]) =>
    what === "channel" ? [{ release: release!, version: Number(version) }] : [],
  );
  return {
    releases: lines.flatMap(([what, name, profile, manifest]) =>
      what === "release" ? [{ name: name!, profile: profile!, manifest: manifest! }] : [],
    ),
    channel: moves.reduce<Acknowledged["channel"]>((a, b) => (a && a.version > b.version ? a : b), undefined),
  };
}

async function verifyReleases({ root, output }: Crash): Promise<number> {
  const acknowledged = acknowledgedIn(output);
  const folder = `${root}/data`;
  const limits = { ...DEFAULT_LIMITS, diskReserveMinBytes: 0, diskReserveMaxBytes: 0 };
  const faults: string[] = [];
  const told = (message: string) => void faults.push(message);
  await using storage = await openLocalStorage({ folder, limits, report: () => {} });
  const releases = createReleases({
    ...storage,
    limits,
    nowNs: () => 1n,
    reportDamage: told,
    reportFailure: told,
  });
  await releases.idle();
  for (const { name, profile, manifest } of acknowledged.releases) {
    const release = await releases.get("s", name);
    expect(hash("sha256", await releases.profile(release), "hex"), name).toBe(profile);
    expect(hash("sha256", await releases.manifest(release), "hex"), name).toBe(manifest);
  }
  const all = await releases.list({ service: "s", limit: 1000 });
  for (const release of all) {
    expect((await releases.profile(release)).length).toBe(release.sizeBytes);
    expect(JSON.parse(await releases.manifest(release)).release).toBe(release.name);
  }
  const [channel] = await releases.channels("s");
  expect(channel?.version ?? 0).toBeGreaterThanOrEqual(acknowledged.channel?.version ?? 0);
  if (channel?.version === acknowledged.channel?.version) expect(channel?.release).toBe(acknowledged.channel?.release);
  expect(readdirSync(`${folder}/objects`)).toHaveLength(2 * all.length);
  expect(readdirSync(`${folder}/scratch`)).toEqual([]);
  expect(faults).toEqual([]);
  const making = { selector: "", policy: DEFAULT_PGO_POLICY, algorithmVersion: 1, skipped: [], report: {} };
  const profile = { gzipped: Buffer.from("after"), digest: new Uint8Array(32) };
  const after = { service: "s", name: "after", profile, verdict: "poor" as const, making, inputs: [] };
  const { release } = await releases.publish(after);
  expect(Buffer.from(await releases.profile(release)).toString()).toBe("after");
  return acknowledged.releases.length;
}

test("the recorder misses nothing that publishing does to the folder", async () => {
  expect(await missedByRecorder(await recordReleases(1, false))).toEqual([]);
});

describe.each([
  ["on a good disk", false, SEEDS],
  ["on a disk that fails and fills up", true, Math.ceil(SEEDS / 2)],
])("releases survive crashes at random calls %s", (_, faulty, count) => {
  const runs = Array.from({ length: Math.ceil(count / SEEDS_PER_RUN) }, (_run, run) => run);
  test.each(runs)("run %i", async (run) => {
    const recorded = await recordReleases(run, faulty);
    let checked = 0;
    const first = run * SEEDS_PER_RUN;
    const seeds = Array.from({ length: Math.min(SEEDS_PER_RUN, count - first) }, (_seed, at) => first + at);
    await harness.crashEach(recorded, seeds, async (crash) => {
      checked += await verifyReleases(crash);
    });
    expect(checked).toBeGreaterThan(0);
  });
});
