// Two servers that got the same profiles in different order, one of which has packed some: the same PGO profile, byte for byte, with the same
// etag; and the same release for ever.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type FleetProfile, fleetInTime } from "../../src/fleet/fleet.ts";

import { readBuilds } from "../../src/fleet/real-profiles.ts";
import { Random } from "../support/random.ts";
import { runServe, type ServeProcess } from "../support/run-cli.ts";

const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
const HOUR_MS = 3_600_000;
const HOURS = 30;

let folder: string;
let inOrder: ServeProcess;
let shuffled: ServeProcess;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "profusion-"));
  [inOrder, shuffled] = await Promise.all(
    ["a", "b"].map((name) => runServe(join(folder, name))) as [Promise<ServeProcess>, Promise<ServeProcess>],
  );
});
afterAll(async () => {
  await Promise.all([inOrder[Symbol.asyncDispose](), shuffled[Symbol.asyncDispose]()]);
  await rm(folder, { recursive: true });
});

function profiles(): FleetProfile[] {
  const lastHourMs = Date.now() - (Date.now() % HOUR_MS);
  const startNs = BigInt(lastHourMs - HOURS * HOUR_MS) * 1_000_000n;
  const builds = readBuilds("bench/testdata/seed").filter(({ service }) => service === "api" || service === "web");
  return [...fleetInTime({ builds, seed: SEED, startNs, hours: HOURS, instances: 4, perInstance: 20 })];
}

async function push({ url }: ServeProcess, all: readonly FleetProfile[]): Promise<void> {
  for (const { service, type, labels, bytes } of all) {
    const query = new URLSearchParams({
      service,
      type,
      labels: labels.map(({ name, value }) => `${name}=${value}`).join(","),
    });
    const answer = await fetch(`${url}/api/0/profiles?${query}`, { method: "POST", body: bytes });
    if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`);
  }
}

async function call<Answer>({ url }: ServeProcess, method: string, request: object): Promise<Answer> {
  const headers = { "content-type": "application/json" };
  const answer = await fetch(`${url}/profusion.v1.${method}`, {
    method: "POST",
    headers,
    body: JSON.stringify(request),
  });
  if (!answer.ok) throw new Error(`${method}: ${await answer.text()}`);
  return (await answer.json()) as Answer;
}

async function packNow(server: ServeProcess): Promise<void> {
  let { operation } = await call<{ operation: { id: string; done?: boolean } }>(server, "AdminService/Pack", {});
  while (!operation.done) {
    const request = { id: operation.id, maxWait: "30s" };
    ({ operation } = await call<{ operation: { id: string; done?: boolean } }>(
      server,
      "AdminService/GetOperation",
      request,
    ));
  }
}

async function fileOf({ url }: ServeProcess, path: string) {
  const answer = await fetch(`${url}/api/0/pgo/${path}`);
  const bytes = Buffer.from(await answer.arrayBuffer());
  const { status, headers } = answer;
  return {
    status,
    etag: headers.get("etag"),
    bytes,
    merged: headers.get("profusion-merged"),
    verdict: headers.get("profusion-verdict"),
  };
}

test(`the same profiles, the same file, whatever the order and the packs (SEED=${SEED})`, async () => {
  const all = profiles();
  const mixed = new Random(SEED).shuffle(all);
  await push(inOrder, all);
  await push(shuffled, mixed.slice(0, 100));
  await packNow(shuffled);
  await push(shuffled, mixed.slice(100));
  const { packs } = await call<{ packs: Record<string, string> }>(shuffled, "AdminService/GetStatus", {});
  expect([packs.packedProfiles, packs.looseProfiles]).toEqual(["100", String(all.length - 100)]);
  for (const path of ["api", "web", "api?policy=plain", "api?labels=instance=i1", "api/report"]) {
    const [a, b] = await Promise.all([fileOf(inOrder, path), fileOf(shuffled, path)]);
    expect([path, a.status, b.status, b.etag, b.verdict]).toEqual([path, 200, 200, a.etag, a.verdict]);
    const inflated = ({ bytes }: { bytes: Buffer }) => (path.endsWith("report") ? bytes : gunzipSync(bytes));
    expect(inflated(b).equals(inflated(a)), path).toBe(true);
  }
});

test("a release stays the same bytes when its profiles are packed and deleted, and the server starts again", async () => {
  const question = { service: "api" };
  const release = await call<{ release: { digest: string } }>(shuffled, "PgoService/PublishRelease", {
    question,
    name: "r1",
    channels: ["stable"],
  });
  const first = await fileOf(shuffled, "api@stable");
  expect(first.etag).toBe(`"${Buffer.from(release.release.digest, "base64").toString("hex")}"`);
  await packNow(shuffled);
  const preview = await call<{ etag: string }>(shuffled, "ProfileService/DeleteProfiles", {
    selector: "{}",
    validateOnly: true,
  });
  await call(shuffled, "ProfileService/DeleteProfiles", { selector: "{}", etag: preview.etag });
  expect(await fileOf(shuffled, "api")).toMatchObject({ status: 404, bytes: Buffer.alloc(0) });
  shuffled.child.kill("SIGTERM");
  await shuffled.ended;
  shuffled = await runServe(join(folder, "b"));
  expect((await fileOf(shuffled, "api@r1")).bytes.equals(first.bytes)).toBe(true);
});
