// TLS beside cleartext on one port: both protocols in both, handshakes that fail or stall, the drain, the files. Over real sockets.

import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Agent, get, request as httpsRequest } from "node:https";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ConnectionOptions, connect, getCACertificates, setDefaultCACertificates, type TLSSocket } from "node:tls";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { describe, expect, test } from "vitest";
import { ProfileService } from "../../gen/profusion/v1/profile_service_pb.ts";
import type { HttpRequest, HttpResponse } from "../../src/http/exchange.ts";
import { readTlsCredentials } from "../../src/http/tls.ts";
import type { Limits } from "../../src/model/limits.ts";
import { runServer } from "../support/run-server.ts";
import { CERTIFICATE, TLS_FILES } from "../support/test-certificate.ts";
import { openHttp2 } from "./http2-client.ts";
import { connectRaw, serveHandler, type TestServer } from "./with-listener.ts";

// For fetch, which takes no authority of its own.
setDefaultCACertificates([...getCACertificates("default"), CERTIFICATE]);
const CPU = readFileSync(new URL("../testdata/recorded/go-cpu-1.pb.gz", import.meta.url));
const credentials = await readTlsCredentials(TLS_FILES);

function echo(request: HttpRequest, response: HttpResponse): void {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const body = Buffer.concat(chunks);
    response.setHeader("x-version", `${request.httpVersion} ${"encrypted" in request.socket ? "TLS" : "cleartext"}`);
    response.setHeader("x-remote", String(request.socket.remoteAddress));
    response.end(body.length > 0 ? body : "nothing");
  });
}

const serveTls = (onRequest: (request: HttpRequest, response: HttpResponse) => void, limits: Partial<Limits> = {}) =>
  serveHandler(onRequest, limits, credentials);
const https = (server: TestServer) => `https://127.0.0.1:${server.port}`;

/** A bare TLS connection whose handshake is complete. */
async function connectTls(server: TestServer, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ host: "127.0.0.1", port: server.port, ca: CERTIFICATE, ...options });
  await once(socket, "secureConnect");
  socket.on("error", () => {});
  return socket;
}

async function allOf(socket: TLSSocket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  await once(socket, "close");
  return Buffer.concat(chunks).toString("latin1");
}

async function expectServing(server: TestServer): Promise<void> {
  expect((await fetch(https(server))).status).toBe(200);
  expect((await fetch(server.url)).status).toBe(200);
}

/** The first bytes of a real handshake. */
async function clientHello(): Promise<Buffer> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = connect({ host: "127.0.0.1", port: (server.address() as AddressInfo).port });
  client.on("error", () => {});
  const [socket] = await once(server, "connection");
  const [hello] = (await once(socket, "data")) as [Buffer];
  socket.destroy();
  client.destroy();
  server.close();
  return hello;
}

describe("one port with TLS", () => {
  test("answers HTTP/1.1 and HTTP/2, each over TLS and in cleartext, with large bodies, all at once", async () => {
    await using server = await serveTls(echo);
    const body = Buffer.alloc(5_000_000, "profile");
    const byFetch = async (url: string) => {
      const answer = await fetch(url, { method: "POST", body });
      const same = Buffer.from(await answer.arrayBuffer()).equals(body);
      return [answer.headers.get("x-version"), answer.headers.get("x-remote"), same];
    };
    const byHttp2 = async (url: string) => {
      using client = openHttp2(url, CERTIFICATE);
      const answer = await client.request({ ":path": "/" }, body);
      return [answer.headers["x-version"], answer.headers["x-remote"], answer.body.equals(body)];
    };
    const answers = [byFetch(https(server)), byHttp2(https(server)), byFetch(server.url), byHttp2(server.url)];
    expect(await Promise.all(answers)).toEqual([
      ["1.1 TLS", "127.0.0.1", true],
      ["2.0 TLS", "127.0.0.1", true],
      ["1.1 cleartext", "127.0.0.1", true],
      ["2.0 cleartext", "127.0.0.1", true],
    ]);
  });

  test.each(["TLSv1.2", "TLSv1.3"] as const)("speaks %s, and lets the client choose by ALPN", async (version) => {
    await using server = await serveTls(echo);
    const only = { minVersion: version, maxVersion: version };
    for (const [offered, agreed] of [
      [["h2", "http/1.1"], "h2"],
      [["http/1.1"], "http/1.1"],
      [undefined, false],
    ] as const) {
      const socket = await connectTls(server, { ...only, ...(offered && { ALPNProtocols: [...offered] }) });
      expect([socket.getProtocol(), socket.alpnProtocol]).toEqual([version, agreed]);
      socket.destroy();
    }
  });

  test("without ALPN it is HTTP/1, though the request comes byte by byte", async () => {
    await using server = await serveTls(echo);
    const socket = await connectTls(server);
    socket.setNoDelay(true);
    const received = allOf(socket);
    for (const byte of "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi")
      socket.write(byte);
    expect(await received).toMatch(/^HTTP\/1\.1 200 OK.*x-version: 1\.1 TLS.*hi$/s);
  });

  test("a handshake split after its first byte is understood", async () => {
    await using server = await serveTls(echo);
    using raw = await connectRaw(server.port);
    raw.socket.setNoDelay(true);
    const hello = await clientHello();
    raw.send(hello.subarray(0, 1));
    // Another connection's answer proves that the server has read the first byte and is still waiting.
    await fetch(server.url);
    raw.send(hello.subarray(1));
    expect((await raw.until("\x16\x03\x03")).startsWith("\x16\x03\x03")).toBe(true);
  });

  test("keeps a TLS connection for many requests", async () => {
    await using server = await serveTls(echo);
    const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: CERTIFICATE });
    const ports = new Set<number | undefined>();
    for (let round = 0; round < 5; round++) {
      const [answer] = await once(get(https(server), { agent }), "response");
      ports.add(answer.socket.localPort);
      await answer.toArray();
    }
    agent.destroy();
    expect(ports.size).toBe(1);
  });
});

