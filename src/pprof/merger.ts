// The sum of profiles: fold one, forget it. Equals google/pprof's profile.Merge of the same profiles in canonical order, and
// is written in an order of its own (canonical-order.ts), so that the order of adds and the number of Mergers do not show.

import { DomainError } from "../model/errors.ts";
import { DEFAULT_LIMITS, type Limits } from "../model/limits.ts";
import type { ValueType } from "../model/shape.ts";
import { canonicalOrder } from "./canonical-order.ts";
import { ColumnTotals } from "./column-totals.ts";
import { grown } from "./grow.ts";
import { Interner } from "./interner.ts";
import { absorbContent, internerContent } from "./interner-transfer.ts";
import { MAPPING_STRIDE } from "./mapping-table.ts";
import {
  type ByteValueType,
  columnsDiffer,
  isSame,
  locateColumns,
  periodTypesDiffer,
  sampleTypesOf,
  toByteValueType,
  valueTypeOf,
} from "./merge-columns.ts";
import { encodeMerge } from "./merge-encoder.ts";
import { type MergedHeader, MergeHeader } from "./merge-header.ts";
import { MergedMappings } from "./merged-mappings.ts";
import { multiply64 } from "./multiply64.ts";
import { decodePartial, encodePartial, type PartialMerge } from "./partial.ts";
import { ProfileInterner } from "./profile-interner.ts";
import { ProfileTables } from "./profile-tables.ts";
import { RowSums } from "./row-sums.ts";
import { SampleReader } from "./sample-reader.ts";
import { type Top, type TopGrouping, topOf } from "./top.ts";
import { trim } from "./trim.ts";

export interface MergerOptions {
  /** Default: DEFAULT_LIMITS. Used: samples, framesPerStack, tableRows, resultBytes. */
  limits?: Limits;
  /** The columns of the result; each profile must have them and is projected on them. Default: all of the first profile's, in its order. */
  columns?: readonly ValueType[];
  /** `columns` are all that the profiles have, in the order asked for: none is left out. Default: false. */
  areAllColumns?: boolean;
}

export interface MergedProfile {
  /** Uncompressed protobuf in canonical form, alone in its ArrayBuffer. */
  bytes: Uint8Array<ArrayBuffer>;
  /** Rows of the result. */
  samples: number;
  /** Sum of each column; like the values, it wraps as int64 does. */
  totals: bigint[];
  /** Per column: whether its true sum does not fit int64. */
  wrapped: boolean[];
  /** Where `maxNodes` cut: nodes of the call tree before, and those of them that are left. */
  trimmed?: { nodes: number; kept: number };
}

/** Of one column of a merge. */
export interface MergedTop extends Top {
  /** Which of the result's columns. */
  column: number;
  /** Of all samples, with their signs; it wraps as int64 does. */
  sum: bigint;
  /** Whether the true sum does not fit int64. */
  isWrapped: boolean;
}

/** How many times the largest result the tables of a Merger may take: each entity is there as data, hash slot and order. */
const MEMORY_PER_RESULT = 4;

/** Where values come from: a profile, or the merge of several of which this is the earliest. */
interface Source {
  columns: readonly ByteValueType[];
  periodType: ByteValueType;
  /** For each column of the merge its place in the profile. */
  places: Int32Array;
  order: number;
}

export class Merger {
  readonly #limits: Limits;
  readonly #projection: readonly ByteValueType[] | undefined;
  readonly #areAllColumns: boolean;
  readonly #tables = new ProfileTables();
  readonly #samples: SampleReader;
  readonly #interner = new Interner();
  readonly #reader = new ProfileInterner(this.#interner);
  readonly #header = new MergeHeader();
  readonly #mappings = new MergedMappings();
  /** The columns in the order in which rows hold them; unknown until the first profile unless they were asked for. */
  #columns: readonly ByteValueType[] | undefined;
  #periodType: ByteValueType | undefined;
  /** Where the earliest profile in canonical order has the columns: the result's order. */
  #layout: { order: number; places: Int32Array } | undefined;
  #sums: RowSums | undefined;
  #totals: ColumnTotals | undefined;
  // The profile being read: it is added when all of it proved readable.
  #rows: Int32Array = new Int32Array(512);
  #values: Int32Array = new Int32Array(2048);

  constructor({ limits = DEFAULT_LIMITS, columns, areAllColumns = false }: MergerOptions = {}) {
    this.#limits = limits;
    this.#samples = new SampleReader(this.#tables, limits);
    this.#projection = columns?.map(toByteValueType);
    this.#areAllColumns = columns === undefined || areAllColumns;
  }

  /** Profiles added so far, those of absorbed Mergers too. */
  get profiles(): number {
    return this.#header.profiles;
  }

  /** The columns that were asked for, where some were; others of a profile have no say in the merge. */
  get projection(): readonly ByteValueType[] | undefined {
    return this.#projection;
  }

