// What a write has in hand: the bytes so far and the numbers given to the entities of the profile. Reused from write to write.

import { grown } from "../../pprof/grow.ts";
import { FUNCTION_KEY } from "../../pprof/interner.ts";
import { MAPPING_STRIDE } from "../../pprof/mapping-table.ts";
import { Numbering } from "./numbering.ts";
import { putNumber } from "./put-number.ts";
import type { WrittenProfile, WrittenTables } from "./written-profile.ts";

const EMPTY = new Int32Array(0);

export class WriteState {
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(64 * 1024);
  at = 0;
  /** Numbers of strings are their places in the string table: "" is 0 and needs none. */
  readonly strings = new Numbering();
  readonly functions = new Numbering();
  readonly locations = new Numbering();
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
    return id === 0 ? 0 : this.strings.of(id);
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

  /** Writes the string table: fields of the one-byte tag `tag`, the empty string first. */
  writeStrings(tag: number): void {
    const { stringBytes, stringEnds } = this.#tables!;
    const { ids, count } = this.strings;
    let size = 2;
    for (let at = 0; at < count; at++) size += 6 + stringEnds[ids[at]!]! - stringEnds[ids[at]! - 1]!;
    const bytes = this.reserve(size);
    let to = this.at;
    bytes[to++] = tag;
    bytes[to++] = 0;
    for (let row = 0; row < count; row++) {
      const end = stringEnds[ids[row]!]!;
      let from = stringEnds[ids[row]! - 1]!;
      bytes[to++] = tag;
      to = putNumber(bytes, to, end - from);
      if (end - from > 96) {
        bytes.set(stringBytes.subarray(from, end), to);
        to += end - from;
      } else while (from < end) bytes[to++] = stringBytes[from++]!;
    }
    this.at = to;
  }
}
