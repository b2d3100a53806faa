// Packing where something cannot be read: what is told, what is packed all the same, and what is when it can be read again.

import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterEach, expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../../src/model/limits.ts";
import { parseSelector } from "../../src/model/selector.ts";
import type { PackResult } from "../../src/repository/repository.ts";
import { type OpenedRepository, openRepository } from "../support/open-repository.ts";
import { buildProfile } from "../support/profile-builder.ts";

/** 2026-09-21T14:00Z. */
const BASE_NS = 1_789_999_200_000_000_000n;
const SECOND_NS = 1_000_000_000n;
const HOUR_NS = 3600n * SECOND_NS;
let opened: OpenedRepository;
afterEach(() => opened[Symbol.asyncDispose]());

const profileAt = (second: number) =>
  buildProfile({
    timeNs: BASE_NS + BigInt(second) * SECOND_NS,
    durationNs: SECOND_NS,
    samples: [
      { stack: [`f${second % 7}`, "main"], values: [1, 10] },
      { stack: [`g${second}`, "main"], values: [second, 10] },
    ],
  });

async function pushSome(count: number, from = 0): Promise<Map<string, Uint8Array>> {
  const sent = new Map<string, Uint8Array>();
  for (let second = from; second < from + count; second++) {
    const bytes = profileAt(second);
    const outcome = await opened.repository.push({ service: "auth", type: "cpu", labels: [], bytes });
    if (outcome.state === "stored") sent.set(outcome.record.id, bytes);
  }
  return sent;
}

async function packNow(): Promise<PackResult> {
  const { id } = opened.repository.startPack();
  const { result, error } = await opened.repository.operation(id, 60_000);
  if (error) throw new Error(error.message);
  return result as PackResult;
}

async function expectDownloads(sent: ReadonlyMap<string, Uint8Array>): Promise<void> {
  for (const [id, bytes] of sent) {
    const { bytes: answer } = await opened.repository.download(id);
    const inflated = answer[0] === 0x1f ? gunzipSync(answer) : answer;
    expect(Buffer.from(inflated).equals(bytes)).toBe(true);
  }
}

const etag = async () => {
  const selection = { selector: parseSelector("cpu{}", DEFAULT_LIMITS) };
  return (await opened.repository.merge({ selection, signal: new AbortController().signal })).summary.etag;
};
const sets = async () =>
  (await opened.catalog.packSets({})).map(({ level, packs }) => [
    level,
    packs.reduce((sum, { profiles }) => sum + profiles, 0),
  ]);
const objectsFolder = () => join(opened.folder, "objects");

/** What lets the file be as it was. */
async function damage(file: string, at: (length: number) => number): Promise<() => Promise<void>> {
  const path = join(objectsFolder(), file);
  const bytes = await readFile(path);
  const damaged = Buffer.from(bytes);
  damaged[at(bytes.length)]! ^= 0xff;
  await writeFile(path, damaged);
  return () => writeFile(path, bytes);
}

test("originals that cannot be read for a while fail the run, and are packed when they can be", async () => {
  opened = await openRepository();
  const sent = await pushSome(12);
  await opened.blobs.sealSegments();
  const [segments, away] = [join(opened.folder, "segments"), join(opened.folder, "away")];
  await mkdir(away);
  const files = await readdir(segments);
  for (const file of files) await rename(join(segments, file), join(away, file));
  await expect(packNow()).rejects.toThrow("Segment 1");
  expect((await opened.repository.status()).packing.lastFailure).toContain("could not pack 12 profiles");
  expect(opened.events.filter(({ kind }) => kind === "pack-refused")).toEqual([]);
  for (const file of files) await rename(join(away, file), join(segments, file));
  expect(await packNow()).toMatchObject({ profiles: 12, packs: 1, refused: 0 });
  expect((await opened.repository.status()).packing.lastFailure).toBe("");
  await expectDownloads(sent);
});

test.each([
  ["in its last block", (length: number) => length - 1],
  ["in its directory", () => 40],
])("where originals are kept, a pack that is damaged %s does not keep its day from being packed", async (_, at) => {
  opened = await openRepository({}, { originals: "keep" });
  opened.clock.nowNs = BASE_NS + 2n * HOUR_NS;
  const sent = await pushSome(10);
  await packNow();
  for (const [id, bytes] of await pushSome(10, 3600)) sent.set(id, bytes);
  await packNow();
  const before = await etag();
  const [first] = await readdir(objectsFolder());
  await damage(first!, at);
  await opened.reopen();
  opened.clock.nowNs = BASE_NS + 48n * HOUR_NS;
  await packNow();
  expect(await sets()).toEqual([["day", 20]]);
  expect(opened.events).toContainEqual({ kind: "pack-damage", message: expect.stringMatching(/damaged/) });
  await expectDownloads(sent);
  expect(await etag()).toBe(before);
});

test("a damaged pack whose originals are gone stays, what comes is packed beside it, and the day is when it is whole", async () => {
  opened = await openRepository();
  opened.clock.nowNs = BASE_NS + 2n * HOUR_NS;
  const sent = await pushSome(10);
  await packNow();
  const [first] = await readdir(objectsFolder());
  const repair = await damage(first!, (length) => length - 1);
  await opened.reopen();
  opened.clock.nowNs = BASE_NS + 48n * HOUR_NS;
  const late = [...(await pushSome(4, 20)), ...(await pushSome(5, 3600))];
  for (const [id, bytes] of late) sent.set(id, bytes);
  await expect(packNow()).rejects.toThrow("damaged");
  expect(await sets()).toEqual([
    ["hour", 10],
    ["hour", 4],
    ["hour", 5],
  ]);
  expect((await opened.repository.status()).packing.lastFailure).toContain("could not pack 19 profiles");
  expect(opened.events.findLast(({ kind }) => kind === "pack-backlog")).toMatchObject({ failed: 1 });
  await repair();
  await packNow();
  expect(await sets()).toEqual([["day", 19]]);
  expect(opened.events.findLast(({ kind }) => kind === "pack-backlog")).toMatchObject({ failed: 0 });
  await expectDownloads(sent);
});
