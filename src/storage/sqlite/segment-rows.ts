// The rows whose bytes lie in one segment. No index leads from a segment to its rows: the ledger knows between which ids they are, and
// the rows between are walked in pieces.

import { type RawRow, ROW_COLUMNS } from "./profile-rows.ts";
import type { Statements } from "./statements.ts";

const ROWS_PER_READ = 20_000;

/** In the order of their offsets. */
export function readSegmentRows(statements: Statements, segmentId: number): RawRow[] {
  const segment = statements.plain("SELECT first_id, last_id FROM segment WHERE segment_id = ?").get(segmentId) as
    | [Buffer, Buffer]
    | undefined;
  if (segment === undefined) return [];
  const found: RawRow[] = [];
  for (let [low, last] = segment; ; ) {
    const [next] = (statements
      .plain(
        `SELECT profile_id FROM profile INDEXED BY profile_by_id WHERE profile_id > ? AND profile_id <= ?
        ORDER BY profile_id LIMIT 1 OFFSET ${ROWS_PER_READ}`,
      )
      .get(low, last) ?? [last]) as [Buffer];
    const rows = statements
      .exact(
        `SELECT ${ROW_COLUMNS} FROM profile k INDEXED BY profile_by_id CROSS JOIN profile p
          ON p.service_id = k.service_id AND p.type_id = k.type_id AND p.profile_id = k.profile_id
        WHERE k.profile_id >= ? AND k.profile_id <= ? AND p.segment_id = ?`,
      )
      .all(low, next, segmentId) as RawRow[];
    // Both ends belong to a piece: the row between two of them comes twice.
    found.push(...(found.length > 0 && rows[0]?.[0].equals(found.at(-1)![0]) ? rows.slice(1) : rows));
    if (next.equals(last)) break;
    low = next;
  }
  return found.sort((a, b) => Number(a[14]) - Number(b[14]));
}
