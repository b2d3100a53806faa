// Keys and rates by the protocols of other systems, against the whole server over real sockets: each says no in its own form, and what a public
// key sends is scrubbed and held apart whichever of them brings it.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EVERYTHING } from "../src/model/selector.ts";
import { inflate } from "../src/pprof/gzip.ts";
import { goCpu } from "./support/compat-server.ts";
import { buildGzip } from "./support/profile-builder.ts";
import { runServer, type ServerForTest } from "./support/run-server.ts";

const KEYS = {
  writer: "writer-key-0123456789",
  reader: "reader-key-0123456789",
  builder: "builder-key-012345678",
  cleaner: "cleaner-key-012345678",
  bound: "bound-key-01234567890",
  public: "public-key-0123456789",
};
const LINES = [
  `writer ${KEYS.writer} write`,
  `reader ${KEYS.reader} read`,
  `builder ${KEYS.builder} pgo`,
  `cleaner ${KEYS.cleaner} delete`,
  `bound ${KEYS.bound} write service=app`,
  `public ${KEYS.public} submit service=app`,
].join("\n");

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "profusion-keys-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function serve(limits: Parameters<typeof runServer>[0] = {}, lines = LINES): Promise<ServerForTest> {
  const keys = join(mkdtempSync(join(folder, "of-")), "keys");
  writeFileSync(keys, lines);
  return runServer(limits, undefined, { keys, logger: pino({ level: "silent" }) });
}

interface Upload {
  name: string;
  path: string;
  /** Status and body where there is no key, or none that is known; where the key lacks the scope; and over its rate. */
  unknown: [status: number, body: unknown];
  lacking: [status: number, body: unknown];
  over: [status: number, body: unknown];
  stored: number;
}
const json = (code: number) => expect.stringMatching(new RegExp(`^\\{"message":".*","code":${code}\\}\n$`));
const envelope = (code: number) => expect.stringMatching(new RegExp(`^\\{"code":${code},"error":".*"\\}\n$`));
const line = expect.stringMatching(/^.+\n$/);
const UPLOADS: Upload[] = [
  {
    name: "profefe",
    path: "/api/0/profiles?service=app&type=cpu",
    unknown: [401, envelope(401)],
    lacking: [403, envelope(403)],
    over: [503, envelope(503)],
    stored: 200,
  },
  {
    name: "autopgo",
    path: "/api/profile/app",
    unknown: [401, json(401)],
    lacking: [403, json(403)],
    over: [429, json(429)],
    stored: 201,
  },
  {
    name: "pgo-fleet",
    path: "/v1/submit?service=app",
    unknown: [403, ""],
    lacking: [403, ""],
    over: [429, ""],
    stored: 204,
  },
  {
    name: "pcapture",
    path: "/profile/app",
    unknown: [401, line],
    lacking: [403, line],
    over: [429, line],
    stored: 200,
  },
];

let samples = 0;
async function upload(
  { url }: ServerForTest,
  path: string,
  headers: Record<string, string> = {},
  body = goCpu(++samples),
) {
  const answer = await fetch(`${url}${path}`, { method: "POST", body, headers });
  return { answer, told: [answer.status, await answer.text()] };
}
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
const basic = (pair: string) => ({ authorization: `Basic ${Buffer.from(pair).toString("base64")}` });