  /** Memory held, by its own count of its arrays. */
  get bytes(): number {
    const own = (this.#sums?.values.byteLength ?? 0) + this.#rows.byteLength + this.#values.byteLength;
    return (
      own + this.#tables.bytes + this.#interner.bytes + this.#reader.bytes + this.#header.bytes + this.#mappings.bytes
    );
  }

  /**
   * Adds an inflated profile, its values times `weight`, a whole number of up to 2^16. `order` is its position in the canonical order of all
   * profiles of the merge, in whichever Merger: a number that no other has. Throws `conflict` (columns or period type differ) or `invalid` (damaged), and is
   * unchanged then; throws `too-large` when the merge outgrows its memory, and is of no use then.
   */
  add(raw: Uint8Array, order: number, weight = 1): void {
    try {
      this.#fold(raw, order, weight);
    } finally {
      this.#tables.release();
      this.#reader.release();
    }
    this.#checkMemory();
  }

  #fold(raw: Uint8Array, order: number, weight: number): void {
    const tables = this.#tables;
    tables.load(raw, this.#limits);
    const columns = sampleTypesOf(tables);
    const periodType = valueTypeOf(tables, tables.header.periodType);
    const places = this.#locate(columns, periodType);
    const count = this.#read(places);
    if (weight !== 1) multiply64(this.#values, 0, count * places.length * 2, BigInt(weight), this.#values);
    this.#commit(this.#rows, count, { columns, periodType, places, order });
    for (let at = 0; at < count; at++) this.#totals!.add(this.#values, at * places.length * 2);
    this.#header.take(tables, order);
    this.#mappings.take({ tables, interner: this.#reader, samples: this.#samples, columns: places }, order);
  }

  /** What another Merger absorbs to know all that this one does: bytes in an ArrayBuffer of their own. */
  partial(): Uint8Array<ArrayBuffer> {
    if (this.#columns === undefined) return new Uint8Array(0);
    const { order, places } = this.#layout!;
    const state = {
      header: this.#header.state(),
      mappings: this.#mappings.state(this.#interner),
      columns: this.#columns,
      periodType: this.#periodType!,
      totals: this.#totals!.state,
      layout: { order, places: [...places] },
    };
    const rowCount = this.#interner.rows.count;
    const sums = this.#sums!.values.subarray(0, rowCount * this.#columns.length * 2);
    return encodePartial({ state, content: internerContent(this.#interner), sums });
  }

  /** Adds all profiles of the Merger that gave `partial`. Throws `conflict` and `too-large` as `add` does. */
  absorb(partial: Uint8Array): void {
    if (partial.length > 0) this.absorbPart(decodePartial(partial));
  }

  /**
   * Adds a sum that others made: of all rows of its content, or of `usedRows`, ascending ones that `sums` then is of. What those do not
   * use is left out. Throws `conflict` and `too-large` as `add` does.
   */
  absorbPart({ state, content, sums }: PartialMerge, usedRows?: Int32Array): void {
    const { columns, periodType, layout } = state;
    const places = this.#locate(columns, periodType);
    const rows = absorbContent(this.#interner, content, usedRows);
    const count = rows.length;
    this.#values = grown(this.#values, count * places.length * 2);
    let to = 0;
    for (let row = 0; row < count; row++) {
      for (const place of places) {
        const from = (row * columns.length + place) * 2;
        this.#values[to++] = sums[from]!;
        this.#values[to++] = sums[from + 1]!;
      }
    }
    const layoutPlaces = places.map((place) => layout.places[place]!);
    this.#commit(rows, count, { columns, periodType, places: layoutPlaces, order: layout.order });
    this.#totals!.absorb(state.totals, places);
    this.#header.absorb(state.header);
    this.#mappings.absorb(state.mappings, this.#interner);
    this.#checkMemory();
  }

  /**
   * The merge of what was added; it may be called again after more adds. `maxNodes`: keep only so many nodes of the call tree, see trim.ts.
   * Throws `too-large` beyond the limit of a result.
   */
  finish(maxNodes = Number.POSITIVE_INFINITY): MergedProfile {
    const { all, columns, sumOf, header, shown, totals, wrapped } = this.#finished();
    const { main, attributes } = this.#mappings;
    const trimmed = trim(this.#interner, all, sumOf[shown]!, maxNodes, main?.mapping);
    const rowSums = trimmed?.sums ?? all;
    const order = canonicalOrder(this.#interner, rowSums.liveRows(this.#interner.rows.count), main?.mapping);
    const content = {
      interner: this.#interner,
      order,
      header,
      periodType: this.#periodType!,
      columns: Array.from(sumOf, (column) => columns[column]!),
      sums: rowSums.values,
      sumColumns: columns.length,
      sumOf,
      mappingAttributes: attributes,
      mainAttributes: main?.attributes,
    };
    return {
      bytes: encodeMerge(content, this.#limits.resultBytes),
      samples: order.rows.length,
      totals,
      wrapped,
      ...(trimmed && { trimmed: { nodes: trimmed.nodes, kept: trimmed.kept } }),
    };
  }

  /** Where the sums lie of the column that viewers show first. Throws `too-large` as topOf does. */
  top(grouping: TopGrouping): MergedTop {
    const { all, sumOf, header, shown, totals, wrapped } = this.#finished();
    const { main, attributes } = this.#mappings;
    const file = 6;
    const source = {
      interner: this.#interner,
      rows: all.liveRows(this.#interner.rows.count),
      sums: { values: all.values, width: all.width, place: sumOf[shown]! * 2 },
      binaryOf: (mapping: number) => {
        const said = mapping === main?.mapping ? main.attributes[file] : attributes[mapping * MAPPING_STRIDE + file];
        return this.#interner.strings.byteString(said!);
      },
      ...header,
    };
    const { total, rows } = topOf(source, grouping, this.#limits);
    return { total, rows, column: shown, sum: totals[shown]!, isWrapped: wrapped[shown]! };
  }

  #finished() {
    const columns = this.#columns;
    const totals = this.#totals;
    const all = this.#sums;
    if (!columns || !totals || !all) throw new Error("Cannot finish a merge of no profiles");
    const sumOf = this.#outputColumns();
    const header = this.#finishedHeader(columns);
    const { defaultSampleType } = header;
    const named = sumOf.findIndex((column) => defaultSampleType !== "" && columns[column]![0] === defaultSampleType);
    const inOrder = <Value>(values: readonly Value[]) => Array.from(sumOf, (column) => values[column]!);
    return {
      all,
      columns,
      sumOf,
      header,
      shown: named < 0 ? sumOf.length - 1 : named,
      totals: inOrder(totals.totals),
      wrapped: inOrder(totals.wrapped),
    };
  }

  /** A projection may have left out the column that viewers were to show first. */
  #finishedHeader(columns: readonly ByteValueType[]): MergedHeader {
    const header = this.#header.finish();
    const isThere = this.#areAllColumns || columns.some(([type]) => type === header.defaultSampleType);
    return isThere ? header : { ...header, defaultSampleType: "" };
  }

  /** For each column of the result its place in a row: as the earliest profile has them, or as they were asked for. */
  #outputColumns(): Int32Array {
    const { places } = this.#layout!;
    if (this.#projection) return places.map((_, column) => column);
    const columns = new Int32Array(places.length);
    places.forEach((place, column) => {
      columns[place] = column;
    });
    return columns;
  }

  /** Where a profile with these columns has those of the merge. Throws `conflict`. */
  #locate(columns: readonly ByteValueType[], periodType: ByteValueType): Int32Array {
    if (this.#periodType && !isSame(this.#periodType, periodType)) periodTypesDiffer(this.#periodType, periodType);
    const wanted = this.#columns ?? this.#projection ?? columns;
    if (!this.#projection && wanted.length !== columns.length) columnsDiffer(wanted, columns);
    return locateColumns(wanted, columns);
  }

  /** Interns the loaded profile and notes the rows and values of its samples that are not zero. Answers how many they are. */
  #read(places: Int32Array): number {
    const tables = this.#tables;
    const samples = this.#samples;
    const interner = this.#reader;
    const columns = places.length;
    const total = tables.samples.count;
    samples.start();
    interner.take(tables);
    this.#rows = grown(this.#rows, total);
    this.#values = grown(this.#values, total * columns * 2);
    const rows = this.#rows;
    const noted = this.#values;
    const { values } = samples;
    let count = 0;
    let to = 0;
    for (let sample = 0; sample < total; sample++) {
      samples.read(sample);
      if (samples.isZero(places)) continue;
      if (interner.noted.isFull) interner.resolve(rows, count - interner.noted.count);
      interner.note(samples);
      count++;
      for (let column = 0; column < columns; column++) {
        const from = places[column]! * 2;
        noted[to++] = values[from]!;
        noted[to++] = values[from + 1]!;
      }
    }
    interner.resolve(rows, count - interner.noted.count);
    return count;
  }

  /** Adds to `rows` the values that were noted; nothing here can fail. */
  #commit(rows: Int32Array, count: number, { columns, periodType, places, order }: Source): void {
    this.#columns ??= this.#projection ?? columns;
    this.#periodType ??= periodType;
    this.#totals ??= new ColumnTotals(places.length);
    this.#sums ??= new RowSums(places.length);
    this.#sums.add(rows, count, this.#values, this.#interner.rows.count);
    if (this.#layout === undefined || order < this.#layout.order) this.#layout = { order, places };
  }

  #checkMemory(): void {
    const allowed = this.#limits.resultBytes * MEMORY_PER_RESULT;
    if (this.bytes <= allowed) return;
    throw new DomainError(
      "too-large",
      `Cannot merge these profiles: after ${this.profiles} of them, what they name takes ${this.bytes} bytes, more than the ${allowed} bytes allowed; ask for a shorter window or more labels`,
      { subject: "result" },
    );
  }
}
