// Routing, refusals, bodies, health, metrics and the request log, over real sockets.

import { once } from "node:events";
import { type IncomingMessage, request, type ServerResponse } from "node:http";
import { Writable } from "node:stream";
import { pino } from "pino";
import { describe, expect, test } from "vitest";
import { readBody } from "../../src/http/body.ts";
import { ByteBudget } from "../../src/http/byte-budget.ts";
import { healthRoutes } from "../../src/http/health.ts";
import { createMetrics } from "../../src/http/metrics.ts";
import { createRequestHandler } from "../../src/http/request-handler.ts";
import type { Route } from "../../src/http/router.ts";
import { sendText } from "../../src/http/send.ts";
import { DomainError, type ErrorKind, type ErrorSubject } from "../../src/model/errors.ts";
import { openHttp2 } from "./http2-client.ts";
import { connectRaw, serveHandler, serveRoutes, silentLogger } from "./with-listener.ts";

const MIB = 1024 * 1024;

function bodyRoute(maxBytes: number, budget = new ByteBudget(256 * MIB, 100)): Route {
  return {
    method: "POST",
    path: "/body",
    async handle(exchange) {
      using body = await readBody(exchange, maxBytes, budget);
      sendText(exchange, 200, String(body.bytes.length));
    },
  };
}

function throwing(error: unknown): Route {
  return {
    method: "GET",
    path: "/throws",
    handle() {
      throw error;
    },
  };
}

describe("routing", () => {
  test.each([
    ["/a?x=1", "/a|x=1"],
    ["http://some.host/a?x=1", "/a|x=1"],
    ["HTTP://some.host:80/a", "/a|"],
    ["http://some.host?x=1", "/|x=1"],
    ["http://some.host", "/|"],
  ])("the request target %s, as clients write it to proxies too, is %s", async (target, seen) => {
    const show: Route = {
      method: "GET",
      path: "/*",
      handle: (exchange) => sendText(exchange, 200, `${exchange.path}|${exchange.query}`),
    };
    await using server = await serveRoutes([show]);
    const { host, port } = new URL(server.url);
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      request({ host: host.split(":")[0], port, path: target }, resolve)
        .on("error", reject)
        .end();
    });
    expect((await response.toArray()).join("")).toBe(seen);
  });

  const routes: Route[] = ["/a", "/a/*", "/a/b*"].map((path) => ({
    method: "GET",
    path,
    handle: (exchange) => sendText(exchange, 200, exchange.route),
  }));

  test.each([
    ["/a", "/a"],
    ["/a?x=/a/b", "/a"],
    ["/a/", "/a/*"],
    ["/a/c%2Fd", "/a/*"],
    ["/a/b", "/a/b*"],
    ["/a/bcd/e", "/a/b*"],
  ])("%s goes to %s: the longest pattern wins, nothing is decoded", async (path, route) => {
    await using server = await serveRoutes(routes);
    expect(await (await fetch(server.url + path)).text()).toBe(route);
  });

  test("an unknown path is 404, a known one with another method 405 with Allow, on both protocols", async () => {
    await using server = await serveRoutes([...routes, { method: "POST", path: "/a", handle: () => {} }]);
    expect((await fetch(`${server.url}/b`)).status).toBe(404);
    const refused = await fetch(`${server.url}/a`, { method: "DELETE" });
    expect([refused.status, refused.headers.get("allow")]).toEqual([405, "GET, HEAD, POST"]);
    using client = openHttp2(server.url);
    const second = await client.request({ ":method": "DELETE", ":path": "/a" });
    expect([second.status, second.headers.allow]).toEqual([405, "GET, HEAD, POST"]);
  });

  test("HEAD answers as GET does, without the body", async () => {
    await using server = await serveRoutes(routes);
    const answer = await fetch(`${server.url}/a`, { method: "HEAD" });
    expect([answer.status, answer.headers.get("content-length"), await answer.text()]).toEqual([200, "2", ""]);
    using client = openHttp2(server.url);
    const second = await client.request({ ":method": "HEAD", ":path": "/a" });
    expect([second.status, second.headers["content-length"], second.body.length]).toEqual([200, "2", 0]);
  });

  test("no answer lets a browser guess its type", async () => {
    await using server = await serveRoutes(routes);
    for (const path of ["/a", "/unknown"]) {
      expect((await fetch(server.url + path)).headers.get("x-content-type-options")).toBe("nosniff");
    }
  });
});

