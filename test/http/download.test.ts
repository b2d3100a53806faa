// Files over HTTP: validators, ranges and HEAD, over real sockets and both protocols.

import { describe, expect, test } from "vitest";
import { rangeOf, sendDownload } from "../../src/http/download.ts";
import type { Route } from "../../src/http/router.ts";
import { openHttp2 } from "./http2-client.ts";
import { serveRoutes } from "./with-listener.ts";

const BYTES = Buffer.from("0123456789");

function fileRoute(reads: string[] = []): Route {
  return {
    method: "GET",
    path: "/file",
    async handle(exchange) {
      await sendDownload(exchange, {
        sizeBytes: BYTES.length,
        etag: "v1",
        headers: { "content-type": "application/octet-stream" },
        async read() {
          reads.push(exchange.method);
          return BYTES;
        },
      });
    },
  };
}

describe("ranges", () => {
  test.each<[header: string | undefined, expected: ReturnType<typeof rangeOf>]>([
    [undefined, undefined],
    ["bytes=0-0", { first: 0, last: 0 }],
    ["bytes=2-", { first: 2, last: 9 }],
    ["bytes=-3", { first: 7, last: 9 }],
    ["bytes=-30", { first: 0, last: 9 }],
    ["bytes=5-100", { first: 5, last: 9 }],
    ["bytes=10-", "unsatisfiable"],
    ["bytes=-0", "unsatisfiable"],
    ["bytes=5-4", undefined],
    ["bytes=-", undefined],
    ["bytes=0-1,3-4", undefined],
    ["lines=0-1", undefined],
    ["bytes=a-b", undefined],
    [`bytes=${"9".repeat(400)}-`, undefined],
  ])("%s of ten bytes", (header, expected) => {
    expect(rangeOf(header, 10)).toEqual(expected);
  });

  test("a range is answered with 206, one beyond the end with 416, several with the whole", async () => {
    await using server = await serveRoutes([fileRoute()]);
    const ask = (range: string, more: Record<string, string> = {}) =>
      fetch(`${server.url}/file`, { headers: { range, ...more } });
    const part = await ask("bytes=2-4");
    expect([part.status, part.headers.get("content-range"), await part.text()]).toEqual([206, "bytes 2-4/10", "234"]);
    const beyond = await ask("bytes=10-");
    expect([beyond.status, beyond.headers.get("content-range")]).toEqual([416, "bytes */10"]);
    expect((await ask("bytes=0-1,3-4")).status).toBe(200);
    expect((await ask("bytes=0-1", { "if-range": '"v1"' })).status).toBe(206);
    expect((await ask("bytes=0-1", { "if-range": '"v0"' })).status).toBe(200);
    expect((await ask("bytes=0-1", { "if-range": 'W/"v1"' })).status).toBe(200);
  });
});

test("If-None-Match saves the bytes, on both protocols", async () => {
  const reads: string[] = [];
  await using server = await serveRoutes([fileRoute(reads)]);
  for (const tag of ['"v1"', 'W/"v1"', '"v0", "v1"', "*"]) {
    const answer = await fetch(`${server.url}/file`, { headers: { "if-none-match": tag } });
    expect([answer.status, answer.headers.get("etag"), await answer.text()]).toEqual([304, '"v1"', ""]);
  }
  using client = openHttp2(server.url);
  const second = await client.request({ ":path": "/file", "if-none-match": '"v1"' });
  expect([second.status, second.body.length]).toEqual([304, 0]);
  expect(reads).toEqual([]);
  expect((await fetch(`${server.url}/file`, { headers: { "if-none-match": '"v0"' } })).status).toBe(200);
});

test.each<Record<string, string>>([{}, { range: "bytes=0-1" }])(
  "HEAD with %j tells length and ETag of the whole without reading it",
  async (headers) => {
    const reads: string[] = [];
    await using server = await serveRoutes([fileRoute(reads)]);
    const answer = await fetch(`${server.url}/file`, { method: "HEAD", headers });
    expect([answer.status, answer.headers.get("content-length"), answer.headers.get("etag")]).toEqual([
      200,
      "10",
      '"v1"',
    ]);
    expect(reads).toEqual([]);
  },
);
