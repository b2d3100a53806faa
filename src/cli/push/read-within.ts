// Bytes of a stream, as many as are allowed.

import { DomainError } from "../../model/errors.ts";

/** All of it. Throws `too-large` as soon as there are more than `maxBytes`. */
export async function readWithin(stream: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of stream) {
    length += chunk.length;
    if (length > maxBytes) throw tooLarge(maxBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length);
}

export function tooLarge(maxBytes: number): DomainError {
  return new DomainError("too-large", `Cannot send it: a profile has at most ${maxBytes} bytes`, { subject: "body" });
}
