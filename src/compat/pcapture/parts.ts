// The parts of a multipart/form-data body, in their order, each as its bytes whatever else its headers call it.

import type { Writable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { Busboy } from "@fastify/busboy";
import { DomainError } from "../../model/errors.ts";

export interface Part {
  /** Empty where it has none. */
  name: string;
  bytes: Uint8Array;
}

/** pcapture sends one; a form that a person fills has some. */
const PARTS_MAX = 100;
/** The parser is synchronous: between two pieces others have their turn. */
const PIECE_BYTES = 1024 * 1024;

/** Throws `invalid` for what is no such body, or ends too early, or has too many parts. */
export async function readParts(contentType: string, body: Uint8Array): Promise<Part[]> {
  const parts: { name: string; chunks: Uint8Array[] }[] = [];
  const { promise: ended, resolve, reject } = Promise.withResolvers<void>();
  try {
    const parser = new Busboy({
      headers: { "content-type": contentType },
      isPartAFile: () => true,
      limits: { parts: PARTS_MAX },
    });
    parser.on("file", (name: string | undefined, stream) => {
      const part = { name: name ?? "", chunks: [] as Uint8Array[] };
      parts.push(part);
      stream.on("data", (chunk: Uint8Array) => part.chunks.push(chunk));
      stream.on("error", reject);
    });
    parser.on("partsLimit", () => reject(new Error(`it has more than ${PARTS_MAX} parts`)));
    // Of a body that ends too early it emits several, which need a listener each.
    parser.on("error", reject).on("finish", resolve);
    await Promise.race([ended, writeAll(parser, body)]);
    await ended;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new DomainError("invalid", `Cannot read the multipart body: ${reason}`, { cause });
  }
  return parts.map(({ name, chunks }) => ({ name, bytes: Buffer.concat(chunks) }));
}

async function writeAll(parser: Writable, body: Uint8Array): Promise<void> {
  for (let at = 0; at < body.length; at += PIECE_BYTES) {
    if (at > 0) await setImmediate();
    parser.write(body.subarray(at, at + PIECE_BYTES));
  }
  parser.end();
}
