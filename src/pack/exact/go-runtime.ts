// Profiles as Go's runtime writes them: a location is written when a sample first names it, with the functions that it is the
// first to name behind it, and the sample behind those; strings are numbered as they come and stand last. So all tables, ids
// and the order of all messages follow from the order of the samples. CPU, heap, goroutine and the other profiles differ in
// the order of the outermost fields alone, which is the skeleton.

import { DomainError } from "../../model/errors.ts";
import { FUNCTION_KEY, LOCATION_HEAD } from "../../pprof/interner.ts";
import { LINE_STRIDE } from "../../pprof/location-table.ts";
import { MAPPING_STRIDE } from "../../pprof/mapping-table.ts";
import { LABEL_STRIDE } from "../../pprof/sample-reader.ts";
import { FUNCTION, LABEL, LINE, LOCATION, MAPPING, PROFILE, SAMPLE, VALUE_TYPE, WIRE } from "../../pprof/schema.ts";
import { writeHeaderField } from "./header-fields.ts";
import { WRITES_ZERO } from "./message-layout.ts";
import { closeMessage, putNumber, putNumber64 } from "./put-number.ts";
import type { WriteState } from "./write-state.ts";
import type { WrittenProfile, WrittenTables } from "./written-profile.ts";

/** Numbers are packed when there are more than these. */
const UNPACKED_MAX = 2;

const VALUE_TYPE_LAYOUT = Uint8Array.of(VALUE_TYPE.type + WRITES_ZERO, VALUE_TYPE.unit + WRITES_ZERO);

const SAMPLE_TYPE = PROFILE.sampleType * 8 + WIRE.bytes;
const SAMPLES = PROFILE.sample * 8 + WIRE.bytes;
const MAPPINGS = PROFILE.mapping * 8 + WIRE.bytes;
const STRINGS = PROFILE.stringTable * 8 + WIRE.bytes;

/**
 * Writes the profile. `tags` are those of the outermost fields in order; SAMPLES stands for all samples with their
 * locations and functions, MAPPINGS and STRINGS for the whole tables.
 */
export function writeGoRuntime(state: WriteState, profile: WrittenProfile, tags: Uint8Array): void {
  let sampleTypes = 0;
  for (const tag of tags) {
    if (tag === SAMPLES) writeSamples(state, profile);
    else if (tag === MAPPINGS) writeMappings(state, profile);
    else if (tag === STRINGS) state.writeStrings(STRINGS);
    else writeHeaderField(state, profile.header, tag, tag === SAMPLE_TYPE ? sampleTypes++ : 0, VALUE_TYPE_LAYOUT);
  }
}

function writeSamples(state: WriteState, profile: WrittenProfile): void {
  const { tables, rows, rowCount } = profile;
  const columns = profile.header.sampleTypes.length >> 1;
  if (profile.values.length < rowCount * columns * 2)
    throw new DomainError(
      "unavailable",
      `Cannot write a profile again: one of ${rowCount} rows has ${profile.values.length} halves of values`,
    );
  const { locations } = state;
  for (let row = 0; row < rowCount; row++) {
    const length = state.readStack(tables.rowNodes[rows[row]!]!);
    const { stack } = state;
    let idBytes = 0;
    for (let depth = 0; depth < length; depth++) {
      const id = stack[depth]!;
      let number = locations.get(id);
      if (number === 0) {
        number = locations.add(id);
        writeLocation(state, tables, id, number);
      }
      stack[depth] = number;
      idBytes += number < 0x80 ? 1 : number < 0x4000 ? 2 : number < 0x20_0000 ? 3 : 4;
    }
    writeSample(state, profile, row, columns, length, idBytes);
  }
}

/** The stack has become location numbers; `idBytes` is what they take. */
function writeSample(
  state: WriteState,
  profile: WrittenProfile,
  row: number,
  columns: number,
  length: number,
  idBytes: number,
): void {
  const { rowLabelSets, labelSets, labelSetEnds } = profile.tables;
  const { values } = profile;
  const labelSet = rowLabelSets[profile.rows[row]!]!;
  const labelsStart = labelSetEnds[labelSet]!;
  const labelsEnd = labelSetEnds[labelSet + 1]!;
  const bytes = state.reserve(32 + columns * 11 + length + idBytes + (labelsEnd - labelsStart) * 10);
  const start = state.at + 2;
  let at = start;
  bytes[start - 2] = SAMPLES;
  const valuesEnd = (row + 1) * columns * 2;
  if (columns > UNPACKED_MAX) {
    bytes[at] = SAMPLE.value * 8 + WIRE.bytes;
    const packed = at + 2;
    at = packed;
    for (let value = row * columns * 2; value < valuesEnd; value += 2) {
      at = putNumber64(bytes, at, values[value]!, values[value + 1]!);
    }
    at = closeMessage(bytes, packed, at);
  } else {
    for (let value = row * columns * 2; value < valuesEnd; value += 2) {
      bytes[at++] = SAMPLE.value * 8;
      at = putNumber64(bytes, at, values[value]!, values[value + 1]!);
    }
  }
  const { stack } = state;
  if (length > UNPACKED_MAX) {
    bytes[at++] = SAMPLE.locationId * 8 + WIRE.bytes;
    at = putNumber(bytes, at, idBytes);
    for (let depth = 0; depth < length; depth++) at = putNumber(bytes, at, stack[depth]!);
  } else {
    for (let depth = 0; depth < length; depth++) {
      bytes[at++] = SAMPLE.locationId * 8;
      at = putNumber(bytes, at, stack[depth]!);
    }
  }
  for (let label = labelsStart; label < labelsEnd; label += LABEL_STRIDE) at = putLabel(state, labelSets, label, at);
  state.at = closeMessage(bytes, start, at);
}

