// Keys, places and rates against the whole server, over real sockets: who is let in, how each protocol says no, and what the log tells.

import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { connect as connectTo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { Code, type ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { Health } from "../gen/grpc/health/v1/health_pb.ts";
import { AdminService } from "../gen/profusion/v1/admin_service_pb.ts";
import { PgoService } from "../gen/profusion/v1/pgo_service_pb.ts";
import { ProfileService } from "../gen/profusion/v1/profile_service_pb.ts";
import { QueryService } from "../gen/profusion/v1/query_service_pb.ts";
import { DEFAULT_LIMITS } from "../src/model/limits.ts";
import { EVERYTHING } from "../src/model/selector.ts";
import { goCpu } from "./support/compat-server.ts";
import { buildGzip } from "./support/profile-builder.ts";
import { runServer, type ServerForTest } from "./support/run-server.ts";
import { CERTIFICATE, CLIENT_AUTHORITY, CLIENT_TLS_FILES, TLS_FILES } from "./support/test-certificate.ts";

const TIME_NS = 1_750_000_000_000_000_000n;
const profile = (at = 0) =>
  buildGzip({ timeNs: TIME_NS + BigInt(at), samples: [{ stack: [`work${at}`, "main"], values: [1n, 10n] }] });
const hashed = (key: string) => `sha256:${createHash("sha256").update(key).digest("hex")}`;

const KEYS = {
  writer: "the writer's key, with spaces",
  foreign: "schlüssel mit ümlaut",
  bound: "bound-key-of-a-fleet",
  reader: "reader-key-0123456789",
  builder: "builder-key-012345678",
  cleaner: "cleaner-key-012345678",
  admin: "admin-key-01234567890",
};
const LINES = [
  `writer ${hashed(KEYS.writer)} write`,
  `foreign ${hashed(KEYS.foreign)} write`,
  `bound ${KEYS.bound} write,pgo service=auth,region=eu`,
  `reader ${KEYS.reader} read`,
  `builder ${KEYS.builder} pgo`,
  `cleaner ${KEYS.cleaner} delete`,
  `admin ${KEYS.admin} admin`,
];

let folder: string;
let keys: string;
let running: ServerForTest;
const log: string[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "profusion-keys-"));
  keys = join(folder, "keys");
  writeFileSync(keys, LINES.join("\n"));
  running = await runServer({}, undefined, { keys, logger: loggerTo(log, "info") });
});
afterAll(async () => {
  await running[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

const bearer = (key: string) => ({ authorization: `Bearer ${Buffer.from(key).toString("latin1")}` });
const basic = (pair: string) => ({ authorization: `Basic ${Buffer.from(pair).toString("base64")}` });

async function post(query: string, headers: Record<string, string> = {}, url = running.url) {
  const answer = await fetch(`${url}/api/0/profiles?type=cpu&${query}`, { method: "POST", body: profile(), headers });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, text, json: JSON.parse(text) };
}

async function submitterOf(id: string): Promise<string> {
  const transport = createGrpcTransport({ baseUrl: running.url });
  const asked = await createClient(ProfileService, transport).getProfile({ id }, { headers: bearer(KEYS.reader) });
  return asked.profile!.submitter;
}

describe("a key is taken", () => {
  test.each([
    ["as Bearer", bearer(KEYS.writer), ""],
    ["as bearer, in small letters", { authorization: bearer(KEYS.writer).authorization.replace("B", "b") }, ""],
    ["as a URL's password", basic(`x:${KEYS.writer}`), ""],
    ["as a URL's user alone", basic(KEYS.writer), ""],
    ["in any letters", bearer(KEYS.foreign), "", "foreign"],
    ["as a user with an empty password", basic(`${KEYS.writer}:`), ""],
    ["as a token of the query", {}, `&token=${encodeURIComponent(KEYS.writer)}`],
  ])("%s, and its id is kept with the profile", async (how, headers, query, id = "writer") => {
    const answer = await post(`service=${encodeURIComponent(how)}${query}`, headers as Record<string, string>);
    expect(answer.json).toMatchObject({ code: 200 });
    expect(await submitterOf(answer.json.body.id)).toBe(id);
  });
});

describe("profefe's API says no in its envelope", () => {
  test.each([
    ["no key", {}, 401, /without a key/],
    ["a key that nobody has", bearer("not-a-key-of-this-server"), 401, /none like it/],
    ["two spaces after Bearer", { authorization: `Bearer  ${KEYS.bound}` }, 401, /none like it/],
    ["the hash of a key", bearer(hashed(KEYS.writer)), 401, /none like it/],
    ["another scheme", { authorization: `Digest ${KEYS.bound}` }, 401, /none like it/],
    ["what is in no scheme", { authorization: KEYS.bound }, 401, /none like it/],
    ["a key without the scope", bearer(KEYS.reader), 403, /needs scope write, and has read/],
    ["a key of another service", bearer(KEYS.bound), 403, /bound to "auth"/],
  ])("to %s", async (_, headers, status, reason) => {
    const { json, ...answer } = await post("service=other", headers as Record<string, string>);
    expect(answer.status).toBe(status);
    expect(json).toEqual({ code: status, error: expect.stringMatching(reason) });
    expect(answer.headers.get("www-authenticate")).toBe(status === 401 ? "Bearer" : null);
  });

  test("to every question without a key, and answers its version to all", async () => {
    const get = async (path: string, key?: string) =>
      (await fetch(`${running.url}/api/0/${path}`, { headers: key ? bearer(key) : {} })).status;
    const window = "service=taken&type=cpu&from=2020-01-01T00:00:00&to=2030-01-01T00:00:00";
    for (const path of ["profiles/x", "profiles/x+y", "services", `profiles?${window}`, `profiles/merge?${window}`]) {
      expect(await get(path), path).toBe(401);
      expect(await get(path, KEYS.writer), path).toBe(403);
      expect([200, 404], path).toContain(await get(path, KEYS.reader));
    }
    expect(await get("pgo/auth")).toBe(401);
    expect(await get("pgo/auth", KEYS.reader)).toBe(403);
    expect(await get("pgo/auth", KEYS.builder)).toBe(404);
    expect(await get("pgo/other", KEYS.bound)).toBe(403);
    expect(await get("pgo/auth", KEYS.bound)).toBe(404);
    expect(await get("version")).toBe(200);
  });
});

test("a bound key need not name its service, and its labels stand in place of the sender's", async () => {
  const { json } = await post("labels=region=us,pod=a", bearer(KEYS.bound));
  expect(json.body).toMatchObject({
    service: "auth",
    labels: [
      { key: "pod", value: "a" },
      { key: "region", value: "eu" },
    ],
  });
});

const TRANSPORTS: [string, (baseUrl: string) => Transport][] = [
  ["Connect", (baseUrl) => createConnectTransport({ baseUrl, httpVersion: "1.1" })],
  ["Connect in JSON", (baseUrl) => createConnectTransport({ baseUrl, httpVersion: "1.1", useBinaryFormat: false })],
  ["Connect over GET", (baseUrl) => createConnectTransport({ baseUrl, httpVersion: "1.1", useHttpGet: true })],
  ["gRPC", (baseUrl) => createGrpcTransport({ baseUrl })],
  ["gRPC-Web", (baseUrl) => createGrpcWebTransport({ baseUrl, httpVersion: "1.1" })],
];

describe.each(TRANSPORTS)("the contract by %s", (_, transportTo) => {
  const codeOf = async (call: Promise<unknown>) => {
    const error = await call.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    return error === undefined ? "ok" : Code[(error as ConnectError).code];
  };
  const metadata = { service: "rpc", profileType: "cpu" };

  test("answers 16 without a key and 7 without the scope, streams too, and lets the scope's methods through", async () => {
    const transport = transportTo(running.url);
    const [profiles, queries] = [createClient(ProfileService, transport), createClient(QueryService, transport)];
    const [pgo, admin] = [createClient(PgoService, transport), createClient(AdminService, transport)];
    const upload = (headers: Record<string, string>) => {
      const parts = (async function* () {
        yield { part: { case: "metadata" as const, value: metadata } };
        yield { part: { case: "chunk" as const, value: profile() } };
      })();
      return profiles.uploadProfile(parts, { headers });
    };
    const stream = async (headers: Record<string, string>) => {
      for await (const _part of queries.streamMergedProfile({ selection: { profileIds: ["x"] } }, { headers }));
    };
    const calls: [
      name: string,
      key: string,
      call: (headers: Record<string, string>) => Promise<unknown>,
      code: string,
    ][] = [
      [
        "create",
        KEYS.writer,
        (headers) => profiles.createProfile({ metadata, profileBytes: profile() }, { headers }),
        "ok",
      ],
      ["upload", KEYS.writer, upload, "ok"],
      ["list", KEYS.reader, (headers) => profiles.listProfiles({}, { headers }), "ok"],
      ["stream", KEYS.reader, stream, "NotFound"],
      ["delete", KEYS.cleaner, (headers) => profiles.deleteProfile({ id: "x" }, { headers }), "NotFound"],
      ["pgo", KEYS.bound, (headers) => pgo.getPgoProfile({ question: { service: "auth" } }, { headers }), "NotFound"],
      ["policy", KEYS.admin, (headers) => pgo.updatePgoPolicy({}, { headers }), "InvalidArgument"],
      ["status", KEYS.reader, (headers) => admin.getStatus({}, { headers }), "ok"],
      ["verify", KEYS.admin, (headers) => admin.verify({}, { headers }), "ok"],
    ];
    for (const [name, key, call, code] of calls) {
      expect(await codeOf(call({})), name).toBe("Unauthenticated");
      expect(await codeOf(call(bearer("not-a-key-of-this-server"))), name).toBe("Unauthenticated");
      const other = key === KEYS.reader ? KEYS.writer : KEYS.reader;
      expect(await codeOf(call(bearer(other))), name).toBe("PermissionDenied");
      expect(await codeOf(call(bearer(key))), name).toBe(code);
    }
    const bound = { headers: bearer(KEYS.bound) };
    expect(await codeOf(pgo.getPgoProfile({ question: { service: "other" } }, bound))).toBe("PermissionDenied");
    expect(await codeOf(pgo.listReleases({ service: "other" }, bound))).toBe("PermissionDenied");
    expect(await codeOf(profiles.createProfile({ metadata, profileBytes: profile() }, bound))).toBe("PermissionDenied");
    expect(await codeOf(createClient(Health, transport).check({}))).toBe("ok");
  });
});

test("a body of a caller who may not send it is not read", async () => {
  const body = new ReadableStream({
    pull: (controller) => controller.enqueue(new Uint8Array(64 * 1024)), // for ever
  });
  const headers = { "content-type": "application/proto" };
  const path = "profusion.v1.ProfileService/CreateProfile";
  const request = { method: "POST", headers, body, duplex: "half" } as RequestInit;
  const answer = await fetch(`${running.url}/${path}`, request);
  expect(answer.status).toBe(401);
  expect(await answer.json()).toMatchObject({ code: "unauthenticated" });
});

describe("with Expect: 100-continue", () => {
  const lines = async (url: string, key: string, contentLength: number) => {
    const socket = connectTo(Number(new URL(url).port), "127.0.0.1");
    const heads: string[] = [];
    let received = "";
    socket.write(
      `POST /api/0/profiles?service=a&type=cpu HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${key}\r\nContent-Length: ${contentLength}\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n`,
    );
    socket.on("data", (chunk) => {
      received += chunk.toString("latin1");
      heads.splice(0, heads.length, ...(received.match(/^HTTP\/1\.1 \d+/gm) ?? []));
      if (heads.length === 1 && heads[0] === "HTTP/1.1 100") socket.write(profile());
    });
    await once(socket, "close");
    return heads;
  };

  test("who may send is asked for the body, and who may not is refused instead, as is what is too large", async () => {
    expect(await lines(running.url, KEYS.bound, 10)).toEqual(["HTTP/1.1 403"]);
    const key = "plain-key-0123456789";
    await using other = await serveKeys(`plain ${key} write`);
    expect(await lines(other.url, key, profile().length)).toEqual(["HTTP/1.1 100", "HTTP/1.1 200"]);
    expect(await lines(other.url, "wrong", profile().length)).toEqual(["HTTP/1.1 401"]);
    expect(await lines(other.url, key, 10 ** 9)).toEqual(["HTTP/1.1 413"]);
  });
});

test("the log names callers, and never a key or a token", async () => {
  await post("service=logged", bearer(KEYS.writer));
  await post(`service=logged&token=${KEYS.bound}`);
  await post("service=logged&token=wrong-token-0123456789");
  await vi.waitFor(() => expect(log.filter((line) => line.includes('"caller":"writer"')).length).toBeGreaterThan(0));
  const all = log.join("");
  for (const key of [...Object.values(KEYS), "wrong-token-0123456789"]) expect(all).not.toContain(key);
});

describe("the file of keys", () => {
  test("is read again when it changes, and a fault in it leaves the keys as they were", async () => {
    await using other = await serveKeys("early early-key-0123456789 write");
    const status = async (key: string) => (await post("service=a", bearer(key), other.url)).status;
    expect(await status("early-key-0123456789")).toBe(200);
    other.write("late late-key-0123456789 write");
    await vi.waitFor(async () => expect(await status("late-key-0123456789")).toBe(200), { timeout: 20_000 });
    expect(await status("early-key-0123456789")).toBe(401);
    other.write("late late-key-0123456789 wrong");
    await expect(other.reload()).rejects.toThrow(/keys:1: .*third word has no scopes/);
    expect(await status("late-key-0123456789")).toBe(200);
  });

  test("is read again when a link above it is moved, as mounted secrets are renewed", async () => {
    const mounted = mkdtempSync(join(folder, "mounted-"));
    for (const [at, key] of ["first-key-0123456789", "second-key-0123456789"].entries()) {
      mkdirSync(join(mounted, `data-${at}`));
      writeFileSync(join(mounted, `data-${at}`, "keys"), `ci ${key} write`);
    }
    symlinkSync("data-0", join(mounted, "data"));
    symlinkSync("data/keys", join(mounted, "keys"));
    await using other = await serveKeys("", {}, { keys: join(mounted, "keys") });
    const status = async (key: string) => (await post("service=a", bearer(key), other.url)).status;
    expect(await status("first-key-0123456789")).toBe(200);
    symlinkSync("data-1", join(mounted, "next"));
    renameSync(join(mounted, "next"), join(mounted, "data"));
    await vi.waitFor(async () => expect(await status("second-key-0123456789")).toBe(200), { timeout: 20_000 });
    expect(await status("first-key-0123456789")).toBe(401);
  });

  test("is read again at a reload, which may also take it away", async () => {
    await using other = await serveKeys("");
    expect((await post("service=a", {}, other.url)).status).toBe(401);
    other.write("now now-key-0123456789 write");
    await other.reload();
    expect((await post("service=a", bearer("now-key-0123456789"), other.url)).status).toBe(200);
    await other.server.reload({ limits: DEFAULT_LIMITS });
    expect((await post("service=a", {}, other.url)).status).toBe(200);
  });
});

describe("without a key", () => {
  test("a listener speaks for those who come by it, with service and labels", async () => {
    const port = await freePort();
    const listen = [0, port].map((each) => ({ host: "127.0.0.1", port: each }));
    const line = `listener 127.0.0.1:${port} write service=local,via=pcapture`;
    await using other = await serveKeys(line, {}, { listen });
    const { json } = await post("", {}, `http://127.0.0.1:${port}`);
    expect(json.body).toMatchObject({ service: "local", labels: [{ key: "via", value: "pcapture" }] });
    expect((await post("service=elsewhere", {}, `http://127.0.0.1:${port}`)).status).toBe(403);
    expect((await post("", {}, other.url)).status).toBe(401);
    const wrong = await post("", bearer("not-a-key-of-this-server"), `http://127.0.0.1:${port}`);
    expect(wrong.status).toBe(401);
  });

  test("a listener is known behind TLS and HTTP/2 as well, a range too", async () => {
    const port = await freePort();
    const listen = [{ host: "127.0.0.1", port }];
    const changed = { listen, tls: TLS_FILES };
    const base = (scheme: string) => `${scheme}://127.0.0.1:${port}`;
    const nodeOptions = { ca: CERTIFICATE };
    const transports = [
      createConnectTransport({ baseUrl: base("https"), httpVersion: "1.1", nodeOptions }),
      createConnectTransport({ baseUrl: base("https"), httpVersion: "2", nodeOptions }),
      createGrpcTransport({ baseUrl: base("http") }),
    ];
    for (const place of [`listener 127.0.0.1:${port}`, `listener 0.0.0.0:${port}`, "range 127.0.0.1"]) {
      await using _other = await serveKeys(`${place} write service=here`, {}, changed);
      for (const transport of transports) {
        const client = createClient(ProfileService, transport);
        const { profile: stored } = await client.createProfile({
          metadata: { profileType: "cpu" },
          profileBytes: profile(),
        });
        expect(stored).toMatchObject({ service: "here", submitter: "127.0.0.1" });
      }
    }
  });

  describe("a client's certificate", () => {
    const tls = { ...TLS_FILES, clientAuthority: CLIENT_AUTHORITY };
    const pair = (files: typeof TLS_FILES) => ({ cert: readFileSync(files.certificate), key: readFileSync(files.key) });
    const create = (server: ServerForTest, httpVersion: "1.1" | "2", own: object, headers = {}) => {
      const nodeOptions = { ca: CERTIFICATE, ...own };
      const baseUrl = server.url.replace("http:", "https:");
      const client = createClient(ProfileService, createConnectTransport({ baseUrl, httpVersion, nodeOptions }));
      const metadata = { service: "any", profileType: "cpu" };
      return client.createProfile({ metadata, profileBytes: profile() }, { headers });
    };
    const own = pair(CLIENT_TLS_FILES);

    test.each(["test agent", "agent.example", "spiffe://example/agent"])(
      "named %s lets in as its line says, by HTTP/1.1 and HTTP/2, and its id is kept",
      async (name) => {
        await using server = await serveKeys(
          `"agent" "certificate:${name}" write region=eu`.replace(/^"agent"/, "agent"),
          {},
          { tls },
        );
        for (const version of ["1.1", "2"] as const) {
          const { profile: stored } = await create(server, version, own);
          expect(stored).toMatchObject({ submitter: "agent", labels: [{ name: "region", value: "eu" }] });
        }
      },
    );

    test("of another authority, of another name, or none is as nothing; a wrong key beside it is refused", async () => {
      await using server = await serveKeys(`agent certificate:agent.example write`, {}, { tls });
      for (const version of ["1.1", "2"] as const) {
        const refusals = [create(server, version, pair(TLS_FILES)), create(server, version, {})];
        refusals.push(create(server, version, own, bearer("not-a-key-of-this-server")));
        for (const refusal of refusals) await expect(refusal).rejects.toMatchObject({ code: Code.Unauthenticated });
      }
      await using other = await serveKeys(`agent certificate:127.0.0.1 write`, {}, { tls });
      await expect(create(other, "2", own)).rejects.toMatchObject({ code: Code.Unauthenticated });
    });

    test("is judged by the authorities of the newest reload", async () => {
      await using server = await serveKeys(`agent certificate:localhost write`, {}, { tls });
      const others = pair(TLS_FILES);
      await expect(create(server, "2", others)).rejects.toMatchObject({ code: Code.Unauthenticated });
      const renewed = { ...TLS_FILES, clientAuthority: TLS_FILES.certificate };
      await server.server.reload({ limits: DEFAULT_LIMITS, keys: server.keys, tls: renewed });
      expect((await create(server, "2", others)).profile?.submitter).toBe("agent");
      const broken = { ...TLS_FILES, clientAuthority: TLS_FILES.key };
      await expect(server.server.reload({ limits: DEFAULT_LIMITS, keys: server.keys, tls: broken })).rejects.toThrow(
        /Cannot use the TLS authority of clients .*; it must be a PEM file/,
      );
    });

    test("is not asked for where no authority is named", async () => {
      await using server = await serveKeys(`agent certificate:agent.example write`, {}, { tls: TLS_FILES });
      await expect(create(server, "2", own)).rejects.toMatchObject({ code: Code.Unauthenticated });
    });
  });

  test("an address range does, and the first line that allows it counts", async () => {
    const lines = [
      "range 10.0.0.0/8 write",
      "range 127.0.0.0/8 read",
      "range 127.0.0.1 write service=near",
      "range ::/0 write",
    ];
    await using other = await serveKeys(lines.join("\n"));
    const { json } = await post("", {}, other.url);
    expect(json.body).toMatchObject({ service: "near" });
    expect((await fetch(`${other.url}/api/0/services`)).status).toBe(200);
    expect((await fetch(`${other.url}/api/0/pgo/near`)).status).toBe(403);
  });
});

test("a protocol that is switched off is not there", async () => {
  await using other = await runServer({}, undefined, { disable: ["profefe"] });
  expect((await fetch(`${other.url}/api/0/version`)).status).toBe(404);
  const status = async ({ url }: ServerForTest) => {
    const headers = { "content-type": "application/json" };
    const path = "profusion.v1.AdminService/GetStatus";
    return (await fetch(`${url}/${path}`, { method: "POST", headers, body: "{}" })).status;
  };
  expect(await status(other)).toBe(200);
  await using only = await runServer({}, undefined, { enable: ["profefe"] });
  expect((await fetch(`${only.url}/api/0/version`)).status).toBe(200);
  expect(await status(only)).toBe(404);
});

test("a server for more than this machine warns where it has no keys", async () => {
  const warnings = async (changed: Parameters<typeof runServer>[2]) => {
    const lines: string[] = [];
    await using _server = await runServer({}, undefined, { logger: loggerTo(lines, "warn"), ...changed });
    return lines.join("");
  };
  const everywhere = { listen: [{ host: "0.0.0.0", port: 0 }] };
  expect(await warnings(everywhere)).toMatch(/"addresses":\["0.0.0.0:0"\].*there are no keys/);
  expect(await warnings({ ...everywhere, keys })).toBe("");
  expect(await warnings({})).toBe("");
});

describe("a rate", () => {
  const KEY = "busy busy-key-0123456789 write\nidle idle-key-0123456789 write,pgo";
  const [busy, idle] = [bearer("busy-key-0123456789"), bearer("idle-key-0123456789")];

  test("of 10 000 uploads at once from one key takes what it allows; the rest are told to come again, and others are served", async () => {
    await using other = await serveKeys(KEY, { keyRequestsPerSecond: 500 });
    let served = 0;
    const counts = new Map<number, number>();
    const upload = async () => {
      const { status, headers } = await post("service=busy", busy, other.url);
      counts.set(status, (counts.get(status) ?? 0) + 1);
      if (status === 503) expect(headers.get("retry-after")).toMatch(/^\d+$/);
      if (status === 503 && served++ === 0) expect((await post("service=idle", idle, other.url)).status).toBe(200);
    };
    let left = 10_000;
    await Promise.all(
      Array.from({ length: 200 }, async () => {
        while (left-- > 0) await upload();
      }),
    );
    expect([...counts.keys()].sort()).toEqual([200, 503]);
    expect(counts.get(200)! + counts.get(503)!).toBe(10_000);
    expect(counts.get(200)).toBeGreaterThanOrEqual(500);
    expect(served).toBeGreaterThan(0);
  });

  test("is 429 and RESOURCE_EXHAUSTED by the contract, with Retry-After", async () => {
    await using other = await serveKeys(KEY, { keyRequestsPerSecond: 1 });
    const create = (path = "ProfileService/CreateProfile") =>
      fetch(`${other.url}/profusion.v1.${path}`, {
        method: "POST",
        headers: { ...busy, "content-type": "application/json" },
        body: JSON.stringify({ metadata: { service: "a", profileType: "cpu" } }),
      });
    await create();
    const answer = await create();
    expect(answer.status).toBe(429);
    expect(answer.headers.get("retry-after")).toMatch(/^\d+$/);
    expect(await answer.json()).toMatchObject({
      code: "resource_exhausted",
      message: expect.stringContaining('"busy"'),
    });
  });

  test("of one who has a public key leaves the key to all others", async () => {
    const lines = "oss public-key-0123456789 submit service=app";
    await using other = await serveKeys(lines, { sourceRequestsPerSecond: 2, keyRequestsPerSecond: 5 });
    const statuses = await Promise.all(
      Array.from({ length: 50 }, async () => {
        const { status, json } = await post("", bearer("public-key-0123456789"), other.url);
        if (status === 503) expect(json.error).toMatch(/"oss\/[0-9a-f]{16}".* 2 requests a second/);
        return status;
      }),
    );
    expect(new Set(statuses)).toEqual(new Set([200, 503]));
    await other.server.reload({ limits: { ...DEFAULT_LIMITS, sourceRequestsPerSecond: 1000 }, keys: other.keys });
    expect((await post("", bearer("public-key-0123456789"), other.url)).status).toBe(200);
  });

  test("is not begun anew when the file changes", async () => {
    await using other = await serveKeys(KEY, { keyRequestsPerSecond: 1, keyBytesPerSecond: 1 });
    const limits = { ...DEFAULT_LIMITS, keyRequestsPerSecond: 1, keyBytesPerSecond: 1 };
    expect((await post("service=a", busy, other.url)).status).toBe(200);
    await vi.waitFor(async () => expect((await post("service=a", busy, other.url)).status).toBe(503));
    other.write(`${KEY} # as before`);
    await other.server.reload({ limits, keys: other.keys });
    expect((await post("service=a", busy, other.url)).status).toBe(503); // some 200 bytes are owed, one a second
  });

  test("counts the bytes of bodies whose length nobody announced, and a reload lifts it", async () => {
    await using other = await serveKeys(KEY, { keyBytesPerSecond: 1 });
    const chunked = async () => {
      const body = new ReadableStream({
        start(controller) {
          controller.enqueue(profile());
          controller.close();
        },
      });
      const request = { method: "POST", headers: busy, body, duplex: "half" } as RequestInit;
      return (await fetch(`${other.url}/api/0/profiles?service=a&type=cpu`, request)).status;
    };
    expect(await chunked()).toBe(200);
    await vi.waitFor(async () => expect(await chunked()).toBe(503));
    await other.reload();
    expect(await chunked()).toBe(200);
  });
});

function loggerTo(lines: string[], level: string) {
  const stream = new Writable({
    write(line, _, done) {
      lines.push(String(line));
      done();
    },
  });
  return pino({ level }, stream);
}

test("a label that one public key is bound to, another may not say", async () => {
  await using other = await serveKeys(
    "oss first-public-key-01 submit service=app\noss2 second-public-key-01 submit service=app2,env=zz",
  );
  const labels = async (key: string) => (await post("labels=env=alice", bearer(key), other.url)).json.body.labels;
  expect((await labels("first-public-key-01")).map(({ key }: { key: string }) => key)).toEqual(["source"]);
  expect(await labels("second-public-key-01")).toContainEqual({ key: "env", value: "zz" });
});

test("a key that is bound to labels has PGO profiles of these alone, by whatever protocol", async () => {
  await using other = await serveKeys(
    "w writer-key-0123456789 write\nci bound-key-0123456789 write,pgo service=auth,env=ci",
  );
  const send = async (env: string, at: number) => {
    const body = goCpu(100 + at, 60 + at);
    const target = `${other.url}/api/0/profiles?type=cpu&service=auth&labels=env=${env}`;
    const answer = await fetch(target, {
      method: "POST",
      body: new Uint8Array(body),
      headers: bearer("writer-key-0123456789"),
    });
    expect(answer.status).toBe(200);
  };
  await send("ci", 0);
  await send("prod", 1);
  await send("prod", 2);
  const headers = bearer("bound-key-0123456789");
  const matched = async (method: string, path: string) => {
    const answer = await fetch(`${other.url}${path}`, { method, headers });
    return answer.headers.get("profusion-matched");
  };
  for (const path of ["/api/0/pgo/auth", "/profile/auth", "/api/profile/auth"])
    expect(await matched("GET", `${path}${path.startsWith("/api/0") ? "?end=now" : ""}`), path).toBe("1");
  expect(await matched("POST", "/v1/merge?service=auth")).toBe("1");
  const pgo = createClient(PgoService, createConnectTransport({ baseUrl: other.url, httpVersion: "1.1" }));
  const question = { service: "auth", untilNow: true };
  expect((await pgo.getPgoReport({ question }, { headers })).summary?.matched).toBe(1n);
  expect((await pgo.getPgoProfile({ question }, { headers })).summary?.matched).toBe(1n);
  const asked = { ...question, selector: '{env="prod"}' };
  await expect(pgo.getPgoReport({ question: asked }, { headers })).rejects.toMatchObject({ code: Code.NotFound });
});

test("a public key may send, to its service alone; each address behind it is a source, which the file can let in", async () => {
  const key = bearer("public-key-0123456789");
  await using other = await serveKeys("oss public-key-0123456789 submit service=app,region=eu", {});
  const { json } = await post("service=app&labels=user=alice,version=1", key, other.url);
  const [region, source, version] = json.body.labels;
  expect(json.body.service).toBe("quarantine/app");
  expect([region, version]).toEqual([
    { key: "region", value: "eu" },
    { key: "version", value: "1" },
  ]);
  expect(source).toEqual({ key: "source", value: expect.stringMatching(/^oss\/[0-9a-f]{16}$/) });
  expect((await post("service=quarantine/app", key, other.url)).status).toBe(403);
  expect((await post("service=other", key, other.url)).status).toBe(403);
  for (const path of ["services", "pgo/app"]) {
    expect((await fetch(`${other.url}/api/0/${path}`, { headers: key })).status).toBe(403);
  }
  other.write(`oss public-key-0123456789 submit service=app,region=eu\nadmit ${source.value}`);
  await other.reload();
  const { repository } = other.server;
  const list = () => repository.list({ selector: EVERYTHING, order: "oldest", limit: 10 });
  await vi.waitFor(async () => {
    expect((await list()).records.map(({ service, submitter }) => [service, submitter])).toEqual([
      ["app", source.value],
    ]);
  });
});

async function serveKeys(
  text: string,
  limits: Parameters<typeof runServer>[0] = {},
  changed: Parameters<typeof runServer>[2] = {},
) {
  const path = join(mkdtempSync(join(folder, "other-")), "keys");
  writeFileSync(path, text);
  const server = await runServer(limits, undefined, { keys: path, logger: pino({ level: "silent" }), ...changed });
  return {
    ...server,
    keys: path,
    write: (next: string) => writeFileSync(path, next),
    reload: () => server.server.reload({ limits: DEFAULT_LIMITS, keys: path }),
  };
}

function freePort(): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  const probe = createServer().listen(0, "127.0.0.1", () => {
    const { port } = probe.address() as { port: number };
    probe.close(() => resolve(port));
  });
  return promise;
}
