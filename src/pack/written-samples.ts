// The samples of one profile of a pack, in the order in which they were written, with the pack's rows.

import { type Block, openBlock } from "./block.ts";
import type { DecodedPack } from "./decoded-pack.ts";
import { OrderReader } from "./orders.ts";
import { BLOCK_PROFILES } from "./pack-profiles.ts";

export interface WrittenSamples {
  /** Of the pack, one for each sample. */
  rows: Int32Array;
  /** Halves: sample after sample, column after column. */
  values: Int32Array;
  /** WrittenForm.orders. */
  orders: Uint8Array;
}

/**
 * Keeps the block that was asked for last: asking in the order of the pack decodes each once. Of it, values are made of those profiles alone
 * that are asked for, and of those whose order another's follows from.
 */
export class WrittenSamplesReader {
  readonly #decoded: DecodedPack;
  #opened: { part: number; block: Block; orders: OrderReader } | undefined;

  constructor(decoded: DecodedPack) {
    this.#decoded = decoded;
  }

  /** Of a profile that the pack has by its rows alone. Throws `unavailable`, naming the section that is damaged. */
  read(row: number): WrittenSamples {
    const { block, orders } = this.#open(row);
    const place = row - block.first;
    const order = orders.rows(place)!;
    block.fill?.(place);
    const start = block.ends[place]!;
    const columns = block.values.length;
    const rows = new Int32Array(order.length);
    const values = new Int32Array(order.length * columns * 2);
    let to = 0;
    for (let at = 0; at < order.length; at++) {
      const from = start + order[at]!;
      rows[at] = block.rows[from]!;
      for (const column of block.values) {
        values[to++] = column[from * 2]!;
        values[to++] = column[from * 2 + 1]!;
      }
    }
    return { rows, values, orders: orders.tables(place) };
  }

  #open(row: number): { block: Block; orders: OrderReader } {
    const part = Math.floor(row / BLOCK_PROFILES);
    if (this.#opened?.part !== part) {
      const block = openBlock(this.#decoded, part);
      const orders = new OrderReader(this.#decoded.pack, this.#decoded.profiles, block);
      this.#opened = { part, block, orders };
    }
    return this.#opened;
  }
}
