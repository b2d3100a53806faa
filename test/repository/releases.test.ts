// Releases through the repository's face: what was published stays what it is, whatever becomes of everything else.

import { hash } from "node:crypto";
import { readdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../../src/model/limits.ts";
import type { ManifestInput } from "../../src/model/pgo-manifest.ts";
import { DEFAULT_PGO_POLICY } from "../../src/model/pgo-policy.ts";
import { parseSelector } from "../../src/model/selector.ts";
import type { PublishRequest } from "../../src/repository/pgo/releases.ts";
import { releaseObject } from "../../src/storage/release-object.ts";
import { flipByte } from "../support/flip-byte.ts";
import { type OpenedRepository, openRepository } from "../support/open-repository.ts";
import { buildGzip } from "../support/profile-builder.ts";

/** The clock of openRepository(): 2026-09-21T14:13:20Z. */
const NOW_NS = 1_790_000_000_000_000_000n;
const TODAY = "2026-09-21";

let opened: OpenedRepository;
beforeEach(async () => {
  opened = await openRepository();
});
afterEach(() => opened[Symbol.asyncDispose]());

const releases = () => opened.repository.releases;

const INPUT: ManifestInput = {
  id: "01ks000000000000000000000a",
  digest: new Uint8Array(32).fill(7),
  timeNs: NOW_NS + 1n,
  labels: [
    { name: "instance", value: "ü" },
    { name: "instance", value: "i2" },
  ],
  weight: 100,
};

function request(content: string, more: Partial<PublishRequest> = {}): PublishRequest {
  return {
    service: "auth/main",
    profile: { gzipped: gzipSync(content), digest: new Uint8Array(hash("sha256", content, "buffer")) },
    verdict: "usable",
    making: {
      selector: 'cpu{service="auth/main"}',
      interval: { startNs: NOW_NS - 1n, endNs: NOW_NS },
      policy: DEFAULT_PGO_POLICY,
      algorithmVersion: 3,
      skipped: [{ reason: "shape", count: 2 }],
      report: { samples: 2n ** 62n + 1n, findings: [{ name: "age", value: 0.5 }] },
    },
    inputs: [INPUT, { ...INPUT, id: "01ks000000000000000000000b", labels: [], weight: 1 }],
    ...more,
  };
}

const publish = (content: string, more: Partial<PublishRequest> = {}) => releases().publish(request(content, more));
const objectsIn = () => readdirSync(join(opened.folder, "objects")).sort();
const pathOf = (objectId: string, part: "profile" | "manifest") =>
  join(opened.folder, "objects", releaseObject(objectId, part).replace("/", "~"));

describe("publish()", () => {
  test("answers a release that comes back byte for byte, by its name and by its channels", async () => {
    const sent = request("profile", { name: "v1", channels: ["stable", "canary"] });
    const { release, alreadyExisted } = await releases().publish(sent);
    expect(alreadyExisted).toBe(false);
    expect(release).toMatchObject({
      service: "auth/main",
      name: "v1",
      createdNs: NOW_NS,
      digest: sent.profile.digest,
      sizeBytes: sent.profile.gzipped.length,
      verdict: "usable",
      channels: ["canary", "stable"],
    });
    for (const name of ["v1", "stable", "canary"]) {
      const found = await releases().get("auth/main", name);
      expect(found).toEqual(release);
      expect(Buffer.compare(await releases().profile(found), sent.profile.gzipped)).toBe(0);
    }
    await expect(releases().get("auth/main", "v2")).rejects.toMatchObject({ kind: "not-found" });
  });

  test("writes a manifest with its keys in the order that is told, and 64-bit numbers as strings", async () => {
    const { release } = await publish("profile", { name: "v1" });
    const text = await releases().manifest(release);
    const manifest = JSON.parse(text);
    expect(Object.keys(manifest)).toEqual([
      "formatVersion",
      "service",
      "release",
      "createTime",
      "digest",
      "verdict",
      "selector",
      "interval",
      "policy",
      "algorithmVersion",
      "skipped",
      "report",
      "inputs",
    ]);
    expect(manifest).toMatchObject({
      formatVersion: 1,
      service: "auth/main",
      release: "v1",
      createTime: "2026-09-21T14:13:20Z",
      digest: hash("sha256", "profile"),
      verdict: "usable",
      interval: { startTime: "2026-09-21T14:13:19.999999999Z", endTime: "2026-09-21T14:13:20Z" },
      policy: { name: "default", windowNs: "604800000000000" },
      skipped: [{ reason: "shape", count: 2 }],
      report: { samples: "4611686018427387905" },
    });
    expect(Object.keys(manifest.policy)).toEqual(Object.keys(manifest.policy).sort());
    expect(manifest.inputs).toHaveLength(2);
    // A line each, so that two can be compared by line.
    const line = {
      id: INPUT.id,
      digest: "07".repeat(32),
      time: "2026-09-21T14:13:20.000000001Z",
      labels: INPUT.labels,
      weight: 100,
    };
    expect(text.split("\n")).toContain(`    ${JSON.stringify(line)},`);
  });

  test("names a release by the day, and by a number behind it where the day has other content", async () => {
    const names = async (content: string) => (await publish(content)).release.name;
    expect(await names("a")).toBe(TODAY);
    expect(await names("b")).toBe(`${TODAY}-2`);
    expect(await names("c")).toBe(`${TODAY}-3`);
    expect(await names("b")).toBe(`${TODAY}-2`);
    opened.clock.nowNs += 86_400_000_000_000n;
    expect(await names("b")).toBe("2026-09-22");
    const { release } = await publish("b", { inputs: [INPUT] });
    expect(release.name).toBe("2026-09-22-2");
  });

  test("of several at once gives each a name of its own", async () => {
    const published = await Promise.all(["a", "b", "c", "a"].map((content) => publish(content)));
    const names = published.map(({ release }) => release.name);
    expect(names.slice(0, 3).sort()).toEqual([TODAY, `${TODAY}-2`, `${TODAY}-3`]);
    expect([names[3], published[3]!.alreadyExisted]).toEqual([names[0], true]);
    expect(objectsIn()).toHaveLength(6);
  });

  test("of the same under the same name answers what is there, and of other content is refused; nothing changes", async () => {
    const first = await publish("a", { name: "v1" });
    opened.clock.nowNs += 1n;
    const again = await publish("a", { name: "v1", channels: ["stable"] });
    expect(again).toMatchObject({ alreadyExisted: true, release: { createdNs: NOW_NS, channels: ["stable"] } });
    await expect(publish("b", { name: "v1" })).rejects.toMatchObject({
      kind: "conflict",
      message: expect.stringContaining('"v1" of "auth/main"'),
    });
    await expect(publish("a", { name: "v1", inputs: [] })).rejects.toMatchObject({ kind: "conflict" });
    await expect(publish("b", { name: "stable" })).rejects.toMatchObject({ kind: "conflict" });
    expect(objectsIn()).toHaveLength(2);
    expect(await releases().list({ service: "auth/main", limit: 9 })).toEqual([
      { ...first.release, channels: ["stable"] },
    ]);
  });

  test("refuses names, services, channels and verdicts that cannot be, before anything is written", async () => {
    await publish("a", { name: "v1" });
    for (const [more, kind] of [
      [{ name: "../v1" }, "invalid"],
      [{ name: "" }, "invalid"],
      [{ service: "" }, "invalid"],
      [{ channels: ["-"] }, "invalid"],
      [{ verdict: "unusable" }, "conflict"],
      [{ verdict: "usable", require: "good" }, "conflict"],
      [{ channels: ["v1"] }, "conflict"],
      [{ name: "v2", channels: ["v2"] }, "conflict"],
    ] as const) {
      await expect(publish("b", more), JSON.stringify(more)).rejects.toMatchObject({ kind });
    }
    expect(objectsIn()).toHaveLength(2);
    expect(await releases().list({ service: "auth/main", limit: 9 })).toHaveLength(1);
    const { release } = await publish("b", { name: "v2", verdict: "unusable", require: "unusable" });
    expect(release.verdict).toBe("unusable");
  });

  test("is refused on a full disk, and while its manifest would be too large", async () => {
    opened.space.freeBytes = 0;
    await expect(publish("a")).rejects.toMatchObject({ kind: "unavailable", subject: "disk-full" });
    opened.space.freeBytes = opened.space.totalBytes;
    await using small = await openRepository({ releaseManifestBytes: 400 });
    const sent = request("a");
    await expect(small.repository.releases.publish(sent)).rejects.toMatchObject({
      kind: "too-large",
      subject: "result",
    });
    expect(objectsIn()).toEqual([]);
    const { release } = await small.repository.releases.publish({ ...sent, inputs: [INPUT] });
    expect(release.name).toBe(TODAY);
  });
});

describe("a release", () => {
  test("outlives its inputs, packing and restarts", async () => {
    const samples = [{ stack: ["main"], values: [1, 10] }];
    const bytes = buildGzip({ timeNs: NOW_NS - 7_200_000_000_000n, durationNs: 1n, samples });
    const pushed = await opened.repository.push({ service: "auth", type: "cpu", labels: [], bytes });
    if (pushed.state !== "stored") throw new Error("not stored");
    const { record } = pushed;
    const sent = request("profile", { name: "v1", service: "auth", inputs: [{ ...record, weight: 1 }] });
    const { release } = await releases().publish(sent);
    const operation = async (id: string) => (await opened.repository.operation(id, 60_000)).error;
    expect(await operation(opened.repository.startPack().id)).toBeUndefined();
    const selection = { selector: parseSelector('{service="auth"}', DEFAULT_LIMITS) };
    const { etag } = await opened.repository.previewDelete(selection);
    expect(await opened.repository.deleteSelection(selection, etag)).toBe(1);
    expect(await operation(opened.repository.startPack().id)).toBeUndefined();
    await opened.reopen();
    expect((await opened.repository.status()).profiles).toBe(0);
    expect(await releases().get("auth", "v1")).toEqual(release);
    expect(Buffer.compare(await releases().profile(release), sent.profile.gzipped)).toBe(0);
    expect(JSON.parse(await releases().manifest(release)).inputs[0].id).toBe(record.id);
  });

  test("whose bytes are damaged or gone is told as that, and harms no other", async () => {
    const published = await Promise.all(["a", "b", "c"].map((name) => publish(name, { name })));
    const [a, b, c] = published.map(({ release }) => release);
    await flipByte(pathOf(a!.objectId, "profile"), 12);
    await flipByte(pathOf(a!.objectId, "manifest"), 30);
    await rm(pathOf(b!.objectId, "profile"));
    const told = { kind: "unavailable", message: expect.stringContaining('release "a" of "auth/main"') };
    await expect(releases().profile(a!)).rejects.toMatchObject(told);
    await expect(releases().manifest(a!)).rejects.toMatchObject(told);
    await expect(releases().profile(b!)).rejects.toMatchObject({ kind: "unavailable" });
    expect(await releases().profile(c!)).toHaveLength(c!.sizeBytes);
    const { id } = opened.repository.startVerify();
    expect((await opened.repository.operation(id, 60_000)).result).toMatchObject({
      releases: 3,
      damagedReleases: [told.message, expect.stringContaining('release "b"')],
      damagedReleaseCount: 2,
      damagedPacks: 0,
    });
    await opened.reopen();
    await releases().idle();
    expect(opened.events.filter(({ kind }) => kind === "release-damage")).toEqual([
      {
        kind: "release-damage",
        message: expect.stringMatching(/^Cannot find the profile of release "b" of "auth\/main": .* is absent$/),
      },
    ]);
    expect(await releases().list({ service: "auth/main", limit: 9 })).toHaveLength(3);
  });
});

test("what publishing left without a release goes at the next start; what a later catalog made stays, and is told", async () => {
  const { release } = await publish("kept", { name: "v1" });
  const [left, foreign] = [crypto.randomUUID(), crypto.randomUUID()];
  await opened.catalog.pgo.beginRelease(left);
  await opened.blobs.put(releaseObject(left, "profile"), new Uint8Array(10));
  await opened.blobs.put(releaseObject(foreign, "manifest"), new Uint8Array(10));
  const kept = objectsIn().filter((file) => !file.includes(left));
  for (let start = 0; start < 2; start++) {
    opened.events.length = 0;
    await opened.reopen();
    await releases().idle();
    expect(objectsIn()).toEqual(kept);
    const told = opened.events.filter(({ kind }) => kind === "release-damage");
    expect(told).toEqual([{ kind: "release-damage", message: expect.stringContaining(foreign) }]);
  }
  expect((await opened.catalog.pgo.allReleases()).unfinished).toEqual([]);
  expect(await releases().profile(release)).toHaveLength(release.sizeBytes);
});

describe("channels", () => {
  test("move by their version alone where one is given, and are told with where they were", async () => {
    await publish("a", { name: "v1", channels: ["stable"] });
    opened.clock.nowNs += 5n;
    await publish("b", { name: "v2" });
    const move = (release: string, expectedVersion?: number) =>
      releases().moveChannel({ service: "auth/main", channel: "stable", release, expectedVersion });
    await expect(move("v2", 2)).rejects.toMatchObject({ kind: "stale" });
    const moved = await move("v2", 1);
    expect(moved).toEqual({
      name: "stable",
      release: "v2",
      movedNs: NOW_NS + 5n,
      version: 2,
      history: [{ release: "v1", movedNs: NOW_NS }],
    });
    expect(await releases().channels("auth/main")).toEqual([moved]);
    expect(
      (await releases().list({ service: "auth/main", limit: 9 })).map(({ name, channels }) => [name, channels]),
    ).toEqual([
      ["v2", ["stable"]],
      ["v1", []],
    ]);
    await expect(move("v3")).rejects.toMatchObject({ kind: "not-found" });
    await expect(releases().moveChannel({ service: "auth/main", channel: "a/b", release: "v1" })).rejects.toMatchObject(
      {
        kind: "invalid",
      },
    );
    await opened.reopen();
    expect(await releases().channels("auth/main")).toEqual([moved]);
  });

  test("of a service are bounded", async () => {
    await using small = await openRepository({ releaseChannels: 1 });
    await small.repository.releases.publish(request("a", { name: "v1", channels: ["one"] }));
    const second = { service: "auth/main", channel: "two", release: "v1" };
    await expect(small.repository.releases.moveChannel(second)).rejects.toMatchObject({ kind: "conflict" });
  });
});
