// The folder that `--output-dir` names.

import { DomainError } from "../../model/errors.ts";
import { makeFolder } from "../../storage/disk/make-folder.ts";
import { systemFault } from "../system-fault.ts";
import { harmless } from "../terminal.ts";

/** Makes it where it is not there. Throws `invalid`, naming it, where it cannot be. */
export function makeOutputFolder(folder: string): void {
  try {
    makeFolder(folder);
  } catch (cause) {
    throw new DomainError("invalid", `Cannot make ${harmless(folder)}: ${systemFault(cause)}`, { cause });
  }
}
