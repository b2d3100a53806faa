// The entities of many profiles, each once: strings, functions, mappings, locations, stacks, label sets, rows. Keys are
// google/pprof's: addresses count from the start of their mapping, a mapping is its size in 4 KiB pages, offset and build id
// or else file. It knows nothing of values or headers: merger.ts sums over its rows.

import { FUNCTION_STRIDE } from "./function-table.ts";
import { grown } from "./grow.ts";
import { LINE_STRIDE, LOCATION_STRIDE } from "./location-table.ts";
import { MAPPING_STRIDE } from "./mapping-table.ts";
import type { ProfileTables } from "./profile-tables.ts";
import { RowTable } from "./row-table.ts";
import { LABEL_STRIDE, type SampleReader } from "./sample-reader.ts";
import { StackTree } from "./stack-tree.ts";
import { StringInterner } from "./string-interner.ts";
import { TupleInterner } from "./tuple-interner.ts";

/** Integers of a location before its lines: mapping or -1, relative address low, high, is_folded. A line has LINE_STRIDE. */
export const LOCATION_HEAD = 4;

export class Interner {
  readonly strings = new StringInterner();
  /** (name, system name, file, start line low, high). */
  readonly functions = new TupleInterner();
  /** (size low, high, offset low, high, build id or file). */
  readonly mappings = new TupleInterner();
  /** LOCATION_HEAD, then per line (function, line low, high, column low, high). */
  readonly locations = new TupleInterner();
  /** Canonical sets and sets as they came, both (key, text, number low, high, unit) per label; set 0 is empty. */
  readonly labelSets = new TupleInterner();
  readonly stacks = new StackTree();
  readonly rows = new RowTable(this.stacks);
  /** The canonical set of each label set, plus 1; 0 until it was asked for. */
  #canonical: Int32Array = new Int32Array(64);

  // Of the profile taken last: its indexes → ids here.
  stringOf: Int32Array = new Int32Array(512);
  #functionOf: Int32Array = new Int32Array(512);
  mappingOf: Int32Array = new Int32Array(16);
  #locationOf: Int32Array = new Int32Array(512);
  #stack: Int32Array = new Int32Array(128);

  constructor() {
    this.labelSets.intern(0);
  }

  /** Memory held. */
  get bytes(): number {
    let bytes = this.#canonical.byteLength + this.#stack.byteLength;
    for (const array of [this.stringOf, this.#functionOf, this.mappingOf, this.#locationOf]) bytes += array.byteLength;
    const tables = [
      this.strings,
      this.functions,
      this.mappings,
      this.locations,
      this.labelSets,
      this.stacks,
      this.rows,
    ];
    for (const table of tables) bytes += table.bytes;
    return bytes;
  }

  /** Takes the entities of a profile; afterwards `row` reads its samples. */
  take(tables: ProfileTables): void {
    this.#takeStrings(tables);
    this.#takeMappings(tables);
    this.#takeFunctions(tables);
    this.#takeLocations(tables);
  }

  /** The row of the sample that was read last. */
  row(sample: SampleReader): number {
    const labelSet = sample.labelCount === 0 ? 0 : this.#labelSet(sample);
    const { stack, stackLength } = sample;
    if (stackLength > this.#stack.length) this.#stack = new Int32Array(stackLength * 2);
    const own = this.#stack;
    const locationOf = this.#locationOf;
    for (let at = 0; at < stackLength; at++) own[at] = locationOf[stack[at]!]!;
    return this.rows.row(own, stackLength, labelSet);
  }

  #takeStrings({ strings, raw }: ProfileTables): void {
    const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
    const { bounds, count } = strings;
    const own = this.strings;
    this.stringOf = grown(this.stringOf, count);
    const stringOf = this.stringOf;
    for (let at = 0; at < count; at++) stringOf[at] = own.intern(view, bounds[at * 2]!, bounds[at * 2 + 1]!);
  }

  #takeMappings({ mappings }: ProfileTables): void {
    const { rows, count } = mappings;
    this.mappingOf = grown(this.mappingOf, count);
    for (let row = 0; row < count; row++) {
      const at = row * MAPPING_STRIDE;
      this.mappingOf[row] = this.mapping(rows, at, this.stringOf[rows[at + 6]!]!, this.stringOf[rows[at + 7]!]!);
    }
  }

  /** The id of the mapping that the row at `at` describes; `file` and `buildId` are string ids of ours. */
  mapping(rows: Int32Array, at: number, file: number, buildId: number): number {
    const key = this.mappings.key;
    // size = limit - start, rounded up to 4 KiB, modulo 2^64
    const lo = (rows[at + 2]! >>> 0) - (rows[at]! >>> 0);
    const hi = rows[at + 3]! - rows[at + 1]! - (lo < 0 ? 1 : 0);
    const rounded = (lo >>> 0) + 0xfff;
    key[0] = rounded & ~0xfff;
    key[1] = hi + (rounded > 0xffff_ffff ? 1 : 0);
    key[2] = rows[at + 4]!;
    key[3] = rows[at + 5]!;
    key[4] = buildId || file;
    return this.mappings.intern(5);
  }

  #takeFunctions({ functions }: ProfileTables): void {
    const { rows, count } = functions;
    const own = this.functions;
    const { key } = own;
    const stringOf = this.stringOf;
    this.#functionOf = grown(this.#functionOf, count);
    const functionOf = this.#functionOf;
    for (let row = 0; row < count; row++) {
      const at = row * FUNCTION_STRIDE;
      key[0] = stringOf[rows[at]!]!;
      key[1] = stringOf[rows[at + 1]!]!;
      key[2] = stringOf[rows[at + 2]!]!;
      key[3] = rows[at + 3]!;
      key[4] = rows[at + 4]!;
      functionOf[row] = own.intern(5);
    }
  }

