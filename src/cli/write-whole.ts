// Files that verbs write: a file appears whole or not at all.

import { rename, rm, stat, writeFile } from "node:fs/promises";
import { DomainError } from "../model/errors.ts";

/** It is on the disk before it has its name. Throws `invalid`, naming the file, where it cannot be written. */
export async function writeWhole(content: Uint8Array | string, file: string, mode = 0o666): Promise<void> {
  // A device or a pipe, such as /dev/null, is written to; a rename would put a file in its place.
  const isSpecial = await stat(file).then(
    (found) => !found.isFile() && !found.isDirectory(),
    () => false,
  );
  const temporary = isSpecial ? file : `${file}.${crypto.randomUUID()}.tmp`;
  try {
    await writeFile(temporary, content, { mode, flush: !isSpecial });
    if (!isSpecial) await rename(temporary, file);
  } catch (cause) {
    if (!isSpecial) await rm(temporary, { force: true });
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new DomainError("invalid", `Cannot write ${file}: ${reason}`, { cause });
  }
}
