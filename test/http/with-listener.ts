// Starts a listener on a free port for one test, with short limits and a silent logger, and stops it afterwards.

import { connect, type Socket } from "node:net";
import { pino } from "pino";
import type { HttpRequest, HttpResponse } from "../../src/http/exchange.ts";
import { type Listener, startListener } from "../../src/http/listener.ts";
import { createMetrics } from "../../src/http/metrics.ts";
import { createRequestHandler } from "../../src/http/request-handler.ts";
import type { Route } from "../../src/http/router.ts";
import type { TlsCredentials } from "../../src/http/tls.ts";
import { DEFAULT_LIMITS, type Limits } from "../../src/model/limits.ts";

export const silentLogger = pino({ level: "silent" });

export interface TestServer extends AsyncDisposable {
  listener: Listener;
  port: number;
  url: string;
}

export async function serveHandler(
  onRequest: (request: HttpRequest, response: HttpResponse) => void,
  limits: Partial<Limits> = {},
  tls?: TlsCredentials,
): Promise<TestServer> {
  const listener = await startListener({
    host: "127.0.0.1",
    port: 0,
    limits: { ...DEFAULT_LIMITS, ...limits },
    logger: silentLogger,
    onRequest,
    tls,
  });
  const { port } = listener.address;
  return {
    listener,
    port,
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: () => listener.close(0),
  };
}

export function serveRoutes(routes: readonly Route[], limits: Partial<Limits> = {}): Promise<TestServer> {
  return serveHandler(createRequestHandler({ routes, logger: silentLogger, metrics: createMetrics() }), limits);
}

/** A bare connection, for what no HTTP client would send. */
export interface RawConnection extends Disposable {
  socket: Socket;
  send(text: string | Uint8Array): void;
  /** Everything received, once the server has closed. */
  closed: Promise<string>;
  /** Everything received so far, once it holds `text`. */
  until(text: string): Promise<string>;
}

export async function connectRaw(port: number): Promise<RawConnection> {
  const socket = connect({ host: "127.0.0.1", port });
  const opened = Promise.withResolvers<void>();
  socket.once("connect", opened.resolve);
  let received = "";
  let check = () => {};
  socket.on("data", (chunk) => {
    received += chunk.toString("latin1");
    check();
  });
  // A reset counts as closed.
  socket.on("error", () => {});
  const closed = new Promise<string>((resolve) => socket.once("close", () => resolve(received)));
  await opened.promise;
  return {
    socket,
    send: (text) => socket.write(text),
    closed,
    until: (text) =>
      new Promise((resolve, reject) => {
        check = () => {
          if (received.includes(text)) resolve(received);
        };
        check();
        void closed.then(() => reject(new Error(`closed before ${JSON.stringify(text)} came: ${received}`)));
      }),
    [Symbol.dispose]: () => socket.destroy(),
  };
}
