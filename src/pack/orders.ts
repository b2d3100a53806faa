// What writing the profiles of a block again needs beside their rows and values: the order of the rows, and of the tables where rows do
// not tell it.

import { type Block, blockReferences } from "./block.ts";
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
const GUESSES = [EXPECTED.rows, EXPECTED.before, EXPECTED.value];

export function encodeOrders(orders: Orders, block: Block, profiles: PackProfiles): Section {
  const out = new NumberWriter();
  const expectations = new Expectations(block, profiles);
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

/** Throws `unavailable`, naming the section that is damaged. */
export function decodeOrders(pack: Pack, profiles: PackProfiles, block: Block): Orders {
  const part = block.first / BLOCK_PROFILES;
  const from = new NumberReader(sectionName("orders", part), readSection(pack, "orders", part));
  const lengths = from.numbers(block.profiles);
  const tables = Array.from(lengths, (length) => from.bytes(length));
  const places = Array.from(lengths.keys()).filter((place) => profiles.kinds[block.first + place] === KIND.rows);
  const countOf = (place: number) => block.ends[place + 1]! - block.ends[place]!;
  const expected = from.numbers(places.length, EXPECTED.value + 1);
  const digits = places.map((place, at) => (expected[at] === EXPECTED.none ? undefined : from.numbers(countOf(place))));
  const expectations = new Expectations(block, profiles);
  const rows: Orders["rows"] = new Array(block.profiles).fill(undefined);
  places.forEach((place, at) => {
    const count = countOf(place);
    const own = digits[at] ?? unpackDigits(from.bytes(packedSize(count)), count);
    const order = expectations.ofPlaces(place, expected[at] as Expected, orderOf(own, from.section));
    expectations.note(place, order);
    rows[place] = order;
  });
  from.end();
  return { rows, tables };
}

/** Knows the orders of the profiles of a block so far, and what they let expect of the next. */
class Expectations {
  readonly #block: Block;
  readonly #references: Int32Array;
  readonly #known: (Int32Array | undefined)[] = [];

  constructor(block: Block, profiles: PackProfiles) {
    this.#block = block;
    this.#references = blockReferences(block, profiles);
  }

  note(profile: number, order: Int32Array): void {
    this.#known[profile] = order;
  }

  /** The guess that the order follows most, and the digits by it; `none` where the bits of any order are fewer. */
  best(profile: number, order: Int32Array): { expected: Expected; digits: Int32Array } {
    let best: { expected: Expected; places: Int32Array; follows: number } | undefined;
    for (const expected of GUESSES) {
      const guess = this.#guess(profile, expected);
      if (guess === undefined) continue;
      const places = inverse(guess);
      let follows = 0;
      for (let at = 1; at < order.length; at++) if (places[order[at]!] === places[order[at - 1]!]! + 1) follows++;
      if (best === undefined || follows > best.follows) best = { expected, places, follows };
    }
    // An order of random places needs 5 to 11 bits for each; one that follows a guess 8 to 16 where it leaves it.
    if (best === undefined || best.follows * 3 < order.length)
      return { expected: EXPECTED.none, digits: digitsOf(order) };
    const { expected, places } = best;
    return { expected, digits: digitsOf(order.map((row) => places[row]!)) };
  }

  /** Turns places in the order that was expected into rows. */
  ofPlaces(profile: number, expected: Expected, places: Int32Array): Int32Array {
    const guess = expected === EXPECTED.none ? undefined : this.#guess(profile, expected);
    return guess ? places.map((place) => guess[place]!) : places;
  }

  #guess(profile: number, expected: Expected): Int32Array | undefined {
    const { ends } = this.#block;
    const rows = Int32Array.from({ length: ends[profile + 1]! - ends[profile]! }, (_, at) => at);
    if (expected === EXPECTED.rows) return rows;
    const before = this.#asBefore(profile) ?? rows;
    return expected === EXPECTED.before ? before : this.#byValue(profile, before);
  }

  /** New rows first, then those of the profile before it as that one had them. */
  #asBefore(profile: number): Int32Array | undefined {
    const reference = this.#references[profile]!;
    const known = reference < 0 ? undefined : this.#known[reference];
    if (known === undefined) return undefined;
    const { ends, rows } = this.#block;
    const start = ends[profile]!;
    const count = ends[profile + 1]! - start;
    const ownOf = new Int32Array(known.length).fill(-1);
    const order = new Int32Array(count);
    let to = 0;
    let other = ends[reference]!;
    for (let own = 0; own < count; own++) {
      while (other < ends[reference + 1]! && rows[other]! < rows[start + own]!) other++;
      if (other < ends[reference + 1]! && rows[other] === rows[start + own]) ownOf[other++ - ends[reference]!] = own;
      else order[to++] = own;
    }
    for (const row of known) if (ownOf[row]! >= 0) order[to++] = ownOf[row]!;
    return order;
  }

  #byValue(profile: number, order: Int32Array): Int32Array {
    const { ends, values } = this.#block;
    const last = values.at(-1);
    if (last === undefined) return order;
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
  order.forEach((row, place) => {
    places[row] = place;
  });
  return places;
}
