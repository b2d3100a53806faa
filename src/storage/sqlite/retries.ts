// Which stored profile an upload repeats: by its request id, or by its bytes and series where its time is that of its receipt.
// One that repeats by its profile id is the insert's own conflict, see src/storage/sqlite/writer.ts.

import { RECEIPT_WINDOW_NS, REQUEST_LIFE_NS } from "../retry-window.ts";
import type { InsertRow } from "./insert-message.ts";
import { type RawRow, ROW_COLUMNS, rowOf, TIME_SOURCES } from "./profile-rows.ts";
import type { Statements } from "./statements.ts";

const RECEIPT = TIME_SOURCES.indexOf("receipt");
/** Expired requests that one commit clears away: more than it can add. */
const EXPIRED_PER_COMMIT = 256;

const EARLIER_RECEIPT = `SELECT ${ROW_COLUMNS} FROM profile p INDEXED BY profile_by_receipt
  WHERE flags & 3 = ${RECEIPT} AND digest = ? AND series_id = ? AND received_ns BETWEEN ? AND ? ORDER BY received_ns LIMIT 1`;
const REMEMBER_REQUEST = `INSERT INTO request VALUES (?, ?, ?)
  ON CONFLICT DO UPDATE SET profile_id = excluded.profile_id, received_ns = max(received_ns, excluded.received_ns)`;
const CLEAR_REQUESTS = `DELETE FROM request WHERE request_id IN (
  SELECT request_id FROM request WHERE received_ns < ? ORDER BY received_ns LIMIT ${EXPIRED_PER_COMMIT})`;

export function earlierUpload(
  statements: Statements,
  row: InsertRow,
  seriesId: number,
  digest: Buffer,
): RawRow | undefined {
  return earlierRequest(statements, row) ?? earlierReceipt(statements, row, seriesId, digest);
}

function earlierRequest(statements: Statements, { requestId, receivedNs }: InsertRow): RawRow | undefined {
  if (requestId === null) return undefined;
  const find = "SELECT profile_id FROM request WHERE request_id = ? AND received_ns >= ?";
  const id = statements.value(find, requestId, receivedNs - REQUEST_LIFE_NS) as Buffer | undefined;
  return id && rowOf(statements, id);
}

function earlierReceipt(
  statements: Statements,
  { timeSource, receivedNs }: InsertRow,
  seriesId: number,
  digest: Buffer,
): RawRow | undefined {
  if (timeSource !== RECEIPT) return undefined;
  return statements
    .exact(EARLIER_RECEIPT)
    .get(digest, seriesId, receivedNs - RECEIPT_WINDOW_NS, receivedNs + RECEIPT_WINDOW_NS) as RawRow | undefined;
}

/** `id` is that of the profile which a later upload with this request id repeats. */
export function rememberRequest(statements: Statements, { requestId, receivedNs }: InsertRow, id: Buffer): void {
  if (requestId !== null) statements.plain(REMEMBER_REQUEST).run(requestId, id, receivedNs);
}

/** Some of those that an upload received at `nowNs` would no longer find. */
export function clearExpiredRequests(statements: Statements, nowNs: bigint): void {
  statements.plain(CLEAR_REQUESTS).run(nowNs - REQUEST_LIFE_NS);
}
