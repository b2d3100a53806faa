// The rows of one table as written: which entity each is, and under which id. Entities have numbers, in the order in which the
// rows of the profile are guessed to come upon them; a row may also be one that nothing refers to, kept as its bytes.

import { misfit } from "./misfit.ts";

/** Rows kept as their bytes, and rows with twins, of one table: each costs some 200 bytes of memory. More do not occur in earnest. */
export const ODD_ROWS_MAX = 65_536;

export class TableRows {
  readonly count: number;
  /** The number of each row's entity, or 0 for a row that is kept as its bytes. */
  readonly numbers: Int32Array;
  readonly literals: Map<number, Uint8Array>;
  /** Ids of the rows, two halves each; undefined for 1, 2, 3 … */
  ids: Int32Array | undefined;
  /** By number less 1: the row, the first one where several are the same. */
  readonly rowOf: Int32Array;
  /** By number: all rows, ascending, of an entity that is there more than once. */
  readonly twins = new Map<number, number[]>();

  constructor(numbers: Int32Array, literals: Map<number, Uint8Array>, entityCount: number) {
    this.count = numbers.length;
    this.numbers = numbers;
    this.literals = literals;
    this.rowOf = new Int32Array(entityCount).fill(-1);
    let twinCount = 0;
    for (let row = 0; row < numbers.length; row++) {
      const number = numbers[row]!;
      if (number === 0) continue;
      const first = this.rowOf[number - 1]!;
      const twins = this.twins.get(number);
      if (first < 0) this.rowOf[number - 1] = row;
      else if (++twinCount > ODD_ROWS_MAX) misfit();
      else if (twins === undefined) this.twins.set(number, [first, row]);
      else twins.push(row);
    }
  }

  static inGuessedOrder(entityCount: number): TableRows {
    return new TableRows(
      Int32Array.from({ length: entityCount }, (_, at) => at + 1),
      new Map(),
      entityCount,
    );
  }

  get isInGuessedOrder(): boolean {
    return this.count === this.rowOf.length && this.literals.size === 0 && this.numbers.every((n, at) => n === at + 1);
  }

  idLo(row: number): number {
    return this.ids === undefined ? row + 1 : this.ids[row * 2]!;
  }

  idHi(row: number): number {
    return this.ids === undefined ? 0 : this.ids[row * 2 + 1]!;
  }
}
