// Pack sets as rows: reading those that a query asks for, with their packs and deletions. Changing them is pack-writer.ts's.

import type { PackFile, PackIds, PackLevel, PackSet, PackSetQuery, PackStatistics } from "../pack-catalog.ts";
import type { Statements } from "./statements.ts";

export const PACK_LEVELS = ["hour", "day"] as const satisfies PackLevel[];
/** The longest window: a set that overlaps an instant starts no earlier before it. */
export const WINDOW_NS = 86_400_000_000_000n;

/** As SQL, bits of profile.flags. */
export const PACKED = 4;
export const SET_ASIDE = 8;

const COLUMNS =
  "s.set_id, s.service_id, s.type_id, s.shape_id, s.level, s.start_ns, s.end_ns, s.seq_from, s.covers_seq";

/**
 * SQL over a profile `p`: a set whose rows are still being marked covers it. Only such sets have loose rows, so that others need not be
 * asked.
 */
export const COVERED_UNSETTLED = `p.flags & ${SET_ASIDE} = 0 AND EXISTS (SELECT 1 FROM pack_set s INDEXED BY pack_set_unsettled
  WHERE s.settled = 0 AND s.service_id = p.service_id AND s.type_id = p.type_id AND s.shape_id = p.shape_id
  AND p.time_ns >= s.start_ns AND p.time_ns < s.end_ns AND p.seq BETWEEN s.seq_from AND s.covers_seq)`;

type RawSet = [bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint];

export function readPackSets(statements: Statements, query: PackSetQuery): PackSet[] {
  const { setIds, key, level, startNs, endNs, deletedShare, unsettled } = query;
  const conditions = [
    setIds && "s.set_id IN (SELECT j.value FROM json_each(@setIds) j)",
    key && "s.service_id = @serviceId AND s.type_id = @typeId AND s.shape_id = @shapeId",
    level && "s.level = @level",
    startNs !== undefined && "s.start_ns > @startNs - @windowNs AND s.end_ns > @startNs",
    endNs !== undefined && "s.start_ns < @endNs",
    unsettled && "s.settled = 0",
    deletedShare !== undefined &&
      `s.set_id IN (SELECT t.set_id FROM tombstone t GROUP BY t.set_id
        HAVING count(*) >= @deletedShare * (SELECT sum(profiles) FROM pack WHERE pack.set_id = t.set_id))`,
  ].filter((condition) => typeof condition === "string");
  const rows = statements
    .exact(
      `SELECT ${COLUMNS} FROM pack_set s ${conditions.length > 0 ? `WHERE ${conditions.join(" AND ")}` : ""}
      ORDER BY s.service_id, s.type_id, s.shape_id, s.start_ns, s.seq_from`,
    )
    .all({
      ...(setIds && { setIds: JSON.stringify(setIds) }),
      ...key,
      ...(level && { level: PACK_LEVELS.indexOf(level) }),
      ...(startNs !== undefined && { startNs, windowNs: WINDOW_NS }),
      ...(endNs !== undefined && { endNs }),
      ...(deletedShare !== undefined && { deletedShare }),
    }) as RawSet[];
  return rows.map((row) => packSetOf(statements, row));
}

/** Of one service and type, whatever the shape. */
export function readSetsOfGroup(
  statements: Statements,
  { serviceId, typeId }: { serviceId: number; typeId: number },
  startNs: bigint,
  lastNs: bigint,
): PackSet[] {
  const from = startNs < WINDOW_NS - 2n ** 63n ? -(2n ** 63n) : startNs - WINDOW_NS;
  const rows = statements
    .exact(
      `SELECT ${COLUMNS} FROM pack_set s INDEXED BY pack_set_by_window
      WHERE s.service_id = @serviceId AND s.type_id = @typeId AND s.start_ns > @from AND s.start_ns <= @lastNs AND s.end_ns > @startNs
      ORDER BY s.start_ns, s.set_id`,
    )
    .all({ serviceId, typeId, from, startNs, lastNs }) as RawSet[];
  return rows.map((row) => packSetOf(statements, row));
}

function packSetOf(statements: Statements, row: RawSet): PackSet {
  const setId = Number(row[0]);
  const packs = statements
    .plain("SELECT pack_id, profiles, size_bytes FROM pack WHERE set_id = ? ORDER BY pack_id")
    .all(setId) as [number, number, number][];
  const deleted = statements.plain("SELECT seq FROM tombstone WHERE set_id = ? ORDER BY seq").all(setId) as [number][];
  return {
    setId,
    serviceId: Number(row[1]),
    typeId: Number(row[2]),
    shapeId: Number(row[3]),
    level: PACK_LEVELS[Number(row[4])]!,
    startNs: row[5],
    endNs: row[6],
    seqFrom: Number(row[7]),
    coversSeq: Number(row[8]),
    packs: packs.map(([packId, profiles, sizeBytes]): PackFile => ({ packId, profiles, sizeBytes })),
    deleted: Float64Array.from(deleted, ([seq]) => seq),
  };
}

export function readPackStatistics(statements: Statements): PackStatistics {
  const [sets, packs, profiles, sizeBytes] = statements
    .plain(
      `SELECT (SELECT count(*) FROM pack_set), count(*), coalesce(sum(profiles), 0) - (SELECT count(*) FROM tombstone),
      coalesce(sum(size_bytes), 0) FROM pack`,
    )
    .get() as [number, number, number, number];
  return { sets, packs, profiles, sizeBytes };
}

export function readPackIds(statements: Statements): PackIds {
  const [named, unnamed] = ["pack", "pack_unnamed"].map((table) => {
    const rows = statements.plain(`SELECT pack_id FROM ${table} ORDER BY pack_id`).all() as [number][];
    return rows.map(([packId]) => packId);
  });
  return { named: named!, unnamed: unnamed! };
}

/** Changes whenever profiles of the sets or the sets themselves do: a set's deletions only grow, and its number is never given again. */
export function setsFingerprint(sets: readonly PackSet[]): string {
  return sets.map(({ setId, deleted }) => `${setId}-${deleted.length}`).join(",");
}
