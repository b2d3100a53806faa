// A profile as the format holds it, tables with explicit ids and string indexes, and its encoding in every spelling the
// format allows. Independent of src/pprof on purpose. People write profiles with profile-builder.ts.

import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";

/** Indexes into `strings` are numbers; whatever the format keeps in 64 bits is a bigint. */
export interface ProfileTables {
  strings: (string | Uint8Array)[];
  sampleTypes: TypeEntry[];
  samples: SampleEntry[];
  mappings: MappingEntry[];
  locations: LocationEntry[];
  functions: FunctionEntry[];
  dropFrames: number;
  keepFrames: number;
  timeNs: bigint;
  durationNs: bigint;
  periodType: TypeEntry | undefined;
  period: bigint;
  comments: number[];
  defaultSampleType: number;
  docUrl: number;
}

export interface TypeEntry {
  type: number;
  unit: number;
}

export interface SampleEntry {
  locations: bigint[];
  values: bigint[];
  labels: { key: number; text: number; number: bigint; unit: number }[];
}

export interface MappingEntry {
  id: bigint;
  start: bigint;
  limit: bigint;
  offset: bigint;
  file: number;
  buildId: number;
  hasFunctions: boolean;
  hasFilenames: boolean;
  hasLineNumbers: boolean;
  hasInlineFrames: boolean;
}

export interface LocationEntry {
  id: bigint;
  mapping: bigint;
  address: bigint;
  lines: { function: bigint; line: bigint; column: bigint }[];
  folded: boolean;
}

export interface FunctionEntry {
  id: bigint;
  name: number;
  systemName: number;
  file: number;
  startLine: bigint;
}

export interface Spelling {
  /** How repeated numbers are written. "split" cuts a list into a packed part and single fields. */
  repeated: "packed" | "unpacked" | "split";
  /** Order of the tables: Go's runtime writes samples first and strings late, others the other way round. */
  tables: "samples-first" | "strings-first";
  /** Whether fields that the format does not know stand between the known ones. */
  unknownFields: boolean;
  /** Whether fields that are zero are written all the same. */
  zeros: boolean;
}

export const PLAIN_SPELLING: Spelling = {
  repeated: "packed",
  tables: "samples-first",
  unknownFields: false,
  zeros: false,
};

/** The uncompressed protobuf. */
export function encodeTables(tables: ProfileTables, spelling: Spelling = PLAIN_SPELLING): Uint8Array<ArrayBuffer> {
  const writer = new BinaryWriter();
  const parts = [
    () => writeAll(writer, 1, tables.sampleTypes, spelling, writeType),
    () => writeAll(writer, 2, tables.samples, spelling, writeSample),
    () => writeAll(writer, 3, tables.mappings, spelling, writeMapping),
    () => writeAll(writer, 4, tables.locations, spelling, writeLocation),
    () => writeAll(writer, 5, tables.functions, spelling, writeFunction),
    () => writeStrings(writer, tables.strings),
    () => writeHeader(writer, tables, spelling),
  ];
  if (spelling.tables === "strings-first") parts.reverse();
  for (const part of parts) part();
  if (spelling.unknownFields) writeUnknown(writer);
  return new Uint8Array(writer.finish());
}

type Body<Entry> = (writer: BinaryWriter, entry: Entry, spelling: Spelling) => void;

function writeAll<Entry>(writer: BinaryWriter, field: number, entries: Entry[], spelling: Spelling, body: Body<Entry>) {
  for (const entry of entries) {
    writer.tag(field, WireType.LengthDelimited).fork();
    if (spelling.unknownFields) writeUnknown(writer);
    body(writer, entry, spelling);
    writer.join();
  }
}

function writeUnknown(writer: BinaryWriter): void {
  writer.tag(31, WireType.Varint).uint64(2n ** 64n - 1n);
  writer.tag(32, WireType.LengthDelimited).string("unknown");
  writer.tag(33, WireType.Bit32).fixed32(7);
  writer.tag(34, WireType.Bit64).fixed64(7n);
}

function writeStrings(writer: BinaryWriter, strings: (string | Uint8Array)[]): void {
  for (const entry of strings) {
    writer.tag(6, WireType.LengthDelimited).bytes(typeof entry === "string" ? new TextEncoder().encode(entry) : entry);
  }
}

