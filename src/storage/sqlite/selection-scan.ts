// A whole selection in pieces of bounded time, newest first: each piece is one statement that aggregates in SQL, since a row that crosses
// into JavaScript costs ten times the row.

import type { Interval } from "../../model/time.ts";
import type { ResolvedSelection } from "../resolved-selection.ts";
import { type IdRange, idRange, within } from "./id-range.ts";
import { COVERED_UNSETTLED, PACKED } from "./pack-sets.ts";
import { asBuffer, selectedIds } from "./page-reader.ts";
import type { Statements } from "./statements.ts";

export interface ScanRequest {
  selection: ResolvedSelection;
  interval?: Interval;
  maxSeq: number;
  /** Set: only profiles that are in no pack, `packed` being how many there are beside them, and whether sets are unsettled. */
  loose?: { packed: number; unsettled: boolean };
}

/** So many rows are gathered in one statement at most: 150 ms. */
const GATHER_ROWS = 50_000;
/** Microseconds for a row gathered one by one, for one passed by in a scan, and for one found by the index of loose rows. */
const COST = { gathered: 3, passed: 0.15, loose: 1.5 };

const EXACT = "p.seq <= @maxSeq AND p.time_ns >= @startNs AND p.time_ns <= @lastNs";

/** SQL for the rows that count, apart from their series. */
function exactSql({ loose }: ScanRequest): string {
  if (loose === undefined) return EXACT;
  return `${EXACT} AND p.flags & ${PACKED} = 0${loose.unsettled ? ` AND NOT (${COVERED_UNSETTLED})` : ""}`;
}

export class SelectionScan {
  readonly #statements: Statements;
  readonly #chunkRows: number;

  constructor(statements: Statements, chunkRows: number) {
    this.#statements = statements;
    this.#chunkRows = chunkRows;
  }

  /**
   * Calls `take` with the aggregates of each piece. `aggregate` is SQL over `p` for the rows for which `matches`, SQL too, holds.
   * `more` holds further parameters of it, and is read anew for each piece.
   */
  forEach(
    request: ScanRequest,
    aggregate: (matches: string) => string,
    more: Record<string, unknown>,
    take: (values: unknown[]) => void,
  ): void {
    const { selection, interval, maxSeq, loose } = request;
    const whole = idRange(interval);
    if (whole === undefined || selection.rows === 0) return;
    const range = within(whole, selection.firstMs, selection.lastMs);
    const looseRows = loose ? this.#countLoose(selection, range) : 0;
    if (loose && looseRows === 0) return;
    const groupRows = selection.groups.reduce((sum, { rows }) => sum + rows, 0);
    const scanCost = loose
      ? Math.min(looseRows * COST.loose, (looseRows + loose.packed) * COST.passed)
      : groupRows * COST.passed;
    const gathers = selection.rows <= GATHER_ROWS && selection.rows * COST.gathered < scanCost;
    const exact = exactSql(request);
    if (selection.series && gathers) {
      const ids = JSON.stringify(selectedIds(selection.series));
      take(this.#gather(aggregate(exact), { ...more, ...range, maxSeq, ids }));
      return;
    }
    const byLoose = loose !== undefined && looseRows * COST.loose === scanCost;
    const rows = byLoose
      ? `profile INDEXED BY profile_loose WHERE flags & ${PACKED} = 0 AND`
      : "profile NOT INDEXED WHERE";
    const matches = selection.series ? `substr(@series, p.series_id + 1, 1) = x'01' AND ${exact}` : exact;
    for (const group of selection.groups)
      this.#scanGroup(
        { ...group, maxSeq },
        range,
        selection.series,
        { rows, aggregate: aggregate(matches) },
        more,
        take,
      );
  }

  /** Those of its services and types in the range, whatever their series. An index alone answers it. */
  #countLoose({ groups }: ResolvedSelection, { low, high }: IdRange): number {
    const statement = this.#statements.plain(
      `SELECT count(*) FROM profile INDEXED BY profile_loose WHERE flags & ${PACKED} = 0
      AND service_id = @serviceId AND type_id = @typeId AND profile_id >= @low AND profile_id < @high`,
    );
    return groups.reduce(
      (sum, { serviceId, typeId }) => sum + (statement.get({ serviceId, typeId, low, high }) as [number])[0],
      0,
    );
  }

  #scanGroup(
    group: { serviceId: number; typeId: number; maxSeq: number },
    range: IdRange,
    series: Uint8Array | undefined,
    sql: { rows: string; aggregate: string },
    more: Record<string, unknown>,
    take: (values: unknown[]) => void,
  ): void {
    const statement = this.#statements.exact(
      `SELECT ${sql.aggregate}, count(*), min(p.profile_id) FROM (
        SELECT * FROM ${sql.rows}
        service_id = @serviceId AND type_id = @typeId AND profile_id >= @low AND profile_id < @high
        ORDER BY profile_id DESC LIMIT @chunkRows
      ) p`,
    );
    for (let { high } = range; ; ) {
      const values = statement.get({
        ...more,
        ...group,
        ...range,
        high,
        chunkRows: this.#chunkRows,
        ...(series && { series: asBuffer(series) }),
      }) as unknown[];
      const last = values.pop() as Buffer;
      const scanned = values.pop() as bigint;
      take(values);
      if (scanned < this.#chunkRows) return;
      high = last;
    }
  }

  #gather(aggregate: string, parameters: Record<string, unknown>): unknown[] {
    return this.#statements
      .exact(
        `SELECT ${aggregate} FROM json_each(@ids) j
      CROSS JOIN profile k INDEXED BY profile_by_series
        ON k.series_id = j.value AND k.profile_id >= @low AND k.profile_id < @high
      CROSS JOIN profile p ON p.service_id = k.service_id AND p.type_id = k.type_id AND p.profile_id = k.profile_id`,
      )
      .get(parameters) as unknown[];
  }
}
