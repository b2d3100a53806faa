// The ids of one table of one profile → row indexes. Ids are 64-bit and mostly dense from 1; hashes and addresses occur.

import { grown, slotsFor } from "./grow.ts";
import { HASH_SEED, mix, spread } from "./hash.ts";
import { invalidProfile } from "./invalid-profile.ts";

export class IdMap {
  /** Row + 1 of each id below `denseSize`; 0 for none. */
  dense: Int32Array = new Int32Array(64);
  denseSize = 0;
  /** Triples (id low, id high, row + 1) of the other ids. */
  #sparse: Int32Array = new Int32Array(0);
  #sparseMask = -1;
  #count = 0;

  get bytes(): number {
    return this.dense.byteLength + this.#sparse.byteLength;
  }

  /** Forgets all ids and makes room for `count` of them. */
  reset(count: number): void {
    this.#count = count;
    this.denseSize = count * 2 + 2;
    if (this.dense.length < this.denseSize) this.dense = grown(new Int32Array(0), this.denseSize);
    else this.dense.fill(0, 0, this.denseSize);
    this.#sparseMask = -1;
  }

  /** False when the id is taken. */
  add(lo: number, hi: number, row: number): boolean {
    if (hi === 0 && lo >>> 0 < this.denseSize) {
      if (this.dense[lo] !== 0) return false;
      this.dense[lo] = row + 1;
      return true;
    }
    if (this.#sparseMask < 0) this.#makeSparse();
    const slot = this.#find(lo, hi);
    if (this.#sparse[slot + 2] !== 0) return false;
    this.#sparse[slot] = lo;
    this.#sparse[slot + 1] = hi;
    this.#sparse[slot + 2] = row + 1;
    return true;
  }

  /** The row of an id, or -1. */
  get(lo: number, hi: number): number {
    if (hi === 0 && lo >>> 0 < this.denseSize) return this.dense[lo]! - 1;
    return this.#sparseMask < 0 ? -1 : this.#sparse[this.#find(lo, hi) + 2]! - 1;
  }

  #makeSparse(): void {
    const slots = slotsFor(this.#count);
    if (this.#sparse.length < slots * 3) this.#sparse = new Int32Array(slots * 3);
    else this.#sparse.fill(0, 0, slots * 3);
    this.#sparseMask = slots - 1;
  }

  #find(lo: number, hi: number): number {
    const table = this.#sparse;
    let at = spread(mix(mix(HASH_SEED, lo), hi)) & this.#sparseMask;
    for (; ; at = (at + 1) & this.#sparseMask) {
      const slot = at * 3;
      if (table[slot + 2] === 0 || (table[slot] === lo && table[slot + 1] === hi)) return slot;
    }
  }
}

/** Gives a row its id. Throws `invalid` for ids that are 0 or taken; `what` names the kind of row. */
export function addRow(ids: IdMap, lo: number, hi: number, row: number, what: string): void {
  if ((lo | hi) === 0) invalidProfile(`${what} ${row + 1} has no id, or the reserved id 0`);
  if (!ids.add(lo, hi, row))
    invalidProfile(`${what} ${row + 1} has the id ${idText(lo, hi)}, which another one has too`);
}

/** An unsigned 64-bit id as people write it. */
export function idText(lo: number, hi: number): string {
  return ((BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0)).toString();
}
