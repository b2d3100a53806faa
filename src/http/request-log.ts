// What is kept of every request: one line in the log, and its figures in the metrics. Queries are left out, since tokens travel there.

import type { Logger } from "pino";
import { type Exchange, isHttp1 } from "./exchange.ts";
import type { Metrics } from "./metrics.ts";

const PATH_SHOWN = 200;

/** Call it before the request is handled. */
export function recordRequest(exchange: Exchange, logger: Logger, metrics: Metrics): void {
  const { request, response } = exchange;
  const startedMs = performance.now();
  const sentBytes = countSent(exchange);
  response.once("close", () => {
    const durationMs = performance.now() - startedMs;
    const status = exchange.signal.aborted && !response.headersSent ? 499 : response.statusCode;
    const requestBytes = exchange.requestBytes || Number(request.headers["content-length"] ?? 0) || 0;
    const responseBytes = sentBytes();
    const { method, route } = exchange;
    metrics.observeRequest({ method, route, status, durationSeconds: durationMs / 1000, requestBytes, responseBytes });
    const line = {
      requestId: exchange.requestId,
      remote: exchange.remoteAddress,
      ...(exchange.caller !== "" && { caller: exchange.caller }),
      protocol: `HTTP/${request.httpVersion}`,
      method,
      path: exchange.path.slice(0, PATH_SHOWN),
      route,
      status,
      requestBytes,
      responseBytes,
      durationMs: Math.round(durationMs * 10) / 10,
      ...(exchange.signal.aborted && { aborted: true }),
    };
    if (status >= 500) logger.error(line, "request");
    else logger.info(line, "request");
  });
}

/** HTTP/1: bytes of the connection, headers included, since it carries one answer at a time. HTTP/2: bytes of the body. */
function countSent({ response }: Exchange): () => number {
  if (isHttp1(response)) {
    const { socket } = response;
    const beforeBytes = socket?.bytesWritten ?? 0;
    return () => (socket?.bytesWritten ?? 0) - beforeBytes;
  }
  let bytes = 0;
  const write = response.write.bind(response) as (chunk: string | Uint8Array, ...rest: unknown[]) => boolean;
  response.write = (chunk: string | Uint8Array, ...rest: unknown[]) => {
    bytes += typeof chunk === "string" ? Buffer.byteLength(chunk) : chunk.byteLength;
    return write(chunk, ...rest);
  };
  return () => bytes;
}
