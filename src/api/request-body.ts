// The body of a call, chunk by chunk, within the budget of bytes in flight; and what happens to the part that nobody wants to read.

import type { Readable } from "node:stream";
import { Code, ConnectError } from "@connectrpc/connect";
import type { UniversalServerResponse } from "@connectrpc/connect/protocol";
import type { Logger } from "pino";
import type { Reservation } from "../http/byte-budget.ts";
import { type Exchange, type HttpRequest, type HttpResponse, isHttp1 } from "../http/exchange.ts";
import { discardBody, hasUnreadBody } from "../http/unread-body.ts";
import { DomainError } from "../model/errors.ts";
import { toConnectError } from "./errors.ts";

/** Bytes count from here until the reservation is disposed. Throws ConnectErrors: resource_exhausted, and canceled when the client leaves. */
export async function* meteredBody(
  exchange: Exchange,
  reservation: Reservation,
  logger: Logger,
): AsyncGenerator<Uint8Array> {
  try {
    // Leaving the loop must not destroy the request: on HTTP/1 that would cut the connection before the refusal is sent.
    for await (const chunk of (exchange.request as Readable).iterator({ destroyOnReturn: false })) {
      const { length } = chunk as Uint8Array;
      exchange.requestBytes += length;
      if (!reservation.growNow(length)) await reservation.grow(length);
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

/** The same answer; on HTTP/1, what is left of the request is thrown away behind it. */
export function discardRest(
  answer: UniversalServerResponse,
  request: HttpRequest,
  response: HttpResponse,
): UniversalServerResponse {
  if (!isHttp1(response) || !hasUnreadBody(request, response)) return answer;
  response.setHeader("connection", "close");
  return { ...answer, body: thenDiscard(answer.body, request) };
}

/** The client sees a complete answer at once, since its length is known; the connection closes a little later. */
async function* thenDiscard(
  body: AsyncIterable<Uint8Array> | undefined,
  request: HttpRequest,
): AsyncGenerator<Uint8Array> {
  if (body) yield* body;
  await discardBody(request);
}
