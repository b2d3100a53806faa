// The rows of a table → bytes that say how they differ from the guess, and back. Bytes that were not written here are refused,
// never followed: no order names an entity that is not there.

import type { WireReader } from "../../pprof/wire-reader.ts";
import type { WireWriter } from "../../pprof/wire-writer.ts";
import { misfit } from "./misfit.ts";
import { ODD_ROWS_MAX, TableRows } from "./table-rows.ts";

/**
 * The order: how many rows; then, until there are so many, how many single rows follow and each of them, and how many rows
 * follow of which each is the entity after the last. A single row is twice the zigzag of how far its number is from that,
 * or twice its size plus 1 and its bytes.
 */
export function writeOrder(out: WireWriter, { numbers, literals, count }: TableRows): void {
  out.varint(count);
  let last = 0;
  for (let row = 0; row < count; ) {
    let singles = 0;
    let expected = last + 1;
    while (row + singles < count && numbers[row + singles] !== expected) {
      const number = numbers[row + singles]!;
      if (number !== 0) expected = number + 1;
      singles++;
    }
    out.varint(singles);
    for (const end = row + singles; row < end; row++) {
      const number = numbers[row]!;
      if (number === 0) {
        out.varint(literals.get(row)!.length * 2 + 1);
        out.bytes(literals.get(row)!);
      } else {
        out.varint(zigzag(number - last - 1) * 2);
        last = number;
      }
    }
    let run = 0;
    for (; row < count && numbers[row] === last + 1; row++, run++) last++;
    out.varint(run);
  }
}

/** Reads an order of entities numbered up to `entityCount`. What does not fit throws `unavailable`. */
export function readOrder(from: WireReader, entityCount: number): TableRows {
  const count = readNumber(from);
  // A row takes a byte at least, or is one of a run of entities that there are.
  if (count < 0 || count > from.end + entityCount) misfit();
  const numbers = new Int32Array(count);
  const literals = new Map<number, Uint8Array>();
  let last = 0;
  for (let row = 0; row < count; ) {
    const singles = readNumber(from);
    if (singles < 0 || singles > count - row) misfit();
    for (const end = row + singles; row < end; row++) {
      const single = readNumber(from);
      if (single < 0) misfit();
      const half = single >>> 1;
      if ((single & 1) === 0) {
        last += 1 + unzigzag(half);
        if (last < 1 || last > entityCount) misfit();
        numbers[row] = last;
      } else {
        if (half > from.end - from.pos || literals.size === ODD_ROWS_MAX) misfit();
        literals.set(row, from.bytes.subarray(from.pos, from.pos + half));
        from.pos += half;
      }
    }
    const run = readNumber(from);
    if (run < 0 || run > count - row || last + run > entityCount || singles + run === 0) misfit();
    for (const end = row + run; row < end; row++) numbers[row] = ++last;
  }
  const rows = new TableRows(numbers, literals, entityCount);
  if (rows.rowOf.includes(-1)) misfit();
  return rows;
}

/** The ids of `count` rows: how many are one more than the id before, and how far the next one is from that, in turn. */
export function writeIds(out: WireWriter, ids: Int32Array): void {
  let expected = 1n;
  let run = 0;
  for (let at = 0; at < ids.length; at += 2) {
    const id = BigInt.asUintN(64, (BigInt(ids[at + 1]!) << 32n) | BigInt(ids[at]! >>> 0));
    if (id === expected) run++;
    else {
      out.varint(run);
      out.bigint(BigInt.asIntN(64, id - expected));
      run = 0;
    }
    expected = BigInt.asUintN(64, id + 1n);
  }
  out.varint(run);
}

/** Reads the ids of `count` rows, two halves each. */
export function readIds(from: WireReader, count: number): Int32Array {
  const ids = new Int32Array(count * 2);
  let expected = 1n;
  for (let row = 0; ; row++) {
    const run = readNumber(from);
    if (run < 0 || run > count - row) misfit();
    for (const end = row + run; row < end; row++) putId(ids, row, expected++);
    if (row === count) return ids;
    from.varint();
    expected = BigInt.asUintN(64, expected + from.int64);
    putId(ids, row, expected);
    expected = BigInt.asUintN(64, expected + 1n);
  }
}

function putId(ids: Int32Array, row: number, id: bigint): void {
  ids[row * 2] = Number(BigInt.asIntN(32, id));
  ids[row * 2 + 1] = Number(BigInt.asIntN(32, id >> 32n));
}

/** A whole number below 2^31. */
export function readNumber(from: WireReader): number {
  from.varint();
  if (from.index < 0) misfit();
  return from.index;
}

function zigzag(value: number): number {
  return value < 0 ? -value * 2 - 1 : value * 2;
}

function unzigzag(value: number): number {
  return (value & 1) === 0 ? value >>> 1 : -(value >>> 1) - 1;
}
