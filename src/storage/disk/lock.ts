// One process at a time has a data folder. Node has no flock, but SQLite's exclusive lock is one: the operating system drops it with the
// process, however that ends, so nothing is ever left to clean by hand.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { DomainError } from "../../model/errors.ts";

/**
 * Holds the folder until disposed. Throws `unavailable`, naming the process that has it. `lock.db` is never opened by other means:
 * POSIX drops a process's locks when it closes any descriptor of the file.
 */
export function lockFolder(folder: string): Disposable {
  const holderPath = join(folder, "lock.pid");
  const database = openLock(folder);
  try {
    database.pragma("locking_mode = EXCLUSIVE");
    database.exec("BEGIN EXCLUSIVE");
  } catch (cause) {
    database.close();
    if ((cause as { code?: string }).code !== "SQLITE_BUSY") throw cannotLock(folder, cause);
    throw new DomainError(
      "unavailable",
      `Cannot open the data folder ${folder}: process ${holderOf(holderPath)} has it open; stop that one or name another folder`,
      { cause },
    );
  }
  writeFileSync(holderPath, `${process.pid}\n`);
  return { [Symbol.dispose]: () => void database.close() };
}

function openLock(folder: string): Database.Database {
  try {
    // No waiting: whoever has the folder keeps it for its life.
    return new Database(join(folder, "lock.db"), { timeout: 0 });
  } catch (cause) {
    throw cannotLock(folder, cause);
  }
}

function cannotLock(folder: string, cause: unknown): DomainError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new DomainError("unavailable", `Cannot lock the data folder ${folder}: ${reason}`, { cause });
}

function holderOf(holderPath: string): string {
  try {
    return readFileSync(holderPath, "utf8").trim();
  } catch {
    return "of unknown id";
  }
}
