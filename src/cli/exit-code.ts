// What the process exits with, by what went wrong. The table for users is in docs/command-line.md.

import { DomainError, type ErrorKind } from "../model/errors.ts";

export const EXIT = {
  done: 0,
  /** A bug, or anything that has no code of its own. */
  unexpected: 1,
  /** What was typed or sent breaks a rule: the same again fails again. */
  invalid: 2,
  notFound: 3,
  /** The state forbids it, or has changed meanwhile. */
  conflict: 4,
  /** Over a limit of size, rate or concurrency. */
  limit: 5,
  /** The server, or what else is needed, cannot be reached or cannot serve now. */
  unavailable: 6,
  /** The key is missing, wrong, or does not allow it. */
  forbidden: 7,
  /** Done for some and not for others; each is named on stderr. */
  partial: 8,
} as const;

const BY_KIND: Record<ErrorKind, number> = {
  invalid: EXIT.invalid,
  "not-found": EXIT.notFound,
  conflict: EXIT.conflict,
  stale: EXIT.conflict,
  "too-large": EXIT.limit,
  exhausted: EXIT.limit,
  unavailable: EXIT.unavailable,
  unauthenticated: EXIT.forbidden,
  forbidden: EXIT.forbidden,
  cancelled: EXIT.unexpected,
};

export function exitCodeOf(error: unknown): number {
  return error instanceof DomainError ? BY_KIND[error.kind] : EXIT.unexpected;
}
