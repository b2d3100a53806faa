// The values of rows: int64 sums, a pair of halves per row and column, in one array.

import { grown } from "./grow.ts";

export class RowSums {
  /** Integers per row: two per column. */
  readonly width: number;
  values: Int32Array = new Int32Array(1024);

  constructor(columns: number) {
    this.width = columns * 2;
  }

  /** Adds to each of `rows` the next `width` integers of `values`; sums wrap as Go's int64 does. `rowCount` bounds the rows. */
  add(rows: Int32Array, count: number, values: Int32Array, rowCount: number): void {
    const { width } = this;
    this.values = grown(this.values, rowCount * width);
    const sums = this.values;
    let from = 0;
    for (let at = 0; at < count; at++) {
      const start = rows[at]! * width;
      for (let to = start; to < start + width; to += 2, from += 2) {
        const lo = (sums[to]! >>> 0) + (values[from]! >>> 0);
        sums[to] = lo;
        sums[to + 1] = sums[to + 1]! + values[from + 1]! + (lo > 0xffff_ffff ? 1 : 0);
      }
    }
  }

  /** Those of the first `rowCount` rows that have a value other than 0. */
  liveRows(rowCount: number): Int32Array {
    const { width, values } = this;
    // Rows of a profile that proved damaged have no sums yet.
    const count = width === 0 ? 0 : Math.min(rowCount, values.length / width);
    const live = new Int32Array(count);
    let length = 0;
    for (let row = 0; row < count; row++) {
      let bits = 0;
      for (let at = row * width; at < (row + 1) * width; at++) bits |= values[at]!;
      if (bits !== 0) live[length++] = row;
    }
    return live.subarray(0, length);
  }
}