describe("refusals", () => {
  test.each<[ErrorKind, ErrorSubject | undefined, number]>([
    ["invalid", undefined, 400],
    ["not-found", undefined, 404],
    ["conflict", undefined, 409],
    ["stale", undefined, 409],
    ["too-large", "body", 413],
    ["too-large", "result", 422],
    ["exhausted", undefined, 429],
    ["unavailable", undefined, 503],
    ["unavailable", "disk-full", 507],
    ["unauthenticated", undefined, 401],
    ["forbidden", undefined, 403],
  ])("%s (%s) is answered with %i and its own message", async (kind, subject, status) => {
    const error = new DomainError(kind, "Cannot do it: say why", subject ? { subject } : {});
    await using server = await serveRoutes([throwing(error)]);
    const answer = await fetch(`${server.url}/throws`);
    expect([answer.status, await answer.text()]).toEqual([status, "Cannot do it: say why\n"]);
    expect(answer.headers.has("retry-after")).toBe(kind === "exhausted" || kind === "unavailable");
  });

  test("a bug is answered with 500, tells the client nothing and the log everything", async () => {
    const lines: string[] = [];
    const logger = pino(
      new Writable({
        write(chunk, _, done) {
          lines.push(String(chunk));
          done();
        },
      }),
    );
    const handler = createRequestHandler({
      routes: [throwing(new TypeError("secret of the house"))],
      logger,
      metrics: createMetrics(),
    });
    await using server = await serveHandler(handler);
    const answer = await fetch(`${server.url}/throws`);
    expect([answer.status, await answer.text()]).toEqual([500, "internal error\n"]);
    expect(lines.join("")).toContain("secret of the house");
  });

  test("a failure in the middle of an answer cuts it short on both protocols", async () => {
    const route: Route = {
      method: "GET",
      path: "/half",
      async handle(exchange) {
        (exchange.response as ServerResponse).write("half");
        await new Promise(setImmediate);
        throw new DomainError("unavailable", "gone");
      },
    };
    await using server = await serveRoutes([route]);
    await expect(fetch(`${server.url}/half`).then((answer) => answer.text())).rejects.toThrow();
    using client = openHttp2(server.url);
    await expect(client.request({ ":path": "/half" })).rejects.toThrow();
  });
});

