// The entities of many profiles, each once: strings, functions, mappings, locations, stacks, label sets, rows. Keys are
// google/pprof's: addresses count from the start of their mapping, a mapping is its size in 4 KiB pages, offset and build id
// or else file. How a profile's tables come to ids here is profile-interner.ts's business; merger.ts sums over the rows.

import { grown } from "./grow.ts";
import { RowTable } from "./row-table.ts";
import { LABEL_STRIDE } from "./sample-reader.ts";
import { StackTree } from "./stack-tree.ts";
import { StringInterner } from "./string-interner.ts";
import { TupleInterner } from "./tuple-interner.ts";

/** Integers of a location before its lines: mapping or -1, relative address low, high, is_folded. A line has LINE_STRIDE. */
export const LOCATION_HEAD = 4;

/** Integers of a function's and of a mapping's key: all are of one length, so the n-th begins at n times that. */
export const FUNCTION_KEY = 5;
export const MAPPING_KEY = 5;

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

  constructor() {
    this.labelSets.intern(0);
  }

  /** Memory held. */
  get bytes(): number {
    let bytes = this.#canonical.byteLength;
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
    return this.mappings.intern(MAPPING_KEY);
  }

  /**
   * The canonical set of the labels whose `length` integers are the key of `labelSets`. It is interned as it came first, so
   * that sorting is done once per distinct sequence.
   */
  labelSet(length: number): number {
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
