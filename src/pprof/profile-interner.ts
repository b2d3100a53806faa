// One profile after another → ids of an Interner. Most of what a profile has was seen before: it is guessed and compared,
// and hashed only where the guess fails. What the ids mean is interner.ts's business.

import { FUNCTION_STRIDE } from "./function-table.ts";
import { grown } from "./grow.ts";
import { HASH_SEED, mix, spread } from "./hash.ts";
import { FUNCTION_KEY, type Interner, LOCATION_HEAD } from "./interner.ts";
import { LINE_STRIDE, LOCATION_STRIDE } from "./location-table.ts";
import { MAPPING_STRIDE } from "./mapping-table.ts";
import type { ProfileTables } from "./profile-tables.ts";
import { LABEL_STRIDE, type SampleReader } from "./sample-reader.ts";
import { StackBatch } from "./stack-batch.ts";

const KEY_STRIDE = 4;
const NO_BYTES = new DataView(new ArrayBuffer(0));

export class ProfileInterner {
  readonly #interner: Interner;
  readonly #labelsAsWritten: boolean;

  // Of the profile taken last: its indexes → ids of the interner; -1 until somebody asked.
  #tables: ProfileTables | undefined;
  #view: DataView = NO_BYTES;
  #stringOf: Int32Array = new Int32Array(512);
  #functionOf: Int32Array = new Int32Array(512);
  mappingOf: Int32Array = new Int32Array(16);
  #locationOf: Int32Array = new Int32Array(512);
  /** Per location: mapping, relative address low, high, slot in `#guesses`. */
  #keys: Int32Array = new Int32Array(2048);
  readonly noted = new StackBatch();

  /** A location seen lately at an address, plus 1, by the hash of that address: a guess, always verified. */
  #guesses: Int32Array = new Int32Array(4096);

  /** `labelsAsWritten`: sets differ that a merge takes for one, by the order of their labels and by labels that say nothing. Default false. */
  constructor(interner: Interner, { labelsAsWritten = false } = {}) {
    this.#interner = interner;
    this.#labelsAsWritten = labelsAsWritten;
  }

  /** Memory held, the interner's not counted. */
  get bytes(): number {
    let bytes = this.noted.bytes;
    const arrays = [this.#stringOf, this.#functionOf, this.mappingOf, this.#locationOf, this.#guesses, this.#keys];
    for (const array of arrays) bytes += array.byteLength;
    return bytes;
  }

  /** Takes the entities of a profile that its locations use; afterwards `note` reads its samples. */
  take(tables: ProfileTables): void {
    const { raw, strings, functions } = tables;
    this.#tables = tables;
    this.noted.count = 0; // a damaged profile may have left some
    this.#view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
    this.#stringOf = grown(this.#stringOf, strings.count);
    this.#stringOf.fill(-1, 0, strings.count);
    this.#functionOf = grown(this.#functionOf, functions.count);
    this.#functionOf.fill(-1, 0, functions.count);
    this.#takeMappings(tables);
    this.#takeLocations(tables);
  }

  /** Lets go of the profile's bytes; nothing but `take` may follow. */
  release(): void {
    this.#view = NO_BYTES;
  }

  /** Notes the sample that was read last; `resolve` must follow before the next profile, and whenever `noted` is full. */
  note(sample: SampleReader): void {
    const labelSet = sample.labelCount === 0 ? 0 : this.#labelSetOf(sample);
    this.noted.note(sample.stack, sample.stackLength, this.#locationOf, labelSet);
  }

  /** Writes the rows of the noted samples to `out` from index `to` on. */
  resolve(out: Int32Array, to: number): void {
    this.#interner.rows.resolve(this.noted, out, to);
  }

  /** The id of a string of the profile. */
  string(index: number): number {
    const known = this.#stringOf[index]!;
    if (known >= 0) return known;
    const { bounds } = this.#tables!.strings;
    const id = this.#interner.strings.intern(this.#view, bounds[index * 2]!, bounds[index * 2 + 1]!);
    this.#stringOf[index] = id;
    return id;
  }

  #takeMappings({ mappings }: ProfileTables): void {
    const { rows, count } = mappings;
    this.mappingOf = grown(this.mappingOf, count);
    for (let row = 0; row < count; row++) {
      const at = row * MAPPING_STRIDE;
      this.mappingOf[row] = this.#interner.mapping(rows, at, this.string(rows[at + 6]!), this.string(rows[at + 7]!));
    }
  }

  #function(row: number): number {
    const known = this.#functionOf[row]!;
    if (known >= 0) return known;
    const { rows } = this.#tables!.functions;
    const at = row * FUNCTION_STRIDE;
    const { key } = this.#interner.functions;
    key[0] = this.string(rows[at]!);
    key[1] = this.string(rows[at + 1]!);
    key[2] = this.string(rows[at + 2]!);
    key[3] = rows[at + 3]!;
    key[4] = rows[at + 4]!;
    const id = this.#interner.functions.intern(FUNCTION_KEY);
    this.#functionOf[row] = id;
    return id;
  }

