// suessflorian/pgo's wire over a real socket: tags, multipart and raw uploads, every one kept; the file, and bodies that no build takes for one.

import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { pcaptureRoutes } from "../../../src/compat/pcapture/routes.ts";
import { type Grant, OPEN_ACCESS } from "../../../src/http/access.ts";
import { DomainError } from "../../../src/model/errors.ts";
import { EVERYTHING } from "../../../src/model/selector.ts";
import { connectRaw } from "../../http/with-listener.ts";
import { type CompatServer, goCpu, goHeap, serveCompat } from "../../support/compat-server.ts";

let admit: () => Partial<Grant>;
let pcapture: CompatServer;
beforeEach(async () => {
  admit = () => ({});
  const access: typeof OPEN_ACCESS = {
    admit: (exchange, ...asked) => ({ ...OPEN_ACCESS.admit(exchange, ...asked), ...admit() }),
  };
  pcapture = await serveCompat((repository, common) => pcaptureRoutes(repository, { ...common, access }), {
    bodyBytes: 100_000,
  });
});
afterEach(() => pcapture[Symbol.asyncDispose]());

const get = (tag: string, headers = {}) => pcapture.ask("GET", `/profile/${tag}`, undefined, headers);
const stored = async () =>
  (await pcapture.opened.repository.list({ selector: EVERYTHING, order: "newest", limit: 100 })).records;
const names = async () => (await stored()).map(({ service }) => service);

const BOUNDARY = "f00ba7";
const MULTIPART = { "content-type": `multipart/form-data; boundary=${BOUNDARY}` };
function multipart(...parts: [name: string, bytes: Uint8Array][]): Buffer {
  const pieces = parts.flatMap(([name, bytes]) => [
    Buffer.from(
      `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"; filename="${name}"\r\nContent-Type: application/octet-stream\r\n\r\n`,
    ),
    bytes,
    Buffer.from("\r\n"),
  ]);
  return Buffer.concat([...pieces, Buffer.from(`--${BOUNDARY}--\r\n`)]);
}
const post = (tag: string, body: Uint8Array, headers: Record<string, string> = MULTIPART) =>
  pcapture.ask("POST", `/profile/${tag}`, body, headers);

describe("POST", () => {
  test("keeps every upload as a profile of the service that the tag names, and answers 200 and nothing", async () => {
    const { status, bytes } = await post("auth", multipart(["cpu_profile", goCpu(10)]));
    expect([status, bytes.length]).toEqual([200, 0]);
    await post("auth", multipart(["cpu_profile", goCpu(20, 61)]));
    await post("shop/eu/batch", multipart(["cpu_profile", goCpu(1)]));
    await post("%C3%BC%20a%2Fb", multipart(["cpu_profile", goCpu(1)]));
    expect((await names()).sort()).toEqual(["auth", "auth", "shop/eu/batch", "ü a/b"]);
    const [first] = await stored();
    expect(gunzipSync((await pcapture.opened.repository.download(first!.id)).bytes).length).toBeGreaterThan(0);
  });

  test("keeps each of several parts, and takes none for nothing", async () => {
    expect((await post("auth", multipart(["cpu_profile", goCpu(10)], ["cpu_profile", goCpu(20, 61)]))).status).toBe(
      200,
    );
    expect(await names()).toHaveLength(2);
    expect((await post("none", multipart())).status).toBe(200);
    expect(await names()).toHaveLength(2);
  });

  test("takes what stands before the first boundary and behind the last for nothing, as RFC 2046 has it", async () => {
    const body = Buffer.concat([
      Buffer.from("a preamble\r\n"),
      multipart(["cpu_profile", goCpu(10)]),
      Buffer.from("an epilogue"),
    ]);
    expect((await post("auth", body)).status).toBe(200);
    expect(await names()).toEqual(["auth"]);
  });

  test("that stops half-way stores nothing, and others are served", async () => {
    using connection = await connectRaw(pcapture.server.port);
    const head = `POST /profile/half HTTP/1.1\r\nHost: x\r\nContent-Type: ${MULTIPART["content-type"]}\r\nTransfer-Encoding: chunked\r\n\r\n`;
    connection.send(`${head}400\r\n`);
    connection.send(multipart(["cpu_profile", goCpu(10)]).subarray(0, 100));
    connection.socket.end();
    await connection.closed;
    expect((await post("whole", multipart(["cpu_profile", goCpu(10)]))).status).toBe(200);
    expect(await names()).toEqual(["whole"]);
  });

  test("with a part of another name stores nothing: 400", async () => {
    const { status, text } = await post("auth", multipart(["cpu_profile", goCpu(10)], ["heap_profile", goCpu(20)]));
    expect([status, text]).toEqual([400, expect.stringContaining('Unrecognized file: "heap_profile"')]);
    const nameless = Buffer.from(
      multipart(["cpu_profile", goCpu(10)])
        .toString("latin1")
        .replace("cpu_profile", ""),
      "latin1",
    );
    expect((await post("auth", nameless)).status).toBe(400);
    expect(await names()).toEqual([]);
  });

  test("takes a raw body, whatever type it says", async () => {
    for (const [at, type] of ["", "application/octet-stream", "application/x-www-form-urlencoded"].entries()) {
      expect((await post("raw", goCpu(1, 60 + at), type ? { "content-type": type } : {})).status).toBe(200);
    }
    expect(await names()).toHaveLength(3);
  });

  test("refuses what is no CPU profile, in parts and raw: 400, and nothing is served for it", async () => {
    for (const bytes of [goHeap(), Buffer.from("garbage"), new Uint8Array(0)]) {
      expect((await post("auth", multipart(["cpu_profile", bytes]))).status).toBe(400);
      expect((await post("auth", bytes, {})).status).toBe(400);
    }
    expect(await names()).toEqual([]);
  });

  test.each([
    ["that ends in the midst of a part", multipart(["cpu_profile", goCpu(10)]).subarray(0, -20)],
    ["that ends in a part's head", multipart(["cpu_profile", goCpu(10)]).subarray(0, 40)],
    ["without a boundary in it", goCpu(10)],
    ["of nothing", new Uint8Array(0)],
    [
      "of 101 parts",
      multipart(...Array.from({ length: 101 }, (): [string, Uint8Array] => ["cpu_profile", Buffer.from("x")])),
    ],
  ])("refuses a multipart body %s: 400, and the server lives", async (_, body) => {
    expect((await post("auth", body)).status).toBe(400);
    expect(await names()).toEqual([]);
  });

  test("over the limit is 413; without a boundary in the header, a tag that is no text, or no tag, 400", async () => {
    expect((await post("auth", new Uint8Array(100_001))).status).toBe(413);
    expect((await post("auth", multipart(), { "content-type": "multipart/form-data" })).status).toBe(400);
    for (const tag of ["", "%ff", "%0a", "%zz"])
      expect([tag, (await post(tag, goCpu(1), {})).status]).toEqual([tag, 400]);
  });
});

