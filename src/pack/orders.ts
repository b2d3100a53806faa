// What writing the profiles of a block again needs beside their rows and values: the order of the rows, and of the tables where rows do
// not tell it.

import type { Block } from "./block.ts";
import { earlierProfiles, earlierRows } from "./earlier-rows.ts";
import { type Pack, readSection, type Section, sectionName } from "./format.ts";
import { NumberReader, NumberWriter } from "./number-columns.ts";
import { BLOCK_PROFILES, KIND, type PackProfiles } from "./pack-profiles.ts";
import { digitsOf, orderOf, packDigits, packedSize, unpackDigits } from "./permutation.ts";

export interface Orders {
  /** By place in the block: for each sample as it was written, which of the profile's rows, as the block has them, it is of. */
  rows: (Int32Array | undefined)[];
  /** WrittenForm.orders of each. */
  tables: Uint8Array[];
}

/**
 * The order that is expected of a profile's samples. `none`: nothing is. `rows`: as the block has them. `before`: as the profile before it
 * of its process had them, new ones first, as Go's runtime keeps its heap. `value`: as in `before`, then by the last column, largest first, as Go writes what blocks.
 */
const EXPECTED = { none: 0, rows: 1, before: 2, value: 3 } as const;
type Expected = (typeof EXPECTED)[keyof typeof EXPECTED];
const GUESSES = [EXPECTED.before, EXPECTED.value, EXPECTED.rows];

export function encodeOrders(orders: Orders, block: Block, profiles: PackProfiles): Section {
  const out = new NumberWriter();
  const expectations: Expectations = new Expectations(block, profiles, (profile) => expectations.known(profile));
  for (const tables of orders.tables) out.number(tables.length);
  for (const tables of orders.tables) out.bytes(tables);
  const written = orders.rows.map((rows, profile) => {
    if (!rows) return undefined;
    const best = expectations.best(profile, rows);
    expectations.note(profile, rows);
    return best;
  });
  const there = written.filter((entry) => entry !== undefined);
  out.numbers(there.map(({ expected }) => expected));
  for (const { expected, digits } of there) if (expected !== EXPECTED.none) out.numbers(digits);
  for (const { expected, digits } of there) if (expected === EXPECTED.none) out.bytes(packDigits(digits));
  return { kind: "orders", part: block.first / BLOCK_PROFILES, bytes: out.finish() };
}

/** The orders of a block, each read when it is asked for. */
export class OrderReader {
  readonly #section: string;
  readonly #expectations: Expectations;
  readonly #tables: Uint8Array[];
  readonly #expected = new Map<number, Expected>();
  readonly #digits = new Map<number, () => Int32Array>();

