// What a line of a header can say of a text.

import type { AnswerHeaders } from "./send.ts";

/** Header lines stay far below the 16 KiB that Node's clients take in all. */
const CHARACTERS = 1000;

/** Printable ASCII, and short. */
export function printable(text: string): string {
  const line = text.replace(/[^\x20-\x7e]/g, "?");
  return line.length > CHARACTERS ? `${line.slice(0, CHARACTERS)}...` : line;
}

/** None where there is nothing to warn of. */
export function warningHeader(warnings: readonly string[]): AnswerHeaders {
  return warnings.length === 0 ? {} : { "profusion-warning": printable(warnings.join("; ")) };
}

/** Why there is no file, where its body must be empty: nobody takes a header for a profile. */
export function reasonHeader(message: string): AnswerHeaders {
  return { "profusion-reason": printable(message) };
}