  #takeLocations({ locations, mappings }: ProfileTables): void {
    const { rows, lines, count } = locations;
    const own = this.locations;
    const functionOf = this.#functionOf;
    this.#locationOf = grown(this.#locationOf, count);
    const locationOf = this.#locationOf;
    let line = 0;
    for (let row = 0; row < count; row++) {
      const at = row * LOCATION_STRIDE;
      const lineEnd = rows[at + 4]! * LINE_STRIDE;
      const key = own.reserve(LOCATION_HEAD + lineEnd - line);
      const mapping = rows[at]!;
      if (mapping < 0) {
        key[0] = -1;
        key[1] = rows[at + 1]!;
        key[2] = rows[at + 2]!;
      } else {
        const start = mapping * MAPPING_STRIDE;
        const lo = (rows[at + 1]! >>> 0) - (mappings.rows[start]! >>> 0);
        key[0] = this.mappingOf[mapping]!;
        key[1] = lo;
        key[2] = rows[at + 2]! - mappings.rows[start + 1]! - (lo < 0 ? 1 : 0);
      }
      key[3] = rows[at + 3]!;
      let length = LOCATION_HEAD;
      for (; line < lineEnd; line += LINE_STRIDE, length += LINE_STRIDE) {
        key[length] = functionOf[lines[line]!]!;
        key[length + 1] = lines[line + 1]!;
        key[length + 2] = lines[line + 2]!;
        key[length + 3] = lines[line + 3]!;
        key[length + 4] = lines[line + 4]!;
      }
      locationOf[row] = own.intern(length);
    }
  }

  /** Interned as it came first, so that sorting is done once per distinct sequence. */
  #labelSet({ labels, labelCount }: SampleReader): number {
    const stringOf = this.stringOf;
    const length = labelCount * LABEL_STRIDE;
    const key = this.labelSets.reserve(length);
    for (let at = 0; at < length; at += LABEL_STRIDE) {
      key[at] = stringOf[labels[at]!]!;
      key[at + 1] = stringOf[labels[at + 1]!]!;
      key[at + 2] = labels[at + 2]!;
      key[at + 3] = labels[at + 3]!;
      key[at + 4] = stringOf[labels[at + 4]!]!;
    }
    const set = this.labelSets.intern(length);
    const known = set < this.#canonical.length ? this.#canonical[set]! : 0;
    return known > 0 ? known - 1 : this.#canonicalSet(set);
  }

  /**
   * Labels of one key keep their order, keys do not; texts and numbers of one key are lists apart. A label whose text is
   * empty, or whose number is 0 without a unit, cannot be told from no label on the wire and is none.
   */
  #canonicalSet(set: number): number {
    const start = this.labelSets.ends[set]!;
    const own = this.labelSets.data.slice(start, this.labelSets.ends[set + 1]!);
    const labels: number[] = [];
    for (let at = 0; at < own.length; at += LABEL_STRIDE) {
      if ((own[at + 1]! | own[at + 2]! | own[at + 3]! | own[at + 4]!) !== 0) labels.push(at);
    }
    const isNumber = (at: number) => Number(own[at + 1] === 0);
    labels.sort((a, b) => isNumber(a) - isNumber(b) || own[a]! - own[b]! || a - b);
    const key = this.labelSets.reserve(own.length);
    labels.forEach((from, to) => {
      for (let part = 0; part < LABEL_STRIDE; part++) key[to * LABEL_STRIDE + part] = own[from + part]!;
    });
    const canonical = this.labelSets.intern(labels.length * LABEL_STRIDE);
    this.#canonical = grown(this.#canonical, set + 1);
    this.#canonical[set] = canonical + 1;
    return canonical;
  }
}
