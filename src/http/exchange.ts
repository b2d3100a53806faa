// One request and its response, as every handler of ours sees them, whether HTTP/1.1 or HTTP/2. What to answer is the handler's.

import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";

export type HttpRequest = IncomingMessage | Http2ServerRequest;
export type HttpResponse = ServerResponse | Http2ServerResponse;

export interface Exchange {
  readonly request: HttpRequest;
  readonly response: HttpResponse;
  /** Upper case, as it came. */
  readonly method: string;
  /** As it came, without the query: nothing is decoded, since ids may hold escaped slashes and pluses. */
  readonly path: string;
  /** As it came, without the question mark; "" where there is none. */
  readonly query: string;
  /** The client's X-Request-Id where it is a plain word, else one of ours: random per process, then counted. */
  readonly requestId: string;
  readonly remoteAddress: string;
  /** Aborts when the connection or stream closes before the answer is complete. */
  readonly signal: AbortSignal;
  /** The pattern that took the request: few different ones, so that metrics stay bounded. Set by whoever routes it. */
  route: string;
  /** Bytes of body that were read; set by whoever reads them. */
  requestBytes: number;
  /** Whose key or place let it in, for the log; set by whoever lets it in. */
  caller: string;
}

const REQUEST_ID = /^[\w.:-]{1,64}$/;
const PROCESS_ID = randomBytes(4).toString("hex");
let requests = 0;

export function openExchange(request: HttpRequest, response: HttpResponse): Exchange {
  const url = originForm(request.url ?? "/");
  request.url = url;
  const mark = url.indexOf("?");
  const left = new AbortController();
  response.once("close", () => {
    if (!response.writableFinished) left.abort();
  });
  response.setHeader("x-content-type-options", "nosniff");
  const sentId = request.headers["x-request-id"];
  return {
    request,
    response,
    method: request.method ?? "GET",
    path: mark < 0 ? url : url.slice(0, mark),
    query: mark < 0 ? "" : url.slice(mark + 1),
    requestId: typeof sentId === "string" && REQUEST_ID.test(sentId) ? sentId : `${PROCESS_ID}-${++requests}`,
    remoteAddress: request.socket?.remoteAddress ?? "",
    signal: left.signal,
    route: "",
    requestBytes: 0,
    caller: "",
  };
}

/** Servers must also take http://authority/path (RFC 9112 §3.2.2), which clients send where they believe in a proxy. */
function originForm(target: string): string {
  if (target.startsWith("/")) return target;
  const path = /^https?:\/\/[^/?]*/i.exec(target);
  if (path === null) return target;
  const rest = target.slice(path[0].length);
  return rest.startsWith("/") ? rest : `/${rest}`;
}

/** Narrows to HTTP/1.1, whose connection carries one request at a time. */
export function isHttp1(response: HttpResponse): response is ServerResponse {
  return !("stream" in response);
}
