// The orders of a form as a plan asks for them: read in turn from its bytes. What is not there is as guessed.

import type { WireReader } from "../../pprof/wire-reader.ts";
import { misfit } from "./misfit.ts";
import { readIds, readNumber, readOrder } from "./table-order.ts";
import type { OrderSource } from "./table-plan.ts";
import { TableRows } from "./table-rows.ts";
import { GUESSES_HOLD, StoredChoices, type TwinChooser } from "./twin-choices.ts";
import type { WriteState } from "./write-state.ts";

/** Bits of the first number of the orders: what follows, in this order. No number, no orders. */
export const ORDERS = {
  locations: 1,
  locationIds: 2,
  frameChoices: 4,
  functions: 8,
  functionIds: 16,
  lineChoices: 32,
  mappingIds: 64,
  strings: 128,
} as const;

export class StoredOrders implements OrderSource {
  readonly #from: WireReader;
  readonly #present: number;
  #frames: TwinChooser = GUESSES_HOLD;
  #lines: TwinChooser = GUESSES_HOLD;

  constructor(from: WireReader) {
    this.#from = from;
    this.#present = from.pos < from.end ? readNumber(from) : 0;
  }

  locations(_frames: Int32Array, entityCount: number): TableRows {
    const rows = this.#rows(ORDERS.locations, ORDERS.locationIds, entityCount);
    if (this.#has(ORDERS.frameChoices)) this.#frames = new StoredChoices(this.#from);
    return rows;
  }

  frameChooser(): TwinChooser {
    return this.#frames;
  }

  functions(_lines: Int32Array, _locations: TableRows, entityCount: number): TableRows {
    const rows = this.#rows(ORDERS.functions, ORDERS.functionIds, entityCount);
    if (this.#has(ORDERS.lineChoices)) this.#lines = new StoredChoices(this.#from);
    return rows;
  }

  lineChooser(): TwinChooser {
    return this.#lines;
  }

  mappingIds(count: number): Int32Array | undefined {
    return this.#has(ORDERS.mappingIds) ? readIds(this.#from, count) : undefined;
  }

  strings({ strings }: WriteState): TableRows {
    const rows = this.#rows(ORDERS.strings, 0, strings.count);
    if (this.#from.pos < this.#from.end) misfit();
    return rows;
  }

  #has(part: number): boolean {
    return (this.#present & part) !== 0;
  }

  #rows(order: number, ids: number, entityCount: number): TableRows {
    const rows = this.#has(order) ? readOrder(this.#from, entityCount) : TableRows.inGuessedOrder(entityCount);
    if (this.#has(ids)) rows.ids = readIds(this.#from, rows.count);
    return rows;
  }
}
