// Sums of a pack's rows over some of its profiles. No symbols are looked at.

import type { TotalsState } from "../pprof/column-totals.ts";
import { type Block, decodeBlock } from "./block.ts";
import type { Pack } from "./format.ts";
import { BLOCK_PROFILES, type PackProfiles } from "./pack-profiles.ts";

const TWO_32 = 2 ** 32;
/** So many halves of 32 bits can be added in a double without loss. */
const ENTRIES_EXACT = 2 ** 20;

export interface PackSums {
  /** The pack's rows with a sum that is not 0, ascending. */
  rows: Int32Array;
  /** Low and high halves: row after row, column after column. Sums wrap as int64 does. */
  sums: Int32Array;
  totals: TotalsState;
}

/**
 * Adds `weights` times the values of each of `profiles` (rows of the pack, as PackProfiles has them; those without rows in it are passed over). Default
 * weight: 1; others: -1. Throws `unavailable`, naming the section that is damaged.
 */
export function sumProfiles(
  pack: Pack,
  heads: PackProfiles,
  rowCount: number,
  profiles: ArrayLike<number>,
  weights?: ArrayLike<number>,
): PackSums {
  const sums = new Sums(rowCount, pack.columns);
  const order = Float64Array.from({ length: profiles.length }, (_, at) => profiles[at]! * TWO_32 + at).sort();
  let block: Block | undefined;
  for (const key of order) {
    const profile = Math.floor(key / TWO_32);
    const part = Math.floor(profile / BLOCK_PROFILES);
    if (heads.rowCounts[profile] === 0) continue;
    if (block?.first !== part * BLOCK_PROFILES) block = decodeBlock(pack, heads, part, rowCount);
    sums.add(block, profile - block.first, weights?.[key % TWO_32] ?? 1);
  }
  return sums.finish();
}

/** Halves are added apart, as doubles; carries wait until many were added. */
class Sums {
  readonly #rowCount: number;
  readonly #low: Float64Array[];
  readonly #high: Float64Array[];
  readonly #totals: bigint[];
  #entries = 0;

  constructor(rowCount: number, columns: number) {
    this.#rowCount = rowCount;
    this.#low = Array.from({ length: columns }, () => new Float64Array(rowCount));
    this.#high = Array.from({ length: columns }, () => new Float64Array(rowCount));
    this.#totals = new Array(columns).fill(0n);
  }

  add({ ends, rows, values }: Block, profile: number, weight: number): void {
    const start = ends[profile]!;
    const end = ends[profile + 1]!;
    this.#entries += end - start;
    if (this.#entries > ENTRIES_EXACT) {
      this.#carry();
      this.#entries = end - start;
    }
    values.forEach((column, at) => {
      const low = this.#low[at]!;
      const high = this.#high[at]!;
      let totalLow = 0;
      let totalHigh = 0;
      for (let entry = start; entry < end; entry++) {
        const row = rows[entry]!;
        const lo = (column[entry * 2]! >>> 0) * weight;
        low[row] = low[row]! + lo;
        totalLow += lo;
        const hi = column[entry * 2 + 1]!;
        if (hi === 0) continue;
        high[row] = high[row]! + hi * weight;
        totalHigh += hi * weight;
      }
      this.#totals[at]! += BigInt(totalHigh) * BigInt(TWO_32) + BigInt(totalLow);
    });
  }

  finish(): PackSums {
    this.#carry();
    const columns = this.#low.length;
    const rows = new Int32Array(this.#rowCount);
    let count = 0;
    for (let row = 0; row < this.#rowCount; row++) {
      if (this.#low.some((low, column) => low[row] !== 0 || this.#high[column]![row] !== 0)) rows[count++] = row;
    }
    const sums = new Int32Array(count * columns * 2);
    for (let at = 0; at < count; at++) {
      for (let column = 0; column < columns; column++) {
        sums[(at * columns + column) * 2] = this.#low[column]![rows[at]!]!;
        sums[(at * columns + column) * 2 + 1] = this.#high[column]![rows[at]!]!;
      }
    }
    return { rows: rows.slice(0, count), sums, totals: this.#totals.map(wrappedTotal) };
  }

  /** Brings all halves into 32 bits. */
  #carry(): void {
    this.#low.forEach((low, column) => {
      const high = this.#high[column]!;
      for (let row = 0; row < low.length; row++) {
        const carry = Math.floor(low[row]! / TWO_32);
        if (carry !== 0) {
          low[row] = low[row]! - carry * TWO_32;
          high[row] = high[row]! + carry;
        }
        high[row] = high[row]! | 0;
      }
    });
  }
}

/** As ColumnTotals tells it. */
function wrappedTotal(total: bigint): TotalsState[number] {
  const wrapped = BigInt.asIntN(64, total);
  return [String(wrapped), Number((total - wrapped) >> 64n)];
}