function writeHeader(writer: BinaryWriter, tables: ProfileTables, spelling: Spelling): void {
  writeInt(writer, 7, tables.dropFrames, spelling);
  writeInt(writer, 8, tables.keepFrames, spelling);
  writeInt(writer, 9, tables.timeNs, spelling);
  writeInt(writer, 10, tables.durationNs, spelling);
  if (tables.periodType) writeAll(writer, 11, [tables.periodType], spelling, writeType);
  writeInt(writer, 12, tables.period, spelling);
  writeInts(
    writer,
    13,
    tables.comments.map((comment) => BigInt(comment)),
    spelling,
  );
  writeInt(writer, 14, tables.defaultSampleType, spelling);
  writeInt(writer, 15, tables.docUrl, spelling);
}

const writeType: Body<TypeEntry> = (writer, entry, spelling) => {
  writeInt(writer, 1, entry.type, spelling);
  writeInt(writer, 2, entry.unit, spelling);
};

const writeSample: Body<SampleEntry> = (writer, entry, spelling) => {
  writeInts(writer, 1, entry.locations, spelling);
  writeInts(writer, 2, entry.values, spelling);
  writeAll(writer, 3, entry.labels, spelling, (_, label) => {
    writeInt(writer, 1, label.key, spelling);
    writeInt(writer, 2, label.text, spelling);
    writeInt(writer, 3, label.number, spelling);
    writeInt(writer, 4, label.unit, spelling);
  });
};

const writeMapping: Body<MappingEntry> = (writer, entry, spelling) => {
  writeInt(writer, 1, entry.id, spelling);
  writeInt(writer, 2, entry.start, spelling);
  writeInt(writer, 3, entry.limit, spelling);
  writeInt(writer, 4, entry.offset, spelling);
  writeInt(writer, 5, entry.file, spelling);
  writeInt(writer, 6, entry.buildId, spelling);
  writeInt(writer, 7, Number(entry.hasFunctions), spelling);
  writeInt(writer, 8, Number(entry.hasFilenames), spelling);
  writeInt(writer, 9, Number(entry.hasLineNumbers), spelling);
  writeInt(writer, 10, Number(entry.hasInlineFrames), spelling);
};

const writeLocation: Body<LocationEntry> = (writer, entry, spelling) => {
  writeInt(writer, 1, entry.id, spelling);
  writeInt(writer, 2, entry.mapping, spelling);
  writeInt(writer, 3, entry.address, spelling);
  writeAll(writer, 4, entry.lines, spelling, (_, line) => {
    writeInt(writer, 1, line.function, spelling);
    writeInt(writer, 2, line.line, spelling);
    writeInt(writer, 3, line.column, spelling);
  });
  writeInt(writer, 5, Number(entry.folded), spelling);
};

const writeFunction: Body<FunctionEntry> = (writer, entry, spelling) => {
  writeInt(writer, 1, entry.id, spelling);
  writeInt(writer, 2, entry.name, spelling);
  writeInt(writer, 3, entry.systemName, spelling);
  writeInt(writer, 4, entry.file, spelling);
  writeInt(writer, 5, entry.startLine, spelling);
};

/** int64 and uint64 are one varint on the wire: two's complement in 64 bits. */
function writeInt(writer: BinaryWriter, field: number, value: bigint | number, spelling: Spelling): void {
  const bits = BigInt.asUintN(64, BigInt(value));
  if (bits !== 0n || spelling.zeros) writer.tag(field, WireType.Varint).uint64(bits);
}

function writeInts(writer: BinaryWriter, field: number, values: bigint[], spelling: Spelling): void {
  const packed = { packed: values.length, unpacked: 0, split: values.length >> 1 }[spelling.repeated];
  if (packed > 0) {
    writer.tag(field, WireType.LengthDelimited).fork();
    for (const value of values.slice(0, packed)) writer.uint64(BigInt.asUintN(64, value));
    writer.join();
  }
  for (const value of values.slice(packed)) writer.tag(field, WireType.Varint).uint64(BigInt.asUintN(64, value));
}