describe.each(UPLOADS)("$name", ({ path, unknown, lacking, over, stored }) => {
  test("takes a key in each of its forms, and refuses in its own", async () => {
    await using server = await serve();
    const told = async (headers?: Record<string, string>, target = path) =>
      (await upload(server, target, headers)).told;
    expect(await told()).toEqual(unknown);
    expect(await told(bearer("not-a-key-0123456789"))).toEqual(unknown);
    expect(await told({ authorization: `Bearer  ${KEYS.writer}` })).toEqual(unknown);
    expect(await told(bearer(KEYS.reader))).toEqual(lacking);
    const elsewhere = path.replace(/app\b/, "other");
    expect(await told(bearer(KEYS.bound), elsewhere)).toEqual(lacking);
    const withToken = `${path}${path.includes("?") ? "&" : "?"}token=${KEYS.writer}`;
    const { records: none } = await server.server.repository.list({ selector: EVERYTHING, order: "newest", limit: 10 });
    expect(none).toEqual([]);
    for (const headers of [
      bearer(KEYS.writer),
      { authorization: `bearer ${KEYS.writer}` },
      basic(`x:${KEYS.writer}`),
    ]) {
      expect((await told(headers))[0]).toBe(stored);
    }
    expect((await told({}, withToken))[0]).toBe(stored);
    const { records } = await server.server.repository.list({ selector: EVERYTHING, order: "newest", limit: 10 });
    expect(records.map(({ submitter }) => submitter)).toEqual(["writer", "writer", "writer", "writer"]);
  });

  test("says in its form that a key is over its rate, and when to come again", async () => {
    await using server = await serve({ keyBytesPerSecond: 1 });
    expect((await upload(server, path, bearer(KEYS.writer))).answer.status).toBe(stored);
    // Bytes count when the exchange is over, which is after its client has the answer.
    await expect
      .poll(async () => {
        const { answer, told } = await upload(server, path, bearer(KEYS.writer));
        return { told, after: answer.headers.get("retry-after") };
      })
      .toEqual({ told: over, after: expect.stringMatching(/^\d+$/) });
    expect((await upload(server, path, bearer(KEYS.bound))).answer.status).toBe(stored);
  });

  test("brings what a public key sends scrubbed, and held apart", async () => {
    await using server = await serve();
    const frame = { lines: [{ name: "main", file: "/home/alice/main.go", line: 3n, startLine: 1n }] };
    const body = buildGzip({
      timeNs: BigInt(Date.now()) * 1_000_000n,
      samples: [{ stack: [frame], values: [1n, 10_000_000n], labels: [["user", "alice"]] }],
      comments: ["alice's"],
    });
    const labels = path.startsWith("/api/profile/") ? "" : `${path.includes("?") ? "&" : "?"}labels=user=alice`;
    expect((await upload(server, path + labels, bearer(KEYS.public), body)).answer.status).toBe(stored);
    const { repository } = server.server;
    const { records } = await repository.list({ selector: EVERYTHING, order: "newest", limit: 10 });
    expect(records.map(({ service, submitter }) => [service, submitter])).toEqual([
      ["quarantine/app", expect.stringMatching(/^public\/[0-9a-f]{16}$/)],
    ]);
    expect(JSON.stringify(records[0]!.labels)).not.toContain("alice");
    const { bytes } = await repository.download(records[0]!.id);
    expect(Buffer.from(inflate(bytes, 1e6)).includes("alice")).toBe(false);
  });
});

test("what else these protocols do needs a scope of its own each, and a missing one leaves scripts no text to save", async () => {
  await using server = await serve();
  const asked = async (method: string, path: string, key?: string) => {
    const answer = await fetch(`${server.url}${path}`, { method, headers: key ? bearer(key) : {} });
    return [answer.status, await answer.text()] as const;
  };
  expect((await upload(server, "/api/profile/app", bearer(KEYS.writer))).answer.status).toBe(201);
  const cases: [
    method: string,
    path: string,
    key: string,
    status: number,
    refused: [number, unknown],
    lacks: [number, unknown],
  ][] = [
    ["POST", "/v1/merge?service=app", KEYS.builder, 200, [403, ""], [403, ""]],
    ["GET", "/api/profile", KEYS.builder, 200, [401, json(401)], [403, json(403)]],
    ["GET", "/profile/app", KEYS.builder, 404, [401, ""], [403, ""]],
    ["GET", "/api/0/pgo/app", KEYS.builder, 404, [401, ""], [403, ""]],
    ["DELETE", "/api/profile/app", KEYS.cleaner, 200, [401, json(401)], [403, json(403)]],
  ];
  for (const [method, path, key, status, refused, lacks] of cases) {
    const what = `${method} ${path}`;
    expect(await asked(method, path), what).toEqual(refused);
    expect(await asked(method, path, KEYS.writer), what).toEqual(lacks);
    expect((await asked(method, path, key))[0], what).toBe(status);
  }
  for (const path of ["/healthz", "/readyz", "/metrics", "/api/health", "/api/ready", "/api/0/version"]) {
    expect((await asked("GET", path))[0], path).toBe(200);
  }
});
