// What an object may be called.

import { DomainError } from "../model/errors.ts";
import { quote } from "../model/text.ts";

const OBJECT_NAME = /^[a-z0-9]+([-./][a-z0-9]+)*$/;
const OBJECT_NAME_LENGTH = 200;

/** Names are the program's own, so a bad one is a bug. */
export function checkObjectName(name: string): string {
  if (OBJECT_NAME.test(name) && name.length <= OBJECT_NAME_LENGTH) return name;
  throw new Error(
    `Cannot use object name ${quote(name)}: lower-case words joined by - . or /, at most ${OBJECT_NAME_LENGTH} characters`,
  );
}

export function nameIsTaken(name: string): DomainError {
  return new DomainError("conflict", `Cannot put object ${quote(name)}: there is one of this name`);
}
