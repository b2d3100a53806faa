// How much the hot edges of two PGO profiles agree: of two halves of the inputs (stability), or of now and the last release (drift).

import { hotEdges, type PgoEdge, type PgoEdges } from "./edges.ts";

export interface PgoOverlap {
  /** Edges that are hot in both, of those that are hot in either: 0 to 1. */
  readonly jaccard: number;
  /** Share of each one's hot weight that is hot in the other too, the lesser of both: 0 to 1. */
  readonly weightOverlap: number;
}

/** Symmetric. Edges are one by caller, callee and offset. Where neither has hot edges both shares are 0: nothing agrees. */
export function hotOverlap(a: PgoEdges, b: PgoEdges): PgoOverlap {
  const hotA = weightBySite(hotEdges(a));
  const hotB = weightBySite(hotEdges(b));
  const shared = [...hotA.keys()].filter((site) => hotB.has(site)).length;
  const either = hotA.size + hotB.size - shared;
  return {
    jaccard: either === 0 ? 0 : shared / either,
    weightOverlap: Math.min(sharedWeight(hotA, hotB), sharedWeight(hotB, hotA)),
  };
}

function weightBySite(edges: readonly PgoEdge[]): Map<string, number> {
  return new Map(
    edges.map(({ caller, callee, offset, weight }) => [
      JSON.stringify([caller, callee, String(offset)]),
      Number(weight),
    ]),
  );
}

function sharedWeight(of: Map<string, number>, other: Map<string, number>): number {
  let shared = 0;
  let all = 0;
  for (const [site, weight] of of) {
    all += weight;
    if (other.has(site)) shared += weight;
  }
  return all === 0 ? 0 : shared / all;
}
