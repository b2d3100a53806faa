// What a merge keeps where more profiles match than it takes: each selection strategy in its plain definition.

import type { SelectionStrategy, StoredProfile } from "../catalog.ts";
import { INSTANCE_LABELS, spread } from "../spread.ts";
import { rankColumn } from "../stored-profile.ts";
import { byId, sign } from "./order.ts";

/** `profiles` in canonical order, and more than `limit`. */
export function choose(
  profiles: readonly StoredProfile[],
  limit: number,
  strategy: SelectionStrategy,
): StoredProfile[] {
  if (strategy === "newest") return profiles.toSorted(byId).slice(-limit || profiles.length);
  if (strategy === "most_cpu") {
    const rank = ({ shape, totals }: StoredProfile) => totals[rankColumn(shape)] ?? 0n;
    return profiles.toSorted((a, b) => sign(rank(b) - rank(a)) || byId(a, b)).slice(0, limit);
  }
  return spread(profiles.map(instanceOf), limit).map((position) => profiles[position]!);
}

function instanceOf({ labels, submitter }: StoredProfile): string {
  for (const wanted of INSTANCE_LABELS) {
    const label = labels.find(({ name }) => name === wanted);
    if (label) return JSON.stringify([label.name, label.value]);
  }
  return JSON.stringify([submitter ?? null]);
}
