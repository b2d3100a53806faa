// The orders of stored profiles: by id, and the canonical one by time and id in which merges take them.

import type { StoredProfile } from "../catalog.ts";

export function byId(a: StoredProfile, b: StoredProfile): number {
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

export function canonical(a: StoredProfile, b: StoredProfile): number {
  return sign(a.timeNs - b.timeNs) || byId(a, b);
}

/** Of a difference of 64-bit integers, as a comparison answers it. */
export function sign(difference: bigint): number {
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}
