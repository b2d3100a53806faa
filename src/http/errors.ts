// The one translation of the error vocabulary to HTTP. How a refusal is written down (JSON, text) is each protocol's own.

import type { Logger } from "pino";
import { DomainError, type ErrorKind } from "../model/errors.ts";

/** An answer that is an error. */
export interface Refusal {
  status: number;
  message: string;
  headers?: Readonly<Record<string, string>>;
  /** What was thrown, where it was an error of the domain: a protocol with other words for it may look. */
  error?: DomainError;
}

const STATUS: Record<ErrorKind, number> = {
  invalid: 400,
  "not-found": 404,
  conflict: 409,
  stale: 409,
  "too-large": 413,
  exhausted: 429,
  unavailable: 503,
  unauthenticated: 401,
  forbidden: 403,
  cancelled: 499, // nobody reads it: it is for the log
};

/** Seconds that a client is asked to wait where trying again helps. */
export const RETRY_AFTER_SECONDS = "5";

export function httpStatus({ kind, subject }: DomainError): number {
  if (kind === "too-large" && subject === "result") return 422;
  if (kind === "unavailable" && subject === "disk-full") return 507;
  return STATUS[kind];
}

/** Anything but a DomainError is a bug: it is logged whole, and the client learns nothing of it. */
export function refusalOf(error: unknown, logger: Logger): Refusal {
  if (!(error instanceof DomainError)) {
    logger.error({ err: error }, "a request failed for a reason nobody foresaw");
    return { status: 500, message: "internal error" };
  }
  const again = error.kind === "exhausted" || error.kind === "unavailable";
  return {
    status: httpStatus(error),
    message: error.message,
    error,
    ...(again && { headers: { "retry-after": RETRY_AFTER_SECONDS } }),
    // Not Basic, which is taken too: browsers would ask for a password.
    ...(error.kind === "unauthenticated" && { headers: { "www-authenticate": "Bearer" } }),
  };
}
