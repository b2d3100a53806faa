// One process at a time has a data folder. Node has no flock, but SQLite's exclusive lock is one: the operating system drops it with the
// process, however that ends, so nothing is ever left to clean by hand.

import { readFileSync, rmSync, writeFileSync } from "node:fs";
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
  sayHolder(holderPath);
  return { [Symbol.dispose]: () => void database.close() };
}

/** Only for the message above: a full disk must not keep the owner from starting. An old id is worse than none. */
function sayHolder(holderPath: string): void {
  try {
    rmSync(holderPath, { force: true });
    writeFileSync(holderPath, `${process.pid}\n`);
  } catch (error) {
    if ((error as { code?: string }).code !== "ENOSPC") throw error;
  }
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
    return readFileSync(holderPath, "utf8").trim() || "of unknown id";
  } catch {
    return "of unknown id";
  }
}
