// One page of a selection in the order of ids, whole rows. Three ways lead to it, and the cheapest is taken: scan all profiles by id,
// scan one service and type, or gather from the selected series.

import { behindCursor, type IdRange, idRange, within } from "./id-range.ts";
import type { PageRequest } from "./page-request.ts";
import { type RawRow, ROW_COLUMNS } from "./profile-rows.ts";
import type { Statements } from "./statements.ts";

/** Microseconds, measured at 1 000 000 rows: a row passed by in each scan, a series looked up, a row gathered (docs/decisions/catalog.md). */
const COST = { byId: 0.08, byGroup: 0.12, series: 0.5, gathered: 0.1 };

const SAME_ROW = "p.service_id = k.service_id AND p.type_id = k.type_id AND p.profile_id = k.profile_id";
const EXACT = "p.seq <= @maxSeq AND p.time_ns >= @startNs AND p.time_ns <= @lastNs";

type Scan = { kind: "byId" } | { kind: "byGroup"; serviceId: number; typeId: number };

/** Of a scan, in one read transaction: 1 to 20 ms. */
export const CHUNK_ROWS = 10_000;

export class PageReader {
  readonly #statements: Statements;
  readonly #chunkRows: number;

  /** A scan that skips rows looks at `chunkRows` at first, at most, before it is asked whether gathering were cheaper. */
  constructor(statements: Statements, chunkRows: number) {
    this.#statements = statements;
    this.#chunkRows = chunkRows;
  }

  page(request: PageRequest): RawRow[] {
    const { selection, interval, order, afterId } = request;
    const whole = idRange(interval);
    if (whole === undefined || selection.rows === 0) return [];
    const range = behindCursor(within(whole, selection.firstMs, selection.lastMs), order, afterId);
    if (selection.series) return this.#filtered(request, selection.series, range);
    if (selection.everything) return this.#scan({ kind: "byId" }, request, range, undefined);
    const pages = selection.groups.flatMap((group) =>
      this.#scan({ kind: "byGroup", ...group }, request, range, undefined),
    );
    return selection.groups.length === 1 ? pages : sortRows(pages, order).slice(0, request.limit);
  }

  #filtered(request: PageRequest, series: Uint8Array<ArrayBuffer>, range: IdRange): RawRow[] {
    const { selection, order, limit } = request;
    const [group] = selection.groups;
    const gatherCost = selection.seriesCount * COST.series + selection.rows * COST.gathered;
    const passed = (rows: number) => rows * Math.min(1, limit / selection.rows);
    const idCost = passed(selection.totalRows) * COST.byId;
    const groupCost = selection.groups.length === 1 ? passed(group!.rows) * COST.byGroup : Number.POSITIVE_INFINITY;
    if (gatherCost < idCost && gatherCost < groupCost) return this.#gather(request, series, range);

