// Damages profiles: some mutants are broken on the wire, some well-formed but false, some still good. Deterministic by the
// random numbers given. Two levels: fields, where lengths stay right, and bytes, where anything goes.

import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { Random } from "../../support/random.ts";

interface Field {
  number: number;
  wire: WireType;
  value: bigint | Uint8Array | Field[];
  /** Bytes too many in the varints of its tag and its value: legal up to ten in all. */
  padding?: number;
}

/** Which fields of a message hold messages, by the path of field numbers from the top. */
const NESTED: Record<string, true> = {
  "1": true,
  "2": true,
  "3": true,
  "4": true,
  "5": true,
  "11": true,
  "2.3": true,
  "4.4": true,
};
const PACKED: Record<string, true> = { "2.1": true, "2.2": true, "13": true };

/** Where readers go wrong: zero, sign, the ends of 32, 53 and 64 bits. */
const EDGES = [
  0n,
  1n,
  2n,
  127n,
  128n,
  2n ** 31n,
  2n ** 32n - 1n,
  2n ** 53n,
  2n ** 53n + 1n,
  2n ** 63n - 1n,
  2n ** 63n,
  2n ** 64n - 1n,
];

/** A profile taken apart once, to be mutated many times. */
export interface Subject {
  raw: Uint8Array;
  fields: Field[];
}

/** Throws when the bytes are not a well-formed protobuf. */
export function takeApart(raw: Uint8Array): Subject {
  return { raw, fields: readFields(raw, "") };
}

/** One to four faults; one in five mutants takes a part of `other`. */
export function mutate(subject: Subject, other: Subject, random: Random): Uint8Array {
  let bytes = subject.raw;
  if (random.chance(0.7)) {
    let fields = subject.fields;
    for (let faults = random.between(1, 3); faults > 0; faults--) fields = mutateFields(fields, other.fields, random);
    bytes = writeFields(fields);
    if (random.chance(0.8)) return bytes;
  }
  return mutateBytes(bytes, random);
}

/** One fault that knows nothing of fields. */
export function mutateBytes(bytes: Uint8Array, random: Random): Uint8Array {
  const at = random.between(0, Math.max(0, bytes.length - 1));
  switch (random.between(0, 5)) {
    case 0:
      return bytes.subarray(0, at);
    case 1:
      return bytes.subarray(at);
    case 2:
      return splice(
        bytes,
        at,
        0,
        Uint8Array.from({ length: random.between(1, 12) }, () => random.between(0, 255)),
      );
    case 3:
      return splice(bytes, at, random.between(1, 9), new Uint8Array());
    case 4:
      // A varint that never ends, or one with too many bytes.
      return splice(bytes, at, 1, new Uint8Array(random.between(1, 11)).fill(random.pick([0x80, 0xff])));
    default: {
      // A Buffer's slice would share the bytes.
      const flipped = new Uint8Array(bytes);
      for (let flips = random.between(1, 4); flips > 0; flips--) {
        const place = random.between(0, Math.max(0, flipped.length - 1));
        flipped[place] = flipped[place]! ^ (1 << random.between(0, 7));
      }
      return flipped;
    }
  }
}

/** A new list with one fault, here or further down; lists that did not change are shared. */
function mutateFields(fields: readonly Field[], others: readonly Field[], random: Random): Field[] {
  const mutated = [...fields];
  if (mutated.length === 0) return [...others].slice(0, 3);
  const at = random.between(0, mutated.length - 1);
  const field = mutated[at]!;
  if (Array.isArray(field.value) && random.chance(0.75)) {
    const like = others.find((other) => other.number === field.number && Array.isArray(other.value)) ?? field;
    mutated[at] = { ...field, value: mutateFields(field.value, like.value as Field[], random) };
    return mutated;
  }
  switch (random.between(0, 9)) {
    case 0:
      mutated.splice(at, 1);
      break;
    case 1:
      mutated.splice(random.between(0, mutated.length), 0, field);
      break;
    case 2:
      if (others.length > 0) mutated.splice(at, 0, random.pick(others));
      break;
    case 3:
      mutated[at] = { ...field, number: random.pick([0, 1, 2, 3, 4, 5, 6, 9, 11, 13, 15, 16, 500, 2 ** 29 - 1]) };
      break;
    case 4:
      // Groups (3 and 4) and the wire types that do not exist (6 and 7) too.
      mutated[at] = random.chance(0.3)
        ? { ...field, wire: random.between(0, 7) as WireType }
        : { ...field, value: mutateValue(field.value, random) };
      break;
    case 5:
      mutated[at] = { ...field, padding: random.between(1, 10) };
      break;
    case 6:
      [mutated[at], mutated[0]] = [mutated[0]!, field];
      break;
    default:
      mutated[at] = { ...field, value: mutateValue(field.value, random) };
  }
  return mutated;
}

