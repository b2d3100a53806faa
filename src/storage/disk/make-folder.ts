// A folder with all above it. Not by Node's recursive mkdir, which never ends where a file system such as /proc takes no folders.

import { mkdirSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";

/** The folders that were made, the outermost first. Throws what the system refuses. */
export function makeFolder(folder: string, mode = 0o777): string[] {
  const absent: string[] = [];
  for (let each = resolve(folder); statSync(each, { throwIfNoEntry: false }) === undefined; each = dirname(each)) {
    absent.unshift(each);
  }
  for (const each of absent) makeOne(each, mode);
  // Says so where it is a file.
  if (absent.length === 0) makeOne(resolve(folder), mode);
  return absent;
}

/** Another process may make it meanwhile. */
function makeOne(folder: string, mode: number): void {
  try {
    mkdirSync(folder, { mode });
  } catch (error) {
    const isThere = (error as NodeJS.ErrnoException).code === "EEXIST" && statSync(folder).isDirectory();
    if (!isThere) throw error;
  }
}