    const scan: Scan = groupCost < idCost ? { kind: "byGroup", ...group! } : { kind: "byId" };
    const found: RawRow[] = [];
    let rest = range;
    let spent = 0;
    // Four times what it should take, if the selected lie evenly among the others.
    const expected = passed(scan.kind === "byId" ? selection.totalRows : group!.rows) * 4;
    for (let chunk = Math.ceil(Math.min(expected, this.#chunkRows)); ; chunk *= 4) {
      const edge = this.#edge(scan, order, rest, chunk);
      const part = edge === undefined ? rest : upTo(rest, order, edge);
      found.push(...this.#scan(scan, { ...request, limit: limit - found.length }, part, series));
      if (found.length === limit || edge === undefined) return found;
      rest = from(rest, order, edge);
      spent += chunk * COST[scan.kind];
      // The selected profiles lie elsewhere than their number promised.
      if (spent >= gatherCost)
        return [...found, ...this.#gather({ ...request, limit: limit - found.length }, series, rest)];
    }
  }

  #scan({ kind, ...group }: Scan, request: PageRequest, range: IdRange, series: Buffer | Uint8Array | undefined) {
    const { order, limit, maxSeq } = request;
    const isNewest = order === "newest";
    const direction = isNewest ? "DESC" : "ASC";
    const source = kind === "byId" ? "k" : "p";
    const statement = this.#statements.exact(
      `SELECT ${ROW_COLUMNS} FROM ${
        kind === "byId"
          ? `profile k INDEXED BY profile_by_id CROSS JOIN profile p ON ${SAME_ROW} WHERE`
          : "profile p NOT INDEXED WHERE p.service_id = @serviceId AND p.type_id = @typeId AND"
      } ${source}.profile_id >= @low AND ${source}.profile_id < @high
      ${series ? `AND substr(@series, ${source}.series_id + 1, 1) = x'01'` : ""}
      AND ${EXACT} ORDER BY ${source}.profile_id ${direction} LIMIT @limit`,
    );
    return statement.all({
      ...range,
      ...group,
      limit,
      maxSeq,
      ...(series && { series: asBuffer(series) }),
    }) as RawRow[];
  }

  /** The id that stands `chunk` rows behind the start of the range, or undefined when the range ends before. */
  #edge({ kind, ...group }: Scan, order: "newest" | "oldest", { low, high }: IdRange, chunk: number) {
    const row = this.#statements
      .exact(
        `SELECT profile_id FROM ${
          kind === "byId"
            ? "profile INDEXED BY profile_by_id WHERE"
            : "profile NOT INDEXED WHERE service_id = @serviceId AND type_id = @typeId AND"
        } profile_id >= @low AND profile_id < @high ORDER BY profile_id ${order === "newest" ? "DESC" : "ASC"} LIMIT 1 OFFSET @chunk`,
      )
      .get({ low, high, chunk, ...group }) as [Buffer] | undefined;
    return row?.[0];
  }

  #gather(request: PageRequest, series: Uint8Array, range: IdRange): RawRow[] {
    const { order, limit, maxSeq } = request;
    const statement = this.#statements.exact(
      `SELECT ${ROW_COLUMNS}, ${EXACT} FROM (
        SELECT k.service_id, k.type_id, k.profile_id FROM json_each(@ids) j
        CROSS JOIN profile k INDEXED BY profile_by_series
          ON k.series_id = j.value AND k.profile_id >= @low AND k.profile_id < @high
        ORDER BY k.profile_id ${order === "newest" ? "DESC" : "ASC"} LIMIT @limit
      ) k CROSS JOIN profile p ON ${SAME_ROW}`,
    );
    const ids = JSON.stringify(selectedIds(series));
    const found: RawRow[] = [];
    for (let rest = range; ; ) {
      const wanted = limit - found.length;
      const rows = sortRows(statement.all({ ...rest, ids, limit: wanted, maxSeq }) as RawRow[], order);
      for (const row of rows) if (row.pop() === 1n) found.push(row);
      if (rows.length < wanted || found.length === limit) return found;
      rest = behindCursor(rest, order, rows.at(-1)![0]);
    }
  }
}

export function selectedIds(series: Uint8Array): number[] {
  const ids: number[] = [];
  for (let at = series.indexOf(1); at >= 0; at = series.indexOf(1, at + 1)) ids.push(at);
  return ids;
}

export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function sortRows(rows: RawRow[], order: "newest" | "oldest"): RawRow[] {
  return rows.sort((a, b) => (order === "newest" ? Buffer.compare(b[0], a[0]) : Buffer.compare(a[0], b[0])));
}

/** The part of the range before `edge` in the order, and the rest from it on. */
function upTo(range: IdRange, order: "newest" | "oldest", edge: Buffer): IdRange {
  return order === "newest" ? behindCursor(range, "oldest", edge) : { ...range, high: edge };
}

function from(range: IdRange, order: "newest" | "oldest", edge: Buffer): IdRange {
  return order === "newest" ? { ...range, high: Buffer.concat([edge, Buffer.alloc(1)]) } : { ...range, low: edge };
}
