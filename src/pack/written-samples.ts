// The samples of one profile of a pack, in the order in which they were written, with the pack's rows.

import { type Block, decodeBlock } from "./block.ts";
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

export interface ReadingOptions {
  /** All profiles are going to be read, in the order of the pack. Default false: there may be no second one. */
  all?: boolean;
}

/** Keeps the block that was asked for last: asking in the order of the pack decodes each once. */
export class WrittenSamplesReader {
  readonly #decoded: DecodedPack;
  readonly #readsAll: boolean;
  #part = -1;
  #block: Block | undefined;
  /** The only profile whose values the block has for sure; undefined where it has those of all. */
  #alone: number | undefined;
  #orders: OrderReader | undefined;

  constructor(decoded: DecodedPack, { all = false }: ReadingOptions = {}) {
    this.#decoded = decoded;
    this.#readsAll = all;
  }

  /** Of a profile that the pack has by its rows alone. Throws `unavailable`, naming the section that is damaged. */
  read(row: number): WrittenSamples {
    const { block, orders } = this.#open(row);
    const place = row - block.first;
    const order = orders.rows(place)!;
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
    const isOpen = this.#part === part && this.#block !== undefined && this.#orders !== undefined;
    if (isOpen && (this.#alone === undefined || this.#alone === row))
      return { block: this.#block!, orders: this.#orders! };
    // Who asks for one profile of a block may ask for no other: only for a second one are the values of all made.
    const isAlone = !this.#readsAll && !isOpen;
    const wanted = row % BLOCK_PROFILES;
    const block = decodeBlock(this.#decoded, part, isAlone ? (place) => place === wanted : undefined);
    const orders = new OrderReader(this.#decoded.pack, this.#decoded.profiles, block);
    this.#part = part;
    this.#block = block;
    this.#orders = orders;
    this.#alone = isAlone ? row : undefined;
    return { block, orders };
  }
}