describe("the whole server over TLS", () => {
  test.each([
    ["gRPC", (baseUrl: string) => createGrpcTransport({ baseUrl, nodeOptions: { ca: CERTIFICATE } })],
    [
      "Connect over HTTP/1.1",
      (baseUrl: string) => createConnectTransport({ baseUrl, httpVersion: "1.1", nodeOptions: { ca: CERTIFICATE } }),
    ],
  ])("takes a profile and gives it back by a generated client with %s", async (_, transport) => {
    await using server = await runServer({}, TLS_FILES);
    const client = createClient(ProfileService, transport(`https://${server.address}`));
    const { profile } = await client.createProfile({
      metadata: { service: "tls", profileType: "cpu" },
      profileBytes: CPU,
    });
    const pieces: Uint8Array[] = [];
    for await (const { part } of client.downloadProfile({ id: profile?.id ?? "" })) {
      if (part.case === "chunk") pieces.push(part.value);
    }
    expect(Buffer.concat(pieces).equals(CPU)).toBe(true);
    expect((await fetch(`${server.url}/api/0/profiles/${profile?.id}`)).status).toBe(200);
  });
});

describe("a handshake that fails harms nobody else:", () => {
  test.each([
    ["too old a version", { minVersion: "TLSv1.1", maxVersion: "TLSv1.1", ciphers: "DEFAULT:@SECLEVEL=0" }],
    ["no protocol in common", { ALPNProtocols: ["spdy/1"] }],
    ["a client that does not trust the certificate", { ca: [] as string[] }],
  ] as const)("%s", async (_, options) => {
    await using server = await serveTls(echo, { headersTimeoutMs: 60_000 });
    await expect(connectTls(server, options as ConnectionOptions)).rejects.toThrow(
      /protocol version|application protocol|self.signed/,
    );
    await expectServing(server);
  });

  test.each([
    ["garbage after its first byte", Buffer.concat([Buffer.from([0x16]), Buffer.alloc(70_000, "garbage")])],
    ["a record of no handshake", Buffer.from([0x16, 3, 1, 0, 5, 1, 2, 3, 4, 5])],
    ["a record longer than any", Buffer.from([0x16, 3, 1, 0xff, 0xff, 1, 2, 3, 4, 5])],
  ])("%s", async (_, bytes) => {
    await using server = await serveTls(echo, { headersTimeoutMs: 60_000 });
    using raw = await connectRaw(server.port);
    raw.send(bytes);
    await raw.closed;
    await expectServing(server);
  });

  test("a client that leaves in the midst of it", async () => {
    await using server = await serveTls(echo, { headersTimeoutMs: 60_000 });
    using ends = await connectRaw(server.port);
    using resets = await connectRaw(server.port);
    for (const raw of [ends, resets]) {
      raw.send(await clientHello());
      await raw.until("\x16");
    }
    resets.socket.resetAndDestroy();
    ends.socket.end();
    await ends.closed;
    await expectServing(server);
  });

  test("a connection that is reset or damaged later", async () => {
    await using server = await serveTls(echo);
    for (const harm of ["reset", "damage"]) {
      using raw = await connectRaw(server.port);
      const socket = connect({ socket: raw.socket, ca: CERTIFICATE });
      await once(socket, "secureConnect");
      socket.on("error", () => {});
      socket.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\r\n");
      await once(socket, "data"); // the request is being answered
      if (harm === "reset") raw.socket.resetAndDestroy();
      else raw.send(Buffer.from([0x17, 3, 3, 0, 32, ...Buffer.alloc(32)]));
      await raw.closed;
      await expectServing(server);
    }
  });
});

