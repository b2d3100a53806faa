// What sums alone do not tell of snapshots: means over time, and increases of what counts since a process began.

import { blockCount, decodeBlock } from "./block.ts";
import type { DecodedPack } from "./decoded-pack.ts";
import { BLOCK_PROFILES } from "./pack-profiles.ts";
import { type PackSums, sumProfiles, wrappedTotal } from "./sum.ts";

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

/**
 * The sum, over groups of profiles, of each group's mean. A group is a series' profiles, by their rows in the pack. Each value of the result is
 * rounded once, half to even. Throws `unavailable`, naming the section that is damaged.
 */
export function sumOfMeans(decoded: DecodedPack, groups: readonly ArrayLike<number>[]): PackSums {
  const { columns } = decoded.pack;
  const filled = groups.filter(({ length }) => length > 0);
  const denominator = filled.reduce((product, { length }) => leastCommonMultiple(product, BigInt(length)), 1n);
  const numerators = new Map<number, bigint[]>();
  const totals: bigint[] = new Array(columns).fill(0n);
  for (const group of filled) {
    const factor = denominator / BigInt(group.length);
    const { rows, sums } = sumProfiles(decoded, group);
    rows.forEach((row, at) => {
      const own = numerators.get(row) ?? new Array<bigint>(columns).fill(0n);
      numerators.set(row, own);
      for (let column = 0; column < columns; column++) {
        const half = (at * columns + column) * 2;
        own[column]! += ((BigInt(sums[half + 1]!) << 32n) | BigInt(sums[half]! >>> 0)) * factor;
      }
    });
  }
  const means = [...numerators]
    .map(([row, values]) => ({ row, values: values.map((value) => roundedQuotient(value, denominator)) }))
    .filter(({ values }) => values.some((value) => value !== 0n))
    .sort((a, b) => a.row - b.row);
  for (const { values } of means) {
    for (let column = 0; column < columns; column++) totals[column]! += values[column]!;
  }
  return {
    rows: Int32Array.from(means, ({ row }) => row),
    sums: Int32Array.from(means.flatMap(({ values }) => values.flatMap(halvesOf))),
    totals: totals.map(wrappedTotal),
  };
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

function halvesOf(value: bigint): [low: number, high: number] {
  return [Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n))];
}

export function leastCommonMultiple(a: bigint, b: bigint): bigint {
  let [x, y] = [a, b];
  while (y !== 0n) [x, y] = [y, x % y];
  return (a / x) * b;
}
