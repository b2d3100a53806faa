// Ids of shared tables → the numbers 1, 2, 3 … that one profile gives them, in the order in which it comes upon them.

import { grown } from "../../pprof/grow.ts";

export class Numbering {
  /** Number of each id; 0 for none yet. */
  #numbers: Int32Array = new Int32Array(1024);
  /** The ids, by number less 1. */
  ids: Int32Array = new Int32Array(512);
  count = 0;

  /** Forgets all numbers; ids are below `idCount` from now on. */
  start(idCount: number): void {
    if (this.#numbers.length < idCount) this.#numbers = grown(new Int32Array(this.#numbers.length), idCount);
    else for (let at = 0; at < this.count; at++) this.#numbers[this.ids[at]!] = 0;
    this.count = 0;
  }

  /** The number of `id`, or 0. */
  get(id: number): number {
    return this.#numbers[id]!;
  }

  /** The number of `id`, which is given one when it has none. */
  of(id: number): number {
    const known = this.#numbers[id]!;
    return known !== 0 ? known : this.add(id);
  }

  /** Gives `id`, which has none, the next number. */
  add(id: number): number {
    this.ids = grown(this.ids, this.count + 1);
    this.ids[this.count++] = id;
    this.#numbers[id] = this.count;
    return this.count;
  }
}
