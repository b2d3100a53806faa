// The port: both protocols on it, timeouts, caps and the drain. Over real sockets.

import { once } from "node:events";
import { Agent, get, request as httpRequest, type IncomingMessage } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { describe, expect, test } from "vitest";
import type { HttpRequest, HttpResponse } from "../../src/http/exchange.ts";
import { openHttp2 } from "./http2-client.ts";
import { connectRaw, serveHandler } from "./with-listener.ts";

function echo(request: HttpRequest, response: HttpResponse): void {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const body = Buffer.concat(chunks);
    response.setHeader("x-version", request.httpVersion);
    response.end(body.length > 0 ? body : "nothing");
  });
}

async function textOf(message: IncomingMessage): Promise<string> {
  return Buffer.concat(await message.toArray()).toString();
}

describe("one port", () => {
  test("answers HTTP/1.1 and HTTP/2 with large bodies", async () => {
    await using server = await serveHandler(echo);
    const body = Buffer.alloc(5_000_000, "profile");
    const first = await fetch(server.url, { method: "POST", body });
    expect(first.headers.get("x-version")).toBe("1.1");
    expect(Buffer.from(await first.arrayBuffer()).equals(body)).toBe(true);
    using client = openHttp2(server.url);
    const second = await client.request({ ":path": "/" }, body);
    expect(second.headers["x-version"]).toBe("2.0");
    expect(second.body.equals(body)).toBe(true);
  });

  test("keeps a connection for many requests on both protocols", async () => {
    await using server = await serveHandler(echo);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ports = new Set<number | undefined>();
    for (let round = 0; round < 5; round++) {
      const sent = get(server.url, { agent });
      const [answer] = (await once(sent, "response")) as [IncomingMessage];
      ports.add(answer.socket.localPort);
      expect(await textOf(answer)).toBe("nothing");
    }
    agent.destroy();
    expect(ports.size).toBe(1);
    using client = openHttp2(server.url);
    const answers = await Promise.all(Array.from({ length: 50 }, () => client.request({ ":path": "/" })));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
  });

  test.each([1, 2])("understands an HTTP/2 preface split after %i bytes", async (bytes) => {
    await using server = await serveHandler(echo);
    using raw = await connectRaw(server.port);
    const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    raw.socket.setNoDelay(true);
    raw.send(preface.slice(0, bytes));
    // Another connection's answer proves that the server has read the first piece and is still waiting.
    await fetch(server.url);
    raw.send(preface.slice(bytes));
    raw.send(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]));
    const received = await raw.until("\x00\x00\x00\x04\x01");
    expect(received.charCodeAt(3)).toBe(4);
  });

  test("understands an HTTP/1 request sent byte by byte, PUT and POST included", async () => {
    await using server = await serveHandler(echo);
    using raw = await connectRaw(server.port);
    raw.socket.setNoDelay(true);
    for (const byte of "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi") raw.send(byte);
    expect(await raw.closed).toMatch(/^HTTP\/1\.1 200 OK.*hi$/s);
  });

  test("closes a TLS handshake, and goes on serving", async () => {
    await using server = await serveHandler(echo);
    using raw = await connectRaw(server.port);
    raw.send(Buffer.from([0x16, 3, 1, 0, 5]));
    expect(await raw.closed).toBe("");
    expect((await fetch(server.url)).status).toBe(200);
  });

  test("refuses an address that is taken, naming it", async () => {
    await using server = await serveHandler(echo);
    const { startListener } = await import("../../src/http/listener.ts");
    const { silentLogger } = await import("./with-listener.ts");
    const { DEFAULT_LIMITS } = await import("../../src/model/limits.ts");
    const second = startListener({
      host: "127.0.0.1",
      port: server.port,
      limits: DEFAULT_LIMITS,
      logger: silentLogger,
      onRequest: echo,
    });
    await expect(second).rejects.toThrow(`Cannot listen on 127.0.0.1:${server.port}`);
  });
});

