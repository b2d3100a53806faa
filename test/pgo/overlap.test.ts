// How much hot edges agree.

import { expect, test } from "vitest";
import type { PgoEdges } from "../../src/pgo/edges.ts";
import { hotOverlap } from "../../src/pgo/overlap.ts";

function edges(...weights: [callee: string, weight: bigint, offset?: bigint][]): PgoEdges {
  return {
    edges: weights.map(([callee, weight, offset = 0n]) => ({ caller: "a", callee, offset, weight })),
    totalWeight: weights.reduce((sum, [, weight]) => sum + weight, 0n),
    isWrapped: false,
    misplacedWeight: 0n,
    refusal: undefined,
  };
}

test("the same edges agree wholly, whatever they weigh", () => {
  expect(hotOverlap(edges(["b", 60n], ["c", 40n]), edges(["c", 600n], ["b", 400n]))).toEqual({
    jaccard: 1,
    weightOverlap: 1,
  });
});

test("of edges that differ, the lesser of both shares counts, from either side", () => {
  const a = edges(["b", 70n], ["c", 30n]);
  const b = edges(["b", 40n], ["d", 30n], ["e", 30n]);
  expect(hotOverlap(a, b)).toEqual({ jaccard: 1 / 4, weightOverlap: 0.4 });
  expect(hotOverlap(b, a)).toEqual(hotOverlap(a, b));
});

test("another line is another call, and what is not hot does not count", () => {
  expect(hotOverlap(edges(["b", 1n, 2n]), edges(["b", 1n, 3n]))).toEqual({ jaccard: 0, weightOverlap: 0 });
  expect(hotOverlap(edges(["b", 9_950n], ["cold", 50n]), edges(["b", 1n]))).toEqual({ jaccard: 1, weightOverlap: 1 });
});

test("nothing agrees with nothing", () => {
  expect(hotOverlap(edges(), edges())).toEqual({ jaccard: 0, weightOverlap: 0 });
  expect(hotOverlap(edges(["b", 1n]), edges())).toEqual({ jaccard: 0, weightOverlap: 0 });
});
