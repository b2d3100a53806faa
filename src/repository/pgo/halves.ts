// The two halves of a PGO profile's inputs, each with how often its profiles count. Their sums together are the profile; what they agree on
// is its stability.

import { parseProfileId } from "../../model/profile-id.ts";
import type { MergeJobRequest } from "../merge-pool.ts";
import type { MergePlan } from "../planner.ts";
import type { Candidate } from "./candidate.ts";
import type { PgoChoice } from "./choice.ts";

/** By which the halves are drawn: the same profiles always give the same ones. */
export const HALVES_SEED = 1;

type Half = Required<Pick<MergeJobRequest, "inputs" | "orders" | "weights" | "packs">>;

/** One or two: what is drawn by nobody is none. */
export function halvesOf(plan: MergePlan, { taken, weights }: PgoChoice, orders: readonly Float64Array[]): Half[] {
  const bySide: { candidate: Candidate; weight: number }[][] = [[], []];
  for (const [nth, candidate] of taken.entries()) {
    bySide[sideOf(plan, candidate)]!.push({ candidate, weight: weights[nth]! });
  }
  return bySide.filter(({ length }) => length > 0).map((own) => halfOf(plan, own, orders));
}

/** A profile's side follows from its id, which is a digest, and the seed. */
function sideOf(plan: MergePlan, { source, at }: Candidate): 0 | 1 {
  const id =
    source === 0 ? parseProfileId(plan.inputs[at]!.id)! : plan.packs[source - 1]!.ids.subarray(at * 16, at * 16 + 16);
  const word = new DataView(id.buffer, id.byteOffset + 12, 4).getUint32(0);
  return (Math.imul(word ^ HALVES_SEED, 0x9e3779b1) >>> 31) as 0 | 1;
}

function halfOf(
  plan: MergePlan,
  own: readonly { candidate: Candidate; weight: number }[],
  orders: readonly Float64Array[],
): Half {
  const bySource = Map.groupBy(own, ({ candidate }) => candidate.source);
  const placesOf = (source: number) => {
    const members = bySource.get(source) ?? [];
    return {
      orders: Float64Array.from(members, ({ candidate }) => orders[source]![candidate.at]!),
      weights: Uint16Array.from(members, ({ weight }) => weight),
      at: members.map(({ candidate }) => candidate.at),
    };
  };
  const { at: looseAt, ...loose } = placesOf(0);
  return {
    inputs: looseAt.map((at) => plan.inputs[at]!),
    ...loose,
    packs: plan.packs.flatMap((pack, nth) => {
      const { at, ...counts } = placesOf(nth + 1);
      return at.length === 0
        ? []
        : [{ selected: { ...pack, rows: Uint32Array.from(at, (place) => pack.rows[place]!) }, ...counts }];
    }),
  };
}
