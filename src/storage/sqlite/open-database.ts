// One connection to the catalog's file with the settings that durability and memory rest on. What is asked of it is others'.

import SqliteDatabase, { type Database } from "better-sqlite3";
import { DomainError } from "../../model/errors.ts";

const WRITER_CACHE_KIB = 64 * 1024;
const READER_CACHE_KIB = 16 * 1024;
/** RESTART waits so long for readers; a read ends within a second. */
const BUSY_TIMEOUT_MS = 5_000;

/** A reader cannot change the data; it may write the log back. */
export function openDatabase(path: string, role: "writer" | "reader"): Database {
  const database = new SqliteDatabase(path, { timeout: BUSY_TIMEOUT_MS });
  database.pragma("journal_mode = WAL");
  // better-sqlite3's build falls to NORMAL in WAL mode, which loses acknowledged commits with the power.
  database.pragma("synchronous = FULL");
  // The checkpoint is the slowest part of a commit: another thread does it.
  database.pragma("wal_autocheckpoint = 0");
  database.pragma("temp_store = MEMORY");
  database.pragma(`cache_size = -${role === "writer" ? WRITER_CACHE_KIB : READER_CACHE_KIB}`);
  // Mapping the file gained nothing at 1 000 000 profiles, and each thread's map counts as memory of the process.
  database.pragma("mmap_size = 0");
  if (role === "reader") database.pragma("query_only = ON");
  return database;
}

/** SQLite's word for what the disk did, in the domain's vocabulary; anything else is a bug and stays what it is. */
export function translateSqliteError(error: unknown): unknown {
  if (!(error instanceof SqliteDatabase.SqliteError)) return error;
  if (error.code === "SQLITE_FULL") {
    return new DomainError("unavailable", "Cannot write to the catalog: the disk is full", {
      subject: "disk-full",
      cause: error,
    });
  }
  if (/^SQLITE_(IOERR|CORRUPT|NOTADB|READONLY|CANTOPEN|BUSY|PROTOCOL)/.test(error.code)) {
    return new DomainError("unavailable", `Cannot use the catalog: ${error.message} (${error.code})`, { cause: error });
  }
  return error;
}
