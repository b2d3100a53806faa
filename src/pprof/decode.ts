// Protobuf bytes → plain profile. For tools and tests; uploads are checked by summary.ts and merged without it.

import type { ValueType } from "../model/shape.ts";
import { invalidProfile } from "./invalid-profile.ts";
import type { ProfileFunction, Sample, SampleLabel } from "./profile.ts";
import { emptyProfile, type Line, type Location, type Mapping, type Profile } from "./profile.ts";
import { FUNCTION, LABEL, LINE, LOCATION, MAPPING, PROFILE, SAMPLE, VALUE_TYPE, WIRE } from "./schema.ts";
import { WireReader } from "./wire-reader.ts";

type Strings = readonly string[];

export interface DecodeOptions {
  /** latin1: texts are byte strings, each character one byte. Default utf8: what is none loses its bad bytes to U+FFFD. */
  encoding?: "utf8" | "latin1";
  /** Read so many of the innermost locations of each stack. Default: all. */
  innermost?: number;
}

/**
 * Throws `invalid` when the bytes are no protobuf of this kind or a string index is out of range; whether ids are unique and
 * references resolve is for `summarize` to say.
 */
export function decodeProfile(raw: Uint8Array, options: DecodeOptions = {}): Profile {
  const { encoding = "utf8", innermost = Number.POSITIVE_INFINITY } = options;
  const strings = readStrings(raw, encoding);
  const profile = emptyProfile();
  const reader = new WireReader();
  reader.open(raw);
  while (reader.pos < reader.end) readField(reader, profile, strings, innermost);
  return profile;
}

/** Strings first, in a pass of their own: fields may refer to strings that come later. */
function readStrings(raw: Uint8Array, encoding: "utf8" | "latin1"): Strings {
  const strings: string[] = [];
  const reader = new WireReader();
  reader.open(raw);
  while (reader.pos < reader.end) {
    const tag = reader.next();
    if (tag !== bytesTag(PROFILE.stringTable)) {
      reader.pass(tag, 0);
      continue;
    }
    const end = reader.stop;
    strings.push(Buffer.from(raw.buffer, raw.byteOffset + reader.pos, end - reader.pos).toString(encoding));
    reader.pos = end;
  }
  if (strings[0] !== "") invalidProfile("its string table does not begin with the empty string");
  return strings;
}

function readField(reader: WireReader, profile: Profile, strings: Strings, innermost: number): void {
  const tag = reader.next();
  switch (tag) {
    case bytesTag(PROFILE.sampleType):
      profile.sampleTypes.push(message(reader, () => readValueType(reader, strings)));
      return;
    case bytesTag(PROFILE.sample):
      profile.samples.push(message(reader, () => readSample(reader, strings, innermost)));
      return;
    case bytesTag(PROFILE.mapping):
      profile.mappings.push(message(reader, () => readMapping(reader, strings)));
      return;
    case bytesTag(PROFILE.location):
      profile.locations.push(message(reader, () => readLocation(reader)));
      return;
    case bytesTag(PROFILE.function):
      profile.functions.push(message(reader, () => readFunction(reader, strings)));
      return;
    case bytesTag(PROFILE.stringTable):
      reader.pos = reader.stop;
      return;
    case varintTag(PROFILE.dropFrames):
      profile.dropFrames = text(reader, strings);
      return;
    case varintTag(PROFILE.keepFrames):
      profile.keepFrames = text(reader, strings);
      return;
    case varintTag(PROFILE.timeNs):
      profile.timeNs = reader.int64;
      return;
    case varintTag(PROFILE.durationNs):
      profile.durationNs = reader.int64;
      return;
    case bytesTag(PROFILE.periodType):
      profile.periodType = message(reader, () => readValueType(reader, strings));
      return;
    case varintTag(PROFILE.period):
      profile.period = reader.int64;
      return;
    case varintTag(PROFILE.comment):
      profile.comments.push(text(reader, strings));
      return;
    case bytesTag(PROFILE.comment):
      eachNumber(reader, () => profile.comments.push(text(reader, strings)));
      return;
    case varintTag(PROFILE.defaultSampleType):
      profile.defaultSampleType = text(reader, strings);
      return;
    case varintTag(PROFILE.docUrl):
      profile.docUrl = text(reader, strings);
      return;
    default:
      reader.pass(tag, PROFILE.docUrl);
  }
}

function readValueType(reader: WireReader, strings: Strings): ValueType {
  const value = { type: "", unit: "" };
  eachField(reader, VALUE_TYPE.unit, (tag) => {
    if (tag === varintTag(VALUE_TYPE.type)) value.type = text(reader, strings);
    else if (tag === varintTag(VALUE_TYPE.unit)) value.unit = text(reader, strings);
    else return false;
    return true;
  });
  return value;
}

function readSample(reader: WireReader, strings: Strings, innermost: number): Sample {
  const sample: Sample = { locationIds: [], values: [], labels: [] };
  const addLocation = () => {
    if (sample.locationIds.length < innermost) sample.locationIds.push(reader.uint64);
  };
  eachField(reader, SAMPLE.label, (tag) => {
    if (tag >>> 3 === SAMPLE.locationId) return readRepeated(reader, tag, addLocation);
    if (tag >>> 3 === SAMPLE.value) return readRepeated(reader, tag, () => sample.values.push(reader.int64));
    if (tag !== bytesTag(SAMPLE.label)) return false;
    sample.labels.push(message(reader, () => readLabel(reader, strings)));
    return true;
  });
  return sample;
}

