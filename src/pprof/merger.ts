// The sum of profiles: fold one, forget it. Equals google/pprof's profile.Merge of the same profiles in canonical order, and
// is written in an order of its own (canonical-order.ts), so that the order of adds and the number of Mergers do not show.

import { DomainError } from "../model/errors.ts";
import { DEFAULT_LIMITS, type Limits } from "../model/limits.ts";
import type { ValueType } from "../model/shape.ts";
import { canonicalOrder } from "./canonical-order.ts";
import { ColumnTotals } from "./column-totals.ts";
import { grown } from "./grow.ts";
import { Interner } from "./interner.ts";
import {
  type ByteValueType,
  columnsDiffer,
  isSame,
  locateColumns,
  periodTypesDiffer,
  sampleTypesOf,
  valueTypeOf,
} from "./merge-columns.ts";
import { encodeMerge } from "./merge-encoder.ts";
import { type MergedHeader, MergeHeader } from "./merge-header.ts";
import { MergedMappings } from "./merged-mappings.ts";
import { decodePartial, encodePartial } from "./partial.ts";
import { ProfileTables } from "./profile-tables.ts";
import { SampleReader } from "./sample-reader.ts";

export interface MergerOptions {
  /** Default: DEFAULT_LIMITS. Used: samples, framesPerStack, tableRows, resultBytes. */
  limits?: Limits;
  /** The columns of the result; each profile must have them and is projected on them. Default: all of the first profile's, in its order. */
  columns?: readonly ValueType[];
}

export interface MergedProfile {
  /** Uncompressed protobuf in canonical form, alone in its ArrayBuffer. */
  bytes: Uint8Array;
  /** Rows of the result. */
  samples: number;
  /** Sum of each column; like the values, it wraps as int64 does. */
  totals: bigint[];
  /** Per column: whether its true sum does not fit int64. */
  wrapped: boolean[];
}

/** How many times the largest result the tables of a Merger may take: each entity is there as data, hash slot and order. */
const MEMORY_PER_RESULT = 4;

/** A merge may have more of everything than an upload. */
const UNLIMITED = { samples: Number.MAX_SAFE_INTEGER, tableRows: Number.MAX_SAFE_INTEGER };

export class Merger {
  readonly #limits: Limits;
  readonly #projection: readonly ByteValueType[] | undefined;
  readonly #tables = new ProfileTables();
  readonly #samples: SampleReader;
  readonly #interner = new Interner();
  readonly #header = new MergeHeader();
  readonly #mappings = new MergedMappings();
  /** The columns in the order in which rows hold them; unknown until the first profile unless they were asked for. */
  #columns: readonly ByteValueType[] | undefined;
  #periodType: ByteValueType | undefined;
  /** Where the earliest profile in canonical order has the columns: the result's order. */
  #layout: { order: number; places: Int32Array } | undefined;
  /** Halves of the sums, a pair per row and column. */
  #sums: Int32Array = new Int32Array(1024);
  #totals: ColumnTotals | undefined;
  // The profile being read: it is added when all of it proved readable.
  #rows: Int32Array = new Int32Array(512);
  #values: Int32Array = new Int32Array(2048);

  constructor({ limits = DEFAULT_LIMITS, columns }: MergerOptions = {}) {
    this.#limits = limits;
    this.#samples = new SampleReader(this.#tables, limits);
    this.#projection = columns?.map(({ type, unit }) => [toByteString(type), toByteString(unit)]);
  }

  /** Profiles added so far, those of absorbed Mergers too. */
  get profiles(): number {
    return this.#header.profiles;
  }

  /** Memory held, by its own count of its arrays. */
  get bytes(): number {
    const own = this.#sums.byteLength + this.#rows.byteLength + this.#values.byteLength;
    return own + this.#tables.bytes + this.#interner.bytes + this.#header.bytes + this.#mappings.bytes;
  }

