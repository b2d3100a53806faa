// Seeded pseudo-random numbers for tests: those of the fleet, and what tests ask for besides.

import { Random as FleetRandom } from "../../src/fleet/random.ts";

export class Random extends FleetRandom {
  uint64(): bigint {
    return (BigInt(this.uint32()) << 32n) | BigInt(this.uint32());
  }

  int64(): bigint {
    return BigInt.asIntN(64, this.uint64());
  }

  /** A new list in random order. */
  shuffle<Entry>(entries: readonly Entry[]): Entry[] {
    const shuffled = [...entries];
    for (let last = shuffled.length - 1; last > 0; last--) {
      const other = this.between(0, last);
      [shuffled[last], shuffled[other]] = [shuffled[other]!, shuffled[last]!];
    }
    return shuffled;
  }
}
