// A whole selection in pieces of bounded time, newest first: each piece is one statement that aggregates in SQL, since a row that crosses
// into JavaScript costs ten times the row.

import type { Interval } from "../../model/time.ts";
import type { ResolvedSelection } from "../resolved-selection.ts";
import { type IdRange, idRange, within } from "./id-range.ts";
import { asBuffer, selectedIds } from "./page-reader.ts";
import type { Statements } from "./statements.ts";

export interface ScanRequest {
  selection: ResolvedSelection;
  interval?: Interval;
  maxSeq: number;
}

/** So many rows are gathered in one statement at most: 150 ms. */
const GATHER_ROWS = 50_000;
/** Microseconds for a row gathered one by one, and for one passed by in a scan. */
const COST = { gathered: 3, passed: 0.15 };

const EXACT = "p.seq <= @maxSeq AND p.time_ns >= @startNs AND p.time_ns <= @lastNs";

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
    const { selection, interval, maxSeq } = request;
    const whole = idRange(interval);
    if (whole === undefined || selection.rows === 0) return;
    const range = within(whole, selection.firstMs, selection.lastMs);
    const groupRows = selection.groups.reduce((sum, { rows }) => sum + rows, 0);
    const gathers = selection.rows <= GATHER_ROWS && selection.rows * COST.gathered < groupRows * COST.passed;
    if (selection.series && gathers) {
      take(this.#gather(aggregate, { ...more, ...range, maxSeq, ids: JSON.stringify(selectedIds(selection.series)) }));
      return;
    }
    for (const group of selection.groups)
      this.#scanGroup({ ...group, maxSeq }, range, selection.series, aggregate, more, take);
  }

  #scanGroup(
    group: { serviceId: number; typeId: number; maxSeq: number },
    range: IdRange,
    series: Uint8Array | undefined,
    aggregate: (matches: string) => string,
    more: Record<string, unknown>,
    take: (values: unknown[]) => void,
  ): void {
    const matches = series ? `substr(@series, p.series_id + 1, 1) = x'01' AND ${EXACT}` : EXACT;
    const statement = this.#statements.exact(
      `SELECT ${aggregate(matches)}, count(*), min(p.profile_id) FROM (
        SELECT * FROM profile NOT INDEXED
        WHERE service_id = @serviceId AND type_id = @typeId AND profile_id >= @low AND profile_id < @high
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

  #gather(aggregate: (matches: string) => string, parameters: Record<string, unknown>): unknown[] {
    return this.#statements
      .exact(
        `SELECT ${aggregate(EXACT)} FROM json_each(@ids) j
      CROSS JOIN profile k INDEXED BY profile_by_series
        ON k.series_id = j.value AND k.profile_id >= @low AND k.profile_id < @high
      CROSS JOIN profile p ON p.service_id = k.service_id AND p.type_id = k.type_id AND p.profile_id = k.profile_id`,
      )
      .get(parameters) as unknown[];
  }
}
