// HTTP/1.1 on sockets that another server accepted: timeouts, header limits, draining.

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Limits } from "../model/limits.ts";
import { continueWhenRead } from "./expect-continue.ts";

export interface ProtocolServer {
  serve(socket: Socket): void;
  /** Requests under way are answered and their connections closed; idle connections close now. */
  drain(): void;
}

export function createHttp1Server(
  limits: Limits,
  onRequest: (request: IncomingMessage, response: ServerResponse) => void,
): ProtocolServer {
  const answering = new Set<ServerResponse>();
  let isDraining = false;
  const server = createServer({
    maxHeaderSize: limits.headerBytes,
    headersTimeout: Math.min(limits.headersTimeoutMs, limits.requestTimeoutMs),
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.idleTimeoutMs,
    connectionsCheckingInterval: Math.max(50, limits.headersTimeoutMs / 4),
  });
  // A client that neither sends nor reads: longer than any merge, which is silent while it runs.
  server.timeout = limits.requestTimeoutMs;
  server.on("request", (request, response) => {
    if (isDraining) response.shouldKeepAlive = false;
    answering.add(response);
    response.once("close", () => {
      answering.delete(response);
      if (isDraining) setImmediate(() => server.closeIdleConnections());
    });
    onRequest(request, response);
  });
  server.on("checkContinue", (request, response) => {
    continueWhenRead(request, response);
    server.emit("request", request, response);
  });
  // Its header and request timeouts are checked by a timer that starts on this event; the server itself never listens.
  server.emit("listening");
  return {
    serve: (socket) => {
      server.emit("connection", socket);
    },
    drain() {
      isDraining = true;
      for (const response of answering) response.shouldKeepAlive = false;
      server.closeIdleConnections();
      // Stops that timer; the error of a server that was not listening is expected.
      server.close(() => {});
    },
  };
}
