// What is left of a request's body when its answer is there: thrown away for a while, since a reset would destroy the answer on its
// way. HTTP/2 resets the stream alone, so there nobody needs to read on.

import { type HttpRequest, type HttpResponse, isHttp1 } from "./exchange.ts";

/** How long after an answer, and for how many bytes, what is left of its request is waited for. */
export const LINGER_MS = 2_000;
const LINGER_BYTES = 64 * 1024 * 1024;

export function hasUnreadBody(request: HttpRequest, response: HttpResponse): boolean {
  if (request.complete) return false;
  if (!isHttp1(response)) return !response.stream.endAfterHeaders;
  return request.headers["transfer-encoding"] !== undefined || Number(request.headers["content-length"] ?? 0) > 0;
}

/** Resolves when the rest has come or the client has left, and after two seconds or 64 MiB at the latest. */
export async function discardBody(request: HttpRequest): Promise<void> {
  if (request.complete || request.destroyed) return;
  const { promise: ended, resolve: finish } = Promise.withResolvers<void>();
  const timer = setTimeout(finish, LINGER_MS);
  let discardedBytes = 0;
  request.on("data", (chunk: Uint8Array) => {
    discardedBytes += chunk.length;
    if (discardedBytes > LINGER_BYTES) finish();
  });
  request.once("end", finish).once("close", finish).resume();
  await ended;
  clearTimeout(timer);
}
