// Reading a request's body: bounded by a limit of its own and by the bytes in flight of the whole process.

import type { Readable } from "node:stream";
import { DomainError } from "../model/errors.ts";
import type { ByteBudget, Reservation } from "./byte-budget.ts";
import type { Exchange } from "./exchange.ts";
import { GrowingBytes } from "./growing-bytes.ts";

/** A whole body. Dispose it when its bytes are no longer needed: until then they count as in flight. */
export interface Body extends Disposable {
  readonly bytes: Uint8Array;
}

/**
 * Bytes count as they arrive, not as they are announced: a client that announces much and sends nothing takes nothing.
 * Throws `too-large` (at once where Content-Length says so), `exhausted`, and `cancelled` when the client leaves.
 */
export async function readBody(exchange: Exchange, maxBytes: number, budget: ByteBudget): Promise<Body> {
  const announced = Number(exchange.request.headers["content-length"] ?? 0);
  if (announced > maxBytes) throw tooLarge(`${announced} bytes`, maxBytes);
  const reservation = budget.open(exchange.signal);
  try {
    const bytes = await collect(exchange, maxBytes, reservation);
    return { bytes, [Symbol.dispose]: () => reservation[Symbol.dispose]() };
  } catch (error) {
    reservation[Symbol.dispose]();
    throw error;
  }
}

/** By events: an async iterator costs several promises for a body of one chunk. */
async function collect(exchange: Exchange, maxBytes: number, reservation: Reservation): Promise<Uint8Array> {
  const request = exchange.request as Readable & { complete: boolean };
  const gathered = new GrowingBytes();
  const places: Promise<void>[] = [];
  const { promise: ended, resolve, reject } = Promise.withResolvers<void>();
  const take = (chunk: Uint8Array) => {
    exchange.requestBytes += chunk.length;
    if (exchange.requestBytes > maxBytes) {
      reject(tooLarge(`more than ${maxBytes} bytes`, maxBytes));
      return;
    }
    gathered.push(chunk);
    if (reservation.growNow(chunk.length)) return;
    request.pause();
    const place = reservation.grow(chunk.length);
    place.then(() => request.resume(), reject);
    places.push(place);
  };
  const leave = (cause?: unknown) =>
    reject(new DomainError("cancelled", "The client left before its body was complete", { cause }));
  const finish = () => {
    if (!request.complete) return leave();
    request.off("close", leave); // comes next, and an error nobody sees is not free
    resolve();
  };
  request.on("data", take).on("end", finish).on("error", leave).on("close", leave);
  if (request.destroyed) leave();
  try {
    await ended;
    await Promise.all(places); // the end may come while the last chunk waits
  } finally {
    // The rest, if any, waits for whoever answers; on HTTP/1, destroying the request would cut the connection before that.
    request.pause().off("data", take).off("end", finish).off("error", leave).off("close", leave);
  }
  return gathered.takeAll();
}

function tooLarge(size: string, maxBytes: number): DomainError {
  return new DomainError("too-large", `Cannot take a body of ${size}: at most ${maxBytes} bytes are allowed`, {
    subject: "body",
  });
}
