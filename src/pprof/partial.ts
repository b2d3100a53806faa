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
  sums: Int32Array;
}

const INTEGER_BYTES = 4;

/** Layout: bytes of the JSON, integers of each table in the order of INTEGER_TABLES, JSON, tables, bytes of strings. */
export function encodePartial({ state, content, sums }: PartialMerge): Uint8Array<ArrayBuffer> {
  const json = Buffer.from(JSON.stringify(state), "utf8");
  const tables = [...INTEGER_TABLES.map((name) => content[name]), sums];
  const head = Int32Array.from([json.length, ...tables.map((table) => table.length)]);
  const parts = [head, json, ...tables, content.stringBytes];
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + padded(part.byteLength), 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(new Uint8Array(part.buffer, part.byteOffset, part.byteLength), at);
    at += padded(part.byteLength);
  }
  return bytes;
}

/** The tables are views on `bytes`, which must begin at a multiple of four in its ArrayBuffer. */
export function decodePartial(bytes: Uint8Array): PartialMerge {
  const names = [...INTEGER_TABLES, "sums"];
  const [jsonBytes, ...lengths] = new Int32Array(bytes.buffer, bytes.byteOffset, 1 + names.length);
  let at = bytes.byteOffset + (1 + names.length) * INTEGER_BYTES;
  const state = JSON.parse(Buffer.from(bytes.buffer, at, jsonBytes).toString("utf8")) as MergerState;
  at += padded(jsonBytes!);
  const tables: Record<string, Int32Array> = {};
  names.forEach((name, table) => {
    tables[name] = new Int32Array(bytes.buffer, at, lengths[table]);
    at += lengths[table]! * INTEGER_BYTES;
  });
  const { sums, ...rest } = tables as Record<keyof InternerContent, Int32Array> & { sums: Int32Array };
  const stringBytes = new Uint8Array(bytes.buffer, at, rest.stringEnds.at(-1));
  return { state, content: { ...rest, stringBytes }, sums };
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
  return Math.ceil(size / INTEGER_BYTES) * INTEGER_BYTES;
}
