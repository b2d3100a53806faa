// What each service and type takes, counted profile by profile.

import { compareUtf8 } from "../../model/text.ts";
import { NS_PER_MS } from "../../model/time.ts";
import type { StoredProfile, Usage } from "../catalog.ts";
import { hasOriginal, type PackSet } from "../pack-catalog.ts";
import { seriesKey } from "../series-key.ts";
import { sign } from "./order.ts";

interface NamedSet {
  service: string;
  type: string;
  set: PackSet;
}

export function usageOf(profiles: readonly StoredProfile[], sets: readonly NamedSet[]): Usage[] {
  const groups = new Map([...profiles, ...sets].map(({ service, type }) => [`${service}\0${type}`, { service, type }]));
  const usages = [...groups.values()].map(({ service, type }) => {
    const isOwn = (each: { service: string; type: string }) => each.service === service && each.type === type;
    return usageOfOne(profiles.filter(isOwn), sets.filter(isOwn), { service, type });
  });
  return usages.sort((a, b) => compareUtf8(a.service, b.service) || compareUtf8(a.type, b.type));
}

function usageOfOne(
  profiles: readonly StoredProfile[],
  sets: readonly NamedSet[],
  names: { service: string; type: string },
): Usage {
  const packs = sets.flatMap(({ set }) => set.packs);
  const deleted = sum(sets, ({ set }) => set.deleted.length);
  const times = profiles.map(({ timeNs }) => timeNs - (timeNs % NS_PER_MS)).sort((a, b) => sign(a - b));
  return {
    ...names,
    profiles: profiles.length,
    packedProfiles: sum(packs, (pack) => pack.profiles) - deleted,
    series: new Set(profiles.map(seriesKey)).size,
    sentBytes: sum(profiles, ({ sizeBytes }) => sizeBytes),
    originalBytes: sum(profiles, ({ sizeBytes, locator }) => (hasOriginal(locator) ? sizeBytes : 0)),
    packBytes: sum(packs, ({ sizeBytes }) => sizeBytes),
    ...(times.length > 0 && { firstNs: times[0]!, lastNs: times.at(-1)! }),
  };
}

function sum<Item>(items: readonly Item[], of: (item: Item) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
