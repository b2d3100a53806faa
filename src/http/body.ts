// Reading a request's body: bounded by a limit of its own and by the bytes in flight of the whole process.

import type { Readable } from "node:stream";
import { DomainError } from "../model/errors.ts";
import type { ByteBudget } from "./byte-budget.ts";
import type { Exchange } from "./exchange.ts";

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
  const reservation = await budget.take(0, exchange.signal);
  try {
    const bytes = await collect(exchange, maxBytes, (more) => reservation.grow(more));
    return { bytes, [Symbol.dispose]: () => reservation[Symbol.dispose]() };
  } catch (error) {
    reservation[Symbol.dispose]();
    throw error;
  }
}

async function collect(
  exchange: Exchange,
  maxBytes: number,
  reserve: (bytes: number) => Promise<void>,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  try {
    // Leaving the loop must not destroy the request: on HTTP/1 that would cut the connection before the refusal is sent.
    for await (const chunk of (exchange.request as Readable).iterator({ destroyOnReturn: false })) {
      const bytes = chunk as Uint8Array;
      exchange.requestBytes += bytes.length;
      if (exchange.requestBytes > maxBytes) throw tooLarge("more", maxBytes);
      await reserve(bytes.length);
      chunks.push(bytes);
    }
  } catch (error) {
    if (error instanceof DomainError) throw error;
    throw new DomainError("cancelled", "The client left before its body was complete", { cause: error });
  }
  if (!exchange.request.complete) throw new DomainError("cancelled", "The client left before its body was complete");
  const whole = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
  // A plain Uint8Array, as promised: a Buffer's slice() shares memory, and a lent chunk would take its neighbours along.
  return new Uint8Array(whole.buffer, whole.byteOffset, whole.byteLength);
}

function tooLarge(size: string, maxBytes: number): DomainError {
  return new DomainError("too-large", `Cannot take a body of ${size}: at most ${maxBytes} bytes are allowed`, {
    subject: "body",
  });
}