describe("TLS clients that stall", () => {
  test("in the handshake are cut after the header timeout, even while they send, and others are served", async () => {
    await using server = await serveTls(echo, { headersTimeoutMs: 300 });
    const hello = await clientHello();
    using first = await connectRaw(server.port);
    first.send(hello.subarray(0, 1));
    using half = await connectRaw(server.port);
    half.send(hello.subarray(0, hello.length / 2));
    using whole = await connectRaw(server.port);
    whole.send(hello);
    using trickling = await connectRaw(server.port);
    let at = 0;
    const trickle = setInterval(() => trickling.send(hello.subarray(at, ++at)), 20);
    await expectServing(server);
    await Promise.all([first.closed, half.closed, whole.closed, trickling.closed]);
    clearInterval(trickle);
    expect(at).toBeLessThan(hello.length);
  });

  test("after it are cut as in cleartext", async () => {
    await using server = await serveTls(echo, { headersTimeoutMs: 300, idleTimeoutMs: 300 });
    const silent = await connectTls(server);
    using client = openHttp2(https(server), CERTIFICATE);
    const sessionClosed = once(client.session, "close");
    expect(await allOf(silent)).toMatch(/^HTTP\/1\.1 408 /);
    await sessionClosed;
  });
});

describe("close() with TLS", () => {
  test("answers what is under way on both protocols, then closes their connections", async () => {
    const held: HttpResponse[] = [];
    const arrived = Promise.withResolvers<void>();
    await using server = await serveTls((_, response) => {
      held.push(response);
      if (held.length === 2) arrived.resolve();
    });
    using client = openHttp2(https(server), CERTIFICATE);
    const second = client.request({ ":path": "/" });
    const first = fetch(https(server));
    await arrived.promise;
    const closed = server.listener.close();
    for (const response of held) response.end("done");
    expect((await second).body.toString()).toBe("done");
    const answer = await first;
    expect(answer.headers.get("connection")).toBe("close");
    expect(await answer.text()).toBe("done");
    await closed;
  });

  test("closes idle connections and handshakes under way without waiting", async () => {
    await using server = await serveTls(echo, { headersTimeoutMs: 60_000 });
    using handshake = await connectRaw(server.port);
    handshake.send(await clientHello());
    await handshake.until("\x16");
    using client = openHttp2(https(server), CERTIFICATE);
    await client.request({ ":path": "/" });
    const idle = await connectTls(server);
    idle.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    await once(idle, "data");
    const closed = allOf(idle);
    await server.listener.close(60_000);
    await Promise.all([handshake.closed, closed]);
  });

  test("destroys what does not end within the grace", async () => {
    const arrived = Promise.withResolvers<void>();
    await using server = await serveTls(() => arrived.resolve());
    const never = httpsRequest(https(server), { ca: CERTIFICATE });
    const failed = once(never, "error");
    never.end();
    await arrived.promise;
    await server.listener.close(10);
    await failed;
  });
});

describe("readTlsCredentials() names the file and the reason:", () => {
  const pem = { type: "pkcs8", format: "pem" } as const;
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const files: Record<string, string | Buffer> = {
    "certificate.pem": CERTIFICATE,
    "certificate.der": Buffer.from(CERTIFICATE.replace(/-----.*-----/g, ""), "base64"),
    "chain.pem": `${CERTIFICATE}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`,
    "key.pem": readFileSync(TLS_FILES.key),
    "other-key.pem": privateKey.export(pem),
    "locked-key.pem": privateKey.export({ ...pem, cipher: "aes-256-cbc", passphrase: "secret" }),
    "text.pem": "no PEM",
    "empty.pem": "",
  };

  test.each([
    ["absent.pem", "key.pem", /TLS certificate ".*absent\.pem": ENOENT/],
    ["text.pem", "key.pem", /TLS certificate ".*text\.pem": .*; it must be a PEM file$/],
    ["empty.pem", "key.pem", /TLS certificate ".*empty\.pem": .*; it must be a PEM file$/],
    ["certificate.der", "key.pem", /TLS certificate ".*certificate\.der": .*; it must be a PEM file$/],
    ["chain.pem", "key.pem", /TLS certificate ".*chain\.pem": .*; it must be a PEM file$/],
    ["key.pem", "key.pem", /TLS certificate ".*key\.pem": .*; it must be a PEM file$/],
    ["certificate.pem", "absent.pem", /TLS key ".*absent\.pem": ENOENT/],
    ["certificate.pem", "text.pem", /TLS key ".*text\.pem": .*; it must be a PEM file without a passphrase$/],
    ["certificate.pem", "certificate.pem", /TLS key ".*certificate\.pem": .*; it must be a PEM file without/],
    ["certificate.pem", "locked-key.pem", /TLS key ".*locked-key\.pem": .*; it must be a PEM file without/],
    ["certificate.pem", "other-key.pem", /TLS key ".*other-key\.pem": it does not fit .*certificate\.pem"$/],
  ])("%s with %s", async (certificate, key, message) => {
    const folder = mkdtempSync(join(tmpdir(), "profusion-tls-"));
    try {
      for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
      const refused = { name: "DomainError", kind: "invalid", message: expect.stringMatching(message) };
      const read = readTlsCredentials({ certificate: join(folder, certificate), key: join(folder, key) });
      await expect(read).rejects.toMatchObject(refused);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
