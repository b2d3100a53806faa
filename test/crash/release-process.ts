// The process under test of releases: publishes, moves a channel, and says on stdout what it was promised, when it was. Arguments: folder, seed,
// how often, and a path that it may make faults with (or nothing).

import { hash } from "node:crypto";
import { rmSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { DomainError } from "../../src/model/errors.ts";
import { DEFAULT_LIMITS } from "../../src/model/limits.ts";
import { DEFAULT_PGO_POLICY } from "../../src/model/pgo-policy.ts";
import { createReleases } from "../../src/repository/pgo/releases.ts";
import { makeDurableFolder } from "../../src/storage/disk/durable.ts";
import { openLocalStorage } from "../../src/storage/local/open-local-storage.ts";
import { Random } from "../support/random.ts";

const FAULTS = ["w 28 0 3", "w 5 2 1", "s 5 0 1", "s 5 3 2", "o 28 0 2", "sw 28 1 4", "r 5 0 1"];

const [folder, seedText, timesText, faultPath] = process.argv.slice(2);
const random = new Random(Number(seedText));
const limits = { ...DEFAULT_LIMITS, diskReserveMinBytes: 0, diskReserveMaxBytes: 0 };
await makeDurableFolder(folder!);
const storage = await openLocalStorage({ folder: folder!, limits, report: () => {} });
const releases = createReleases({
  ...storage,
  limits,
  nowNs: () => BigInt(Date.now()) * 1_000_000n,
  reportDamage: fail,
  reportFailure: fail,
});

async function publishOne(name: string | undefined): Promise<void> {
  const content = `${random.uint32()} `.repeat(random.between(1, 3000));
  const making = { selector: "cpu", policy: DEFAULT_PGO_POLICY, algorithmVersion: 1, skipped: [], report: {} };
  const { release } = await releases.publish({
    service: "s",
    name,
    profile: { gzipped: gzipSync(content), digest: new Uint8Array(hash("sha256", content, "buffer")) },
    verdict: "good",
    making,
    inputs: [],
  });
  const [profile, manifest] = await Promise.all([releases.profile(release), releases.manifest(release)]);
  say(`release ${release.name} ${hash("sha256", profile, "hex")} ${hash("sha256", manifest, "hex")}`);
  const { version } = await releases.moveChannel({ service: "s", channel: "stable", release: release.name });
  say(`channel ${release.name} ${version}`);
}

for (let nth = 0; nth < Number(timesText); nth++) {
  if (faultPath && random.chance(0.3)) writeFileSync(faultPath, random.pick(FAULTS));
  const names = random.chance(0.5) ? [`n${nth}`] : [undefined, undefined];
  for (const outcome of await Promise.allSettled(names.map(publishOne))) {
    // Faults must come out as the store's own errors, never as others.
    if (outcome.status === "rejected" && !(outcome.reason instanceof DomainError && faultPath)) throw outcome.reason;
  }
  if (faultPath) rmSync(faultPath, { force: true });
}
say("end");

function fail(message: string): never {
  throw new Error(message);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

// As a kill leaves it: storage threads would keep it from ending.
process.exit(0);
