// Profiles that anybody may send: scrubbed before they are stored, held apart until their source is known, let in by hand or by time.

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { DEFAULT_LIMITS, type Limits } from "../../src/model/limits.ts";
import { EVERYTHING, selectorOf } from "../../src/model/selector.ts";
import { NS_PER_MS } from "../../src/model/time.ts";
import { type RepositoryOfAll, withPublicSources } from "../../src/repository/public-sources.ts";
import type { PushRequest } from "../../src/repository/repository.ts";
import { type OpenedRepository, openRepository } from "../support/open-repository.ts";
import { buildGzip } from "../support/profile-builder.ts";

const [ONE, OTHER] = ["oss/0000000000000001", "oss/0000000000000002"];
const DAY_NS = 86_400_000n * NS_PER_MS;

let opened: OpenedRepository;
let repository: RepositoryOfAll;
let limits: Record<keyof Limits, number>;
let admitted: Set<string>;
const reported: string[] = [];

function wrap() {
  repository = withPublicSources(opened.repository, {
    limits,
    nowNs: () => opened.clock.nowNs,
    boundLabels: (prefix) => new Set(prefix === "oss" ? ["region"] : []),
    admitted: () => admitted,
    report: (message) => void reported.push(message),
  });
}
beforeEach(async () => {
  limits = { ...DEFAULT_LIMITS, quarantineProfiles: 3 };
  admitted = new Set();
  opened = await openRepository(limits);
  wrap();
});
afterEach(async () => {
  await repository[Symbol.asyncDispose](); // what is being let in ends before its catalog does
  await opened[Symbol.asyncDispose]();
  expect(reported.splice(0)).toEqual([]);
});

let sent = 0;
async function push(submitter: string, change: Partial<PushRequest> = {}) {
  const bytes = buildGzip({
    timeNs: opened.clock.nowNs - BigInt(++sent) * 1_000_000n,
    samples: [{ stack: ["main"], values: [1n, 1n], labels: [["user", "alice"]] }],
    comments: ["alice's"],
  });
  const outcome = await repository.push({ service: "app", type: "cpu", labels: [], bytes, submitter, ...change });
  if (outcome.state === "empty") throw new Error("it is empty");
  return outcome.record;
}
/** service → sources of its profiles, sorted. */
async function stored(): Promise<Record<string, string[]>> {
  const { records } = await repository.list({ selector: EVERYTHING, order: "oldest", limit: 1000 });
  const byService = Map.groupBy(records, ({ service }) => service);
  return Object.fromEntries(
    [...byService].map(([service, own]) => [service, own.map(({ submitter }) => submitter ?? "").sort()]),
  );
}
const eventually = (expected: Record<string, string[]>) =>
  vi.waitFor(async () => expect(await stored()).toEqual(expected), { timeout: 10_000 });

test("what a key of the team sends is stored as it is, at once", async () => {
  const labels = [{ name: "user", value: "alice" }];
  expect(await push("ci", { labels, externalId: "x" })).toMatchObject({ service: "app", labels, externalId: "x" });
  expect(await push("10.0.0.1")).toMatchObject({ service: "app" });
});

test("nothing of a public source's profile tells of its sender: labels, ids, and what is in the bytes", async () => {
  const names = ["user", "version", "region", "source", "via"];
  const labels = names.map((name) => ({ name, value: `${name} of alice` }));
  const record = await push(ONE, { labels, externalId: "alice", requestId: "alice" });
  expect(record.labels).toEqual([
    { name: "region", value: "region of alice" },
    { name: "source", value: ONE },
    { name: "version", value: "version of alice" },
    { name: "via", value: "via of alice" },
  ]);
  expect(record.externalId).toBeUndefined();
  const { bytes } = await repository.download(record.id);
  const { inflate } = await import("../../src/pprof/gzip.ts");
  expect(Buffer.from(inflate(bytes, 1e6)).includes("alice")).toBe(false);
});

test("what cannot be scrubbed is refused: traces, what is no profile, what is too large", async () => {
  await expect(push(ONE, { type: "trace" })).rejects.toMatchObject({ kind: "invalid" });
  await expect(push(ONE, { bytes: Buffer.from("not a profile") })).rejects.toMatchObject({ kind: "invalid" });
  limits.publicInflatedBytes = 10;
  await opened[Symbol.asyncDispose]();
  opened = await openRepository(limits);
  wrap();
  await expect(push(ONE)).rejects.toMatchObject({ kind: "too-large" });
  expect(await stored()).toEqual({});
});

