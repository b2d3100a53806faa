// What the operating system says when it cannot write, in the vocabulary of the domain.

import { DomainError } from "../../model/errors.ts";
import { diskFull } from "../space.ts";

/** `what` is what was being done, such as "append to segment 7". Anything that is not the operating system's answer is a bug and flies on. */
export function writeFailure(what: string, cause: unknown): DomainError {
  const code = (cause as { code?: unknown }).code;
  if (!(cause instanceof Error) || typeof code !== "string") throw cause;
  if (code === "ENOSPC" || code === "EDQUOT") return diskFull(`cannot ${what}: ${cause.message}`, cause);
  return new DomainError("unavailable", `Cannot ${what}: ${cause.message}`, { cause });
}
