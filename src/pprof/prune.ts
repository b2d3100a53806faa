// Rules that cut stacks at frames by name, as google/pprof's Prune does it: what lies below is counted for the caller. Frames that a profile
// itself says to drop when it is shown are dropped-frames.ts's business.

import { DomainError } from "../model/errors.ts";
import type { Limits } from "../model/limits.ts";
import { simplifiedName } from "./dropped-frames.ts";
import { nameTest } from "./name-test.ts";
import type { Location, Profile } from "./profile.ts";

/** RE2 expressions that match anywhere in a function's simplified name. */
export interface PruneRule {
  readonly drop?: string | undefined;
  /** Protects the frames whose own name it matches; not those below a dropped one. */
  readonly keep?: string | undefined;
}

/**
 * Applies the rules one after the other. Values stay, and so do samples that have become equal: a merge sums them. A stack whose frames
 * match from the root on is not cut before the first that does not. Texts of the profile are byte strings.
 * Throws `invalid` for a rule that drops nothing, for a bad expression and for one over the limits.
 */
export function applyPruneRules(profile: Profile, rules: readonly PruneRule[], limits: Limits): void {
  for (const rule of rules) prune(profile, dropTest(rule, profile.functions.length, limits));
}

function dropTest({ drop, keep }: PruneRule, names: number, limits: Limits): (name: string) => boolean {
  if (drop === undefined || drop === "") {
    throw new DomainError("invalid", 'Cannot use a prune rule without "drop": "keep" alone drops nothing');
  }
  const drops = nameTest(drop, names, limits, simplifiedName);
  if (keep === undefined || keep === "") return drops;
  const keeps = nameTest(keep, names, limits, simplifiedName);
  return (name) => drops(name) && !keeps(name);
}

function prune(profile: Profile, isDropped: (name: string) => boolean): void {
  const nameOf = new Map(profile.functions.map(({ id, name }) => [id, name]));
  const whole = new Set<bigint>();
  const below = new Set<bigint>();
  for (const location of profile.locations) {
    const line = outermostDropped(location, nameOf, isDropped);
    if (line < 0) continue;
    if (line === location.lines.length - 1) whole.add(location.id);
    else {
      below.add(location.id);
      location.lines = location.lines.slice(line + 1);
    }
  }
  for (const sample of profile.samples) {
    const { locationIds } = sample;
    const user = locationIds.findLastIndex((id) => !whole.has(id) && !below.has(id));
    const cut = locationIds.findLastIndex((id, at) => at < user && (whole.has(id) || below.has(id)));
    if (cut >= 0) sample.locationIds = locationIds.slice(whole.has(locationIds[cut]!) ? cut + 1 : cut);
  }
}

/** -1 where none is. Lines are innermost first; functions without a name match nothing. */
function outermostDropped({ lines }: Location, nameOf: Map<bigint, string>, isDropped: (name: string) => boolean) {
  return lines.findLastIndex(({ functionId }) => {
    const name = nameOf.get(functionId) ?? "";
    return name !== "" && isDropped(name);
  });
}