describe("bodies", () => {
  test.each(["announced", "chunked"])(
    "a body (%s) up to the limit is read, one byte more is refused with 413",
    async (kind) => {
      await using server = await serveRoutes([bodyRoute(100_000)]);
      const post = (bytes: number) => {
        const body = Buffer.alloc(bytes);
        return kind === "announced"
          ? fetch(`${server.url}/body`, { method: "POST", body })
          : fetch(`${server.url}/body`, {
              method: "POST",
              body: new Blob([body]).stream(),
              duplex: "half",
            } as RequestInit);
      };
      expect(await (await post(100_000)).text()).toBe("100000");
      const refused = await post(100_001);
      expect([refused.status, await refused.text()]).toEqual([413, expect.stringContaining("at most 100000 bytes")]);
    },
  );

  test("HTTP/2: a body over the limit is refused with 413, and the connection goes on", async () => {
    await using server = await serveRoutes([bodyRoute(100_000)]);
    using client = openHttp2(server.url);
    const refused = await client.request({ ":path": "/body" }, Buffer.alloc(3_000_000));
    expect([refused.status, refused.body.toString()]).toEqual([413, expect.stringContaining("at most 100000 bytes")]);
    expect((await client.request({ ":path": "/body" }, Buffer.alloc(10))).body.toString()).toBe("10");
  });

  test("an announced length over the limit is refused before a byte of it is sent", async () => {
    await using server = await serveRoutes([bodyRoute(10)]);
    using raw = await connectRaw(server.port);
    raw.send("POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n");
    expect(await raw.until("allowed")).toMatch(/^HTTP\/1\.1 413 /);
  });

  test("a chunked body without an end is cut at the limit: the refusal arrives, memory stays flat", async () => {
    const budget = new ByteBudget(256 * MIB, 100);
    await using server = await serveRoutes([bodyRoute(8 * MIB, budget)]);
    using raw = await connectRaw(server.port);
    raw.send("POST /body HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    const chunk = Buffer.concat([Buffer.from("100000\r\n"), Buffer.alloc(MIB), Buffer.from("\r\n")]);
    const before = process.memoryUsage();
    let sentBytes = 0;
    // 10 GB in all, if the server lets it.
    while (sentBytes < 10_000 * MIB && !raw.socket.destroyed) {
      sentBytes += MIB;
      if (!raw.socket.write(chunk)) await Promise.race([once(raw.socket, "drain"), raw.closed]).catch(() => {});
    }
    expect(await raw.closed).toMatch(/^HTTP\/1\.1 413 /);
    expect(sentBytes).toBeLessThan(200 * MIB);
    const after = process.memoryUsage();
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(100 * MIB);
    expect(budget.takenBytes).toBe(0);
  });

  test("a client that leaves in the middle of its body gives its bytes back", async () => {
    const budget = new ByteBudget(MIB, 100);
    const left = Promise.withResolvers<unknown>();
    const route: Route = {
      method: "POST",
      path: "/body",
      async handle(exchange) {
        await readBody(exchange, MIB, budget).catch(left.resolve);
      },
    };
    await using server = await serveRoutes([route]);
    using raw = await connectRaw(server.port);
    raw.send("POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf");
    await new Promise(setImmediate);
    raw.socket.destroy();
    expect(await left.promise).toMatchObject({ kind: "cancelled" });
    expect(budget.takenBytes).toBe(0);
  });

  test("bodies beyond the bytes in flight wait, then are refused; those in time are taken", async () => {
    const budget = new ByteBudget(100, 50);
    await using server = await serveRoutes([bodyRoute(1000, budget)]);
    const holder = await budget.take(80);
    const refused = await fetch(`${server.url}/body`, { method: "POST", body: "x".repeat(30) });
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "5"]);
    holder[Symbol.dispose]();
    expect((await fetch(`${server.url}/body`, { method: "POST", body: "x".repeat(30) })).status).toBe(200);
    expect(budget.takenBytes).toBe(0);
  });
});

describe("ByteBudget", () => {
  test("serves claims in order of arrival, so that a large one is not passed over for ever", async () => {
    const budget = new ByteBudget(100, 10_000);
    const first = await budget.take(60);
    const order: string[] = [];
    const large = budget.take(90).then((held) => {
      order.push("large");
      held[Symbol.dispose]();
    });
    const small = budget.take(10).then(() => order.push("small"));
    first[Symbol.dispose]();
    await Promise.all([large, small]);
    expect(order).toEqual(["large", "small"]);
    expect(budget.takenBytes).toBe(10);
  });

  test("a claim over the whole capacity is let in alone", async () => {
    const budget = new ByteBudget(100, 10_000);
    using _held = await budget.take(1_000);
    expect(budget.takenBytes).toBe(1_000);
  });

  test("who leaves or gives up the wait takes nothing, and those behind are served", async () => {
    const budget = new ByteBudget(100, 20);
    const first = await budget.take(50);
    const leaving = new AbortController();
    const left = budget.take(100, leaving.signal);
    const behind = budget.take(50);
    leaving.abort();
    await expect(left).rejects.toMatchObject({ kind: "cancelled" });
    const second = await behind;
    await expect(budget.take(1)).rejects.toMatchObject({ kind: "exhausted" });
    first[Symbol.dispose]();
    first[Symbol.dispose]();
    second[Symbol.dispose]();
    expect(budget.takenBytes).toBe(0);
  });
});