  /** Throws `unavailable`, naming the section that is damaged, as `rows` does. */
  constructor(pack: Pack, profiles: PackProfiles, block: Block) {
    const part = block.first / BLOCK_PROFILES;
    const from = new NumberReader(sectionName("orders", part), readSection(pack, "orders", part));
    this.#section = from.section;
    const lengths = from.numbers(block.profiles);
    this.#tables = Array.from(lengths, (length) => from.bytes(length));
    const places = Array.from(lengths.keys()).filter((place) => profiles.kinds[block.first + place] === KIND.rows);
    const countOf = (place: number) => block.ends[place + 1]! - block.ends[place]!;
    const expected = from.numbers(places.length, EXPECTED.value + 1);
    places.forEach((place, at) => {
      this.#expected.set(place, expected[at] as Expected);
      if (expected[at] === EXPECTED.none) return;
      const digits = from.numbers(countOf(place));
      this.#digits.set(place, () => digits);
    });
    for (const place of places) {
      if (this.#digits.has(place)) continue;
      const count = countOf(place);
      const bits = from.bytes(packedSize(count));
      this.#digits.set(place, () => unpackDigits(bits, count));
    }
    from.end();
    this.#expectations = new Expectations(block, profiles, (place) => this.rows(place));
  }

  /** WrittenForm.orders of the profile at a place in the block. */
  tables(place: number): Uint8Array {
    return this.#tables[place]!;
  }

  /** For each sample as it was written, which of the profile's rows, as the block has them, it is of; undefined where bytes are kept. */
  rows(place: number): Int32Array | undefined {
    const expected = this.#expected.get(place);
    if (expected === undefined) return undefined;
    const known = this.#expectations.known(place);
    if (known) return known;
    const places = orderOf(this.#digits.get(place)!(), this.#section);
    const order = this.#expectations.ofPlaces(place, expected, places);
    this.#expectations.note(place, order);
    return order;
  }
}

/** Knows the orders of the profiles of a block so far, and what they let expect of the next. */
class Expectations {
  readonly #block: Block;
  readonly #references: Int32Array;
  readonly #known: (Int32Array | undefined)[] = [];
  readonly #orderOf: (profile: number) => Int32Array | undefined;

  /** `orderOf` answers the order of a profile before. */
  constructor(block: Block, profiles: PackProfiles, orderOf: (profile: number) => Int32Array | undefined) {
    this.#block = block;
    this.#references = earlierProfiles(block, profiles);
    block.earlier ??= earlierRows(block, profiles);
    this.#orderOf = orderOf;
  }

  known(profile: number): Int32Array | undefined {
    return this.#known[profile];
  }

  note(profile: number, order: Int32Array): void {
    this.#known[profile] = order;
  }

  /** The guess that the order follows most, and the digits by it; `none` where the bits of any order are fewer. */
  best(profile: number, order: Int32Array): { expected: Expected; digits: Int32Array } {
    let best: { expected: Expected; places: Int32Array; follows: number } | undefined;
    for (const expected of GUESSES) {
      const places = inverse(this.#guess(profile, expected));
      let follows = 0;
      for (let at = 1; at < order.length; at++) if (places[order[at]!] === places[order[at - 1]!]! + 1) follows++;
      if (best === undefined || follows > best.follows) best = { expected, places, follows };
      if (follows * 50 >= order.length * 49) break;
    }
    // An order of random places needs 5 to 11 bits for each; one that follows a guess 8 to 16 where it leaves it.
    if (best === undefined || best.follows * 3 < order.length)
      return { expected: EXPECTED.none, digits: digitsOf(order) };
    const { expected, places } = best;
    return { expected, digits: digitsOf(order.map((row) => places[row]!)) };
  }

  /** Turns places in the order that was expected into rows. */
  ofPlaces(profile: number, expected: Expected, places: Int32Array): Int32Array {
    if (expected === EXPECTED.none) return places;
    const guess = this.#guess(profile, expected);
    const order = new Int32Array(places.length);
    for (let at = 0; at < order.length; at++) order[at] = guess[places[at]!]!;
    return order;
  }

  #guess(profile: number, expected: Expected): Int32Array {
    const before = expected === EXPECTED.rows ? undefined : this.#asBefore(profile);
    if (before && expected === EXPECTED.before) return before;
    const { ends } = this.#block;
    const rows = before ?? new Int32Array(ends[profile + 1]! - ends[profile]!);
    if (!before) for (let at = 0; at < rows.length; at++) rows[at] = at;
    return expected === EXPECTED.value ? this.#byValue(profile, rows) : rows;
  }

  /** New rows first, then those of the profile before it as that one had them. */
  #asBefore(profile: number): Int32Array | undefined {
    const reference = this.#references[profile]!;
    const known = reference < 0 ? undefined : this.#orderOf(reference);
    if (known === undefined) return undefined;
    const { ends, earlier } = this.#block;
    const start = ends[profile]!;
    const order = new Int32Array(ends[profile + 1]! - start);
    const ownOf = new Int32Array(known.length).fill(-1);
    let to = 0;
    for (let own = 0; own < order.length; own++) {
      const other = earlier![start + own]!;
      if (other < 0) order[to++] = own;
      else ownOf[other - ends[reference]!] = own;
    }
    for (const row of known) if (ownOf[row]! >= 0) order[to++] = ownOf[row]!;
    return order;
  }

  #byValue(profile: number, order: Int32Array): Int32Array {
    const { ends, values } = this.#block;
    const last = values.at(-1);
    if (last === undefined) return order;
    this.#block.fill?.(profile);
    const start = ends[profile]!;
    // Rounded values sort well enough, and everywhere alike.
    const weights = Float64Array.from(
      order,
      (_, row) => last[(start + row) * 2 + 1]! * 2 ** 32 + (last[(start + row) * 2]! >>> 0),
    );
    return order.slice().sort((a, b) => weights[b]! - weights[a]!);
  }
}

function inverse(order: Int32Array): Int32Array {
  const places = new Int32Array(order.length);
  for (let place = 0; place < order.length; place++) places[order[place]!] = place;
  return places;
}
