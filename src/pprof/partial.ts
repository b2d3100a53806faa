// What one Merger tells another, as one block of bytes: tables of integers and, as JSON, the little else there is. Only for a
// Merger of the same code in the same process: this is no file format.

import type { TotalsState } from "./column-totals.ts";
import type { InternerContent } from "./interner-transfer.ts";
import type { ByteValueType } from "./merge-columns.ts";
import type { HeaderState } from "./merge-header.ts";
import type { MappingsState } from "./merged-mappings.ts";

export interface MergerState {
  header: HeaderState;
  mappings: MappingsState;
  /** In the order in which rows hold them, as `totals` and `sums`. */
  columns: readonly ByteValueType[];
  periodType: ByteValueType;
  totals: TotalsState;
  /** The earliest profile, and where it has each of `columns`. */
  layout: { order: number; places: number[] };
}

export interface PartialMerge {
  state: MergerState;
  content: InternerContent;
  /** Halves: of each row of `content`, or of each of those asked for, a pair per column. */
  sums: Int32Array;
}

/** Tables begin at multiples of so many bytes, as those of 64-bit numbers must. */
const ALIGNMENT = 8;

/** Layout: bytes of the JSON, elements of each table in the order of tablesOf, bytes of strings; then JSON, tables, strings. */
export function encodePartial(partial: PartialMerge): Uint8Array<ArrayBuffer> {
  const { moments: _, ...header } = partial.state.header;
  const json = Buffer.from(JSON.stringify({ ...partial.state, header }), "utf8");
  const tables = tablesOf(partial);
  const { stringBytes } = partial.content;
  const head = Int32Array.from([json.length, ...tables.map((table) => table.length), stringBytes.length]);
  const parts = [head, json, ...tables, stringBytes];
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + padded(part.byteLength), 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(new Uint8Array(part.buffer, part.byteOffset, part.byteLength), at);
    at += padded(part.byteLength);
  }
  return bytes;
}

/** The tables are views on `bytes`, which must begin at a multiple of eight in its ArrayBuffer. */
export function decodePartial(bytes: Uint8Array): PartialMerge {
  const words = 1 + 3 + INTEGER_TABLES.length + 1 + 1;
  const head = new Int32Array(bytes.buffer, bytes.byteOffset, words);
  let word = 0;
  let at = bytes.byteOffset;
  const next = <Table>(table: TableType<Table>, length = head[word++]!): Table => {
    const view = new table(bytes.buffer, at, length);
    at += padded(length * table.BYTES_PER_ELEMENT);
    return view;
  };
  next(Int32Array, words);
  const json = next(Uint8Array);
  const { header, ...state } = JSON.parse(Buffer.from(json).toString("utf8")) as MergerState;
  const moments = { orders: next(Float64Array), timesNs: next(BigInt64Array), periods: next(BigInt64Array) };
  const tables = INTEGER_TABLES.map((name) => [name, next(Int32Array)]);
  const integers = Object.fromEntries(tables) as Record<(typeof INTEGER_TABLES)[number], Int32Array>;
  const sums = next(Int32Array);
  const stringBytes = next(Uint8Array);
  return { state: { ...state, header: { ...header, moments } }, content: { ...integers, stringBytes }, sums };
}

interface TableType<Table> {
  new (buffer: ArrayBufferLike, at: number, length: number): Table;
  BYTES_PER_ELEMENT: number;
}

function tablesOf({ state, content, sums }: PartialMerge) {
  const { orders, timesNs, periods } = state.header.moments;
  return [orders, timesNs, periods, ...INTEGER_TABLES.map((name) => content[name]), sums];
}

const INTEGER_TABLES = [
  "stringEnds",
  "functions",
  "mappings",
  "locations",
  "locationEnds",
  "labelSets",
  "labelSetEnds",
  "nodes",
  "rowNodes",
  "rowLabelSets",
] as const;

function padded(size: number): number {
  return Math.ceil(size / ALIGNMENT) * ALIGNMENT;
}
