// Releases and channels as the contract has them: conversion both ways, pages, errors. What is published is the test's own.

import { hash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { type Client, Code, ConnectError, createClient, createRouterTransport } from "@connectrpc/connect";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PgoService, PgoVerdict } from "../../gen/profusion/v1/pgo_service_pb.ts";
import { translateErrors } from "../../src/api/errors.ts";
import { type MakeRelease, releaseMethods } from "../../src/api/pgo-releases.ts";
import { DEFAULT_LIMITS } from "../../src/model/limits.ts";
import { DEFAULT_PGO_POLICY } from "../../src/model/pgo-policy.ts";
import { type OpenedRepository, openRepository } from "../support/open-repository.ts";

const limits = { ...DEFAULT_LIMITS, unaryResultBytes: 100 };

let opened: OpenedRepository;
let client: Client<typeof PgoService>;
beforeAll(async () => {
  opened = await openRepository();
  const transport = createRouterTransport(
    (router) => router.service(PgoService, releaseMethods(opened.repository, limits, make)),
    { router: { interceptors: [translateErrors(pino({ level: "silent" }))] } },
  );
  client = createClient(PgoService, transport);
});
afterAll(() => opened[Symbol.asyncDispose]());

/** Its content is the question's selector; `poor` is the verdict of that one. */
const make: MakeRelease = async ({ service, selector }) => ({
  service,
  profile: { gzipped: gzipSync(selector), digest: new Uint8Array(hash("sha256", selector, "buffer")) },
  verdict: selector === "poor" ? "poor" : "good",
  making: { selector, policy: DEFAULT_PGO_POLICY, algorithmVersion: 1, skipped: [], report: {} },
  inputs: [],
});

const codeOf = async (call: Promise<unknown>) => ConnectError.from(await call.catch((error: unknown) => error)).code;
const publish = (service: string, selector: string, more = {}) =>
  client.publishRelease({ question: { service, selector }, ...more });

describe("PublishRelease, GetRelease", () => {
  test("publish under a name or the day's, and answer the bytes and the manifest where they are asked for", async () => {
    const { release, alreadyExisted } = await publish("a", "one", { channels: ["stable"] });
    expect(alreadyExisted).toBe(false);
    expect(release).toMatchObject({
      service: "a",
      name: "2026-09-21",
      verdict: PgoVerdict.GOOD,
      channels: ["stable"],
      sizeBytes: BigInt(gzipSync("one").length),
      createTime: { seconds: 1_790_000_000n, nanos: 0 },
    });
    expect(Buffer.from(release!.digest).toString("hex")).toBe(hash("sha256", "one"));
    expect(await publish("a", "one", { name: "2026-09-21" })).toMatchObject({ alreadyExisted: true, release });
    const bare = await client.getRelease({ service: "a", name: "stable" });
    expect(bare).toMatchObject({ release, manifestJson: "" });
    expect(bare.profileBytes).toHaveLength(0);
    const whole = await client.getRelease({ service: "a", name: "stable", withBytes: true, withManifest: true });
    expect(gzipSync("one").equals(whole.profileBytes)).toBe(true);
    expect(JSON.parse(whole.manifestJson)).toMatchObject({ release: "2026-09-21", selector: "one" });
  });

  test("say by their codes what cannot be", async () => {
    await publish("b", "one", { name: "v1", channels: ["stable"] });
    expect(await codeOf(client.publishRelease({ name: "v2" }))).toBe(Code.InvalidArgument);
    expect(await codeOf(publish("", "x", { name: "v2" }))).toBe(Code.InvalidArgument);
    expect(await codeOf(publish("b", "x", { name: "a/b" }))).toBe(Code.InvalidArgument);
    expect(await codeOf(publish("b", "x", { channels: [""] }))).toBe(Code.InvalidArgument);
    expect(await codeOf(publish("b", "x", { channels: Array(11).fill("c") }))).toBe(Code.InvalidArgument);
    expect(await codeOf(publish("b", "x", { require: 9 }))).toBe(Code.InvalidArgument);
    expect(await codeOf(publish("b", "two", { name: "v1" }))).toBe(Code.FailedPrecondition);
    expect(await codeOf(publish("b", "two", { name: "stable" }))).toBe(Code.FailedPrecondition);
    expect(await codeOf(publish("b", "poor", { require: PgoVerdict.USABLE }))).toBe(Code.FailedPrecondition);
    expect(await codeOf(client.getRelease({ service: "b", name: "v2" }))).toBe(Code.NotFound);
    expect(await codeOf(client.getRelease({ service: "c", name: "v1" }))).toBe(Code.NotFound);
    expect((await client.listReleases({ service: "b" })).releases.map(({ name }) => name)).toEqual(["v1"]);
    expect((await publish("b", "poor", { name: "v2" })).release?.verdict).toBe(PgoVerdict.POOR);
  });

  test("answer in one message no more than a client of gRPC takes", async () => {
    const large = Array.from({ length: 100 }, (_, nth) => hash("sha256", `${nth}`)).join("");
    await publish("large", large, { name: "v1" });
    const call = client.getRelease({ service: "large", name: "v1", withBytes: true });
    const error = ConnectError.from(await call.catch((reason: unknown) => reason));
    expect(error).toMatchObject({ code: Code.ResourceExhausted, rawMessage: expect.stringContaining("/api/0/pgo/") });
    expect((await client.getRelease({ service: "large", name: "v1" })).release?.name).toBe("v1");
  });
});