describe("health and metrics", () => {
  test("/healthz is 200 and OK whatever the method, /readyz says why it is not ready", async () => {
    let state = { ready: false, reason: "repairing" };
    await using server = await serveRoutes(healthRoutes(() => state, createMetrics()));
    for (const method of ["GET", "POST", "PUT"]) {
      const answer = await fetch(`${server.url}/healthz`, { method });
      expect([answer.status, await answer.text()]).toEqual([200, "OK"]);
    }
    const waiting = await fetch(`${server.url}/readyz`);
    expect([waiting.status, await waiting.text()]).toEqual([503, "not ready: repairing\n"]);
    state = { ready: true, reason: "" };
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
  });

  test("/metrics and /debug/metrics count requests by route, profefe's series too, with bounded labels", async () => {
    const metrics = createMetrics();
    metrics.gauge("profusion_test_number", "A number.", () => 7);
    const raise = metrics.counter("profusion_test_total", "Events.", ["kind"]);
    raise({ kind: "a" }, 3);
    const routes: Route[] = [
      ...healthRoutes(() => ({ ready: true, reason: "" }), metrics),
      {
        method: "GET",
        path: "/api/0/profiles*",
        name: "/api/0/profiles/__pid__",
        handle: (exchange) => sendText(exchange, 200, "x"),
      },
    ];
    await using server = await serveHandler(createRequestHandler({ routes, logger: silentLogger, metrics }));
    await fetch(`${server.url}/api/0/profiles/one`);
    await fetch(`${server.url}/api/0/profiles/two`);
    await fetch(`${server.url}/any/thing/else`, { method: "PROPFIND" });
    await (await fetch(`${server.url}/debug/metrics`)).text();
    const text = await (await fetch(`${server.url}/metrics`)).text();
    expect(text).toContain('profusion_http_requests_total{method="GET",route="/api/0/profiles/__pid__",code="200"} 2');
    expect(text).toContain('profefe_api_requests_total{method="GET",path="/api/0/profiles/__pid__",code="200"} 2');
    expect(text).toContain(
      'profefe_api_request_duration_seconds_count{method="GET",path="/api/0/profiles/__pid__",code="200"} 2',
    );
    expect(text).toMatch(/profefe_api_request_size_bytes_count\{.*\} 2/);
    expect(text).toMatch(/profefe_api_response_size_bytes_count\{.*\} 2/);
    expect(text).toContain('{method="other",route="other",code="404"} 1');
    expect(text).toContain("profusion_test_number 7");
    expect(text).toContain('profusion_test_total{kind="a"} 3');
    expect(text).toContain("process_resident_memory_bytes");
  });
});

describe("the request log", () => {
  test("has one line per request with route, status, bytes and id, and never the query", async () => {
    const lines: Record<string, unknown>[] = [];
    const second = Promise.withResolvers<void>();
    const logger = pino(
      new Writable({
        write(chunk, _, done) {
          lines.push(JSON.parse(String(chunk)));
          if (lines.length === 2) second.resolve();
          done();
        },
      }),
    );
    const handler = createRequestHandler({ routes: [bodyRoute(1000)], logger, metrics: createMetrics() });
    await using server = await serveHandler(handler);
    const sent = { method: "POST", body: "hello", headers: { "x-request-id": "abc-1" } };
    await fetch(`${server.url}/body?token=secret`, sent);
    using client = openHttp2(server.url);
    await client.request({ ":path": "/body?token=secret" }, Buffer.from("hello"));
    await second.promise;
    expect(JSON.stringify(lines)).not.toContain("secret");
    expect(lines[0]).toMatchObject({
      requestId: "abc-1",
      remote: "127.0.0.1",
      protocol: "HTTP/1.1",
      method: "POST",
      path: "/body",
      route: "/body",
      status: 200,
      requestBytes: 5,
    });
    expect(lines[1]).toMatchObject({ protocol: "HTTP/2.0", status: 200, requestBytes: 5, responseBytes: 1 });
    expect(lines.some(({ aborted }) => aborted)).toBe(false);
  });
});
