// Percent-decoding as Go does it, which the clients of foreign protocols rely on: bytes first, UTF-8 last, and a clear error for a bad escape.
// JavaScript's own decoders cannot decode twice: they refuse or replace bytes that are no UTF-8 yet.

import { DomainError } from "../model/errors.ts";

const BAD_ESCAPE = /%(?![0-9a-fA-F]{2})/;
const NOT_ASCII = /[\u0080-\u00ff]/;
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Bytes as characters U+0000 to U+00FF, as Node gives the request line; the answer is of the same kind. */
export function unescapePath(bytes: string): string {
  const fault = BAD_ESCAPE.exec(bytes);
  if (fault) {
    const shown = bytes.slice(fault.index, fault.index + 3);
    throw new DomainError("invalid", `invalid URL escape ${JSON.stringify(shown)}`);
  }
  return bytes.replace(/%(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** As unescapePath, with `+` for a space. */
export function unescapeQuery(bytes: string): string {
  return unescapePath(bytes.replaceAll("+", " "));
}

/** Undefined where the bytes are not UTF-8. */
export function utf8Text(bytes: string): string | undefined {
  if (!NOT_ASCII.test(bytes)) return bytes;
  try {
    return UTF8.decode(Buffer.from(bytes, "latin1"));
  } catch {
    return undefined;
  }
}
