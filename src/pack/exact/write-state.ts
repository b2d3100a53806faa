// What a write has in hand: the bytes so far and the numbers given to the entities of the profile. Reused from write to write.

import { grown } from "../../pprof/grow.ts";
import { FUNCTION_KEY } from "../../pprof/interner.ts";
import { MAPPING_STRIDE } from "../../pprof/mapping-table.ts";
import { Numbering } from "./numbering.ts";
import { putNumber } from "./put-number.ts";
import type { TableRows } from "./table-rows.ts";
import type { WrittenProfile, WrittenTables } from "./written-profile.ts";

/** Making a view for a shorter text takes longer than copying its bytes. */
const COPIED_BYTE_BY_BYTE = 96;

const EMPTY = new Int32Array(0);

export class WriteState {
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(64 * 1024);
  at = 0;
  /** Numbers of strings are their places in the string table: "" is 0 and needs none. */
  readonly strings = new Numbering();
  readonly functions = new Numbering();
  readonly locations = new Numbering();
  /** By number less 1: the place of each string, when it is not its number. */
  #places: Int32Array | undefined;
  /** Location ids of the stack in hand, leaf first. */
  stack: Int32Array = new Int32Array(256);
  #tables: WrittenTables | undefined;
  #mappings: Int32Array = EMPTY;
  #mappingRows: Int32Array = EMPTY;
  /** Of the address that `address` answered last. */
  addressHi = 0;

  start(profile: WrittenProfile): void {
    const { tables } = profile;
    this.at = 0;
    this.#tables = tables;
    this.#mappings = profile.mappings;
    this.#mappingRows = profile.mappingRows;
    this.#places = undefined;
    this.strings.start(tables.stringEnds.length);
    this.functions.start(Math.ceil(tables.functions.length / FUNCTION_KEY));
    this.locations.start(tables.locationEnds.length);
  }

  /** Makes room for `size` more bytes; `bytes` may be another array then. */
  reserve(size: number): Uint8Array<ArrayBuffer> {
    const needed = this.at + size;
    if (needed > this.bytes.length) {
      const larger = new Uint8Array(Math.max(needed, this.bytes.length * 2));
      larger.set(this.bytes.subarray(0, this.at));
      this.bytes = larger;
    }
    return this.bytes;
  }

  /** The place of a string in the table that is being made. */
  string(id: number): number {
    if (id === 0) return 0;
    const number = this.strings.of(id);
    return this.#places === undefined ? number : this.#places[number - 1]!;
  }

  /** From now on strings stand where these rows, which are those behind the empty string, have them. */
  placeStrings(rows: TableRows): void {
    if (!rows.isInGuessedOrder) this.#places = rows.rowOf.map((row) => row + 1);
  }

  /** Fills `stack` with the stack of a node and answers its length. */
  readStack(node: number): number {
    const { nodes } = this.#tables!;
    let length = 0;
    for (let at = node; at > 0; at = nodes[at * 2]!) {
      if (length === this.stack.length) this.stack = grown(this.stack, length + 1);
      this.stack[length++] = nodes[at * 2 + 1]!;
    }
    return length;
  }

  /** The row of the mapping that the location at index `at` of the tables lies in, or -1. */
  mappingRow(at: number): number {
    const key = this.#tables!.locations[at]!;
    return key < 0 ? -1 : this.#mappingRows[key]!;
  }

  /** The address of the location at index `at` of the tables, in the mapping of a row or -1: the low half; `addressHi` has the high one. */
  address(at: number, mappingRow: number): number {
    const { locations } = this.#tables!;
    const lo = locations[at + 1]!;
    const hi = locations[at + 2]!;
    if (mappingRow < 0) {
      this.addressHi = hi;
      return lo;
    }
    const start = mappingRow * MAPPING_STRIDE;
    const sum = (lo >>> 0) + (this.#mappings[start]! >>> 0);
    this.addressHi = (hi + this.#mappings[start + 1]! + (sum > 0xffff_ffff ? 1 : 0)) | 0;
    return sum | 0;
  }

  /** Writes the string table, the empty string first, each as a field of the one-byte tag `tag`; in the order of `rows`, else of their numbers. */
  writeStrings(tag: number, rows?: TableRows): void {
    const { stringBytes, stringEnds } = this.#tables!;
    const { ids } = this.strings;
    const count = rows === undefined ? this.strings.count : rows.count;
    this.reserve(2);
    this.bytes[this.at++] = tag;
    this.bytes[this.at++] = 0;
    for (let row = 0; row < count; row++) {
      const number = rows === undefined ? row + 1 : rows.numbers[row]!;
      if (number === 0) {
        const literal = rows!.literals.get(row)!;
        this.#writeText(tag, literal, 0, literal.length);
      } else {
        const id = ids[number - 1]!;
        this.#writeText(tag, stringBytes, stringEnds[id - 1]!, stringEnds[id]!);
      }
    }
  }

  #writeText(tag: number, source: Uint8Array, start: number, end: number): void {
    const bytes = this.reserve(6 + end - start);
    bytes[this.at] = tag;
    let to = putNumber(bytes, this.at + 1, end - start);
    if (end - start > COPIED_BYTE_BY_BYTE) {
      bytes.set(source.subarray(start, end), to);
      to += end - start;
    } else for (let from = start; from < end; from++) bytes[to++] = source[from]!;
    this.at = to;
  }
}
