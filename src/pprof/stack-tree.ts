// Stacks as a prefix tree, root first: a stack is the node of its leaf. Node 0 is the empty stack.

import { grown, slotsFor } from "./grow.ts";
import { HASH_SEED, mix, spread } from "./hash.ts";

export class StackTree {
  /** Pairs: parent node, location. */
  nodes: Int32Array = new Int32Array(2 * 1024);
  /** Of the path from the root to each node: `mix` over its locations. */
  hashes: Int32Array = new Int32Array(1024);
  /** Node of a slot; 0, which is nobody's child, for none. */
  #slots: Int32Array = new Int32Array(2048);
  #mask = 2047;
  #count = 1;
  /** Scratch: the hash of each beginning of a stack. */
  #paths: Int32Array = new Int32Array(128);

  constructor() {
    this.nodes[0] = -1;
    this.nodes[1] = -1;
    this.hashes[0] = HASH_SEED;
  }

  get count(): number {
    return this.#count;
  }

  /** Memory held. */
  get bytes(): number {
    return this.nodes.byteLength + this.hashes.byteLength + this.#slots.byteLength + this.#paths.byteLength;
  }

  /** Makes room for `more` nodes at once. */
  reserve(more: number): void {
    const count = this.#count + more;
    this.nodes = grown(this.nodes, count * 2);
    this.hashes = grown(this.hashes, count);
    if (count * 2 > this.#mask) this.#rehash(count);
  }

  /** The node below `parent` for `location`; it is made when it is new. */
  child(parent: number, location: number): number {
    const hash = mix(this.hashes[parent]!, location);
    const { nodes } = this;
    const slots = this.#slots;
    const mask = this.#mask;
    let slot = spread(hash) & mask;
    for (let node = slots[slot]!; node !== 0; node = slots[slot]!) {
      if (nodes[node * 2] === parent && nodes[node * 2 + 1] === location) return node;
      slot = (slot + 1) & mask;
    }
    return this.#add(parent, location, hash, slot);
  }

  /**
   * The node of the stack that lies in `stack` leaf first, from `start` to `end`. A new stack mostly differs from known ones
   * near its leaf: so the longest known beginning is looked for from there, by the hashes of the paths.
   */
  intern(stack: Int32Array, start: number, end: number): number {
    const length = end - start;
    this.#paths = grown(this.#paths, length + 1);
    const paths = this.#paths;
    paths[0] = HASH_SEED;
    for (let depth = 1; depth <= length; depth++) paths[depth] = mix(paths[depth - 1]!, stack[end - depth]!);
    let depth = length;
    let node = 0;
    for (; depth > 0; depth--) {
      node = this.#find(paths[depth]!, stack, end - depth, end);
      if (node !== 0) break;
    }
    for (; depth < length; depth++) node = this.child(node, stack[end - depth - 1]!);
    return node;
  }

  /** The node of a stack whose path has this hash, or 0. */
  #find(path: number, stack: Int32Array, start: number, end: number): number {
    const slots = this.#slots;
    const mask = this.#mask;
    let slot = spread(path) & mask;
    for (let node = slots[slot]!; node !== 0; node = slots[slot]!) {
      if (this.hashes[node] === path && this.matches(node, stack, start, end)) return node;
      slot = (slot + 1) & mask;
    }
    return 0;
  }

  /** Whether `node` is that of the stack in `stack`, leaf first, from `start` to `end`. */
  matches(node: number, stack: Int32Array, start: number, end: number): boolean {
    const { nodes } = this;
    let at = node;
    for (let depth = start; depth < end; depth++) {
      if (nodes[at * 2 + 1] !== stack[depth]) return false;
      at = nodes[at * 2]!;
    }
    return at === 0;
  }

  #add(parent: number, location: number, hash: number, slot: number): number {
    const node = this.#count++;
    this.nodes = grown(this.nodes, node * 2 + 2);
    this.hashes = grown(this.hashes, node + 1);
    this.nodes[node * 2] = parent;
    this.nodes[node * 2 + 1] = location;
    this.hashes[node] = hash;
    this.#slots[slot] = node;
    if (this.#count * 2 > this.#mask) this.#rehash(this.#count * 2);
    return node;
  }

  #rehash(count: number): void {
    const size = slotsFor(count);
    const slots = new Int32Array(size);
    for (let node = 1; node < this.#count; node++) {
      let slot = spread(this.hashes[node]!) & (size - 1);
      while (slots[slot] !== 0) slot = (slot + 1) & (size - 1);
      slots[slot] = node;
    }
    this.#slots = slots;
    this.#mask = size - 1;
  }
}
