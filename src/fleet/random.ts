// Seeded pseudo-random numbers: the same seed gives the same sequence on every machine.

export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
    // Small neighbouring seeds start alike; a few rounds part them.
    for (let round = 0; round < 4; round++) this.uint32();
  }

  uint32(): number {
    // Mulberry32: one addition and two multiplications, full period of 2^32.
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  /** In [0, 1). */
  fraction(): number {
    return this.uint32() / 2 ** 32;
  }

  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + Math.floor(this.fraction() * (high - low + 1));
  }

  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  /** Throws on an empty list. */
  pick<Entry>(entries: readonly Entry[]): Entry {
    if (entries.length === 0) throw new Error("Cannot pick from an empty list");
    return entries[this.between(0, entries.length - 1)]!;
  }
}
