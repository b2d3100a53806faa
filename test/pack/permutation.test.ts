// src/pack/permutation.ts: any order becomes digits and bits, and comes back.

import { expect, test } from "vitest";
import { DomainError } from "../../src/model/errors.ts";
import { digitsOf, orderOf, packDigits, packedSize, unpackDigits } from "../../src/pack/permutation.ts";
import { Random } from "../support/random.ts";

function randomOrder(count: number, random: Random, swaps: number): Int32Array {
  const order = Int32Array.from({ length: count }, (_, at) => at);
  for (let swap = 0; swap < swaps; swap++) {
    const [a, b] = [random.between(0, count - 1), random.between(0, count - 1)];
    [order[a], order[b]] = [order[b]!, order[a]!];
  }
  return order;
}

test("digits are how many of those left come before: what comes as expected is 0", () => {
  expect([...digitsOf(Int32Array.of(0, 1, 2, 3))]).toEqual([0, 0, 0, 0]);
  expect([...digitsOf(Int32Array.of(2, 0, 1, 3))]).toEqual([2, 0, 0, 0]);
  expect([...digitsOf(Int32Array.of(3, 2, 1, 0))]).toEqual([3, 2, 1, 0]);
});

test("orders of all lengths come back from digits and from bits", () => {
  const random = new Random(7);
  for (let count = 0; count < 300; count++) {
    for (const swaps of [0, 1, 3, count * 2]) {
      const order = count === 0 ? new Int32Array(0) : randomOrder(count, random, swaps);
      const digits = digitsOf(order);
      expect(orderOf(digits, "orders"), `${count} items, ${swaps} swaps`).toEqual(order);
      const packed = packDigits(digits);
      expect(packed).toHaveLength(packedSize(count));
      expect(unpackDigits(packed, count)).toEqual(digits);
    }
  }
  const large = randomOrder(100_000, random, 200_000);
  expect(orderOf(unpackDigits(packDigits(digitsOf(large)), large.length), "orders")).toEqual(large);
});

test("the bits of an order are within 4 % of what orders have", () => {
  for (const count of [60, 120, 400, 5000]) {
    let bits = 0;
    for (let item = 2; item <= count; item++) bits += Math.log2(item);
    expect(packedSize(count)).toBeLessThan((bits / 8) * 1.04 + 1);
  }
});

test("digits of no order are damage", () => {
  expect(() => orderOf(Int32Array.of(0, 2, 0), "orders 0")).toThrow(DomainError);
  expect(() => orderOf(Int32Array.of(1, 1), "orders 0")).toThrow("section orders 0 is damaged");
});
