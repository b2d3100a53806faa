// Writing whole answers, on both protocols: length known, HEAD without a body, and an orderly end where the request's body was not read.

import { once } from "node:events";
import { constants } from "node:http2";
import type { Writable } from "node:stream";
import { DomainError } from "../model/errors.ts";
import { type Exchange, isHttp1 } from "./exchange.ts";
import { discardBody, hasUnreadBody } from "./unread-body.ts";

export type AnswerHeaders = Readonly<Record<string, string>>;

/** As sendBytes. A text leaves in one piece with its headers, which bytes do not. */
export function sendText(exchange: Exchange, status: number, text: string, headers: AnswerHeaders = {}): void {
  sendWhole(exchange, status, text, { "content-type": "text/plain; charset=utf-8", ...headers });
}

/** Sends all of the answer. Does nothing where the client has left or an answer has begun. */
export function sendBytes(exchange: Exchange, status: number, bytes: Uint8Array, headers: AnswerHeaders): void {
  sendWhole(exchange, status, bytes, headers);
}

function sendWhole(exchange: Exchange, status: number, whole: Uint8Array | string, headers: AnswerHeaders): void {
  if (!startAnswer(exchange, status, { ...headers, "content-length": String(Buffer.byteLength(whole)) })) return;
  const { request, response, method } = exchange;
  const body = method === "HEAD" ? undefined : whole;
  if (!hasUnreadBody(request, response)) {
    end(exchange, body);
    return;
  }
  linger(exchange, body);
  response.once("close", () => request.destroy());
}

/** Sets status and headers. False where the client has left or an answer has begun already. */
export function startAnswer({ response }: Exchange, status: number, headers: AnswerHeaders): boolean {
  if (response.headersSent || response.destroyed || response.writableEnded) return false;
  response.statusCode = status;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  return true;
}

/** Writes a piece of an answer that was started, and waits while the client is slow. Throws `cancelled` when it leaves. */
export async function writeChunk({ response, signal }: Exchange, chunk: string): Promise<void> {
  const writable = response as Writable;
  if (signal.aborted) throw left();
  if (writable.write(chunk)) return;
  try {
    await once(writable, "drain", { signal });
  } catch (cause) {
    throw left(cause);
  }
}

function left(cause?: unknown): DomainError {
  return new DomainError("cancelled", "The client left before its answer was complete", { cause });
}

/** Half an answer cannot become an error any more: cutting it short is how the client learns. */
export function cutAnswer({ response }: Exchange): void {
  if (isHttp1(response)) response.destroy();
  else response.stream.close(constants.NGHTTP2_INTERNAL_ERROR);
}

function end({ response }: Exchange, body: Uint8Array | string | undefined): void {
  if (body) response.end(body);
  else response.end();
}

/** The client sees a complete answer at once; the connection (HTTP/1) or stream (HTTP/2) closes a little later. */
function linger(exchange: Exchange, body: Uint8Array | string | undefined): void {
  const { request, response } = exchange;
  if (!isHttp1(response)) {
    const { stream } = response;
    stream.once("finish", () => stream.close(constants.NGHTTP2_NO_ERROR));
    end(exchange, body);
    return;
  }
  response.setHeader("connection", "close");
  if (body) response.write(body);
  else response.flushHeaders();
  void discardBody(request).then(() => response.end());
}
