// Cutting a merge to the largest nodes of its call tree: what lies below them is summed into one frame named "other", so that every total
// stays. Which nodes are the largest follows from values and content alone, so that neither order nor threads show.

import { canonicalOrder } from "./canonical-order.ts";
import { FUNCTION_KEY, type Interner, LOCATION_HEAD } from "./interner.ts";
import { LINE_STRIDE } from "./location-table.ts";
import { RowSums } from "./row-sums.ts";

/** The frame that stands for all that was cut off below its caller: a function without file and address. */
export const OTHER_FRAME = "other";

export interface Trimmed {
  sums: RowSums;
  /** Nodes of the tree before, and those of them that are left; `other` frames are not counted. */
  nodes: number;
  kept: number;
}

/**
 * Keeps the `maxNodes` nodes with the largest sums of |column| over all below them; of those of equal size, such as one deep recursion, the
 * first in preorder, children by their location in the canonical order, which `mainMapping` takes part in. Undefined where there are no more
 * than that. `sums` stays as it is; the interner gains the frame and the rows that it needs.
 */
export function trim(
  interner: Interner,
  sums: RowSums,
  column: number,
  maxNodes: number,
  mainMapping: number | undefined,
): Trimmed | undefined {
  if (interner.stacks.count <= maxNodes || sums.width === 0) return undefined;
  const live = sums.liveRows(interner.rows.count);
  const tree = nodeSizes(interner, sums, live, column);
  if (tree.used.length <= maxNodes) return undefined;
  const bySize = tree.used.map((node) => tree.sizes[node]!).sort((a, b) => (a > b ? -1 : a < b ? 1 : 0));
  const limit = bySize[maxNodes]!;
  const stays = new Uint8Array(interner.stacks.count);
  stays[0] = 1;
  let room = maxNodes;
  for (const node of tree.used) {
    if (tree.sizes[node]! <= limit) continue;
    stays[node] = 1;
    room--;
  }
  if (room > 0) {
    const { preorder } = canonicalOrder(interner, live, mainMapping);
    for (const node of preorder) {
      if (tree.sizes[node] !== limit || room === 0 || stays[node] !== 0) continue;
      stays[node] = 1;
      room--;
    }
  }
  const isKept = (node: number) => stays[node] !== 0;
  const target = targetNodes(interner, tree.used, isKept);
  const rows = Int32Array.from(live, (row) => {
    const node = interner.rows.nodes[row]!;
    return isKept(node) ? row : interner.rows.rowOfNode(target.get(node)!, interner.rows.labelSets[row]!);
  });
  const trimmed = new RowSums(sums.width / 2);
  trimmed.add(rows, rows.length, valuesOf(sums, live), interner.rows.count);
  return { sums: trimmed, nodes: tree.used.length, kept: tree.used.filter(isKept).length };
}

/** Nodes with a row in or below them, parents first, and the size of each. */
function nodeSizes(interner: Interner, sums: RowSums, live: Int32Array, column: number) {
  const { nodes, count } = interner.stacks;
  const sizes = new Array<bigint>(count).fill(0n);
  const isUsed = new Uint8Array(count);
  for (const row of live) {
    const at = row * sums.width + column * 2;
    const value = (BigInt(sums.values[at + 1]!) << 32n) | BigInt(sums.values[at]! >>> 0);
    const node = interner.rows.nodes[row]!;
    sizes[node]! += value < 0n ? -value : value;
    isUsed[node] = 1;
  }
  const used: number[] = [];
  // Parents are made before their children.
  for (let node = count - 1; node > 0; node--) {
    if (isUsed[node] === 0) continue;
    used.push(node);
    const parent = nodes[node * 2]!;
    sizes[parent]! += sizes[node]!;
    isUsed[parent] = 1;
  }
  return { sizes, used: used.reverse() };
}

/** For each node that goes, the frame below its lowest ancestor that stays. */
function targetNodes(interner: Interner, used: readonly number[], isKept: (node: number) => boolean) {
  const other = otherLocation(interner);
  const target = new Map<number, number>();
  for (const node of used) {
    if (isKept(node)) continue;
    const parent = interner.stacks.nodes[node * 2]!;
    target.set(node, target.get(parent) ?? interner.stacks.child(parent, other));
  }
  return target;
}

function otherLocation(interner: Interner): number {
  const name = interner.strings.internByteString(OTHER_FRAME);
  interner.functions.key.set([name, name, 0, 0, 0]);
  const fn = interner.functions.intern(FUNCTION_KEY);
  const key = interner.locations.reserve(LOCATION_HEAD + LINE_STRIDE);
  key.set([-1, 0, 0, 0, fn, 0, 0, 0, 0]);
  return interner.locations.intern(LOCATION_HEAD + LINE_STRIDE);
}

function valuesOf(sums: RowSums, rows: Int32Array): Int32Array {
  const values = new Int32Array(rows.length * sums.width);
  for (const [at, row] of rows.entries()) {
    values.set(sums.values.subarray(row * sums.width, (row + 1) * sums.width), at * sums.width);
  }
  return values;
}