/** Go's runtime writes short repeated fields unpacked and long ones packed: both append. */
function readRepeated(reader: WireReader, tag: number, append: () => void): boolean {
  if ((tag & 7) === WIRE.varint) append();
  else if ((tag & 7) === WIRE.bytes) {
    eachNumber(reader, append);
  } else return false;
  return true;
}

function readLabel(reader: WireReader, strings: Strings): SampleLabel {
  const label = { key: "", str: "", num: 0n, unit: "" };
  eachField(reader, LABEL.numUnit, (tag) => {
    if (tag === varintTag(LABEL.key)) label.key = text(reader, strings);
    else if (tag === varintTag(LABEL.str)) label.str = text(reader, strings);
    else if (tag === varintTag(LABEL.num)) label.num = reader.int64;
    else if (tag === varintTag(LABEL.numUnit)) label.unit = text(reader, strings);
    else return false;
    return true;
  });
  return label;
}

function readMapping(reader: WireReader, strings: Strings): Mapping {
  const mapping = { id: 0n, start: 0n, limit: 0n, offset: 0n, file: "", buildId: "" };
  const has = { hasFunctions: false, hasFilenames: false, hasLineNumbers: false, hasInlineFrames: false };
  eachField(reader, MAPPING.hasInlineFrames, (tag) => {
    if (tag === varintTag(MAPPING.id)) mapping.id = reader.uint64;
    else if (tag === varintTag(MAPPING.start)) mapping.start = reader.uint64;
    else if (tag === varintTag(MAPPING.limit)) mapping.limit = reader.uint64;
    else if (tag === varintTag(MAPPING.offset)) mapping.offset = reader.uint64;
    else if (tag === varintTag(MAPPING.file)) mapping.file = text(reader, strings);
    else if (tag === varintTag(MAPPING.buildId)) mapping.buildId = text(reader, strings);
    else if (tag === varintTag(MAPPING.hasFunctions)) has.hasFunctions = reader.bool;
    else if (tag === varintTag(MAPPING.hasFilenames)) has.hasFilenames = reader.bool;
    else if (tag === varintTag(MAPPING.hasLineNumbers)) has.hasLineNumbers = reader.bool;
    else if (tag === varintTag(MAPPING.hasInlineFrames)) has.hasInlineFrames = reader.bool;
    else return false;
    return true;
  });
  return { ...mapping, ...has };
}

function readLocation(reader: WireReader): Location {
  const location: Location = { id: 0n, mappingId: 0n, address: 0n, lines: [], isFolded: false };
  eachField(reader, LOCATION.isFolded, (tag) => {
    if (tag === varintTag(LOCATION.id)) location.id = reader.uint64;
    else if (tag === varintTag(LOCATION.mappingId)) location.mappingId = reader.uint64;
    else if (tag === varintTag(LOCATION.address)) location.address = reader.uint64;
    else if (tag === bytesTag(LOCATION.line)) location.lines.push(message(reader, () => readLine(reader)));
    else if (tag === varintTag(LOCATION.isFolded)) location.isFolded = reader.bool;
    else return false;
    return true;
  });
  return location;
}

function readLine(reader: WireReader): Line {
  const line = { functionId: 0n, line: 0n, column: 0n };
  eachField(reader, LINE.column, (tag) => {
    if (tag === varintTag(LINE.functionId)) line.functionId = reader.uint64;
    else if (tag === varintTag(LINE.line)) line.line = reader.int64;
    else if (tag === varintTag(LINE.column)) line.column = reader.int64;
    else return false;
    return true;
  });
  return line;
}

function readFunction(reader: WireReader, strings: Strings): ProfileFunction {
  const fn = { id: 0n, name: "", systemName: "", file: "", startLine: 0n };
  eachField(reader, FUNCTION.startLine, (tag) => {
    if (tag === varintTag(FUNCTION.id)) fn.id = reader.uint64;
    else if (tag === varintTag(FUNCTION.name)) fn.name = text(reader, strings);
    else if (tag === varintTag(FUNCTION.systemName)) fn.systemName = text(reader, strings);
    else if (tag === varintTag(FUNCTION.file)) fn.file = text(reader, strings);
    else if (tag === varintTag(FUNCTION.startLine)) fn.startLine = reader.int64;
    else return false;
    return true;
  });
  return fn;
}

/** Runs `read` with the reader confined to the payload that follows, then goes on behind it. */
function message<T>(reader: WireReader, read: () => T): T {
  const outerEnd = reader.end;
  reader.end = reader.stop;
  const value = read();
  reader.end = outerEnd;
  return value;
}

function eachField(reader: WireReader, lastField: number, take: (tag: number) => boolean): void {
  while (reader.pos < reader.end) {
    const tag = reader.next();
    if (!take(tag)) reader.pass(tag, lastField);
  }
}

/** The numbers of a packed field. */
function eachNumber(reader: WireReader, take: () => void): void {
  message(reader, () => {
    while (reader.pos < reader.end) {
      reader.varint();
      take();
    }
  });
}

function text(reader: WireReader, strings: Strings): string {
  const found = strings[reader.index];
  if (found === undefined)
    invalidProfile(`the index before byte ${reader.pos} is outside its ${strings.length} strings`);
  return found;
}

function varintTag(field: number): number {
  return field * 8 + WIRE.varint;
}

function bytesTag(field: number): number {
  return field * 8 + WIRE.bytes;
}
