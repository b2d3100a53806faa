// Profiles written table by table, as google/pprof and nearly everybody but Go's runtime does: each message as the skeleton
// lays it out, each row where the plan has it.

import { DomainError } from "../../model/errors.ts";
import { FUNCTION_KEY, LOCATION_HEAD } from "../../pprof/interner.ts";
import { LINE_STRIDE } from "../../pprof/location-table.ts";
import { MAPPING_STRIDE } from "../../pprof/mapping-table.ts";
import { LABEL_STRIDE } from "../../pprof/sample-reader.ts";
import { FUNCTION, LABEL, LINE, LOCATION, MAPPING, PROFILE, SAMPLE, WIRE } from "../../pprof/schema.ts";
import { writeHeaderField } from "./header-fields.ts";
import { isPacked, PACKING_LENGTH_SHIFT, type Packing, type Skeleton, WRITES_ZERO } from "./message-layout.ts";
import { closeMessage, closePadded, NUMBER_MAX_BYTES, putNumber64 } from "./put-number.ts";
import type { TablePlan } from "./table-plan.ts";
import type { TableRows } from "./table-rows.ts";
import type { WriteState } from "./write-state.ts";
import type { WrittenProfile } from "./written-profile.ts";

const NUMBER_FIELD_BYTES = 1 + NUMBER_MAX_BYTES;
/** Of a message's tag and length. */
const HEAD_BYTES = 6;

export function writeTables(state: WriteState, profile: WrittenProfile, skeleton: Skeleton, plan: TablePlan): void {
  let sampleTypes = 0;
  let comments = 0;
  for (const tag of skeleton.tags) {
    switch (tag) {
      case PROFILE.sample * 8 + WIRE.bytes:
        writeSamples(state, profile, skeleton, plan);
        break;
      case PROFILE.mapping * 8 + WIRE.bytes:
        writeMappings(state, profile, skeleton.layouts.mapping, plan.mappingIds);
        break;
      case PROFILE.location * 8 + WIRE.bytes:
        writeLocations(state, profile, skeleton, plan);
        break;
      case PROFILE.function * 8 + WIRE.bytes:
        writeFunctions(state, profile, skeleton.layouts.function, plan.functions);
        break;
      case PROFILE.stringTable * 8 + WIRE.bytes:
        state.writeStrings(tag, plan.strings);
        break;
      default: {
        const nth =
          tag === PROFILE.sampleType * 8 + WIRE.bytes ? sampleTypes++ : tag === PROFILE.comment * 8 ? comments++ : 0;
        writeHeaderField(state, profile.header, tag, nth, skeleton.layouts.valueType);
      }
    }
  }
}

/** A field of a number, unless it is left out because it is zero. */
function putField(bytes: Uint8Array, at: number, entry: number, lo: number, hi: number): number {
  if ((lo | hi) === 0 && (entry & WRITES_ZERO) === 0) return at;
  bytes[at] = (entry & ~WRITES_ZERO) * 8;
  return putNumber64(bytes, at + 1, lo, hi);
}

function unknownField(kind: string, field: number): never {
  throw new DomainError(
    "unavailable",
    `Cannot write a profile again: its form has field ${field} in its layout of ${kind}, which has no such field`,
  );
}

function writeSamples(state: WriteState, profile: WrittenProfile, skeleton: Skeleton, plan: TablePlan): void {
  const columns = profile.header.sampleTypes.length >> 1;
  if (profile.values.length < profile.rowCount * columns * 2)
    throw new DomainError(
      "unavailable",
      `Cannot write a profile again: one of ${profile.rowCount} rows has ${profile.values.length} halves of values`,
    );
  const { frames, frameEnds, locations } = plan;
  let frame = 0;
  for (let row = 0; row < profile.rowCount; row++) {
    const end = frameEnds[row]!;
    state.reserve(HEAD_BYTES * 3 + (end - frame + columns) * NUMBER_FIELD_BYTES);
    const start = openMessage(state, PROFILE.sample);
    for (const entry of skeleton.layouts.sample) {
      const field = entry & ~WRITES_ZERO;
      if (field === SAMPLE.locationId) {
        const list = openList(state, field, skeleton.locationPacking, end - frame);
        for (let at = frame; at < end; at++)
          putElement(state, list, field, locations.idLo(frames[at]!), locations.idHi(frames[at]!));
        closeList(state, list, skeleton.locationPacking);
      } else if (field === SAMPLE.value) {
        const list = openList(state, field, skeleton.valuePacking, columns);
        for (let at = row * columns * 2; at < (row + 1) * columns * 2; at += 2)
          putElement(state, list, field, profile.values[at]!, profile.values[at + 1]!);
        closeList(state, list, skeleton.valuePacking);
      } else if (field === SAMPLE.label) writeLabels(state, profile, skeleton.layouts.label, row);
      else unknownField("sample", field);
    }
    state.at = closeMessage(state.reserve(HEAD_BYTES), start, state.at);
    frame = end;
  }
}

