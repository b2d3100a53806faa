// The contract as HTTP sees it, over real sockets: GET and its caching, bodies too large or unreadable, clients that leave.

import { request as httpRequest } from "node:http";
import { connect as http2Connect } from "node:http2";
import { gzipSync } from "node:zlib";
import { type CallOptions, type Client, Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ProfileService } from "../../gen/profusion/v1/profile_service_pb.ts";
import { QueryService } from "../../gen/profusion/v1/query_service_pb.ts";
import { contractHandler } from "../../src/api/contract-handler.ts";
import { OPEN_ACCESS } from "../../src/http/access.ts";
import { ByteBudget } from "../../src/http/byte-budget.ts";
import { createMetrics } from "../../src/http/metrics.ts";
import { createRequestHandler } from "../../src/http/request-handler.ts";
import { DEFAULT_LIMITS, type Limits } from "../../src/model/limits.ts";
import type { Repository } from "../../src/repository/repository.ts";
import { connectRaw, serveHandler, silentLogger, type TestServer } from "../http/with-listener.ts";
import { mergesTo, profileRecord, stubRepository } from "../support/stub-repository.ts";

const CREATE = "/profusion.v1.ProfileService/CreateProfile";
const GET = "/profusion.v1.ProfileService/GetProfile";
const MERGE = "/profusion.v1.QueryService/MergeProfiles";
const JSON_TYPE = { "content-type": "application/json" };
const SELECTION = { selector: "cpu", interval: { startTime: "1970-01-01T00:00:01Z" } };

let server: TestServer;
let budget: ByteBudget;
let answers: ByteBudget;

async function serve(methods: Partial<Repository>, changed: Partial<Limits> = {}): Promise<void> {
  const limits = { ...DEFAULT_LIMITS, ...changed };
  budget = new ByteBudget(limits.bytesInFlight, limits.admissionWaitMs);
  answers = new ByteBudget(limits.answersInFlight, limits.admissionWaitMs);
  const rpc = contractHandler(stubRepository(methods), {
    limits,
    logger: silentLogger,
    version: "test",
    access: OPEN_ACCESS,
    budget,
    answers,
  });
  server = await serveHandler(
    createRequestHandler({ routes: [], rpc, logger: silentLogger, metrics: createMetrics() }),
    limits,
  );
}

function getUrl(path: string, message: object): string {
  return `${server.url}${path}?encoding=json&message=${encodeURIComponent(JSON.stringify(message))}`;
}

function post(path: string, message: unknown): Promise<Response> {
  return fetch(server.url + path, { method: "POST", headers: JSON_TYPE, body: JSON.stringify(message) });
}

const stored: Repository["push"] = async ({ submitter }) => ({
  state: "stored",
  record: profileRecord(submitter === undefined ? {} : { submitter }),
  alreadyExisted: false,
  warnings: [],
});

beforeEach(() =>
  serve({ push: stored, get: async (id) => profileRecord({ id }), merge: mergesTo(Buffer.from("sum")) }),
);
afterEach(() => server[Symbol.asyncDispose]());

describe("Connect GET", () => {
  test("answers a read, to be asked again each time, and 304 when nothing has changed", async () => {
    const first = await fetch(getUrl(GET, { id: "a" }));
    expect(await first.json()).toMatchObject({ profile: { id: "a", service: "auth" } });
    expect(first.headers.get("cache-control")).toBe("private, no-cache");
    expect(first.headers.get("vary")).toBe("accept-encoding");
    const etag = first.headers.get("etag")!;
    expect(etag).toMatch(/^"[\w-]{22}"$/);

    const again = await fetch(getUrl(GET, { id: "a" }), { headers: { "if-none-match": `"other", W/${etag}` } });
    expect([again.status, await again.text()]).toEqual([304, ""]);
    const other = await fetch(getUrl(GET, { id: "b" }), { headers: { "if-none-match": etag } });
    expect(other.status).toBe(200);
  });

  test("of a merge has the sum's own ETag", async () => {
    const answer = await fetch(getUrl(MERGE, { selection: SELECTION }));
    expect(answer.headers.get("etag")).toBe('W/"abc-m1"');
    expect(await answer.json()).toMatchObject({ profileBytes: "c3Vt", summary: { etag: "abc-m1", merged: "1" } });
  });

  test("of what has side effects is refused, naming what is allowed", async () => {
    const answer = await fetch(getUrl(CREATE, {}));
    expect([answer.status, answer.headers.get("allow")]).toEqual([405, "POST"]);
    expect(await answer.json()).toMatchObject({ message: "Cannot GET CreateProfile: allowed is POST" });
  });

  test("of a stream is refused as well", async () => {
    const answer = await fetch(getUrl("/profusion.v1.ProfileService/DownloadProfile", { id: "a" }));
    expect([answer.status, answer.headers.get("allow")]).toEqual([405, "POST"]);
  });

  test("in an encoding that is none is refused, naming those that are", async () => {
    const answer = await fetch(`${server.url}${GET}?encoding=xml&message={}`);
    expect(answer.status).toBe(415);
    expect(await answer.json()).toMatchObject({ message: expect.stringMatching(/"xml".*json and proto are allowed/) });
  });
});

