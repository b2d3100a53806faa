// What a bucket's HTTP status says of a failure; everything else is the store's own trouble.

import type { ErrorKind } from "../../model/errors.ts";

const KINDS: Readonly<Record<number, ErrorKind>> = {
  400: "invalid",
  401: "unauthenticated",
  403: "forbidden",
  404: "not-found",
};

export function kindOfStatus(status: number | undefined): ErrorKind {
  return KINDS[status ?? 0] ?? "unavailable";
}
