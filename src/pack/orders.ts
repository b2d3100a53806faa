// What writing the profiles of a block again needs beside their rows and values: the order of the rows, and of the tables where rows do
// not tell it.

import type { Block } from "./block.ts";
import { type Pack, readSection, type Section, sectionName } from "./format.ts";
import { NumberReader, NumberWriter } from "./number-columns.ts";
import { BLOCK_PROFILES, KIND, type PackProfiles } from "./pack-profiles.ts";

export interface Orders {
  /** By place in the block: for each sample as it was written, which of the profile's rows, as the block has them, it is of. */
  rows: (Int32Array | undefined)[];
  /** WrittenForm.orders of each. */
  tables: Uint8Array[];
}

export function encodeOrders(orders: Orders, { first }: Block): Section {
  const out = new NumberWriter();
  for (const tables of orders.tables) out.number(tables.length);
  for (const tables of orders.tables) out.bytes(tables);
  for (const rows of orders.rows) if (rows) out.numbers(rows);
  return { kind: "orders", part: first / BLOCK_PROFILES, bytes: out.finish() };
}

/** Throws `unavailable`, naming the section that is damaged. */
export function decodeOrders(pack: Pack, profiles: PackProfiles, block: Block): Orders {
  const part = block.first / BLOCK_PROFILES;
  const from = new NumberReader(sectionName("orders", part), readSection(pack, "orders", part));
  const lengths = from.numbers(block.profiles);
  const tables = Array.from(lengths, (length) => from.bytes(length));
  const rows: (Int32Array | undefined)[] = [];
  for (let profile = 0; profile < block.profiles; profile++) {
    const isThere = profiles.kinds[block.first + profile] === KIND.rows;
    const count = block.ends[profile + 1]! - block.ends[profile]!;
    rows.push(isThere ? from.numbers(count, count) : undefined);
  }
  from.end();
  return { rows, tables };
}
