// The parts of a multipart/form-data body, in their order, each as its bytes whatever else its headers call it.

import { getMultipartBoundary, parseMultipart } from "@remix-run/multipart-parser";
import { DomainError } from "../../model/errors.ts";

export interface Part {
  /** Empty where it has none. */
  name: string;
  bytes: Uint8Array;
}

/** pcapture sends one; a form that a person fills has some. */
const PARTS_MAX = 100;

/** Throws `invalid` for what is no such body, or ends too early, or has too many parts. */
export function readParts(contentType: string, body: Uint8Array): Part[] {
  const boundary = getMultipartBoundary(contentType);
  if (boundary === null) throw unreadable("its Content-Type names no boundary");
  if (body.length === 0) throw unreadable("it is empty");
  const bounds = { boundary, maxParts: PARTS_MAX, maxFileSize: body.length, maxTotalSize: body.length };
  try {
    return Array.from(parseMultipart(withoutPreamble(body, boundary), bounds), ({ name = "", bytes }) => ({
      name,
      bytes,
    }));
  } catch (cause) {
    throw unreadable(cause instanceof Error ? cause.message : String(cause), cause);
  }
}

/** What stands before the first boundary is nobody's (RFC 2046 §5.1.1); the parser wants to see none. */
function withoutPreamble(body: Uint8Array, boundary: string): Uint8Array {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  if (bytes.indexOf(`--${boundary}`) === 0) return body;
  const at = bytes.indexOf(`\r\n--${boundary}`);
  return at < 0 ? body : body.subarray(at + 2);
}

function unreadable(reason: string, cause?: unknown): DomainError {
  return new DomainError("invalid", `Cannot read the multipart body: ${reason}`, { cause });
}