function mutateValue(value: Field["value"], random: Random): Field["value"] {
  if (Array.isArray(value)) return random.chance(0.5) ? [] : [...value, ...value];
  if (value instanceof Uint8Array) return mutateText(value, random);
  if (random.chance(0.3)) return BigInt.asUintN(64, value + BigInt(random.pick([-1, 1, 2])));
  return random.chance(0.8) ? random.pick(EDGES) : random.uint64();
}

function mutateText(bytes: Uint8Array, random: Random): Uint8Array {
  if (random.chance(0.2)) return new Uint8Array();
  if (random.chance(0.2)) return Uint8Array.of(...bytes, random.between(0, 255));
  return mutateBytes(bytes, random);
}

function readFields(bytes: Uint8Array, path: string): Field[] {
  const reader = new BinaryReader(bytes);
  const fields: Field[] = [];
  while (reader.pos < reader.len) {
    const [number, wire] = reader.tag();
    const place = path === "" ? `${number}` : `${path}.${number}`;
    if (wire !== WireType.LengthDelimited) {
      fields.push({ number, wire, value: readNumber(reader, wire) });
      continue;
    }
    const content = reader.bytes();
    if (NESTED[place]) fields.push({ number, wire, value: readFields(content, place) });
    else if (PACKED[place]) fields.push({ number, wire, value: readPacked(content) });
    else fields.push({ number, wire, value: content });
  }
  return fields;
}

function readNumber(reader: BinaryReader, wire: WireType): bigint {
  if (wire === WireType.Varint) return BigInt(reader.uint64());
  return wire === WireType.Bit64 ? BigInt(reader.fixed64()) : BigInt(reader.fixed32());
}

/** Members of a packed list are fields without a tag: number -1 stands for that. */
function readPacked(content: Uint8Array): Field[] {
  const reader = new BinaryReader(content);
  const members: Field[] = [];
  while (reader.pos < reader.len) members.push({ number: -1, wire: WireType.Varint, value: BigInt(reader.uint64()) });
  return members;
}

function writeFields(fields: readonly Field[]): Uint8Array {
  const writer = new BinaryWriter();
  writeAll(writer, fields);
  return writer.finish();
}

function writeAll(writer: BinaryWriter, fields: readonly Field[]): void {
  for (const { number, wire, value, padding = 0 } of fields) {
    if (number >= 0) writeVarint(writer, BigInt(((number << 3) | wire) >>> 0), padding);
    if (Array.isArray(value)) {
      writer.fork();
      writeAll(writer, value);
      writer.join();
    } else if (value instanceof Uint8Array) writer.bytes(value);
    else if (wire === WireType.Bit32) writer.fixed32(Number(BigInt.asUintN(32, value)));
    else if (wire === WireType.Bit64) writer.fixed64(BigInt.asUintN(64, value));
    else writeVarint(writer, BigInt.asUintN(64, value), padding);
  }
}

function writeVarint(writer: BinaryWriter, value: bigint, padding: number): void {
  if (padding === 0) {
    writer.uint64(value);
    return;
  }
  const bytes: number[] = [];
  for (let rest = value; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number((value >> (7n * BigInt(bytes.length))) | 0x80n), ...Array<number>(padding - 1).fill(0x80), 0);
  writer.raw(Uint8Array.from(bytes));
}

function splice(bytes: Uint8Array, at: number, removed: number, added: Uint8Array): Uint8Array {
  return Buffer.concat([bytes.subarray(0, at), added, bytes.subarray(at + removed)]);
}
