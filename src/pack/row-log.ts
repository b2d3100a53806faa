// Rows and values of the profiles that were added to a pack, in the order written, until all rows are known and can be numbered.

import { WireWriter } from "../pprof/wire-writer.ts";
import { NumberReader } from "./number-columns.ts";

export class RowLog {
  readonly #columns: number;
  readonly #out = new WireWriter(64 * 1024);
  /** 1 for each row of the interner that a profile has. */
  isUsed: Uint8Array = new Uint8Array(1024);

  constructor(columns: number) {
    this.#columns = columns;
  }

  get bytes(): number {
    return this.#out.length + this.isUsed.length;
  }

  /** `values` are halves: row after row, column after column. */
  add(rows: Int32Array, values: Int32Array, count: number): void {
    const out = this.#out;
    for (let at = 0; at < count; at++) {
      const row = rows[at]!;
      out.varint(row);
      if (row >= this.isUsed.length) {
        const larger = new Uint8Array(row * 2);
        larger.set(this.isUsed);
        this.isUsed = larger;
      }
      this.isUsed[row] = 1;
    }
    for (let column = 0; column < this.#columns; column++) {
      for (let at = column * 2; at < count * this.#columns * 2; at += this.#columns * 2) {
        out.varint64(values[at]!, values[at + 1]!);
      }
    }
  }

  /** Reads the profiles from the first one on. */
  replay(): (count: number) => LoggedRows {
    const from = new NumberReader("log", this.#out.finish());
    return (count) => ({
      rows: from.numbers(count),
      values: Array.from({ length: this.#columns }, () => from.wide(count)),
    });
  }
}

export interface LoggedRows {
  rows: Int32Array;
  /** Of each column low and high halves. */
  values: Int32Array[];
}
