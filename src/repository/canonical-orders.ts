// The place of each profile in the canonical order (time, id) of a merge whose profiles come from several sources, each sorted by itself.

import { setImmediate } from "node:timers/promises";

/** A turn's profiles, whose places among hundreds of sources take some ten milliseconds. */
const TURN_PROFILES = 16_384;

/** Profiles of one source in canonical order. */
export interface SortedProfiles {
  readonly timesNs: BigInt64Array;
  /** 16 bytes each. */
  readonly ids: Uint8Array;
}

/**
 * For each source the orders of its profiles: numbers that compare as (time, id) does over all sources, and that no two share. They have no
 * gaps. Sources that do not overlap in time, as packs of different days, are not compared profile by profile. Lets others have the event loop
 * now and then.
 */
export async function canonicalOrders(sources: readonly SortedProfiles[]): Promise<Float64Array<ArrayBuffer>[]> {
  const orders = sources.map(({ timesNs }) => new Float64Array(timesNs.length));
  const present = sources
    .map((source, at): Ordered => ({ source, timesNs: source.timesNs, orders: orders[at]! }))
    .filter(({ timesNs }) => timesNs.length > 0)
    .sort((a, b) => sign(a.timesNs[0]! - b.timesNs[0]!));
  let next = 0;
  for (let from = 0; from < present.length; ) {
    let lastNs = present[from]!.timesNs.at(-1)!;
    let to = from + 1;
    for (; to < present.length && present[to]!.timesNs[0]! <= lastNs; to++) {
      const ownLastNs = present[to]!.timesNs.at(-1)!;
      if (ownLastNs > lastNs) lastNs = ownLastNs;
    }
    next = await orderTogether(present.slice(from, to), next);
    from = to;
  }
  return orders;
}

interface Ordered {
  source: SortedProfiles;
  timesNs: BigInt64Array;
  orders: Float64Array;
}

interface Head {
  ids: Uint8Array;
  orders: Float64Array;
  /** Since the first of all, in ns: exact up to 104 days, which no window of packs reaches. */
  sinceNs: Float64Array;
  at: number;
}

/** Sources that overlap: the head that is first is taken, again and again. Answers the order behind the last. */
async function orderTogether(sources: readonly Ordered[], first: number): Promise<number> {
  if (sources.length === 1) {
    const { orders } = sources[0]!;
    for (let at = 0; at < orders.length; at++) orders[at] = first + at;
    return first + orders.length;
  }
  const startNs = sources[0]!.timesNs[0]!;
  // A heap: no head is before that at half its place. Sources come by their first times.
  const heads: Head[] = sources.map(({ source, timesNs, orders }) => ({
    ids: source.ids,
    orders,
    sinceNs: Float64Array.from(timesNs, (timeNs) => Number(timeNs - startNs)),
    at: 0,
  }));
  for (let place = heads.length >> 1; place >= 0; place--) sink(heads, place);
  let next = first;
  while (heads.length > 1) {
    const least = heads[0]!;
    least.orders[least.at++] = next++;
    if (least.at === least.orders.length) {
      const last = heads.pop()!;
      if (heads.length > 0 && last !== least) heads[0] = last;
    }
    sink(heads, 0);
    if (next % TURN_PROFILES === 0) await setImmediate();
  }
  const last = heads[0]!;
  while (last.at < last.orders.length) last.orders[last.at++] = next++;
  return next;
}

/** Moves the head at `place` down until none below is before it. */
function sink(heads: Head[], place: number): void {
  const moved = heads[place]!;
  let at = place;
  for (;;) {
    let below = at * 2 + 1;
    if (below >= heads.length) break;
    if (below + 1 < heads.length && isBefore(heads[below + 1]!, heads[below]!)) below++;
    if (!isBefore(heads[below]!, moved)) break;
    heads[at] = heads[below]!;
    at = below;
  }
  heads[at] = moved;
}

function isBefore(a: Head, b: Head): boolean {
  const difference = a.sinceNs[a.at]! - b.sinceNs[b.at]!;
  if (difference !== 0) return difference < 0;
  for (let byte = 0; byte < 16; byte++) {
    const order = a.ids[a.at * 16 + byte]! - b.ids[b.at * 16 + byte]!;
    if (order !== 0) return order < 0;
  }
  return false;
}

function sign(difference: bigint): number {
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}