test("ListReleases answers the newest first, page by page, and no other list's token", async () => {
  for (const name of ["v1", "v2", "v3"]) {
    opened.clock.nowNs += 1n;
    await publish("pages", name, { name });
  }
  const names: string[] = [];
  let pageToken = "";
  do {
    const page = await client.listReleases({ service: "pages", pageSize: 2, pageToken });
    names.push(...page.releases.map(({ name }) => name), "|");
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  expect(names.join("")).toBe("v3v2|v1|");
  const { nextPageToken } = await client.listReleases({ service: "pages", pageSize: 1 });
  expect(await codeOf(client.listReleases({ service: "a", pageToken: nextPageToken }))).toBe(Code.InvalidArgument);
  expect(await codeOf(client.listReleases({ service: "a", pageSize: -1 }))).toBe(Code.InvalidArgument);
  expect(await client.listReleases({ service: "nobody" })).toMatchObject({ releases: [], nextPageToken: "" });
});

test("MoveChannel moves where the etag is the channel's, and ListChannels tells where it was", async () => {
  await publish("moves", "one", { name: "v1", channels: ["stable"] });
  const { createTime } = (await publish("moves", "two", { name: "v2" })).release!;
  const move = (more: object) => client.moveChannel({ service: "moves", channel: "stable", release: "v2", ...more });
  const [before] = (await client.listChannels({ service: "moves" })).channels;
  expect(before).toMatchObject({ name: "stable", release: "v1", history: [] });
  for (const etag of ["0", "x", `${before!.etag}0`]) expect(await codeOf(move({ etag }))).toBe(Code.Aborted);
  const { channel } = await move({ etag: before!.etag });
  expect(channel).toMatchObject({ name: "stable", release: "v2", moveTime: createTime, history: [{ release: "v1" }] });
  expect(await codeOf(move({ etag: before!.etag }))).toBe(Code.Aborted);
  expect((await client.listChannels({ service: "moves" })).channels).toEqual([channel]);
  expect((await client.getRelease({ service: "moves", name: "stable" })).release?.channels).toEqual(["stable"]);
  expect(await codeOf(move({ release: "v3" }))).toBe(Code.NotFound);
  expect(await codeOf(move({ channel: "v1" }))).toBe(Code.FailedPrecondition);
  expect(await codeOf(move({ channel: "" }))).toBe(Code.InvalidArgument);
});
