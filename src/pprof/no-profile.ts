// What to say of bytes that none of pprof's formats fits. Most often another file was named: at which byte is for those who have a profile.

import { DomainError } from "../model/errors.ts";

/** So much of a file tells whether it is text. */
const TEXT_BYTES = 4096;

/** `cause` is what the reader of the protobuf says. */
export function noProfile(inflated: Uint8Array, cause: DomainError): DomainError {
  const start = Buffer.from(inflated.subarray(0, TEXT_BYTES)).toString("latin1");
  const reason = cause.message.replace(/^Cannot read the profile: /, "");
  const message =
    inflated.length === 0
      ? "This is no profile: it is empty"
      : isText(start)
        ? "This is no profile: it is text, in none of the formats of pprof"
        : `This is no profile, or a damaged one: ${reason}`;
  return new DomainError(cause.kind, message, { cause });
}

function isText(start: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what text does not have
  return !/[\0-\x08\x0e-\x1f]/.test(start);
}
