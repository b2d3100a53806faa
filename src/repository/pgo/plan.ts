// The plan of a PGO profile: profiles that have what the compiler reads.

import { DomainError } from "../../model/errors.ts";
import type { ValueType } from "../../model/shape.ts";
import { type MergePlan, planMerge, type WantedShape } from "../planner.ts";
import type { Selection } from "../repository.ts";
import type { PgoDependencies } from "./pgo-profile.ts";

export const SAMPLES: ValueType = { type: "samples", unit: "count" };
export const CPU: ValueType = { type: "cpu", unit: "nanoseconds" };
/** Which of them most profiles have is what all must have; of as many, the first. */
const SHAPES: readonly WantedShape[] = [
  { columns: [SAMPLES, CPU], periodType: CPU },
  { columns: [SAMPLES, CPU] },
  { columns: [CPU], periodType: CPU },
  { columns: [SAMPLES], periodType: CPU },
  { columns: [CPU] },
  { columns: [SAMPLES] },
];

/** Throws `not-found` where no profile has it, and what planMerge() throws. */
export async function planSuitable(
  { catalog, pool, limits }: PgoDependencies,
  selection: Selection,
  broken: Map<number, string>,
): Promise<MergePlan> {
  let best: MergePlan | undefined;
  for (const shape of SHAPES) {
    try {
      const plan = await planMerge(catalog, selection, shape, limits, false, (packs) => pool.select(packs, broken));
      if (best === undefined || sizeOf(plan) > sizeOf(best)) best = plan;
      if (plan.skipped.every(({ reason }) => reason !== "shape")) break;
    } catch (error) {
      if (!(error instanceof DomainError) || error.kind !== "conflict") throw error;
    }
  }
  if (best) return best;
  throw new DomainError("not-found", "Nothing suitable: no profile has a column samples/count or cpu/nanoseconds");
}

function sizeOf({ inputs, packs }: MergePlan): number {
  return packs.reduce((sum, { rows }) => sum + rows.length, inputs.length);
}
