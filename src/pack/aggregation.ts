// What sums alone do not tell of snapshots: means over time, and increases of what counts since a process began.

import { blockCount, decodeBlock } from "./block.ts";
import type { DecodedPack } from "./decoded-pack.ts";
import { BLOCK_PROFILES } from "./pack-profiles.ts";

/**
 * The sums of each profile's columns, profile after profile in the order of the pack; they wrap as int64 does. 0 for profiles that are not
 * chosen, and for those that are in the pack by their bytes alone. Throws `unavailable`, naming the section that is damaged.
 */
export function columnTotals(decoded: DecodedPack, isChosen: (row: number) => boolean = () => true): BigInt64Array {
  const { profiles, pack } = decoded;
  const totals = new BigInt64Array(profiles.count * pack.columns);
  for (let part = 0; part < blockCount(profiles.count); part++) {
    const first = part * BLOCK_PROFILES;
    const places = Array.from({ length: Math.min(BLOCK_PROFILES, profiles.count - first) }, (_, place) => place);
    const chosen = places.filter((place) => profiles.rowCounts[first + place]! > 0 && isChosen(first + place));
    if (chosen.length === 0) continue;
    const { ends, values } = decodeBlock(decoded, part);
    for (const place of chosen) {
      values.forEach((halves, column) => {
        totals[(first + place) * pack.columns + column] = sumOfHalves(halves, ends[place]!, ends[place + 1]!);
      });
    }
  }
  return totals;
}

/** A profile has at most 2^20 rows, so that neither sum of halves loses a bit. */
function sumOfHalves(halves: Int32Array, start: number, end: number): bigint {
  let low = 0;
  let high = 0;
  for (let at = start; at < end; at++) {
    low += halves[at * 2]! >>> 0;
    high += halves[at * 2 + 1]!;
  }
  return (BigInt(high) << 32n) + BigInt(low);
}

/**
 * How often each of a series' profiles counts in its increase from the first to the last, 1, 0 or -1 times, given the total of a column
 * that only grows while its process runs, in order of time. Where it drops, a process began anew, from nothing.
 */
export function increaseWeights(totals: ArrayLike<bigint>): Int8Array {
  const weights = new Int8Array(totals.length);
  for (let at = 0; at < totals.length; at++) {
    const isLast = at + 1 === totals.length || totals[at + 1]! < totals[at]!;
    weights[at] = Number(isLast) - Number(at === 0);
  }
  return weights;
}

/** Half to even. `divisor` is positive. */
export function roundedQuotient(dividend: bigint, divisor: bigint): bigint {
  let quotient = dividend / divisor;
  let rest = dividend % divisor;
  if (rest < 0n) {
    quotient -= 1n;
    rest += divisor;
  }
  const isUp = rest * 2n > divisor || (rest * 2n === divisor && quotient % 2n !== 0n);
  return isUp ? quotient + 1n : quotient;
}

export function leastCommonMultiple(a: bigint, b: bigint): bigint {
  let [x, y] = [a, b];
  while (y !== 0n) [x, y] = [y, x % y];
  return (a / x) * b;
}
