// Cleartext HTTP/2 on sockets that another server accepted: header limits, idle sessions, slow bodies, draining.
// Floods of resets, pings and settings are cut by Node's own defaults.

import {
  constants,
  createServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { Limits } from "../model/limits.ts";
import { continueWhenRead } from "./expect-continue.ts";
import type { ProtocolServer } from "./http1-server.ts";
import { LINGER_MS } from "./unread-body.ts";

/** gRPC clients put every call of a process on one connection; more streams than this wait on their side. */
const CONCURRENT_STREAMS = 256;

export function createHttp2Server(
  limits: Limits,
  onRequest: (request: Http2ServerRequest, response: Http2ServerResponse) => void,
): ProtocolServer {
  /** Session → since when it has had no stream, in ms of performance.now(); undefined while it has one. */
  const idleSince = new Map<ServerHttp2Session, number | undefined>();
  const server = createServer({
    settings: { maxConcurrentStreams: CONCURRENT_STREAMS, maxHeaderListSize: limits.headerBytes },
  });
  // Not session.setTimeout: pings and half a header would keep an idle session for ever.
  const sweep = setInterval(() => closeIdle(idleSince, limits), Math.max(50, limits.idleTimeoutMs / 4));
  sweep.unref();

  server.on("session", (session) => {
    let streams = 0;
    idleSince.set(session, performance.now());
    session.on("stream", (stream) => {
      streams++;
      idleSince.set(session, undefined);
      stream.once("close", () => {
        if (--streams === 0 && idleSince.has(session)) idleSince.set(session, performance.now());
      });
    });
    session.once("close", () => idleSince.delete(session));
  });
  server.on("request", (request, response) => {
    const cut = () => request.stream.close(constants.NGHTTP2_CANCEL);
    const bodyTimer = setTimeout(cut, limits.requestTimeoutMs);
    for (const event of ["end", "close"]) request.once(event, () => clearTimeout(bodyTimer));
    request.stream.setTimeout(limits.requestTimeoutMs, cut);
    request.stream.once("finish", () => endUnread(request.stream));
    onRequest(request, response);
  });
  server.on("checkContinue", (request, response) => {
    continueWhenRead(request, response);
    server.emit("request", request, response);
  });
  return {
    serve(socket) {
      // What HTTP/1 needs, HTTP/2 does not: a session whose peer has closed is over.
      socket.allowHalfOpen = false;
      server.emit("connection", socket);
    },
    drain() {
      clearInterval(sweep);
      for (const session of idleSince.keys()) session.close();
    },
  };
}

/** An answer may end before its request does; what is left of that is not waited for. Not at once: trailers follow the answer. */
function endUnread(stream: ServerHttp2Stream): void {
  const timer = setTimeout(() => stream.close(constants.NGHTTP2_NO_ERROR), LINGER_MS);
  stream.once("close", () => clearTimeout(timer));
}

function closeIdle(idleSince: ReadonlyMap<ServerHttp2Session, number | undefined>, limits: Limits): void {
  const now = performance.now();
  for (const [session, since] of idleSince) {
    if (since !== undefined && now - since >= limits.idleTimeoutMs) session.close();
  }
}
