// One port for every protocol: it accepts sockets, finds out what each speaks, and drains them all at the end.
// A Node server that does not listen itself neither counts nor closes its sockets, so the sockets are ours.

import { type AddressInfo, createServer, type Socket } from "node:net";
import type { Logger } from "pino";
import { DomainError } from "../model/errors.ts";
import type { Limits } from "../model/limits.ts";
import type { HttpRequest, HttpResponse } from "./exchange.ts";
import { createHttp1Server } from "./http1-server.ts";
import { createHttp2Server } from "./http2-server.ts";
import { Sniffer, type WireProtocol } from "./sniffer.ts";
import { createTlsServer, type TlsCredentials } from "./tls.ts";

export interface ListenerOptions {
  host: string;
  /** 0: any free port. */
  port: number;
  limits: Limits;
  logger: Logger;
  /** Must not throw: createRequestHandler in src/http/request-handler.ts makes one. */
  onRequest: (request: HttpRequest, response: HttpResponse) => void;
  /** TLS is answered beside cleartext. Absent: it is refused. */
  tls?: TlsCredentials | undefined;
}

export interface Listener {
  readonly address: { host: string; port: number };
  /** For connections from now on. Only where there were credentials at the start. */
  setTlsCredentials(credentials: TlsCredentials): void;
  /**
   * No new connections; requests under way have `graceMs` (default limits.shutdownMs) to end, then their sockets are destroyed.
   * A second call shortens the grace of the first.
   */
  close(graceMs?: number): Promise<void>;
}

/** Listens when it resolves. Throws `unavailable` where the address is taken or not ours. */
export async function startListener(options: ListenerOptions): Promise<Listener> {
  const { host, port, limits, logger, onRequest } = options;
  const sockets = new Set<Socket>();
  const sniffer = new Sniffer(limits);
  const http1 = createHttp1Server(limits, onRequest);
  const http2 = createHttp2Server(limits, onRequest);
  // Without ALPN a client speaks HTTP/1: Node's HTTP/2 takes no TLS socket that has not agreed on it.
  const tls =
    options.tls &&
    createTlsServer(options.tls, limits, logger, (socket) =>
      hand(socket.alpnProtocol === "h2" ? "http2" : "http1", socket),
    );
  const refuseTls = once(() =>
    logger.warn("a client tried TLS on the cleartext port and was refused; further ones are not logged"),
  );

  const server = createServer({ allowHalfOpen: true, noDelay: true });
  server.maxConnections = limits.connections;
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    // A connection that is reset has told nobody anything; the protocols' own listeners see it too.
    socket.on("error", () => {});
    sniffer.watch(socket, (protocol) => hand(protocol, socket));
  });

  function hand(protocol: WireProtocol, socket: Socket): void {
    if (protocol === "http1") http1.serve(socket);
    else if (protocol === "http2") http2.serve(socket);
    else if (tls) tls.serve(socket);
    else {
      refuseTls();
      socket.destroy();
    }
  }

  await listen(server, host, port);
  const closed = Promise.withResolvers<void>();
  server.once("close", () => closed.resolve());
  let drain = () => {
    drain = () => {};
    server.close();
    sniffer.destroyAll();
    tls?.destroyHandshakes();
    http1.drain();
    http2.drain();
  };
  return {
    address: { host, port: (server.address() as AddressInfo).port },
    setTlsCredentials: (credentials) => tls?.setCredentials(credentials),
    async close(graceMs = limits.shutdownMs) {
      drain();
      const timer = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, graceMs);
      await closed.promise;
      clearTimeout(timer);
    },
  };
}

const ADVICE: Record<string, string> = {
  EADDRINUSE:
    "; another process has this port, maybe another Profusion, or another address of the same list: stop it, or listen on another port",
  EACCES: "; ports below 1024 are the system's: listen on another one",
  EADDRNOTAVAIL:
    "; this machine has no such address: 127.0.0.1 serves this machine, 0.0.0.0 every network that it is in",
  ENOTFOUND: "; there is no such host: 127.0.0.1 serves this machine, 0.0.0.0 every network that it is in",
};

function adviceFor(cause: Error): string {
  return ("code" in cause && ADVICE[String(cause.code)]) || "";
}

function listen(server: ReturnType<typeof createServer>, host: string, port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const fail = (cause: Error) =>
    reject(
      new DomainError("unavailable", `Cannot listen on ${host}:${port}: ${cause.message}${adviceFor(cause)}`, {
        cause,
      }),
    );
  server.once("error", fail);
  server.listen({ host, port, backlog: 1024 }, () => {
    server.off("error", fail);
    resolve();
  });
  return promise;
}

function once(act: () => void): () => void {
  let isDone = false;
  return () => {
    if (isDone) return;
    isDone = true;
    act();
  };
}
