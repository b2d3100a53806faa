// autopgo's routes to the letter, over a real socket: statuses, JSON, and the plain texts of Go's router. What its own server answers to these
// requests was recorded from it: docs/compatibility.md.

import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DomainError } from "../../../src/model/errors.ts";
import type { Repository } from "../../../src/repository/repository.ts";
import { connectRaw } from "../../http/with-listener.ts";
import { goHeap } from "../../support/compat-server.ts";
import { stubRepository } from "../../support/stub-repository.ts";
import { askServer } from "../profefe/profefe-server.ts";
import { type AutopgoServer, cpuProfile, serveAutopgo, startAutopgo } from "./autopgo-server.ts";

const TEXT = "text/plain; charset=utf-8";
const JSON_TYPE = "application/json";
const NOT_FOUND = '{"message":"Not Found","code":404}\n';
const INVALID_NAME = '{"message":"invalid app name","code":400}\n';

let autopgo: AutopgoServer;
beforeAll(async () => {
  autopgo = await startAutopgo();
});
afterAll(() => autopgo[Symbol.asyncDispose]());

describe("paths and methods", () => {
  const answers: [method: string, target: string, status: number, type: string, text: string][] = [
    ["GET", "/api/profile", 200, JSON_TYPE, '{"profiles":[]}\n'],
    ["HEAD", "/api/profile", 200, JSON_TYPE, ""],
    ["GET", "/api/profile/", 404, TEXT, "404 page not found\n"],
    ["GET", "/api/profile/a/", 404, TEXT, "404 page not found\n"],
    ["GET", "/api/profile/a/b", 404, TEXT, "404 page not found\n"],
    ["PUT", "/api/profile/a/b", 404, TEXT, "404 page not found\n"],
    ["GET", "/api/profile/none", 404, JSON_TYPE, NOT_FOUND],
    ["GET", "/api/profile/none?x=%zz", 404, JSON_TYPE, NOT_FOUND],
    ["HEAD", "/api/profile/none", 404, JSON_TYPE, ""],
    ["DELETE", "/api/profile/none", 404, JSON_TYPE, NOT_FOUND],
    ["GET", "/api/profile/Foo_1", 400, JSON_TYPE, INVALID_NAME],
    ["DELETE", "/api/profile/Foo_1", 400, JSON_TYPE, INVALID_NAME],
    ["POST", "/api/profile/Foo_1", 400, JSON_TYPE, INVALID_NAME],
    ["GET", "/api/profile/a%2Fb", 400, JSON_TYPE, INVALID_NAME],
    ["GET", "/api/profile/%ff", 400, JSON_TYPE, INVALID_NAME],
    ["PUT", "/api/profile/a", 405, TEXT, "Method Not Allowed\n"],
    ["POST", "/api/profile", 405, TEXT, "Method Not Allowed\n"],
    ["OPTIONS", "/api/profile", 405, TEXT, "Method Not Allowed\n"],
    ["POST", "/api/health", 405, TEXT, "Method Not Allowed\n"],
    [
      "GET",
      "/api/health",
      200,
      JSON_TYPE,
      '{"status":"healthy","dependencies":[{"name":"blob","status":"healthy"}]}\n',
    ],
    ["GET", "/api/ready", 200, JSON_TYPE, "{}\n"],
    ["HEAD", "/api/ready", 200, JSON_TYPE, ""],
    ["GET", "//elsewhere", 404, TEXT, "404 page not found\n"],
  ];
  test.each(answers)("%s %s is %i %s", async (method, target, status, type, text) => {
    const answer = await autopgo.ask(method, target);
    expect([answer.status, answer.headers["content-type"], answer.text]).toEqual([status, type, text]);
  });

  test("a refused method is told which are allowed", async () => {
    expect((await autopgo.ask("PUT", "/api/profile/a")).headers.allow).toBe("DELETE, GET, HEAD, POST");
    expect((await autopgo.ask("PUT", "/api/profile")).headers.allow).toBe("GET, HEAD");
  });

  test("an empty part of the path, and a dot, are left out by a redirect that keeps method and query", async () => {
    for (const [target, location] of [
      ["//api/profile", "/api/profile"],
      ["//api/profile/a?policy=plain", "/api/profile/a?policy=plain"],
      ["/api/profile//a", "/api/profile/a"],
      ["/api/profile/a/../b", "/api/profile/b"],
    ]) {
      const { status, headers } = await autopgo.ask("GET", target!);
      expect([target, status, headers.location]).toEqual([target, 307, location]);
    }
    expect((await autopgo.ask("POST", "//api/profile/a", cpuProfile(1))).status).toBe(307);
  });

  test("health is 503 with the reason while the store takes nothing, and readiness stays", async () => {
    const ready = () => ({ ready: false, reason: "the disk is full" });
    await using server = await serveAutopgo(stubRepository({ ready }));
    const { status, text } = await askServer(server, "GET", "/api/health");
    expect([status, JSON.parse(text)]).toEqual([
      503,
      { status: "unhealthy", dependencies: [{ name: "blob", status: "unhealthy", message: "the disk is full" }] },
    ]);
    expect((await askServer(server, "GET", "/api/ready")).status).toBe(200);
  });
});

