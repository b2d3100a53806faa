// Merges as the product does it: one Merger in canonical order, or several that take chunks of the list as they come.

import { Merger } from "../../../src/pprof/merger.ts";
import type { Random } from "../../support/random.ts";

/** The uncompressed merge of profiles in canonical order. */
export function merge(raws: readonly Uint8Array[]): Uint8Array {
  const merger = new Merger({});
  for (const [order, raw] of raws.entries()) merger.add(raw, order);
  return merger.finish().bytes;
}

/** The same by `workers` Mergers, each profile to a random one, in a random order, joined in a random order. */
export function mergeByWorkers(raws: readonly Uint8Array[], workers: number, random: Random): Uint8Array {
  const mergers = Array.from({ length: workers }, () => new Merger({}));
  for (const [order, raw] of random.shuffle([...raws.entries()])) random.pick(mergers).add(raw, order);
  const [first, ...others] = random.shuffle(mergers);
  for (const other of others) first!.absorb(other.partial());
  return first!.finish().bytes;
}
