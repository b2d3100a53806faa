// Heap profiles of a writer that keeps its rows sorted by space, as Go's runtime does not: their orders follow from values, and these from
// counts of samples.

import { buildProfile } from "../support/profile-builder.ts";
import { Random } from "../support/random.ts";

const RATE = 524_288;
const SIZES = [16, 32, 48, 64, 128, 1024];

/** The same for the same count. The n-th is taken in second n after `startNs`. */
export function heapsBySpace(count: number, startNs = 1_790_000_000_000_000_000n): Uint8Array<ArrayBuffer>[] {
  const random = new Random(7);
  let rows = Array.from({ length: 60 }, (_, nth) => ({
    name: `f${nth}`,
    size: random.pick(SIZES),
    sampled: random.between(1, 3),
  }));
  return Array.from({ length: count }, (_, nth) => {
    for (const row of rows) if (random.chance(0.25)) row.sampled = random.between(1, 3);
    rows = rows.toSorted((a, b) => scaled(b)[1] - scaled(a)[1]);
    return buildProfile({
      sampleTypes: [
        ["inuse_objects", "count"],
        ["inuse_space", "bytes"],
      ],
      periodType: ["space", "bytes"],
      period: BigInt(RATE),
      timeNs: startNs + BigInt(nth) * 1_000_000_000n,
      samples: rows.map((row) => ({
        stack: [row.name, "main"],
        values: scaled(row),
        numbers: [["bytes", BigInt(row.size)]],
      })),
    });
  });
}

/** Objects and bytes, as Go's runtime scales what it sampled. */
function scaled({ size, sampled }: { size: number; sampled: number }): [objects: number, bytes: number] {
  const scale = 1 / (1 - Math.exp(-size / RATE));
  return [Math.floor(sampled * scale), Math.floor(sampled * size * scale)];
}
