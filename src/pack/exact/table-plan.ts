// Before a form of tables is written: which row of which table everything is. The same steps are taken when a profile is
// written again and when its orders are learnt; what differs, reading orders or finding them out, is the source of orders.

import { grown } from "../../pprof/grow.ts";
import { FUNCTION_KEY, LOCATION_HEAD } from "../../pprof/interner.ts";
import { LINE_STRIDE } from "../../pprof/location-table.ts";
import { MAPPING_STRIDE } from "../../pprof/mapping-table.ts";
import { LABEL_STRIDE } from "../../pprof/sample-reader.ts";
import { FUNCTION, LABEL, PROFILE, VALUE_TYPE, WIRE } from "../../pprof/schema.ts";
import { type Skeleton, WRITES_ZERO } from "./message-layout.ts";
import type { TableRows } from "./table-rows.ts";
import { FrameGuess, type TwinChooser } from "./twin-choices.ts";
import type { WriteState } from "./write-state.ts";
import type { WrittenHeader, WrittenProfile } from "./written-profile.ts";

export interface TablePlan {
  /** Location rows of all stacks, leaf first, one stack behind the other; where each ends. */
  frames: Int32Array;
  frameEnds: Int32Array;
  locations: TableRows;
  /** Function rows of the lines of all location rows that are entities, in the order of the rows. */
  lines: Int32Array;
  functions: TableRows;
  mappingIds: Int32Array | undefined;
  strings: TableRows;
}

/** Asked in the order of these methods. Numbers count from 1. */
export interface OrderSource {
  /** `frames` has location numbers. */
  locations(frames: Int32Array, entityCount: number): TableRows;
  frameChooser(frame: number): TwinChooser;
  /** `lines` has function numbers. */
  functions(lines: Int32Array, locations: TableRows, entityCount: number): TableRows;
  lineChooser(line: number): TwinChooser;
  mappingIds(count: number): Int32Array | undefined;
  /** The numbers of functions and strings are those of the state. */
  strings(state: WriteState): TableRows;
}

/** Numbers everything as the skeleton guesses and takes what the source knows better. The state's strings have places afterwards. */
export function planTables(
  state: WriteState,
  profile: WrittenProfile,
  skeleton: Skeleton,
  source: OrderSource,
): TablePlan {
  const { frames, frameEnds } = numberFrames(state, profile, skeleton.guess.isRootFirst);
  const locations = source.locations(frames, state.locations.count);
  chooseFrames(frames, frameEnds, locations, source);
  const lines = numberLines(state, profile, locations);
  const functions = source.functions(lines, locations, state.functions.count);
  chooseLines(lines, functions, source);
  const mappingIds = source.mappingIds(profile.mappingCount);
  const plan = { frames, frameEnds, locations, lines, functions, mappingIds };
  if (skeleton.guess.isStreamed) numberStreamedStrings(state, profile, skeleton, plan);
  for (const tag of skeleton.tags) numberStrings(state, profile, skeleton, functions, tag);
  const strings = source.strings(state);
  state.placeStrings(strings);
  return { ...plan, strings };
}

function numberFrames(state: WriteState, profile: WrittenProfile, isRootFirst: boolean) {
  const { rows, rowCount, tables } = profile;
  const frameEnds = new Int32Array(rowCount);
  let frames: Int32Array = new Int32Array(rowCount * 16);
  let end = 0;
  for (let row = 0; row < rowCount; row++) {
    const length = state.readStack(tables.rowNodes[rows[row]!]!);
    frames = grown(frames, end + length);
    const { stack } = state;
    if (isRootFirst) for (let depth = length - 1; depth >= 0; depth--) state.locations.of(stack[depth]!);
    for (let depth = 0; depth < length; depth++) frames[end++] = state.locations.of(stack[depth]!);
    frameEnds[row] = end;
  }
  return { frames: frames.subarray(0, end), frameEnds };
}

/** Turns the numbers in `frames` into rows. */
function chooseFrames(frames: Int32Array, frameEnds: Int32Array, locations: TableRows, source: OrderSource): void {
  if (locations.twins.size === 0) {
    for (let frame = 0; frame < frames.length; frame++) frames[frame] = locations.rowOf[frames[frame]! - 1]!;
    return;
  }
  const guess = new FrameGuess(locations);
  let start = 0;
  for (const end of frameEnds) {
    let caller = -1;
    for (let frame = end - 1; frame >= start; frame--) {
      caller = guess.row(frames[frame]!, caller, source.frameChooser(frame));
      frames[frame] = caller;
    }
    start = end;
  }
}

function numberLines(state: WriteState, { tables }: WrittenProfile, rows: TableRows): Int32Array {
  const { locations, locationEnds } = tables;
  let lines: Int32Array = new Int32Array(rows.count * 2);
  let count = 0;
  for (const number of rows.numbers) {
    if (number === 0) continue;
    const id = state.locations.ids[number - 1]!;
    const end = locationEnds[id + 1]!;
    for (let at = locationEnds[id]! + LOCATION_HEAD; at < end; at += LINE_STRIDE) {
      lines = grown(lines, count + 1);
      lines[count++] = state.functions.of(locations[at]!);
    }
  }
  return lines.subarray(0, count);
}

