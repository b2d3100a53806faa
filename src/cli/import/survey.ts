// The first look at a store: how much there is to import, and which objects are the sum of others. What is in a sum is not imported beside it.

import { NS_PER_MS, NS_PER_SECOND } from "../../model/time.ts";
import { type Layout, type NamedObject, nameObject } from "./layouts.ts";
import type { Store, StoredObject } from "./store.ts";

export interface Survey {
  /** What is to be imported. */
  total: number;
  sums: Sums;
}

/** The newest sum of each group. */
export type Sums = ReadonlyMap<string, Sum>;

interface Sum {
  name: string;
  writtenNs: bigint;
}

export async function surveyStore(store: Store, layout: Layout | undefined, signal: AbortSignal): Promise<Survey> {
  const sums = new Map<string, Sum>();
  const mergeable: [StoredObject, NamedObject][] = [];
  let total = 0;
  for await (const object of store.list(signal)) {
    const named = nameObject(object.name, store.prefix, layout);
    if (named === undefined) continue;
    total++;
    if (named.merging === undefined) continue;
    mergeable.push([object, named]);
    const sum = { name: object.name, writtenNs: writtenNs(object, named) };
    const newest = sums.get(groupOf(named));
    if (named.merging.isSum && (newest === undefined || sum.writtenNs > newest.writtenNs))
      sums.set(groupOf(named), sum);
  }
  const counted = mergeable.filter(([object, named]) => sumOf(object, named, sums) !== undefined);
  return { total: total - counted.length, sums };
}

/** The name of the sum that has, or may have, the object in it already. */
export function sumOf(object: StoredObject, named: NamedObject, sums: Sums): string | undefined {
  const newest = named.merging && sums.get(groupOf(named));
  if (newest === undefined || newest.name === object.name) return undefined;
  return named.merging!.isSum || writtenNs(object, named) <= newest.writtenNs ? newest.name : undefined;
}

function groupOf({ layout, merging }: NamedObject): string {
  return `${layout} ${merging!.group}`;
}

/** Of a sum no earlier than it was: some stores tell whole seconds. */
function writtenNs({ changedMs }: StoredObject, { merging }: NamedObject): bigint {
  return merging!.writtenNs ?? BigInt(changedMs) * NS_PER_MS + NS_PER_SECOND;
}
