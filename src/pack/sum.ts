// Sums of a pack's rows over some of its profiles. No symbols are looked at.

import type { TotalsState } from "../pprof/column-totals.ts";
import { type Block, openBlock } from "./block.ts";
import type { DecodedPack } from "./decoded-pack.ts";
import { hasSection } from "./format.ts";
import { BLOCK_PROFILES } from "./pack-profiles.ts";
import { decodeTotals, type PackTotals } from "./totals.ts";

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
 * Adds the values of `profiles` (their rows in the pack, as PackProfiles has them, each once); those that are in the pack by their bytes alone
 * are passed over. Throws `unavailable`, naming the section that is damaged.
 */
export function sumProfiles(decoded: DecodedPack, profiles: ArrayLike<number>): PackSums {
  const { pack, profiles: heads, tables } = decoded;
  const isChosen = new Uint8Array(heads.count);
  for (let at = 0; at < profiles.length; at++) isChosen[profiles[at]!] = 1;
  let [chosen, others] = [0, 0];
  for (let row = 0; row < heads.count; row++) {
    if (isChosen[row] === 0) others += heads.rowCounts[row]!;
    else chosen += heads.rowCounts[row]!;
  }
  const rowCount = tables.rowNodes.length;
  // What was left out is taken away again where that is less.
  const start = chosen > others && hasSection(pack, "totals") ? decodeTotals(pack, heads, rowCount) : undefined;
  if (start && others === 0) return liveSums(start, rowCount);
  const sums = new RowTotals(rowCount, pack.columns);
  if (start) sums.start(start);
  addProfiles(sums, decoded, (row) => (start ? isChosen[row]! - 1 : isChosen[row]!));
  return liveSums(sums.all(), rowCount);
}

/** Adds each profile of the pack as often as `weightOf` says: a whole number of up to 2^16, or less than nothing. */
export function sumWeighted(decoded: DecodedPack, weightOf: (row: number) => number): PackSums {
  const sums = new RowTotals(decoded.tables.rowNodes.length, decoded.pack.columns);
  addProfiles(sums, decoded, weightOf);
  return liveSums(sums.all(), sums.rowCount);
}

function addProfiles(sums: RowTotals, decoded: DecodedPack, weightOf: (row: number) => number): void {
  const { profiles: heads } = decoded;
  let block: Block | undefined;
  for (let row = 0; row < heads.count; row++) {
    const weight = weightOf(row);
    if (weight === 0 || heads.rowCounts[row] === 0) continue;
    const part = Math.floor(row / BLOCK_PROFILES);
    if (block?.first !== part * BLOCK_PROFILES) block = openBlock(decoded, part);
    block.fill?.(row - block.first);
    sums.add(block, row - block.first, weight);
  }
}

/** Halves are added apart, as doubles; carries wait until many were added. */
export class RowTotals {
  readonly rowCount: number;
  readonly #low: Float64Array[];
  readonly #high: Float64Array[];
  readonly #totals: bigint[];
  #entries = 0;

  constructor(rowCount: number, columns: number) {
    this.rowCount = rowCount;
    this.#low = Array.from({ length: columns }, () => new Float64Array(rowCount));
    this.#high = Array.from({ length: columns }, () => new Float64Array(rowCount));
    this.#totals = new Array(columns).fill(0n);
  }

  add(block: Block, profile: number, weight: number): void {
    const end = block.ends[profile + 1]!;
    const atOnce = Math.floor(ENTRIES_EXACT / Math.abs(weight));
    for (let from = block.ends[profile]!; from < end; from += atOnce) {
      this.#addEntries(block, from, Math.min(from + atOnce, end), weight);
    }
  }

  #addEntries({ rows, values }: Block, start: number, end: number, weight: number): void {
    const entries = (end - start) * Math.abs(weight);
    this.#entries += entries;
    if (this.#entries > ENTRIES_EXACT) {
      this.#carry();
      this.#entries = entries;
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

  /** Begins with these instead of nothing. */
  start({ sums, totals }: PackTotals): void {
    sums.forEach((column, at) => {
      for (let row = 0; row < this.rowCount; row++) {
        this.#low[at]![row] = column[row * 2]! >>> 0;
        this.#high[at]![row] = column[row * 2 + 1]!;
      }
      const [sum, overflows] = totals[at]!;
      this.#totals[at] = BigInt(sum) + (BigInt(overflows) << 64n);
    });
  }

  all(): PackTotals {
    this.#carry();
    const sums = this.#low.map((low, column) => {
      const halves = new Int32Array(this.rowCount * 2);
      for (let row = 0; row < this.rowCount; row++) {
        halves[row * 2] = low[row]!;
        halves[row * 2 + 1] = this.#high[column]![row]!;
      }
      return halves;
    });
    return { sums, totals: this.#totals.map(wrappedTotal) };
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

/** What of all sums is not 0. */
function liveSums({ sums, totals }: PackTotals, rowCount: number): PackSums {
  const columns = sums.length;
  const bits = new Int32Array(rowCount);
  for (const column of sums) {
    for (let row = 0; row < rowCount; row++) bits[row]! |= column[row * 2]! | column[row * 2 + 1]!;
  }
  const rows = new Int32Array(rowCount);
  let count = 0;
  for (let row = 0; row < rowCount; row++) if (bits[row] !== 0) rows[count++] = row;
  const live = new Int32Array(count * columns * 2);
  sums.forEach((column, place) => {
    let to = place * 2;
    for (let at = 0; at < count; at++, to += columns * 2) {
      live[to] = column[rows[at]! * 2]!;
      live[to + 1] = column[rows[at]! * 2 + 1]!;
    }
  });
  return { rows: rows.slice(0, count), sums: live, totals };
}

/** As ColumnTotals tells it. */
function wrappedTotal(total: bigint): TotalsState[number] {
  const wrapped = BigInt.asIntN(64, total);
  return [String(wrapped), Number((total - wrapped) >> 64n)];
}
