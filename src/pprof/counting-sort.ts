// Sorting by small ranks, and grouping by owner: linear, without comparisons. What is sorted is for callers to say.

/** `items` by rank, from 0 to `ranks` - 1; those of one rank keep their order. */
export function countingSort(items: Int32Array, ranks: number, rankOf: (item: number) => number): Int32Array {
  const starts = new Int32Array(ranks + 1);
  for (const item of items) starts[rankOf(item) + 1]!++;
  for (let rank = 0; rank < ranks; rank++) starts[rank + 1]! += starts[rank]!;
  const sorted = new Int32Array(items.length);
  for (const item of items) sorted[starts[rankOf(item)]!++] = item;
  return sorted;
}

export interface Chains {
  /** Per owner its first item, per item the next of the same owner; -1 for none. */
  first: Int32Array;
  next: Int32Array;
}

/** Groups items by owner and keeps their order. */
export function chains(items: Int32Array, owners: number, ownerOf: (item: number) => number, itemIds = owners): Chains {
  const first = new Int32Array(owners).fill(-1);
  const next = new Int32Array(itemIds).fill(-1);
  for (let at = items.length - 1; at >= 0; at--) {
    const item = items[at]!;
    const owner = ownerOf(item);
    next[item] = first[owner]!;
    first[owner] = item;
  }
  return { first, next };
}