/** Answers where its content starts. There must be room. */
function openMessage(state: WriteState, field: number): number {
  state.bytes[state.at] = field * 8 + WIRE.bytes;
  state.at += 2;
  return state.at;
}

/** Where the content of a packed list starts, or -1 when it is not packed, or not there. */
function openList(state: WriteState, field: number, packing: Packing, count: number): number {
  if (!isPacked(packing, count)) return -1;
  state.bytes[state.at] = field * 8 + WIRE.bytes;
  state.at += 1 + Math.max(1, packing >> PACKING_LENGTH_SHIFT);
  return state.at;
}

function putElement(state: WriteState, list: number, field: number, lo: number, hi: number): void {
  if (list < 0) state.bytes[state.at++] = field * 8;
  state.at = putNumber64(state.bytes, state.at, lo, hi);
}

function closeList(state: WriteState, list: number, packing: Packing): void {
  if (list < 0) return;
  const width = packing >> PACKING_LENGTH_SHIFT;
  if (width === 0) state.at = closeMessage(state.bytes, list, state.at);
  else closePadded(state.bytes, list, state.at, width);
}

function writeLabels(state: WriteState, { tables, rows }: WrittenProfile, layout: Uint8Array, row: number): void {
  const { labelSets, labelSetEnds, rowLabelSets } = tables;
  const set = rowLabelSets[rows[row]!]!;
  const end = labelSetEnds[set + 1]!;
  for (let label = labelSetEnds[set]!; label < end; label += LABEL_STRIDE) {
    const bytes = state.reserve(HEAD_BYTES + 4 * NUMBER_FIELD_BYTES);
    const start = openMessage(state, SAMPLE.label);
    let at = start;
    for (const entry of layout) {
      const field = entry & ~WRITES_ZERO;
      if (field === LABEL.key) at = putField(bytes, at, entry, state.string(labelSets[label]!), 0);
      else if (field === LABEL.str) at = putField(bytes, at, entry, state.string(labelSets[label + 1]!), 0);
      else if (field === LABEL.num) at = putField(bytes, at, entry, labelSets[label + 2]!, labelSets[label + 3]!);
      else if (field === LABEL.numUnit) at = putField(bytes, at, entry, state.string(labelSets[label + 4]!), 0);
      else unknownField("label", field);
    }
    state.at = closeMessage(bytes, start, at);
  }
}

function writeMappings(
  state: WriteState,
  { mappings, mappingCount }: WrittenProfile,
  layout: Uint8Array,
  ids: Int32Array | undefined,
): void {
  for (let row = 0; row < mappingCount; row++) {
    const from = row * MAPPING_STRIDE;
    const bytes = state.reserve(HEAD_BYTES + 10 * NUMBER_FIELD_BYTES);
    const start = openMessage(state, PROFILE.mapping);
    let at = start;
    for (const entry of layout) {
      const field = entry & ~WRITES_ZERO;
      if (field === MAPPING.id) at = putField(bytes, at, entry, ids?.[row * 2] ?? row + 1, ids?.[row * 2 + 1] ?? 0);
      else if (field <= MAPPING.offset) {
        const half = from + (field - MAPPING.start) * 2;
        at = putField(bytes, at, entry, mappings[half]!, mappings[half + 1]!);
      } else if (field <= MAPPING.buildId) {
        at = putField(bytes, at, entry, state.string(mappings[from + 6 + field - MAPPING.file]!), 0);
      } else if (field <= MAPPING.hasInlineFrames) {
        at = putField(bytes, at, entry, (mappings[from + 8]! >> (field - MAPPING.hasFunctions)) & 1, 0);
      } else unknownField("mapping", field);
    }
    state.at = closeMessage(bytes, start, at);
  }
}

