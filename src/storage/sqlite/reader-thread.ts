// Thread entry: one reading connection. A message in, one call down, a message out.

import { parentPort, workerData } from "node:worker_threads";
import { toErrorMessage } from "../../model/errors.ts";
import type { Limits } from "../../model/limits.ts";
import { openDatabase, translateSqliteError } from "./open-database.ts";
import { packTransferOf, type RawPackRows } from "./pack-reader.ts";
import { type ProfileRows, transferOf } from "./profile-rows.ts";
import { CatalogReader } from "./reader.ts";

interface ReaderData {
  path: string;
  limits: Limits;
  chunkRows: number | undefined;
}

interface ReaderMessage {
  requestId: number;
  method: Exclude<keyof CatalogReader, number | symbol>;
  argument: never;
}

const { path, limits, chunkRows } = workerData as ReaderData;
const database = openDatabase(path, "reader");
const reader = new CatalogReader(database, limits, chunkRows);
const port = parentPort!;

port.on("message", (message: ReaderMessage | "close") => {
  if (message === "close") {
    database.close();
    port.close();
    return;
  }
  const { requestId, method, argument } = message;
  try {
    const value = reader[method](argument);
    port.postMessage({ requestId, value }, buffersOf(value));
  } catch (error) {
    port.postMessage({ requestId, error: toErrorMessage(translateSqliteError(error)) });
  }
});

/** The large ones are handed over, not copied. */
function buffersOf(value: unknown): ArrayBuffer[] {
  if (value instanceof Uint8Array) return [value.buffer as ArrayBuffer];
  if (typeof value === "object" && value !== null && "records" in value) return buffersOf(value.records);
  if (typeof value === "object" && value !== null && "numbers" in value) return transferOf(value as ProfileRows);
  if (typeof value === "object" && value !== null && "timesNs" in value) return packTransferOf(value as RawPackRows);
  return [];
}
