// Growing typed arrays and open-addressing tables: capacity doubles, content stays.

/** `array` itself when it holds `needed` elements, else a larger copy of it. */
export function grown(array: Int32Array, needed: number): Int32Array {
  if (needed <= array.length) return array;
  const larger = new Int32Array(Math.max(needed, array.length * 2));
  larger.set(array);
  return larger;
}

/** The power of two that keeps an open-addressing table of `count` entries at most half full. */
export function slotsFor(count: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(16, count * 2)));
}

/** The pairs (hash, id + 1) of an open-addressing table, spread over `slots` places. */
export function rehashed(pairs: Int32Array, slots: number): Int32Array {
  const larger = new Int32Array(slots * 2);
  for (let at = 0; at < pairs.length; at += 2) {
    if (pairs[at + 1] === 0) continue;
    let slot = pairs[at]! & (slots - 1);
    while (larger[slot * 2 + 1] !== 0) slot = (slot + 1) & (slots - 1);
    larger[slot * 2] = pairs[at]!;
    larger[slot * 2 + 1] = pairs[at + 1]!;
  }
  return larger;
}