function putLabel(state: WriteState, labels: Int32Array, label: number, to: number): number {
  const { bytes } = state;
  const key = state.string(labels[label]!);
  const text = state.string(labels[label + 1]!);
  const start = to + 2;
  let at = start;
  bytes[to] = SAMPLE.label * 8 + WIRE.bytes;
  at = putNumberField(bytes, at, LABEL.key, key);
  at = putNumberField(bytes, at, LABEL.str, text);
  at = putNumber64Field(bytes, at, LABEL.num, labels[label + 2]!, labels[label + 3]!);
  bytes[start - 1] = at - start;
  return at;
}

function writeLocation(state: WriteState, tables: WrittenTables, id: number, number: number): void {
  const { locations, locationEnds } = tables;
  const from = locationEnds[id]!;
  const end = locationEnds[id + 1]!;
  const bytes = state.reserve(48 + (end - from) * 8);
  const { functions } = state;
  const known = functions.count;
  const start = state.at + 2;
  let at = start;
  bytes[start - 2] = PROFILE.location * 8 + WIRE.bytes;
  at = putNumberField(bytes, at, LOCATION.id, number);
  const mapping = state.mappingRow(from);
  const addressLo = state.address(from, mapping);
  at = putNumber64Field(bytes, at, LOCATION.address, addressLo, state.addressHi);
  for (let line = from + LOCATION_HEAD; line < end; line += LINE_STRIDE) {
    bytes[at] = LOCATION.line * 8 + WIRE.bytes;
    const lineStart = at + 2;
    at = putNumberField(bytes, lineStart, LINE.functionId, functions.of(locations[line]!));
    at = putNumber64Field(bytes, at, LINE.line, locations[line + 1]!, locations[line + 2]!);
    bytes[lineStart - 1] = at - lineStart;
  }
  at = putNumberField(bytes, at, LOCATION.mappingId, mapping + 1);
  state.at = closeMessage(bytes, start, at);
  for (let fresh = known; fresh < functions.count; fresh++) {
    writeFunction(state, tables, functions.ids[fresh]! * FUNCTION_KEY, fresh + 1);
  }
}

function writeFunction(state: WriteState, { functions }: WrittenTables, from: number, number: number): void {
  const bytes = state.reserve(64);
  const start = state.at + 2;
  let at = start;
  bytes[start - 2] = PROFILE.function * 8 + WIRE.bytes;
  at = putNumberField(bytes, at, FUNCTION.id, number);
  at = putNumberField(bytes, at, FUNCTION.name, state.string(functions[from]!));
  at = putNumberField(bytes, at, FUNCTION.systemName, state.string(functions[from + 1]!));
  at = putNumberField(bytes, at, FUNCTION.file, state.string(functions[from + 2]!));
  at = putNumber64Field(bytes, at, FUNCTION.startLine, functions[from + 3]!, functions[from + 4]!);
  bytes[start - 1] = at - start;
  state.at = at;
}

function writeMappings(state: WriteState, { mappings, mappingCount }: WrittenProfile): void {
  for (let row = 0; row < mappingCount; row++) {
    const from = row * MAPPING_STRIDE;
    const bytes = state.reserve(80);
    const start = state.at + 2;
    let at = start;
    bytes[start - 2] = MAPPINGS;
    at = putNumberField(bytes, at, MAPPING.id, row + 1);
    at = putNumber64Field(bytes, at, MAPPING.start, mappings[from]!, mappings[from + 1]!);
    at = putNumber64Field(bytes, at, MAPPING.limit, mappings[from + 2]!, mappings[from + 3]!);
    at = putNumber64Field(bytes, at, MAPPING.offset, mappings[from + 4]!, mappings[from + 5]!);
    at = putNumberField(bytes, at, MAPPING.file, state.string(mappings[from + 6]!));
    at = putNumberField(bytes, at, MAPPING.buildId, state.string(mappings[from + 7]!));
    at = putNumberField(bytes, at, MAPPING.hasFunctions, mappings[from + 8]! & 1);
    bytes[start - 1] = at - start;
    state.at = at;
  }
}

function putNumberField(bytes: Uint8Array, at: number, field: number, value: number): number {
  if (value === 0) return at;
  bytes[at] = field * 8;
  return putNumber(bytes, at + 1, value);
}

function putNumber64Field(bytes: Uint8Array, at: number, field: number, lo: number, hi: number): number {
  if ((lo | hi) === 0) return at;
  bytes[at] = field * 8;
  return putNumber64(bytes, at + 1, lo, hi);
}