/** Turns the numbers in `lines` into rows. Where a function is there more than once, the row used last is guessed. */
function chooseLines(lines: Int32Array, functions: TableRows, source: OrderSource): void {
  const last = new Map<number, number>();
  for (let line = 0; line < lines.length; line++) {
    const number = lines[line]!;
    const twins = functions.twins.get(number);
    if (twins === undefined) lines[line] = functions.rowOf[number - 1]!;
    else {
      lines[line] = source.lineChooser(line).choose(last.get(number) ?? twins[0]!, twins);
      last.set(number, lines[line]!);
    }
  }
}

/** Numbers the strings of the outermost field `tag` that have none yet. */
function numberStrings(
  state: WriteState,
  profile: WrittenProfile,
  { layouts }: Skeleton,
  functions: TableRows,
  tag: number,
): void {
  const { tables, mappings, mappingCount } = profile;
  if (tag === PROFILE.sample * 8 + WIRE.bytes) {
    for (let row = 0; row < profile.rowCount; row++) numberLabels(state, profile, layouts.label, row);
  } else if (tag === PROFILE.mapping * 8 + WIRE.bytes) {
    for (let at = 0; at < mappingCount * MAPPING_STRIDE; at += MAPPING_STRIDE) {
      state.string(mappings[at + 6]!);
      state.string(mappings[at + 7]!);
    }
  } else if (tag === PROFILE.function * 8 + WIRE.bytes) {
    for (const number of functions.numbers) {
      if (number !== 0) numberFunction(state, tables.functions, layouts.function, state.functions.ids[number - 1]!);
    }
  } else numberHeaderStrings(state, profile.header, layouts.valueType, tag);
}

function numberHeaderStrings(state: WriteState, header: WrittenHeader, valueType: Uint8Array, tag: number): void {
  const numberTypes = (names: Int32Array) => {
    for (let at = 0; at < names.length; at += 2) {
      for (const entry of valueType) state.string(names[at + (entry & ~WRITES_ZERO) - VALUE_TYPE.type] ?? 0);
    }
  };
  if (tag === PROFILE.sampleType * 8 + WIRE.bytes) numberTypes(header.sampleTypes);
  else if (tag === PROFILE.periodType * 8 + WIRE.bytes) numberTypes(header.periodType);
  else if (tag >>> 3 === PROFILE.comment) for (const comment of header.comments) state.string(comment);
  else if (tag === PROFILE.dropFrames * 8) state.string(header.dropFrames);
  else if (tag === PROFILE.keepFrames * 8) state.string(header.keepFrames);
  else if (tag === PROFILE.defaultSampleType * 8) state.string(header.defaultSampleType);
  else if (tag === PROFILE.docUrl * 8) state.string(header.docUrl);
}

/** Of header fields that stand before the samples, then sample by sample: new functions, then labels. */
function numberStreamedStrings(
  state: WriteState,
  profile: WrittenProfile,
  skeleton: Skeleton,
  plan: Omit<TablePlan, "strings">,
): void {
  const { layouts, tags, guess } = skeleton;
  for (const tag of tags) {
    if (tag === PROFILE.sample * 8 + WIRE.bytes) break;
    numberHeaderStrings(state, profile.header, layouts.valueType, tag);
  }
  const { frames, frameEnds, locations, lines, functions } = plan;
  const lineStarts = lineStartsOf(state, profile, locations);
  const isSeen = new Uint8Array(locations.count);
  let start = 0;
  for (let row = 0; row < profile.rowCount; row++) {
    const end = frameEnds[row]!;
    for (let at = start; at < end; at++) {
      const location = frames[guess.isRootFirst ? end - 1 - (at - start) : at]!;
      if (isSeen[location] === 1) continue;
      isSeen[location] = 1;
      for (let line = lineStarts[location]!; line < lineStarts[location + 1]!; line++) {
        const id = state.functions.ids[functions.numbers[lines[line]!]! - 1]!;
        numberFunction(state, profile.tables.functions, layouts.function, id);
      }
    }
    numberLabels(state, profile, layouts.label, row);
    start = end;
  }
}

/** Where the lines of each location row begin in the plan's. */
function lineStartsOf(state: WriteState, { tables }: WrittenProfile, { numbers, count }: TableRows): Int32Array {
  const starts = new Int32Array(count + 1);
  for (let row = 0; row < count; row++) {
    const id = numbers[row] === 0 ? -1 : state.locations.ids[numbers[row]! - 1]!;
    const size = id < 0 ? 0 : tables.locationEnds[id + 1]! - tables.locationEnds[id]! - LOCATION_HEAD;
    starts[row + 1] = starts[row]! + size / LINE_STRIDE;
  }
  return starts;
}

function numberLabels(state: WriteState, profile: WrittenProfile, layout: Uint8Array, row: number): void {
  const { labelSets, labelSetEnds, rowLabelSets } = profile.tables;
  const set = rowLabelSets[profile.rows[row]!]!;
  for (let label = labelSetEnds[set]!; label < labelSetEnds[set + 1]!; label += LABEL_STRIDE) {
    for (const entry of layout) {
      const field = entry & ~WRITES_ZERO;
      if (field === LABEL.key) state.string(labelSets[label]!);
      else if (field === LABEL.str) state.string(labelSets[label + 1]!);
      else if (field === LABEL.numUnit) state.string(labelSets[label + 4]!);
    }
  }
}

function numberFunction(state: WriteState, functions: Int32Array, layout: Uint8Array, id: number): void {
  for (const entry of layout) {
    const field = entry & ~WRITES_ZERO;
    if (field >= FUNCTION.name && field <= FUNCTION.file) {
      state.string(functions[id * FUNCTION_KEY + field - FUNCTION.name]!);
    }
  }
}
