// A profile as a pack tells it: in the numbering of an interner that other profiles share, each entity once.

import { headerOf } from "../../../src/pack/exact/learnt-orders.ts";
import type { WrittenProfile } from "../../../src/pack/exact/written-profile.ts";
import { FUNCTION_STRIDE } from "../../../src/pprof/function-table.ts";
import { FUNCTION_KEY, type Interner, LOCATION_HEAD } from "../../../src/pprof/interner.ts";
import { LINE_STRIDE, LOCATION_STRIDE } from "../../../src/pprof/location-table.ts";
import { MAPPING_STRIDE } from "../../../src/pprof/mapping-table.ts";
import type { ProfileTables } from "../../../src/pprof/profile-tables.ts";
import { LABEL_STRIDE, type SampleReader } from "../../../src/pprof/sample-reader.ts";

/** The arrays are the interner's: valid until it takes another profile. `samples` keeps empty labels. */
export function internedProfile(interner: Interner, source: ProfileTables, samples: SampleReader): WrittenProfile {
  const view = new DataView(source.raw.buffer, source.raw.byteOffset, source.raw.byteLength);
  const { bounds } = source.strings;
  const text = (row: number) => interner.strings.intern(view, bounds[row * 2]!, bounds[row * 2 + 1]!);
  const mappings = source.mappings.rows.slice(0, source.mappings.count * MAPPING_STRIDE);
  const keys: number[] = [];
  for (let at = 0; at < mappings.length; at += MAPPING_STRIDE) {
    for (const part of [6, 7]) mappings[at + part] = text(mappings[at + part]!);
    keys.push(interner.mapping(mappings, at, mappings[at + 6]!, mappings[at + 7]!));
  }
  const functions = Array.from({ length: source.functions.count }, (_, row) =>
    internFunction(interner, source, row, text),
  );
  const locations = internLocations(interner, source, keys, functions);
  const { rows, values } = internRows(interner, source, samples, locations, text);
  const mappingRows = new Int32Array(interner.mappings.count).fill(-1);
  for (const [row, key] of keys.entries()) if (mappingRows[key]! < 0) mappingRows[key] = row;
  const own = headerOf(source.header);
  const header = {
    ...own,
    sampleTypes: own.sampleTypes.map(text),
    periodType: own.periodType.map(text),
    comments: own.comments.map(text),
    dropFrames: text(own.dropFrames),
    keepFrames: text(own.keepFrames),
    defaultSampleType: text(own.defaultSampleType),
    docUrl: text(own.docUrl),
  };
  return {
    tables: {
      ...interner.strings.content(),
      functions: interner.functions.data,
      locations: interner.locations.data,
      locationEnds: interner.locations.ends,
      nodes: interner.stacks.nodes,
      labelSets: interner.labelSets.data,
      labelSetEnds: interner.labelSets.ends,
      rowNodes: interner.rows.nodes,
      rowLabelSets: interner.rows.labelSets,
    },
    header,
    mappings,
    mappingCount: keys.length,
    mappingRows,
    rows,
    rowCount: rows.length,
    values,
  };
}

function internFunction(interner: Interner, source: ProfileTables, row: number, text: (row: number) => number): number {
  const own = source.functions.rows.subarray(row * FUNCTION_STRIDE, (row + 1) * FUNCTION_STRIDE);
  const key = own.map((part, at) => (at < 3 ? text(part) : part));
  interner.functions.reserve(FUNCTION_KEY).set(key);
  return interner.functions.intern(FUNCTION_KEY);
}

function internLocations(
  interner: Interner,
  { locations, mappings }: ProfileTables,
  keys: number[],
  functions: number[],
): number[] {
  let start = 0;
  return Array.from({ length: locations.count }, (_, row) => {
    const own = locations.rows.subarray(row * LOCATION_STRIDE, (row + 1) * LOCATION_STRIDE);
    const lines = locations.lines.slice(start * LINE_STRIDE, own[4]! * LINE_STRIDE);
    for (let at = 0; at < lines.length; at += LINE_STRIDE) lines[at] = functions[lines[at]!]!;
    start = own[4]!;
    const of = (at: number) => (own[0]! < 0 ? 0n : half(mappings.rows, own[0]! * MAPPING_STRIDE + at));
    const address = half(own, 1) - of(0);
    const head = [own[0]! < 0 ? -1 : keys[own[0]!]!, Number(address & 0xffff_ffffn), Number(address >> 32n), own[3]!];
    interner.locations.reserve(LOCATION_HEAD + lines.length).set([...head, ...lines]);
    return interner.locations.intern(LOCATION_HEAD + lines.length);
  });
}

/** The 64-bit number of two halves. */
function half(words: Int32Array, at: number): bigint {
  return (BigInt(words[at + 1]! >>> 0) << 32n) | BigInt(words[at]! >>> 0);
}

function internRows(
  interner: Interner,
  source: ProfileTables,
  samples: SampleReader,
  locations: number[],
  text: (row: number) => number,
): { rows: Int32Array; values: Int32Array } {
  const columns = source.header.columnCount;
  const rows = new Int32Array(source.samples.count);
  const values = new Int32Array(rows.length * columns * 2);
  samples.start();
  for (let row = 0; row < rows.length; row++) {
    samples.read(row);
    const stack = samples.stack.slice(0, samples.stackLength).map((location) => locations[location]!);
    const labels = samples.labels.slice(0, samples.labelCount * LABEL_STRIDE);
    for (let at = 0; at < labels.length; at += LABEL_STRIDE)
      for (const part of [0, 1, 4]) labels[at + part] = text(labels[at + part]!);
    interner.labelSets.reserve(labels.length).set(labels);
    const node = interner.stacks.intern(stack, 0, stack.length);
    rows[row] = interner.rows.rowOfNode(node, interner.labelSets.intern(labels.length));
    values.set(samples.values.subarray(0, columns * 2), row * columns * 2);
  }
  return { rows, values };
}
