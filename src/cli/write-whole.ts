// Files that verbs write: a file appears whole or not at all.

import { rename, rm, stat, writeFile } from "node:fs/promises";
import { DomainError } from "../model/errors.ts";
import { systemFault } from "./system-fault.ts";
import { harmless } from "./terminal.ts";

const FULL: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT"]);

/** It is on the disk before it has its name. Throws `invalid`, naming the file, where it cannot be written; `unavailable` where the disk is full. */
export async function writeWhole(content: Uint8Array | string, file: string, mode = 0o666): Promise<void> {
  if (file === "") throw new DomainError("invalid", "Cannot write a file without a name: name one");
  // A device or a pipe, such as /dev/null, is written to; a rename would put a file in its place.
  const present = await stat(file).catch(() => undefined); // not there, or not to be reached: writing will tell
  if (present?.isDirectory()) {
    throw new DomainError("invalid", `Cannot write ${harmless(file)}: it is a folder; name a file in it`);
  }
  const isSpecial = present !== undefined && !present.isFile();
  const temporary = isSpecial ? file : `${file}.${crypto.randomUUID()}.tmp`;
  try {
    await writeFile(temporary, content, { mode, flush: !isSpecial });
    if (!isSpecial) await rename(temporary, file);
  } catch (cause) {
    if (!isSpecial) await rm(temporary, { force: true });
    const kind = FULL.has((cause as NodeJS.ErrnoException).code ?? "") ? "unavailable" : "invalid";
    throw new DomainError(kind, `Cannot write ${harmless(file)}: ${systemFault(cause)}`, { cause });
  }
}
