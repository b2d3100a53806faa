// src/pack/aggregation.ts against sums done by hand.

import { expect, test } from "vitest";
import { columnTotals, increaseWeights, roundedQuotient } from "../../src/pack/aggregation.ts";
import { sumProfiles, sumWeighted } from "../../src/pack/sum.ts";
import { buildProfile } from "../support/profile-builder.ts";
import { decode, packOf } from "./packing.ts";

const FAR = 2n ** 53n + 1n;
const VALUES = [
  [3n, FAR],
  [4n, FAR],
  [8n, -FAR],
  [1n, 0n],
];
const decoded = decode(
  packOf(
    VALUES.map(([main, leaf], nth) =>
      buildProfile({
        sampleTypes: [["inuse_space", "bytes"]],
        timeNs: BigInt(nth + 1),
        samples: [
          { stack: ["main"], values: [main!] },
          { stack: ["leaf", "main"], values: [leaf!] },
        ],
      }),
    ),
  ),
);

function valuesOf({ sums }: { sums: Int32Array }): bigint[] {
  return Array.from(
    { length: sums.length / 2 },
    (_, at) => (BigInt(sums[at * 2 + 1]!) << 32n) | BigInt(sums[at * 2]! >>> 0),
  );
}

test("columnTotals() has the sum of each profile's columns, and 0 for those that are not chosen", () => {
  expect([...columnTotals(decoded)]).toEqual([FAR + 3n, FAR + 4n, 8n - FAR, 1n]);
  expect([...columnTotals(decoded, (row) => row === 1)]).toEqual([0n, FAR + 4n, 0n, 0n]);
});

test("an increase is the last less the first, and from nothing after each drop", () => {
  expect([...increaseWeights([5n, 7n, 9n])]).toEqual([-1, 0, 1]);
  expect([...increaseWeights([5n, 9n, 2n, 4n, 1n])]).toEqual([-1, 1, 0, 1, 1]);
  expect([...increaseWeights([5n])]).toEqual([0]);
  expect([...increaseWeights([5n, 3n])]).toEqual([0, 1]);
  expect([...increaseWeights([])]).toEqual([]);
});

test("sumWeighted() takes away what it is told to", () => {
  const { rows, sums, totals } = sumWeighted(decoded, (row) => [-1, 0, 1, 0][row]!);
  expect([...rows]).toEqual([0, 1]);
  expect(valuesOf({ sums })).toEqual([5n, -2n * FAR]);
  expect(totals).toEqual([[String(5n - 2n * FAR), 0]]);
  expect(sumWeighted(decoded, (row) => [1, 0, 0, 0][row]!)).toEqual(sumProfiles(decoded, [0]));
});

test("roundedQuotient() rounds half to even on both sides of zero", () => {
  const halves = [-7n, -5n, -3n, -1n, 1n, 3n, 5n, 7n].map((value) => roundedQuotient(value, 2n));
  expect(halves).toEqual([-4n, -2n, -2n, 0n, 0n, 2n, 2n, 4n]);
  expect(roundedQuotient(-(2n ** 63n), 3n)).toBe(-3074457345618258603n);
});
