// The tables of an Interner as plain arrays, for another thread, and back into another Interner. Nothing is checked: they come
// from this code in this process.

import { FUNCTION_KEY, type Interner, LOCATION_HEAD, MAPPING_KEY } from "./interner.ts";
import { LINE_STRIDE } from "./location-table.ts";
import { LABEL_STRIDE } from "./sample-reader.ts";

/** Views on the tables of an interner, valid until it changes. */
export interface InternerContent {
  stringBytes: Uint8Array;
  stringEnds: Int32Array;
  functions: Int32Array;
  mappings: Int32Array;
  locations: Int32Array;
  locationEnds: Int32Array;
  labelSets: Int32Array;
  labelSetEnds: Int32Array;
  nodes: Int32Array;
  rowNodes: Int32Array;
  rowLabelSets: Int32Array;
}

export function internerContent(interner: Interner): InternerContent {
  const { strings, functions, mappings, locations, labelSets, stacks, rows } = interner;
  return {
    ...strings.content(),
    functions: functions.data.subarray(0, functions.ends[functions.count]),
    mappings: mappings.data.subarray(0, mappings.ends[mappings.count]),
    locations: locations.data.subarray(0, locations.ends[locations.count]),
    locationEnds: locations.ends.subarray(0, locations.count + 1),
    labelSets: labelSets.data.subarray(0, labelSets.ends[labelSets.count]),
    labelSetEnds: labelSets.ends.subarray(0, labelSets.count + 1),
    nodes: stacks.nodes.subarray(0, stacks.count * 2),
    rowNodes: rows.nodes.subarray(0, rows.count),
    rowLabelSets: rows.labelSets.subarray(0, rows.count),
  };
}

/** Adds all that `content` holds. Answers, for each of its rows, the row of `interner`. */
export function absorbContent(interner: Interner, content: InternerContent): Int32Array {
  const strings = absorbStrings(interner, content);
  const functions = absorbFunctions(interner, content, strings);
  const mappings = absorbMappings(interner, content, strings);
  const locations = absorbLocations(interner, content, mappings, functions);
  const nodes = absorbNodes(interner, content, locations);
  const labelSets = new Int32Array(content.labelSetEnds.length).fill(-1);
  return content.rowNodes.map((node, row) => {
    const set = content.rowLabelSets[row]!;
    if (labelSets[set] === -1) labelSets[set] = absorbLabelSet(interner, content, set, strings);
    return interner.rows.rowOfNode(nodes[node]!, labelSets[set]!);
  });
}

function absorbStrings({ strings }: Interner, { stringBytes, stringEnds }: InternerContent): Int32Array {
  const view = new DataView(stringBytes.buffer, stringBytes.byteOffset, stringBytes.length);
  const ids = new Int32Array(stringEnds.length);
  for (let at = 1; at < ids.length; at++) ids[at] = strings.intern(view, stringEnds[at - 1]!, stringEnds[at]!);
  return ids;
}

function absorbFunctions({ functions }: Interner, content: InternerContent, strings: Int32Array): Int32Array {
  const { key } = functions;
  const ids = new Int32Array(content.functions.length / FUNCTION_KEY);
  for (let id = 0, at = 0; id < ids.length; id++, at += FUNCTION_KEY) {
    for (let part = 0; part < 3; part++) key[part] = strings[content.functions[at + part]!]!;
    key[3] = content.functions[at + 3]!;
    key[4] = content.functions[at + 4]!;
    ids[id] = functions.intern(FUNCTION_KEY);
  }
  return ids;
}

function absorbMappings({ mappings }: Interner, content: InternerContent, strings: Int32Array): Int32Array {
  const { key } = mappings;
  const ids = new Int32Array(content.mappings.length / MAPPING_KEY);
  for (let id = 0, at = 0; id < ids.length; id++, at += MAPPING_KEY) {
    for (let part = 0; part < 4; part++) key[part] = content.mappings[at + part]!;
    key[4] = strings[content.mappings[at + 4]!]!;
    ids[id] = mappings.intern(MAPPING_KEY);
  }
  return ids;
}

function absorbLocations(
  { locations }: Interner,
  content: InternerContent,
  mappings: Int32Array,
  functions: Int32Array,
): Int32Array {
  const { locationEnds, locations: data } = content;
  const ids = new Int32Array(locationEnds.length - 1);
  for (let id = 0; id < ids.length; id++) {
    const start = locationEnds[id]!;
    const length = locationEnds[id + 1]! - start;
    const key = locations.reserve(length);
    for (let part = 0; part < length; part++) key[part] = data[start + part]!;
    if (key[0]! >= 0) key[0] = mappings[key[0]!]!;
    for (let line = LOCATION_HEAD; line < length; line += LINE_STRIDE) key[line] = functions[key[line]!]!;
    ids[id] = locations.intern(length);
  }
  return ids;
}

/** A parent always comes before its children. */
function absorbNodes({ stacks }: Interner, { nodes }: InternerContent, locations: Int32Array): Int32Array {
  const ids = new Int32Array(nodes.length / 2);
  for (let node = 1; node < ids.length; node++) {
    ids[node] = stacks.child(ids[nodes[node * 2]!]!, locations[nodes[node * 2 + 1]!]!);
  }
  return ids;
}

function absorbLabelSet(interner: Interner, content: InternerContent, set: number, strings: Int32Array): number {
  const start = content.labelSetEnds[set]!;
  const length = content.labelSetEnds[set + 1]! - start;
  const key = interner.labelSets.reserve(length);
  for (let at = 0; at < length; at += LABEL_STRIDE) {
    key[at] = strings[content.labelSets[start + at]!]!;
    key[at + 1] = strings[content.labelSets[start + at + 1]!]!;
    key[at + 2] = content.labelSets[start + at + 2]!;
    key[at + 3] = content.labelSets[start + at + 3]!;
    key[at + 4] = strings[content.labelSets[start + at + 4]!]!;
  }
  return interner.labelSet(length);
}