describe("requests that cannot be read", () => {
  test.each([
    ["JSON that is none", JSON_TYPE, "{"],
    ["JSON of another shape", JSON_TYPE, '{"id":{}}'],
    ["bytes that are no message", { "content-type": "application/proto" }, Buffer.from([0x0a, 0x05, 0x61])],
    ["text that is not UTF-8", { "content-type": "application/proto" }, Buffer.from([0x0a, 0x01, 0xff])],
    ["gzip that is none", { "content-type": "application/proto", "content-encoding": "gzip" }, Buffer.from("no")],
  ])("%s is the client's fault", async (_, headers, body) => {
    const answer = await fetch(server.url + GET, { method: "POST", headers, body });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ code: "invalid_argument" });
  });

  test("a GET whose message is no base64 is the client's fault", async () => {
    const answer = await fetch(`${server.url}${GET}?encoding=proto&base64=1&message=%25%25`);
    expect(answer.status).toBe(400);
  });

  test("a host that is none is the client's fault", async () => {
    using raw = await connectRaw(server.port);
    raw.send(`POST ${GET} HTTP/1.1\r\nHost: x:99999\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}`);
    expect(await raw.until("allowed")).toMatch(/^HTTP\/1.1 400 /);
  });

  test.each([
    ["another content type", GET, { "content-type": "text/plain" }, /Type "text\/plain": application\/json, /],
    [
      "what curl -d says",
      GET,
      { "content-type": "application/x-www-form-urlencoded" },
      /application\/grpc-web are allowed/,
    ],
    ["no content type", GET, {}, /without a Content-Type: /],
    [
      "a stream without frames",
      "/profusion.v1.ProfileService/DownloadProfile",
      JSON_TYPE,
      /: application\/connect\+json/,
    ],
  ])("%s is refused, naming those that are allowed", async (_, path, headers, message) => {
    const answer = await fetch(server.url + path, { method: "POST", headers, body: Buffer.from("{}") });
    expect([answer.status, await answer.json()]).toEqual([
      415,
      { code: "invalid_argument", message: expect.stringMatching(message) },
    ]);
  });
});

