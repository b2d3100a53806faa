// Which columns a merge sums, and where each profile has them: by name, since writers order them differently.
// Names are byte strings (one character per byte), so that no two differ on the wire and agree here.

import { DomainError } from "../model/errors.ts";
import type { ValueType } from "../model/shape.ts";
import type { ProfileTables } from "./profile-tables.ts";

export type ByteValueType = readonly [type: string, unit: string];

export function toByteValueType({ type, unit }: ValueType): ByteValueType {
  return [toByteString(type), toByteString(unit)];
}

function toByteString(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

export function sampleTypesOf(tables: ProfileTables): ByteValueType[] {
  return tables.header.sampleTypes.map((indexes) => valueTypeOf(tables, indexes));
}

export function valueTypeOf(tables: ProfileTables, [type, unit]: readonly [number, number]): ByteValueType {
  return [tables.byteString(type), tables.byteString(unit)];
}

/**
 * For each of `wanted`, where `present` has it; of columns with one name the n-th is the n-th. Throws `conflict` when one
 * is missing.
 */
export function locateColumns(wanted: readonly ByteValueType[], present: readonly ByteValueType[]): Int32Array {
  const found = new Int32Array(wanted.length);
  const taken = new Set<number>();
  wanted.forEach((column, at) => {
    const index = present.findIndex((other, place) => !taken.has(place) && isSame(column, other));
    if (index < 0) columnsDiffer(wanted, present);
    taken.add(index);
    found[at] = index;
  });
  return found;
}

export function isSame(a: ByteValueType, b: ByteValueType): boolean {
  return a[0] === b[0] && a[1] === b[1];
}

export function columnsDiffer(wanted: readonly ByteValueType[], present: readonly ByteValueType[]): never {
  throw new DomainError(
    "conflict",
    `Cannot merge a profile with the sample types ${names(present)} into ${names(wanted)}: all of these are needed`,
  );
}

export function periodTypesDiffer(wanted: ByteValueType, present: ByteValueType): never {
  throw new DomainError(
    "conflict",
    `Cannot merge a profile with the period type ${name(present)} into ${name(wanted)}: they must agree`,
  );
}

function names(columns: readonly ByteValueType[]): string {
  return columns.length === 0 ? "(none)" : columns.map(name).join(", ");
}

function name([type, unit]: ByteValueType): string {
  return Buffer.from(`${type}/${unit}`, "latin1").toString("utf8");
}