test("a legacy profile of a public source is converted, then scrubbed", async () => {
  const text =
    "heap profile: 1: 2 [ 3: 4 ] @ heap/1048576\n1: 2 [ 3: 4 ] @ 0x1 0x2\n\nMAPPED_LIBRARIES:\n00000000-00000010 r-xp 00000000 00:00 0 /home/alice/app\n";
  const { id } = await push(ONE, { bytes: Buffer.from(text), type: "heap" });
  const { inflate } = await import("../../src/pprof/gzip.ts");
  const { bytes } = await repository.download(id);
  expect(Buffer.from(inflate(bytes, 1e6)).includes("alice")).toBe(false);
});

test("a source counts when it has sent enough, and long enough ago; until then its profiles are apart", async () => {
  for (let at = 0; at < 4; at++) await push(ONE);
  await push(OTHER);
  expect(await stored()).toEqual({ "quarantine/app": [ONE, ONE, ONE, ONE, OTHER] });
  opened.clock.nowNs += DAY_NS;
  expect((await push(OTHER)).service).toBe("quarantine/app"); // one is not enough
  expect((await push(ONE)).service).toBe("quarantine/app");
  await eventually({ app: [ONE, ONE, ONE, ONE, ONE], "quarantine/app": [OTHER, OTHER] });
  expect((await push(ONE)).service).toBe("app");
  const mine = selectorOf("app", "cpu", [{ name: "source", value: ONE }]);
  expect((await repository.list({ selector: mine, order: "oldest", limit: 100 })).records).toHaveLength(6);
});

test("profiles that claim to be old do not make a source old", async () => {
  for (let at = 0; at < 4; at++) {
    const bytes = buildGzip({
      timeNs: opened.clock.nowNs - 30n * DAY_NS - BigInt(at),
      samples: [{ stack: ["m"], values: [1n, 1n] }],
    });
    expect((await push(ONE, { bytes })).service).toBe("quarantine/app");
  }
  await push(ONE);
  expect(await stored()).toEqual({ "quarantine/app": [ONE, ONE, ONE, ONE, ONE] });
});

test("an admitted source counts at once, with what is held of it", async () => {
  await push(ONE);
  await push(OTHER);
  admitted = new Set([ONE]);
  repository.letInAdmitted();
  await eventually({ app: [ONE], "quarantine/app": [OTHER] });
  admitted = new Set([ONE, OTHER]);
  expect((await push(OTHER)).service).toBe("app");
  await eventually({ app: [ONE, OTHER, OTHER] });
});

test("a time that its sender put first stays when its source is let in", async () => {
  const clientTimeNs = opened.clock.nowNs - 5n * DAY_NS;
  const { timeNs } = await push(ONE, { clientTimeNs, clientTimeFirst: true });
  await push(ONE, { clientTimeNs });
  expect(timeNs).toBe(clientTimeNs);
  admitted = new Set([ONE]);
  repository.letInAdmitted();
  await eventually({ app: [ONE, ONE] });
  const { records } = await repository.list({ selector: EVERYTHING, order: "oldest", limit: 2 });
  expect(records.map((record) => record.timeSource)).toEqual(["client", "profile"]);
  expect(records[0]!.timeNs).toBe(clientTimeNs);
});

test("profiles that come while their source is let in are not left behind", async () => {
  for (let at = 0; at < 2; at++) await push(ONE);
  opened.clock.nowNs += DAY_NS;
  await Promise.all(Array.from({ length: 30 }, () => push(ONE)));
  await eventually({ app: Array(32).fill(ONE) });
});

test("what was let in half-way is let in wholly by the next profile, also of another process; nothing counts twice", async () => {
  for (let at = 0; at < 3; at++) await push(ONE);
  const { records } = await repository.list({ selector: EVERYTHING, order: "oldest", limit: 1 });
  const { record, bytes } = await repository.download(records[0]!.id);
  const { type, labels } = record;
  // As when the process ended between the two steps of letting one in.
  await opened.repository.push({ service: "app", type, labels, bytes, submitter: ONE });
  await opened.reopen();
  wrap();
  expect((await push(ONE)).service).toBe("app");
  await eventually({ app: [ONE, ONE, ONE, ONE] });
});