  /**
   * Most locations of most profiles were seen before, and comparing costs less than hashing all their strings: so each is
   * guessed by its address and verified. In three passes, because what the tables answer lies far apart in memory: a pass
   * of loads that do not wait for each other is several times as fast as a chain of them per location.
   */
  #takeLocations({ locations }: ProfileTables): void {
    const { rows, count } = locations;
    this.#locationOf = grown(this.#locationOf, count);
    this.#keys = grown(this.#keys, count * KEY_STRIDE);
    this.#guess(count);
    this.#checkGuesses(count);
    const keys = this.#keys;
    let line = 0;
    for (let row = 0; row < count; row++) {
      const lineEnd = rows[row * LOCATION_STRIDE + 4]! * LINE_STRIDE;
      const guess = this.#locationOf[row]!;
      if (guess < 0 || !this.#hasLines(guess, line, lineEnd)) {
        const id = this.#location(row, line, lineEnd);
        this.#locationOf[row] = id;
        this.#guesses[keys[row * KEY_STRIDE + 3]!] = id + 1;
      }
      line = lineEnd;
    }
  }

  /** Writes the key of each location, and the location that was at its address last, plus 1. */
  #guess(count: number): void {
    const { mappings, locations } = this.#tables!;
    const { rows } = locations;
    const starts = mappings.rows;
    const keys = this.#keys;
    if (this.#interner.locations.count * 4 > this.#guesses.length)
      this.#guesses = new Int32Array(this.#guesses.length * 4);
    const guesses = this.#guesses;
    const mask = guesses.length - 1;
    const locationOf = this.#locationOf;
    for (let row = 0; row < count; row++) {
      const from = row * LOCATION_STRIDE;
      const to = row * KEY_STRIDE;
      const mapping = rows[from]!;
      let global = -1;
      let lo = rows[from + 1]!;
      let hi = rows[from + 2]!;
      if (mapping >= 0) {
        const start = mapping * MAPPING_STRIDE;
        const difference = (lo >>> 0) - (starts[start]! >>> 0);
        lo = difference | 0;
        hi = (hi - starts[start + 1]! - (difference < 0 ? 1 : 0)) | 0;
        global = this.mappingOf[mapping]!;
      }
      const slot = spread(mix(mix(HASH_SEED, lo), global)) & mask;
      keys[to] = global;
      keys[to + 1] = lo;
      keys[to + 2] = hi;
      keys[to + 3] = slot;
      locationOf[row] = guesses[slot]!;
    }
  }

  /** Turns guesses into ids, -1 where the address is another. */
  #checkGuesses(count: number): void {
    const { data, ends } = this.#interner.locations;
    const { rows } = this.#tables!.locations;
    const keys = this.#keys;
    const locationOf = this.#locationOf;
    for (let row = 0; row < count; row++) {
      const guess = locationOf[row]! - 1;
      const key = row * KEY_STRIDE;
      const at = guess < 0 ? 0 : ends[guess]!;
      const isSame =
        data[at + 1] === keys[key + 1] &&
        data[at + 2] === keys[key + 2] &&
        data[at] === keys[key] &&
        data[at + 3] === rows[row * LOCATION_STRIDE + 3];
      locationOf[row] = isSame ? guess : -1;
    }
  }

  /** Whether location `id` has the lines of the profile from `line` to `lineEnd`. */
  #hasLines(id: number, line: number, lineEnd: number): boolean {
    const { data, ends } = this.#interner.locations;
    const { lines } = this.#tables!.locations;
    let own = ends[id]! + LOCATION_HEAD;
    if (ends[id + 1]! - own !== lineEnd - line) return false;
    for (let other = line; other < lineEnd; other += LINE_STRIDE, own += LINE_STRIDE) {
      if (
        data[own + 1] !== lines[other + 1] ||
        data[own + 2] !== lines[other + 2] ||
        data[own + 3] !== lines[other + 3] ||
        data[own + 4] !== lines[other + 4] ||
        !this.#isFunction(data[own]!, lines[other]!)
      ) {
        return false;
      }
    }
    return true;
  }

  #isFunction(id: number, row: number): boolean {
    const known = this.#functionOf[row]!;
    if (known >= 0) return known === id;
    const { data } = this.#interner.functions;
    const { rows } = this.#tables!.functions;
    const own = id * FUNCTION_KEY;
    const at = row * FUNCTION_STRIDE;
    const isSame =
      data[own + 3] === rows[at + 3] &&
      data[own + 4] === rows[at + 4] &&
      this.#isString(data[own]!, rows[at]!) &&
      this.#isString(data[own + 1]!, rows[at + 1]!) &&
      this.#isString(data[own + 2]!, rows[at + 2]!);
    if (isSame) this.#functionOf[row] = id;
    return isSame;
  }

  #isString(id: number, index: number): boolean {
    const known = this.#stringOf[index]!;
    if (known >= 0) return known === id;
    const { bounds } = this.#tables!.strings;
    const isSame = this.#interner.strings.equals(id, this.#view, bounds[index * 2]!, bounds[index * 2 + 1]!);
    if (isSame) this.#stringOf[index] = id;
    return isSame;
  }

  /** The location with the key of `row`, made when it is new. */
  #location(row: number, line: number, lineEnd: number): number {
    const { lines, rows } = this.#tables!.locations;
    const key = this.#interner.locations.reserve(LOCATION_HEAD + lineEnd - line);
    for (let part = 0; part < 3; part++) key[part] = this.#keys[row * KEY_STRIDE + part]!;
    key[3] = rows[row * LOCATION_STRIDE + 3]!;
    let length = LOCATION_HEAD;
    for (let at = line; at < lineEnd; at += LINE_STRIDE, length += LINE_STRIDE) {
      key[length] = this.#function(lines[at]!);
      key[length + 1] = lines[at + 1]!;
      key[length + 2] = lines[at + 2]!;
      key[length + 3] = lines[at + 3]!;
      key[length + 4] = lines[at + 4]!;
    }
    return this.#interner.locations.intern(length);
  }

  #labelSetOf({ labels, labelCount }: SampleReader): number {
    const length = labelCount * LABEL_STRIDE;
    const key = this.#interner.labelSets.reserve(length);
    for (let at = 0; at < length; at += LABEL_STRIDE) {
      key[at] = this.string(labels[at]!);
      key[at + 1] = this.string(labels[at + 1]!);
      key[at + 2] = labels[at + 2]!;
      key[at + 3] = labels[at + 3]!;
      key[at + 4] = this.string(labels[at + 4]!);
    }
    return this.#labelsAsWritten ? this.#interner.labelSets.intern(length) : this.#interner.labelSet(length);
  }
}