describe("limits on requests", () => {
  const profile = (size: number) => ({
    metadata: { service: "s", profileType: "cpu" },
    profileBytes: new Uint8Array(size),
  });

  test("a profile over the limit of bodies is refused by every protocol, with the limit named", async () => {
    await server[Symbol.asyncDispose]();
    await serve({ push: stored }, { bodyBytes: 100_000 });
    const transports = [
      createConnectTransport({ baseUrl: server.url, httpVersion: "1.1" }),
      createConnectTransport({ baseUrl: server.url, httpVersion: "2" }),
      createGrpcTransport({ baseUrl: server.url }),
    ];
    for (const transport of transports) {
      const client = createClient(ProfileService, transport);
      await client.createProfile(profile(100_000));
      // Larger than what a message may have, and only larger than what a profile may have.
      for (const size of [100_001, 5_000_000]) {
        const error = await client.createProfile(profile(size)).then(() => undefined, ConnectError.from);
        expect([error?.code, error?.rawMessage]).toMatchObject([Code.ResourceExhausted, /^Cannot .*\d{6} bytes/]);
      }
      const upload = async function* () {
        yield { part: { case: "metadata" as const, value: profile(0).metadata } };
        for (let sent = 0; sent < 5; sent++) yield { part: { case: "chunk" as const, value: new Uint8Array(30_000) } };
      };
      const error = await client.uploadProfile(upload()).then(() => undefined, ConnectError.from);
      expect(error?.code).toBe(Code.ResourceExhausted);
    }
    expect(budget.takenBytes).toBe(0);
  });

  test("a chunked body without an end is refused, and the refusal arrives", async () => {
    await server[Symbol.asyncDispose]();
    await serve({ push: stored }, { bodyBytes: 100_000 });
    const answered = Promise.withResolvers<{ status: number | undefined; text: string }>();
    const request = httpRequest(server.url + CREATE, {
      method: "POST",
      headers: { "content-type": "application/proto" },
    });
    const chunk = Buffer.alloc(64 * 1024);
    const pump = () => {
      while (!request.destroyed && request.write(chunk));
    };
    request.on("drain", pump);
    request.on("error", () => {});
    request.on("response", async (response) => {
      const parts: Buffer[] = [];
      for await (const part of response) parts.push(part);
      answered.resolve({ status: response.statusCode, text: Buffer.concat(parts).toString() });
    });
    pump();
    const { status, text } = await answered.promise;
    expect([status, JSON.parse(text)]).toMatchObject([429, { code: "resource_exhausted" }]);
    request.destroy();
  });

  test("JSON may carry less than the binary form", async () => {
    await server[Symbol.asyncDispose]();
    await serve({ push: stored }, { jsonBodyBytes: 10_000 });
    const small = await post(CREATE, { metadata: { service: "s", profileType: "cpu" }, profileBytes: "AAAA" });
    expect(await small.json()).toMatchObject({ profile: { submitter: "127.0.0.1" } });
    const large = await post(CREATE, {
      metadata: { service: "s", profileType: "cpu" },
      profileBytes: "A".repeat(10_000),
    });
    expect([large.status, await large.json()]).toEqual([
      429,
      {
        code: "resource_exhausted",
        message: "Cannot read this message: CreateProfile takes at most 10000 bytes of JSON",
      },
    ]);
    await createClient(
      ProfileService,
      createConnectTransport({ baseUrl: server.url, httpVersion: "1.1" }),
    ).createProfile(profile(10_000));
  });

  test("a bomb inside a compressed message is stopped at the limit", async () => {
    const bomb = gzipSync(Buffer.alloc(200 * 1024 * 1024));
    const headers = { "content-type": "application/proto", "content-encoding": "gzip" };
    const answer = await fetch(server.url + CREATE, { method: "POST", headers, body: bomb });
    expect([answer.status, await answer.json()]).toMatchObject([
      429,
      { code: "resource_exhausted", message: expect.stringMatching(/takes at most \d+ bytes of protobuf/) },
    ]);
  });

  test("a question that carries no profile may be small only", async () => {
    const answer = await post(GET, { id: "x".repeat(2 * 1024 * 1024) });
    expect(answer.status).toBe(429);
  });

  test("uploads that find no place in memory are refused in time, and leave nothing behind", async () => {
    await server[Symbol.asyncDispose]();
    await serve({ push: stored }, { bytesInFlight: 50_000, admissionWaitMs: 50 });
    using other = await budget.take(40_000);
    const client = createClient(ProfileService, createConnectTransport({ baseUrl: server.url, httpVersion: "1.1" }));
    const error = await client.createProfile(profile(60_000)).then(() => undefined, ConnectError.from);
    expect([error?.code, error?.rawMessage]).toMatchObject([Code.ResourceExhausted, /bytes are in flight/]);
    other[Symbol.dispose]();
    await client.createProfile(profile(30_000));
    expect(budget.takenBytes).toBe(0);
  });
});

