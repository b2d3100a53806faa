// Some stacks with their label sets, noted to be looked up together (row-table.ts says why).

import { grown } from "./grow.ts";
import { HASH_SEED, mix, spread } from "./hash.ts";

const CAPACITY = 32;

export class StackBatch {
  count = 0;
  /** All noted stacks, each leaf first, one behind the other. */
  stacks: Int32Array = new Int32Array(1024);
  /** Where each ends: it begins where the one before ends. */
  readonly ends: Int32Array = new Int32Array(CAPACITY);
  readonly labelSets: Int32Array = new Int32Array(CAPACITY);
  /** Of each row: the path from the root, as stack-tree.ts has it, and the label set. */
  readonly hashes: Int32Array = new Int32Array(CAPACITY);
  /** Scratch of the lookup. */
  readonly nodes: Int32Array = new Int32Array(CAPACITY);

  get isFull(): boolean {
    return this.count === CAPACITY;
  }

  get bytes(): number {
    return this.stacks.byteLength + CAPACITY * 16;
  }

  /** Notes a stack, given leaf first as rows of a profile's location table, of which `locationOf` knows the locations. */
  note(stack: Int32Array, length: number, locationOf: Int32Array, labelSet: number): void {
    const at = this.count++;
    const start = at === 0 ? 0 : this.ends[at - 1]!;
    this.stacks = grown(this.stacks, start + length);
    const { stacks } = this;
    let path = HASH_SEED;
    for (let depth = length - 1; depth >= 0; depth--) {
      const location = locationOf[stack[depth]!]!;
      stacks[start + depth] = location;
      path = mix(path, location);
    }
    this.ends[at] = start + length;
    this.labelSets[at] = labelSet;
    this.hashes[at] = spread(mix(path, labelSet));
  }
}
