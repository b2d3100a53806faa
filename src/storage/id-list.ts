// A growing list of 32-bit ids in a typed array. Pushed in ascending order it is a posting list.

export class IdList {
  #ids: Uint32Array;
  length = 0;

  constructor(capacity = 4) {
    this.#ids = new Uint32Array(capacity);
  }

  push(id: number): void {
    if (this.length === this.#ids.length) {
      const grown = new Uint32Array(Math.max(8, this.#ids.length * 2));
      grown.set(this.#ids);
      this.#ids = grown;
    }
    this.#ids[this.length++] = id;
  }

  /** Undefined where `length` ends. */
  at(position: number): number | undefined {
    return position < this.length ? this.#ids[position] : undefined;
  }

  /** The ids themselves, not a copy; the next push may leave it behind. */
  view(): Uint32Array {
    return this.#ids.subarray(0, this.length);
  }
}
