// Growing typed arrays: capacity doubles, content stays.

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