  /**
   * Adds an inflated profile. `order` is its position in the canonical order of all profiles of the merge, in whichever
   * Merger: a number that no other has. Throws `conflict` (columns or period type differ) or `invalid` (damaged), and is
   * unchanged then; throws `too-large` when the merge outgrows its memory, and is of no use then.
   */
  add(raw: Uint8Array, order: number): void {
    this.#tables.load(raw, this.#limits);
    const places = this.#match();
    const count = this.#read(places);
    const totals = this.#commit(count, places, order);
    for (let at = 0; at < count; at++) totals.add(this.#values, at * places.length * 2);
    this.#header.take(this.#tables, order);
    const source = { tables: this.#tables, interner: this.#interner, samples: this.#samples, columns: places };
    this.#mappings.take(source, order);
    this.#checkMemory();
  }

  /** What another Merger absorbs to know all that this one does: bytes in an ArrayBuffer of their own. */
  partial(): Uint8Array {
    if (this.profiles === 0) return new Uint8Array(0);
    const totals = this.#totals!.state;
    return encodePartial({
      header: this.#header.state(),
      mappings: this.#mappings.state(this.#interner),
      totals: Array.from(this.#outputColumns(), (column) => totals[column]!),
      profile: this.finish().bytes,
    });
  }

  /** Adds all profiles of the Merger that gave `partial`. Throws as `add` does. */
  absorb(partial: Uint8Array): void {
    if (partial.length === 0) return;
    const { header, mappings, totals, profile } = decodePartial(partial);
    this.#tables.load(profile, { ...this.#limits, ...UNLIMITED });
    const places = this.#match();
    const count = this.#read(places);
    const first = header.profiles.reduce((least, [order]) => Math.min(least, order), Number.POSITIVE_INFINITY);
    this.#commit(count, places, first).absorb(totals, places);
    this.#header.absorb(header);
    this.#mappings.absorb(mappings, this.#interner);
    this.#checkMemory();
  }

  /** The merge of what was added; it may be called again after more adds. Throws `too-large` beyond the limit of a result. */
  finish(): MergedProfile {
    const columns = this.#columns;
    const totals = this.#totals;
    if (columns === undefined || totals === undefined) throw new Error("Cannot finish a merge of no profiles");
    const sumOf = this.#outputColumns();
    const { main, attributes } = this.#mappings;
    const order = canonicalOrder(this.#interner, this.#liveRows(), main?.mapping);
    const content = {
      interner: this.#interner,
      order,
      header: this.#finishedHeader(columns),
      periodType: this.#periodType!,
      columns: Array.from(sumOf, (column) => columns[column]!),
      sums: this.#sums,
      sumColumns: columns.length,
      sumOf,
      mappingAttributes: attributes,
      mainAttributes: main?.attributes,
    };
    const sums = totals.totals;
    const wrapped = totals.wrapped;
    return {
      bytes: encodeMerge(content, this.#limits.resultBytes),
      samples: order.rows.length,
      totals: Array.from(sumOf, (column) => sums[column]!),
      wrapped: Array.from(sumOf, (column) => wrapped[column]!),
    };
  }

  /** A projection may have left out the column that viewers were to show first. */
  #finishedHeader(columns: readonly ByteValueType[]): MergedHeader {
    const header = this.#header.finish();
    const isThere = !this.#projection || columns.some(([type]) => type === header.defaultSampleType);
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

  #liveRows(): Int32Array {
    const width = this.#columns!.length * 2;
    const { count } = this.#interner.rows;
    const live = new Int32Array(count);
    let length = 0;
    for (let row = 0; row < count; row++) {
      let bits = 0;
      for (let at = row * width; at < (row + 1) * width; at++) bits |= this.#sums[at]!;
      if (bits !== 0) live[length++] = row;
    }
    return live.subarray(0, length);
  }

  /** Where the loaded profile has the columns of the merge. Throws `conflict`. */
  #match(): Int32Array {
    const present = sampleTypesOf(this.#tables);
    const periodType = valueTypeOf(this.#tables, this.#tables.header.periodType);
    if (this.#periodType && !isSame(this.#periodType, periodType)) periodTypesDiffer(this.#periodType, periodType);
    const wanted = this.#columns ?? this.#projection ?? present;
    if (!this.#projection && wanted.length !== present.length) columnsDiffer(wanted, present);
    return locateColumns(wanted, present);
  }

  /** Interns the loaded profile and notes the rows and values of its samples that are not zero. Answers how many they are. */
  #read(places: Int32Array): number {
    const tables = this.#tables;
    const samples = this.#samples;
    const interner = this.#interner;
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
      rows[count++] = interner.row(samples);
      for (let column = 0; column < columns; column++) {
        const from = places[column]! * 2;
        noted[to++] = values[from]!;
        noted[to++] = values[from + 1]!;
      }
    }
    return count;
  }

  /** Adds what `#read` noted; nothing here can fail. The totals are the caller's to add to. */
  #commit(count: number, places: Int32Array, order: number): ColumnTotals {
    const width = places.length * 2;
    // Rows of a profile that proved damaged are there too, with sums of 0.
    this.#sums = grown(this.#sums, this.#interner.rows.count * width);
    const sums = this.#sums;
    const rows = this.#rows;
    const values = this.#values;
    let from = 0;
    for (let at = 0; at < count; at++) {
      const start = rows[at]! * width;
      for (let to = start; to < start + width; to += 2, from += 2) {
        const lo = (sums[to]! >>> 0) + (values[from]! >>> 0);
        sums[to] = lo;
        sums[to + 1] = sums[to + 1]! + values[from + 1]! + (lo > 0xffff_ffff ? 1 : 0);
      }
    }
    if (this.#layout === undefined || order < this.#layout.order) this.#layout = { order, places };
    this.#columns ??= this.#projection ?? sampleTypesOf(this.#tables);
    this.#periodType ??= valueTypeOf(this.#tables, this.#tables.header.periodType);
    this.#totals ??= new ColumnTotals(places.length);
    return this.#totals;
  }

  #checkMemory(): void {
    const allowed = this.#limits.resultBytes * MEMORY_PER_RESULT;
    if (this.bytes <= allowed) return;
    throw new DomainError(
      "too-large",
      `Cannot merge these profiles: they need more than the ${allowed} bytes allowed; merge fewer or a shorter window`,
      { subject: "result" },
    );
  }
}

function toByteString(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}