describe("GET", () => {
  test("is the tag's PGO profile, of all that was sent, as a file; HEAD has no body, an etag is not sent twice", async () => {
    await post("auth", multipart(["cpu_profile", goCpu(150, 1)]));
    await post("auth", multipart(["cpu_profile", goCpu(50, 2)]));
    const { status, headers, bytes } = await get("auth");
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      "content-type": "application/octet-stream",
      "content-disposition": 'attachment; filename="default.pgo"',
      "profusion-merged": "2",
    });
    const made = await pcapture.opened.repository.pgo.profile({
      service: "auth",
      untilNow: true,
      signal: new AbortController().signal,
    });
    expect(bytes.equals(made.bytes)).toBe(true);
    const head = await pcapture.ask("HEAD", "/profile/auth");
    expect([head.status, head.bytes.length, head.headers["content-length"]]).toEqual([200, 0, String(bytes.length)]);
    expect((await get("auth", { "if-none-match": headers.etag! })).status).toBe(304);
  });

  test("reaches back as far as policies do, and further when asked for the policy plain", async () => {
    await post("old", goCpu(500, 60 * 24 * 300), {});
    expect((await get("old")).status).toBe(404);
    expect((await get("old?policy=plain")).status).toBe(200);
    await post("few", goCpu(99), {});
    expect((await get("few")).status).toBe(404);
    expect((await get("few?policy=plain")).status).toBe(200);
  });

  test("labels of the query go with a profile and narrow the file", async () => {
    await post("auth?labels=mode=a", goCpu(500), {});
    await post("auth?labels=mode=b", goCpu(300), {});
    expect((await get("auth?labels=mode=b")).headers["profusion-merged"]).toBe("1");
    expect((await get("auth")).headers["profusion-merged"]).toBe("2");
  });

  test("that fails has an empty body whatever failed, and missing=empty asks for 200", async () => {
    for (const [target, status] of [
      ["none", 404],
      ["none/of/these", 404],
      ["none?policy=none", 404],
      ["", 400],
      ["%ff", 400],
      ["none?missing=x", 400],
      ["none?labels=%zz", 400],
    ] as const) {
      const answer = await get(target);
      expect([target, answer.status, answer.bytes.length]).toEqual([target, status, 0]);
      expect(answer.headers["profusion-reason"]).toMatch(/\w/);
    }
    const { status, bytes } = await get("none?missing=empty");
    expect([status, bytes.length]).toEqual([200, 0]);
    admit = () => {
      throw new DomainError("unauthenticated", "no key");
    };
    expect([(await get("auth")).status, (await get("auth")).bytes.length]).toEqual([401, 0]);
    admit = () => {
      throw new Error("a bug");
    };
    expect([(await get("auth")).status, (await get("auth")).bytes.length]).toEqual([500, 0]);
  });
});

test("other methods are 405, and a bound service and its labels hold", async () => {
  for (const method of ["PUT", "DELETE", "PATCH"]) {
    expect(await pcapture.ask(method, "/profile/auth")).toMatchObject({
      status: 405,
      headers: { allow: "GET, HEAD, POST" },
    });
  }
  admit = () => ({ submitter: "ci", service: "auth", labels: [{ name: "region", value: "eu" }] });
  expect((await post("shop", goCpu(1), {})).status).toBe(403);
  expect((await get("shop")).status).toBe(403);
  expect((await post("auth", goCpu(1), {})).status).toBe(200);
  expect(await stored()).toMatchObject([
    { service: "auth", submitter: "ci", labels: [{ name: "region", value: "eu" }] },
  ]);
});
