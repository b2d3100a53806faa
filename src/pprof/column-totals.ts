// Sums of int64 columns that wrap as Go's do, and know whether they did.

const TWO_32 = 0x1_0000_0000;

/** Per column: the sum as it wrapped, in decimal, and by how many 2^64 it is off. */
export type TotalsState = [sum: string, overflows: number][];

export class ColumnTotals {
  /** Low and high halves of each sum. */
  readonly #sums: Int32Array;
  /** How often each sum went over 2^63 upwards, less how often downwards: not 0 means that it is off by that many 2^64. */
  readonly #overflows: Float64Array;

  constructor(columns: number) {
    this.#sums = new Int32Array(columns * 2);
    this.#overflows = new Float64Array(columns);
  }

  /** `values` holds the halves of one value per column, from `start` on. */
  add(values: Int32Array, start = 0): void {
    const width = this.#sums.length;
    for (let at = 0; at < width; at += 2) this.#addTo(at, values[start + at]!, values[start + at + 1]!);
  }

  /** Adds the sums of others; `places` tells where they have each column. */
  absorb(state: TotalsState, places: Int32Array): void {
    places.forEach((place, column) => {
      const [sum, overflows] = state[place]!;
      const value = BigInt(sum);
      this.#addTo(column * 2, Number(BigInt.asIntN(32, value)), Number(value >> 32n));
      this.#overflows[column]! += overflows;
    });
  }

  get state(): TotalsState {
    return this.totals.map((total, column) => [String(total), this.#overflows[column]!]);
  }

  #addTo(at: number, valueLo: number, valueHi: number): void {
    const sums = this.#sums;
    const lo = (sums[at]! >>> 0) + (valueLo >>> 0);
    const hi = sums[at + 1]! + valueHi + (lo >= TWO_32 ? 1 : 0);
    if (hi !== (hi | 0)) this.#overflows[at >> 1]! += hi > 0 ? 1 : -1;
    sums[at] = lo;
    sums[at + 1] = hi;
  }

  get totals(): bigint[] {
    const totals: bigint[] = [];
    for (let at = 0; at < this.#sums.length; at += 2) {
      totals.push((BigInt(this.#sums[at + 1]!) << 32n) | BigInt(this.#sums[at]! >>> 0));
    }
    return totals;
  }

  /** Whether the true sum of each column does not fit int64. */
  get wrapped(): boolean[] {
    return Array.from(this.#overflows, (count) => count !== 0);
  }
}
