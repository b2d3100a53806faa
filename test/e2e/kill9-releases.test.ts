// kill -9, at random moments, of a server that publishes releases, again and again over one data folder: what was published is the same bytes after
// every start, and when all that it was made of is deleted. KILL_ROUNDS sets how often (default 8). Power losses are crash-releases.test.ts's.

import { type ChildProcess, spawn } from "node:child_process";
import { hash } from "node:crypto";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { AdminService } from "../../gen/profusion/v1/admin_service_pb.ts";
import { PgoService, PgoVerdict } from "../../gen/profusion/v1/pgo_service_pb.ts";
import { ProfileService } from "../../gen/profusion/v1/profile_service_pb.ts";
import { serverArguments, whenServing } from "../crash/server-process.ts";
import { Random } from "../support/random.ts";

const ROUNDS = Number(process.env.KILL_ROUNDS ?? 8);
const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 32));
const WRITERS = 3;
const SERVICE = "kill";
const LIMITS = { diskReserveMinBytes: 0, diskReserveMaxBytes: 0 };

const cpu = [1, 2, 3].map((nth) => readFileSync(new URL(`../testdata/recorded/go-cpu-${nth}.pb.gz`, import.meta.url)));

let folder: string;
let running: ChildProcess | undefined;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "profusion-kill-releases-"));
});
afterAll(async () => {
  running?.kill("SIGKILL");
  await rm(folder, { recursive: true, force: true });
});

async function start() {
  const child = spawn(process.execPath, serverArguments(join(folder, "data"), LIMITS), {
    stdio: ["ignore", "pipe", "inherit"],
  });
  running = child;
  const { url, warnings } = await whenServing(child);
  const transport = createConnectTransport({ baseUrl: url, httpVersion: "1.1" });
  return {
    child,
    url,
    warnings,
    profiles: createClient(ProfileService, transport),
    pgo: createClient(PgoService, transport),
    admin: createClient(AdminService, transport),
  };
}

type Started = Awaited<ReturnType<typeof start>>;

/** Digests of the bytes as they were answered, and of the manifest, by the release's name; empty where they were not read yet. */
type Ledger = Map<string, string>;

async function digestsOf({ pgo, url }: Started, name: string): Promise<string> {
  const whole = await pgo.getRelease({ service: SERVICE, name, withBytes: true, withManifest: true });
  const file = await fetch(`${url}/api/0/pgo/${SERVICE}?release=${name}`);
  expect(file.status).toBe(200);
  const served = Buffer.from(await file.arrayBuffer());
  expect(served.equals(whole.profileBytes), `${name} over HTTP`).toBe(true);
  return [whole.profileBytes, whole.manifestJson].map((each) => hash("sha256", each, "hex")).join(" ");
}

/** Each profile more makes another sum, and so another release. */
async function publishOne(server: Started, random: Random, answered = () => {}): Promise<string> {
  const { profiles, pgo } = server;
  const labels = [{ name: "n", value: `${random.uint32()}` }];
  const metadata = { service: SERVICE, profileType: "cpu", labels };
  await profiles.createProfile({ metadata, profileBytes: random.pick(cpu) });
  answered();
  const question = { service: SERVICE, policy: "plain" };
  const { release } = await pgo.publishRelease({
    question,
    require: PgoVerdict.UNUSABLE,
    ...(random.chance(0.5) && { channels: ["stable"] }),
  });
  return release!.name;
}

async function publishUntilKilled(server: Started, random: Random, ledger: Ledger): Promise<void> {
  const { child } = server;
  const exited = once(child, "exit");
  const killAt = random.between(2, 25);
  let answers = 0;
  const answered = () => {
    if (++answers === killAt) child.kill("SIGKILL");
  };
  const publish = async (own: Random) => {
    while (!child.killed) {
      const name = await publishOne(server, own, answered);
      ledger.set(name, "");
      answered();
      ledger.set(name, await digestsOf(server, name));
      answered();
    }
  };
  const writers = Array.from({ length: WRITERS }, () => new Random(random.uint32()));
  for (const outcome of await Promise.allSettled(writers.map(publish))) {
    // A killed server breaks connections, and nothing else may go wrong.
    if (outcome.status === "rejected" && !child.killed) throw outcome.reason;
  }
  await exited;
}

/** That of the acknowledged ones none is gone or another, and that of those that were not none is there in part. */
async function verify(server: Started, ledger: Ledger): Promise<void> {
  const names: string[] = [];
  for (let pageToken = "", isFirst = true; isFirst || pageToken !== ""; isFirst = false) {
    const page = await server.pgo.listReleases({ service: SERVICE, pageSize: 7, pageToken });
    names.push(...page.releases.map(({ name }) => name));
    pageToken = page.nextPageToken;
  }
  expect(names).toEqual(expect.arrayContaining([...ledger.keys()]));
  for (const name of names) {
    const digests = await digestsOf(server, name);
    expect(digests, name).toBe(ledger.get(name) || digests);
    ledger.set(name, digests);
  }
  expect(readdirSync(join(folder, "data", "objects")).filter((file) => file.startsWith("release~"))).toHaveLength(
    2 * names.length,
  );
  expect(server.warnings.filter((line) => /damaged|absent|Cannot find|is kept/.test(line))).toEqual([]);
}

test(`what was published survives ${ROUNDS} kills and the deletion of all its profiles (SEED=${SEED})`, async () => {
  const random = new Random(SEED);
  const ledger: Ledger = new Map();
  for (let round = 0; round < ROUNDS; round++) {
    const server = await start();
    await verify(server, ledger);
    await publishUntilKilled(server, random, ledger);
  }
  const server = await start();
  await publishOne(server, random);
  const { profiles, admin } = server;
  const { etag, profileCount } = await profiles.deleteProfiles({ selector: "{}", validateOnly: true });
  expect(profileCount).toBeGreaterThan(0n);
  expect(ledger.size).toBeGreaterThan(ROUNDS);
  await profiles.deleteProfiles({ selector: "{}", etag });
  await verify(server, ledger);
  const { operation } = await admin.verify({});
  const { operation: done } = await admin.getOperation({ id: operation!.id, maxWait: { seconds: 60n } });
  expect(done?.result).toMatchObject({
    case: "verify",
    value: { releaseCount: BigInt(ledger.size), damagedReleaseCount: 0n },
  });
  server.child.kill("SIGTERM");
  const [code] = await once(server.child, "exit");
  expect(code).toBe(0);
});
