// Pairs (stack, label set) → rows: what values are summed by. A known stack is found by the hash of its path, without
// walking the tree down; only a new one is interned.

import { grown, rehashed, slotsFor } from "./grow.ts";
import { HASH_SEED, mix, spread } from "./hash.ts";
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

  /** The row of a stack, leaf first, under a label set. */
  row(stack: Int32Array, length: number, labelSet: number): number {
    let path = HASH_SEED;
    for (let at = length - 1; at >= 0; at--) path = mix(path, stack[at]!);
    const hash = spread(mix(path, labelSet));
    const slots = this.#slots;
    const mask = this.#mask;
    const tree = this.#tree;
    let slot = hash & mask;
    for (let row = slots[slot * 2 + 1]!; row !== 0; row = slots[slot * 2 + 1]!) {
      if (slots[slot * 2] === hash && this.labelSets[row - 1] === labelSet) {
        if (tree.matches(this.nodes[row - 1]!, stack, length)) return row - 1;
      }
      slot = (slot + 1) & mask;
    }
    return this.#add(hash, slot, tree.intern(stack, length), labelSet);
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
    if (this.#count * 2 > this.#mask) {
      const size = slotsFor(this.#count * 2);
      this.#slots = rehashed(this.#slots, size);
      this.#mask = size - 1;
    }
    return row;
  }
}
