// Pairs (stack, label set) → rows: what values are summed by. A known stack is found by the hash of its path, without
// walking the tree down; only a new one is interned.

import { grown, rehashed, slotsFor } from "./grow.ts";
import { mix, spread } from "./hash.ts";
import type { StackBatch } from "./stack-batch.ts";
import type { StackTree } from "./stack-tree.ts";

export class RowTable {
  readonly #tree: StackTree;
  /** Stack node and label set of each row. */
  nodes: Int32Array = new Int32Array(512);
  labelSets: Int32Array = new Int32Array(512);
  /** Pairs: hash, row + 1. */
  #slots: Int32Array = new Int32Array(2 * 1024);
  #mask = 1023;
  #count = 0;

  constructor(tree: StackTree) {
    this.#tree = tree;
  }

  get count(): number {
    return this.#count;
  }

  /** Memory held, the tree's not counted. */
  get bytes(): number {
    return this.nodes.byteLength + this.labelSets.byteLength + this.#slots.byteLength;
  }

  /**
   * Writes the row of each noted stack to `out` from index `to` on, and forgets them. In three passes, because what the
   * tables answer lies far apart in memory: loads that do not wait for each other take a fraction of the time of a chain.
   */
  resolve(noted: StackBatch, out: Int32Array, to: number): void {
    const { count, stacks, ends, labelSets } = noted;
    const slots = this.#slots;
    const mask = this.#mask;
    for (let at = 0; at < count; at++) {
      const hash = noted.hashes[at]!;
      const slot = (hash & mask) * 2;
      out[to + at] = slots[slot] === hash ? slots[slot + 1]! - 1 : -1;
    }
    for (let at = 0; at < count; at++) {
      const guess = out[to + at]!;
      noted.nodes[at] = guess >= 0 && this.labelSets[guess] === labelSets[at] ? this.nodes[guess]! : -1;
    }
    let start = 0;
    for (let at = 0; at < count; at++) {
      const end = ends[at]!;
      const node = noted.nodes[at]!;
      if (node < 0 || !this.#tree.matches(node, stacks, start, end)) {
        out[to + at] = this.#row(stacks, start, end, labelSets[at]!, noted.hashes[at]!);
      }
      start = end;
    }
    noted.count = 0;
  }

  /** The row of a stack, which lies in `stack` leaf first from `start` to `end`. */
  #row(stack: Int32Array, start: number, end: number, labelSet: number, hash: number): number {
    const slots = this.#slots;
    const mask = this.#mask;
    const tree = this.#tree;
    let slot = hash & mask;
    for (let row = slots[slot * 2 + 1]!; row !== 0; row = slots[slot * 2 + 1]!) {
      if (slots[slot * 2] === hash && this.labelSets[row - 1] === labelSet) {
        if (tree.matches(this.nodes[row - 1]!, stack, start, end)) return row - 1;
      }
      slot = (slot + 1) & mask;
    }
    return this.#add(hash, slot, tree.intern(stack, start, end), labelSet);
  }

  /** Makes room for `more` rows at once. */
  reserve(more: number): void {
    const count = this.#count + more;
    this.nodes = grown(this.nodes, count);
    this.labelSets = grown(this.labelSets, count);
    if (count * 2 > this.#mask) this.#rehash(count);
  }

  /** The row of a stack, given as its node, under a label set. */
  rowOfNode(node: number, labelSet: number): number {
    const hash = spread(mix(this.#tree.hashes[node]!, labelSet));
    const slots = this.#slots;
    const mask = this.#mask;
    let slot = hash & mask;
    for (let row = slots[slot * 2 + 1]!; row !== 0; row = slots[slot * 2 + 1]!) {
      if (this.nodes[row - 1] === node && this.labelSets[row - 1] === labelSet) return row - 1;
      slot = (slot + 1) & mask;
    }
    return this.#add(hash, slot, node, labelSet);
  }

  #add(hash: number, slot: number, node: number, labelSet: number): number {
    const row = this.#count++;
    this.nodes = grown(this.nodes, row + 1);
    this.labelSets = grown(this.labelSets, row + 1);
    this.nodes[row] = node;
    this.labelSets[row] = labelSet;
    this.#slots[slot * 2] = hash;
    this.#slots[slot * 2 + 1] = row + 1;
    if (this.#count * 2 > this.#mask) this.#rehash(this.#count * 2);
    return row;
  }

  #rehash(count: number): void {
    const size = slotsFor(count);
    this.#slots = rehashed(this.#slots, size);
    this.#mask = size - 1;
  }
}