function writeLocations(state: WriteState, profile: WrittenProfile, { layouts }: Skeleton, plan: TablePlan): void {
  const { locations: rows, functions, lines, mappingIds } = plan;
  const { locations, locationEnds } = profile.tables;
  let line = 0;
  for (let row = 0; row < rows.count; row++) {
    const number = rows.numbers[row]!;
    if (number === 0) {
      writeLiteral(state, PROFILE.location, rows.literals.get(row)!);
      continue;
    }
    const id = state.locations.ids[number - 1]!;
    const from = locationEnds[id]!;
    const end = locationEnds[id + 1]!;
    const lineCount = (end - from - LOCATION_HEAD) / LINE_STRIDE;
    const bytes = state.reserve(
      HEAD_BYTES + 4 * NUMBER_FIELD_BYTES + lineCount * (HEAD_BYTES + 3 * NUMBER_FIELD_BYTES),
    );
    const start = openMessage(state, PROFILE.location);
    let at = start;
    for (const entry of layouts.location) {
      const field = entry & ~WRITES_ZERO;
      if (field === LOCATION.id) at = putField(bytes, at, entry, rows.idLo(row), rows.idHi(row));
      else if (field === LOCATION.mappingId) {
        const mapping = state.mappingRow(from);
        const isDense = mappingIds === undefined || mapping < 0;
        const lo = isDense ? mapping + 1 : mappingIds[mapping * 2]!;
        at = putField(bytes, at, entry, lo, isDense ? 0 : mappingIds[mapping * 2 + 1]!);
      } else if (field === LOCATION.address) {
        const lo = state.address(from, state.mappingRow(from));
        at = putField(bytes, at, entry, lo, state.addressHi);
      } else if (field === LOCATION.isFolded) at = putField(bytes, at, entry, locations[from + 3]!, 0);
      else if (field === LOCATION.line) {
        for (let part = from + LOCATION_HEAD; part < end; part += LINE_STRIDE) {
          at = putLine(bytes, at, layouts.line, locations, part, functions, lines[line++]!);
        }
      } else unknownField("location", field);
    }
    state.at = closeMessage(bytes, start, at);
  }
}

function putLine(
  bytes: Uint8Array,
  to: number,
  layout: Uint8Array,
  locations: Int32Array,
  from: number,
  functions: TableRows,
  row: number,
): number {
  bytes[to] = LOCATION.line * 8 + WIRE.bytes;
  const start = to + 2;
  let at = start;
  for (const entry of layout) {
    const field = entry & ~WRITES_ZERO;
    if (field === LINE.functionId) at = putField(bytes, at, entry, functions.idLo(row), functions.idHi(row));
    else if (field === LINE.line) at = putField(bytes, at, entry, locations[from + 1]!, locations[from + 2]!);
    else if (field === LINE.column) at = putField(bytes, at, entry, locations[from + 3]!, locations[from + 4]!);
    else unknownField("line", field);
  }
  return closeMessage(bytes, start, at);
}

function writeFunctions(state: WriteState, { tables }: WrittenProfile, layout: Uint8Array, rows: TableRows): void {
  const { functions } = tables;
  for (let row = 0; row < rows.count; row++) {
    const number = rows.numbers[row]!;
    if (number === 0) {
      writeLiteral(state, PROFILE.function, rows.literals.get(row)!);
      continue;
    }
    const from = state.functions.ids[number - 1]! * FUNCTION_KEY;
    const bytes = state.reserve(HEAD_BYTES + 5 * NUMBER_FIELD_BYTES);
    const start = openMessage(state, PROFILE.function);
    let at = start;
    for (const entry of layout) {
      const field = entry & ~WRITES_ZERO;
      if (field === FUNCTION.id) at = putField(bytes, at, entry, rows.idLo(row), rows.idHi(row));
      else if (field <= FUNCTION.file)
        at = putField(bytes, at, entry, state.string(functions[from + field - FUNCTION.name]!), 0);
      else if (field === FUNCTION.startLine)
        at = putField(bytes, at, entry, functions[from + 3]!, functions[from + 4]!);
      else unknownField("function", field);
    }
    state.at = closeMessage(bytes, start, at);
  }
}

function writeLiteral(state: WriteState, field: number, payload: Uint8Array): void {
  state.reserve(HEAD_BYTES + payload.length);
  const start = openMessage(state, field);
  state.bytes.set(payload, start);
  state.at = closeMessage(state.bytes, start, start + payload.length);
}