describe("clients that stall", () => {
  test("a silent socket is closed after the sniff timeout, others are served", async () => {
    await using server = await serveHandler(echo, { sniffTimeoutMs: 50 });
    using silent = await connectRaw(server.port);
    using half = await connectRaw(server.port);
    half.send("PR");
    expect((await fetch(server.url)).status).toBe(200);
    expect(await silent.closed).toBe("");
    expect(await half.closed).toBe("");
  });

  test("a socket that ends before it said anything is closed", async () => {
    await using server = await serveHandler(echo);
    using raw = await connectRaw(server.port);
    raw.send("P");
    raw.socket.end();
    expect(await raw.closed).toBe("");
  });

  test("undecided sockets over the cap give way, oldest first", async () => {
    await using server = await serveHandler(echo, { undecidedSockets: 2, sniffTimeoutMs: 60_000 });
    using oldest = await connectRaw(server.port);
    using _second = await connectRaw(server.port);
    using _third = await connectRaw(server.port);
    expect(await oldest.closed).toBe("");
    expect((await fetch(server.url)).status).toBe(200);
  });

  test("connections over the cap are refused, and a freed place is given again", async () => {
    await using server = await serveHandler(echo, { connections: 1 });
    using first = await connectRaw(server.port);
    first.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    await first.until("nothing");
    using second = await connectRaw(server.port);
    expect(await second.closed).toBe("");
    first.socket.end();
    await first.closed;
    expect((await fetch(server.url)).status).toBe(200);
  });

  test("HTTP/1 headers that trickle in are cut with 408", async () => {
    await using server = await serveHandler(echo, { headersTimeoutMs: 200, requestTimeoutMs: 10_000 });
    using slow = await connectRaw(server.port);
    slow.send("GET / HTTP/1.1\r\nHost: x\r\n");
    const trickle = setInterval(() => slow.send("a: b\r\n"), 20);
    const received = await slow.closed;
    clearInterval(trickle);
    expect(received).toMatch(/^HTTP\/1\.1 408 /);
    expect((await fetch(server.url)).status).toBe(200);
  });

  test("an HTTP/1 body that trickles in is cut", async () => {
    await using server = await serveHandler(echo, { headersTimeoutMs: 200, requestTimeoutMs: 300 });
    using slow = await connectRaw(server.port);
    slow.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n");
    const trickle = setInterval(() => slow.send("x"), 20);
    const received = await slow.closed;
    clearInterval(trickle);
    expect(received).toMatch(/^HTTP\/1\.1 408 /);
  });

  test("an HTTP/2 body that trickles in is cut, and other streams of the connection are served", async () => {
    await using server = await serveHandler(echo, { requestTimeoutMs: 300 });
    using client = openHttp2(server.url);
    const slow = client.session.request({ ":method": "POST", ":path": "/" });
    slow.on("error", () => {});
    const trickle = setInterval(() => slow.write("x"), 20);
    const closed = new Promise<void>((resolve) => slow.once("close", resolve));
    expect((await client.request({ ":path": "/" })).status).toBe(200);
    await closed;
    clearInterval(trickle);
    expect(slow.rstCode).toBe(8);
    expect((await client.request({ ":path": "/" })).status).toBe(200);
  });

  test("an HTTP/2 stream whose answer is complete is ended, though its request goes on", async () => {
    await using server = await serveHandler((_, response) => void response.end("enough"));
    using client = openHttp2(server.url);
    const slow = client.session.request({ ":method": "POST", ":path": "/" });
    slow.resume();
    const trickle = setInterval(() => slow.write("x"), 20);
    await new Promise<void>((resolve) => slow.once("aborted", resolve));
    clearInterval(trickle);
    expect(slow.rstCode).toBe(0);
  });

  test("an idle HTTP/2 session is closed, even while it pings", async () => {
    await using server = await serveHandler(echo, { idleTimeoutMs: 200 });
    using client = openHttp2(server.url);
    await client.request({ ":path": "/" });
    const pings = setInterval(() => {
      if (!client.session.closed && !client.session.destroyed) client.session.ping(() => {});
    }, 20);
    await once(client.session, "close");
    clearInterval(pings);
  });

  test("an idle HTTP/1 connection is closed", async () => {
    await using server = await serveHandler(echo, { idleTimeoutMs: 100 });
    using raw = await connectRaw(server.port);
    raw.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    expect(await raw.closed).toMatch(/nothing/);
  });
});