describe("uploads", () => {
  test("are 201 with a key, whether announced or chunked, with any content type or none, and come back", async () => {
    const key = await autopgo.upload("up-1", cpuProfile(300));
    expect(key).toMatch(/^up-1\/staging\/[0-9a-z]{26}$/);
    using connection = await connectRaw(autopgo.server.port);
    const body = cpuProfile(200, 120);
    connection.send("POST /api/profile/up-1 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (let at = 0; at < body.length; at += 50) {
      const piece = body.subarray(at, at + 50);
      connection.send(`${piece.length.toString(16)}\r\n`);
      connection.send(piece);
      connection.send("\r\n");
    }
    connection.send("0\r\n\r\n");
    expect(await connection.until('"}\n')).toMatch(
      /^HTTP\/1.1 201 Created\r\n[\s\S]*\{"key":"up-1\/staging\/\w{26}"\}\n$/,
    );
    const { status, headers, bytes } = await autopgo.ask("GET", "/api/profile/up-1");
    expect([status, headers["content-type"]]).toEqual([200, "application/x-gzip"]);
    expect(headers).toMatchObject({ "profusion-merged": "2", etag: expect.stringMatching(/^"[0-9a-f]{64}"$/) });
    expect(gunzipSync(bytes).toString("latin1")).toContain("main.main");
  });

  test("are kept as they came, each once, as cpu profiles of the service that the app is", async () => {
    const profile = cpuProfile(10);
    const key = await autopgo.upload("up-2", profile);
    expect(await autopgo.upload("up-2", profile)).toBe(key);
    const { record, bytes } = await autopgo.opened.repository.download(key.slice(key.lastIndexOf("/") + 1));
    expect(Buffer.from(bytes).equals(profile)).toBe(true);
    expect(record).toMatchObject({ service: "up-2", type: "cpu", labels: [{ name: "via", value: "autopgo" }] });
  });

  test("may be raw protobuf, and gperftools' CPU profiles of old", async () => {
    expect(await autopgo.upload("up-3", gunzipSync(cpuProfile(10)))).toMatch(/^up-3/);
    expect(await autopgo.upload("up-3", gperftools())).toMatch(/^up-3/);
  });

  test("without samples are taken and counted nowhere, as of a process that was idle", async () => {
    expect(await autopgo.upload("idle", cpuProfile(0))).toBe("idle/staging/1790000000000000000");
    expect((await autopgo.ask("GET", "/api/profile/idle")).status).toBe(404);
  });

  const refused: [what: string, body: () => Uint8Array, message: string][] = [
    ["a heap profile", goHeap, "inuse_objects/count, inuse_space/bytes: a CPU profile has samples/count"],
    ["legacy text of goroutines", () => Buffer.from("goroutine profile: total 1\n1 @ 0x1 0x2\n"), "a CPU profile has"],
    ["nothing", () => new Uint8Array(0), "empty body"],
    ["garbage", () => Buffer.from("garbage"), "This is no profile"],
    ["half a gzip", () => cpuProfile(10).subarray(0, 60), "unexpected end of file"],
  ];
  test.each(refused)("of %s are 400, naming what is wrong, and nothing is stored", async (_, body, message) => {
    const { status, text } = await autopgo.ask("POST", "/api/profile/bad", body());
    const error = JSON.parse(text) as { message: string; code: number };
    expect([status, error.code]).toEqual([400, 400]);
    expect(error.message).toContain(message);
    expect((await autopgo.ask("DELETE", "/api/profile/bad")).status).toBe(404);
  });

  test("that stop half-way store nothing, and others are served", async () => {
    const connection = await connectRaw(autopgo.server.port);
    connection.send("POST /api/profile/half HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n");
    connection.send(cpuProfile(10).subarray(0, 8));
    connection.socket.destroy();
    await connection.closed;
    expect(await autopgo.upload("whole", cpuProfile(10))).toMatch(/^whole/);
    expect((await autopgo.ask("DELETE", "/api/profile/half")).status).toBe(404);
  });

  test("beyond the limit are 413, announced or not", async () => {
    await using small = await startAutopgo({ limits: { bodyBytes: 1000 } });
    const { status, text } = await small.ask("POST", "/api/profile/a", new Uint8Array(1001));
    expect([status, JSON.parse(text)]).toEqual([
      413,
      { message: "Cannot take a body of 1001 bytes: at most 1000 bytes are allowed", code: 413 },
    ]);
    using connection = await connectRaw(small.server.port);
    connection.send("POST /api/profile/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n");
    connection.send(new Uint8Array(1001));
    expect(await connection.until('"code":413}\n')).toMatch(/^HTTP\/1.1 413 /);
  });
});

test("whatever else fails has its status in the JSON too, and says when to come again", async () => {
  const failing = (error: Error): Partial<Repository> => ({
    push: () => Promise.reject(error),
    usage: () => Promise.reject(error),
  });
  for (const [error, status] of [
    [new DomainError("unavailable", "the disk is full", { subject: "disk-full" }), 507],
    [new DomainError("exhausted", "too many uploads"), 429],
    [new DomainError("unauthenticated", "no key"), 401],
    [new DomainError("forbidden", "another key"), 403],
  ] as const) {
    await using server = await serveAutopgo(stubRepository(failing(error)));
    for (const answer of [
      await askServer(server, "POST", "/api/profile/a", cpuProfile(1)),
      await askServer(server, "GET", "/api/profile"),
    ]) {
      expect([answer.status, JSON.parse(answer.text)]).toEqual([status, { message: error.message, code: status }]);
      expect(answer.headers["retry-after"] !== undefined).toBe(status === 429 || status === 507);
    }
  }
});

/** gperftools' binary CPU profile, 64-bit and little-endian: one stack of two addresses, 150 times; 10 ms apart. */
function gperftools(): Uint8Array {
  const words = [0n, 3n, 0n, 10_000n, 0n, 150n, 2n, 0x1000n, 0x2000n, 0n, 1n, 0n];
  const bytes = Buffer.alloc(words.length * 8);
  for (const [at, word] of words.entries()) bytes.writeBigUInt64LE(word, at * 8);
  return bytes;
}
