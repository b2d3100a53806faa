// The body of a call, chunk by chunk, within the budget of bytes in flight; and what happens to the part that nobody wants to read.

import { constants } from "node:http2";
import type { Readable } from "node:stream";
import { Code, ConnectError } from "@connectrpc/connect";
import type { UniversalServerResponse } from "@connectrpc/connect/protocol";
import type { Logger } from "pino";
import type { Reservation } from "../http/byte-budget.ts";
import { type HttpRequest, type HttpResponse, isHttp1 } from "../http/exchange.ts";
import { DomainError } from "../model/errors.ts";
import { toConnectError } from "./errors.ts";

/** How long, and for how many bytes, an unread body is thrown away behind its refusal: a reset would destroy the refusal on its way. */
const LINGER_MS = 2_000;
const LINGER_BYTES = 64 * 1024 * 1024;

/** Bytes count from here until the reservation is disposed. Throws ConnectErrors: resource_exhausted, and canceled when the client leaves. */
export async function* meteredBody(
  request: HttpRequest,
  reservation: Reservation,
  logger: Logger,
): AsyncGenerator<Uint8Array> {
  try {
    // Leaving the loop must not destroy the request: on HTTP/1 that would cut the connection before the refusal is sent.
    for await (const chunk of (request as Readable).iterator({ destroyOnReturn: false })) {
      await reservation.grow((chunk as Uint8Array).length);
      yield chunk as Uint8Array;
    }
  } catch (error) {
    if (error instanceof DomainError) throw toConnectError(error, logger);
    throw new ConnectError(
      "the client left before its request was complete",
      Code.Canceled,
      undefined,
      undefined,
      error,
    );
  }
}

/** The same answer; behind it, what is left of the request is not read for ever. */
export function discardRest(
  answer: UniversalServerResponse,
  request: HttpRequest,
  response: HttpResponse,
): UniversalServerResponse {
  if (request.complete) return answer;
  if (!isHttp1(response)) {
    response.once("finish", () => response.stream?.close(constants.NGHTTP2_NO_ERROR));
    return answer;
  }
  if (request.headers["transfer-encoding"] === undefined && !(Number(request.headers["content-length"]) > 0))
    return answer;
  response.setHeader("connection", "close");
  return { ...answer, body: thenDiscard(answer.body, request) };
}

/** The client sees a complete answer at once, since its length is known; the connection closes a little later. */
async function* thenDiscard(
  body: AsyncIterable<Uint8Array> | undefined,
  request: HttpRequest,
): AsyncGenerator<Uint8Array> {
  if (body) yield* body;
  if (request.complete || request.destroyed) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, LINGER_MS);
    let thrownAwayBytes = 0;
    request.on("data", (chunk: Uint8Array) => {
      thrownAwayBytes += chunk.length;
      if (thrownAwayBytes > LINGER_BYTES) resolve();
    });
    for (const event of ["end", "close"])
      request.once(event, () => {
        clearTimeout(timer);
        resolve();
      });
    request.resume();
  });
}