describe("clients that leave", () => {
  function mergeThatWaits() {
    const begun = Promise.withResolvers<void>();
    const aborted = Promise.withResolvers<void>();
    const merge: Repository["merge"] = ({ signal }) =>
      new Promise((_, reject) => {
        begun.resolve();
        signal.addEventListener("abort", () => {
          aborted.resolve();
          reject(signal.reason);
        });
      });
    return { begun: begun.promise, aborted: aborted.promise, merge };
  }

  test.each(["1.1", "2"] as const)("over HTTP/%s their merge is told", async (httpVersion) => {
    const { begun, aborted, merge } = mergeThatWaits();
    await server[Symbol.asyncDispose]();
    await serve({ merge });
    const client = createClient(QueryService, createConnectTransport({ baseUrl: server.url, httpVersion }));
    const leaving = new AbortController();
    const selection = { selector: "cpu", interval: { startTime: { seconds: 1n } } };
    const call = client
      .mergeProfiles({ selection }, { signal: leaving.signal })
      .then(() => undefined, ConnectError.from);
    await begun;
    leaving.abort();
    await aborted;
    expect((await call)?.code).toBe(Code.Canceled);
  });

  test("in the middle of a body leave nothing behind", async () => {
    using raw = await connectRaw(server.port);
    raw.send(
      `POST ${CREATE} HTTP/1.1\r\nHost: x\r\nContent-Type: application/proto\r\nContent-Length: 1000\r\n\r\nabc`,
    );
    await expect.poll(() => budget.takenBytes).toBe(3);
    raw.socket.destroy();
    await expect.poll(() => budget.takenBytes).toBe(0);
  });

  test("in the middle of a gRPC upload leave nothing behind", async () => {
    const session = http2Connect(server.url);
    const stream = session.request({
      ":method": "POST",
      ":path": "/profusion.v1.ProfileService/UploadProfile",
      "content-type": "application/grpc",
    });
    stream.on("error", () => {});
    stream.write(Buffer.from([0, 0, 0, 0, 100, 1, 2, 3]));
    await expect.poll(() => budget.takenBytes).toBe(8);
    session.destroy();
    await expect.poll(() => budget.takenBytes).toBe(0);
  });
});

describe("answers that nobody reads", () => {
  interface Clients {
    profiles: Client<typeof ProfileService>;
    queries: Client<typeof QueryService>;
  }
  const profile = Buffer.alloc(1_000_000);

  /** A place for two and a half of the profile. */
  beforeEach(async () => {
    await server[Symbol.asyncDispose]();
    const record = profileRecord({ sizeBytes: profile.length });
    await serve(
      {
        get: async () => record,
        download: async () => ({ record, bytes: profile }),
        merge: mergesTo(profile),
      },
      { answersInFlight: 2.5 * profile.length, admissionWaitMs: 50 },
    );
  });

  test.each([
    [
      "DownloadProfile",
      ({ profiles }: Clients, options: CallOptions) => profiles.downloadProfile({ id: "a" }, options),
    ],
    [
      "StreamMergedProfile",
      ({ queries }: Clients, options: CallOptions) =>
        queries.streamMergedProfile(
          { selection: { selector: "cpu", interval: { startTime: { seconds: 1n } } } },
          options,
        ),
    ],
  ])("of %s count until they are read or left; one more is refused in time", async (_, ask) => {
    const leaving = new AbortController();
    // One connection each: what a session holds for one stream stops the others.
    const open = async () => {
      const transport = createGrpcTransport({ baseUrl: server.url });
      const clients = {
        profiles: createClient(ProfileService, transport),
        queries: createClient(QueryService, transport),
      };
      const messages = ask(clients, { signal: leaving.signal })[Symbol.asyncIterator]();
      await messages.next();
      return messages;
    };
    const read = await open();
    const left = await open();
    expect(answers.takenBytes).toBe(2 * profile.length);
    const error = await open().then(() => undefined, ConnectError.from);
    expect([error?.code, error?.rawMessage]).toMatchObject([Code.ResourceExhausted, /2000000 of 2500000 bytes/]);

    let messages = 0;
    while ((await read.next()).done !== true) messages++;
    expect(messages).toBe(Math.ceil(profile.length / 65_536));
    await expect.poll(() => answers.takenBytes).toBe(profile.length);
    leaving.abort();
    await expect(left.next()).rejects.toThrow(ConnectError);
    await expect.poll(() => answers.takenBytes).toBe(0);
  });

  test("of MergeProfiles count too", async () => {
    using held = await answers.take(2 * profile.length);
    const refused = await post(MERGE, { selection: SELECTION });
    expect([refused.status, await refused.json()]).toMatchObject([429, { code: "resource_exhausted" }]);
    held[Symbol.dispose]();
    expect((await post(MERGE, { selection: SELECTION })).status).toBe(200);
    await expect.poll(() => answers.takenBytes).toBe(0);
  });
});