describe("headers over the limit", () => {
  test("HTTP/1: 431, and the connection closes", async () => {
    await using server = await serveHandler(echo, { headerBytes: 64 * 1024 });
    using raw = await connectRaw(server.port);
    raw.send(`GET / HTTP/1.1\r\nHost: x\r\nx-big: ${"a".repeat(100_000)}\r\n\r\n`);
    expect(await raw.closed).toMatch(/^HTTP\/1\.1 431 /);
    expect((await fetch(server.url)).status).toBe(200);
  });

  test("HTTP/1: a URL of 1 MiB is refused with 431, one of 900 kB is not", async () => {
    await using server = await serveHandler(echo);
    using large = await connectRaw(server.port);
    large.send(`GET /${"a".repeat(1024 * 1024)} HTTP/1.1\r\nHost: x\r\n\r\n`);
    expect(await large.closed).toMatch(/^HTTP\/1\.1 431 /);
    using fits = await connectRaw(server.port);
    fits.send(`GET /${"a".repeat(900_000)} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    expect(await fits.closed).toMatch(/^HTTP\/1\.1 200 /);
  });

  test("HTTP/1: 500 kB of headers pass below the limit of 1 MiB", async () => {
    await using server = await serveHandler(echo);
    using raw = await connectRaw(server.port);
    raw.send(`GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nx-big: ${"a".repeat(500_000)}\r\n\r\n`);
    expect(await raw.closed).toMatch(/^HTTP\/1\.1 200 /);
  });

  test("HTTP/2: a flood of headers is cut, and other connections are served", async () => {
    await using server = await serveHandler(echo);
    const attacker = connectHttp2(server.url, { maxSendHeaderBlockLength: 4 * 1024 * 1024 });
    attacker.on("error", () => {});
    const headers: Record<string, string> = { ":path": "/" };
    for (let at = 0; at < 2_000; at++) headers[`x-${at}`] = "a".repeat(1_000);
    const stream = attacker.request(headers);
    stream.on("error", () => {});
    let status: number | undefined;
    stream.on("response", (received) => {
      status = received[":status"];
    });
    await new Promise<void>((resolve) => stream.once("close", resolve));
    attacker.destroy();
    expect(status).not.toBe(200);
    expect((await fetch(server.url)).status).toBe(200);
  });
});

describe("close()", () => {
  test("answers what is under way on both protocols, then closes their connections", async () => {
    const held: HttpResponse[] = [];
    const arrived = Promise.withResolvers<void>();
    await using server = await serveHandler((_, response) => {
      held.push(response);
      if (held.length === 2) arrived.resolve();
    });
    using client = openHttp2(server.url);
    const second = client.request({ ":path": "/" });
    const first = new Promise<IncomingMessage>((resolve) =>
      get(server.url, { agent: new Agent({ keepAlive: true }) }, resolve),
    );
    await arrived.promise;
    const closed = server.listener.close();
    for (const response of held) response.end("done");
    expect((await second).body.toString()).toBe("done");
    const answer = await first;
    expect(answer.headers.connection).toBe("close");
    expect(await textOf(answer)).toBe("done");
    await closed;
    await expect(fetch(server.url)).rejects.toThrow();
  });

  test("closes idle connections of both protocols without waiting", async () => {
    await using server = await serveHandler(echo);
    using client = openHttp2(server.url);
    await client.request({ ":path": "/" });
    using raw = await connectRaw(server.port);
    raw.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    await raw.until("nothing");
    using silent = await connectRaw(server.port);
    await server.listener.close(60_000);
    await Promise.all([raw.closed, silent.closed]);
  });

  test("destroys what does not end within the grace", async () => {
    const arrived = Promise.withResolvers<void>();
    await using server = await serveHandler(() => arrived.resolve());
    const never = httpRequest(server.url);
    const failed = once(never, "error");
    never.end();
    await arrived.promise;
    await server.listener.close(10);
    await failed;
  });

  test("a second call cuts the grace short", async () => {
    const arrived = Promise.withResolvers<void>();
    await using server = await serveHandler(() => arrived.resolve());
    const never = httpRequest(server.url);
    never.on("error", () => {});
    never.end();
    await arrived.promise;
    const first = server.listener.close(60_000);
    await server.listener.close(0);
    await first;
  });
});
