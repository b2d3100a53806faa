// int64 products in halves, wrapping as Go's do.

/** Writes `factor` times the numbers whose halves lie in `from` between `start` and `end` to the same places of `out`. */
export function multiply64(from: Int32Array, start: number, end: number, factor: bigint, out: Int32Array): void {
  const rounded = Number(factor);
  for (let at = start; at < end; at += 2) {
    const product = from[at]! * rounded;
    if (from[at + 1] === 0 && from[at]! >= 0 && product >= 0 && product <= Number.MAX_SAFE_INTEGER) {
      const hi = Math.floor(product / 2 ** 32);
      out[at] = product - hi * 2 ** 32;
      out[at + 1] = hi;
    } else {
      const exact = ((BigInt(from[at + 1]!) << 32n) | BigInt(from[at]! >>> 0)) * factor;
      out[at] = Number(BigInt.asIntN(32, exact));
      out[at + 1] = Number(BigInt.asIntN(32, exact >> 32n));
    }
  }
}
