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

/**
 * Adds what `rows` use of `content`; without them, all that it holds. Answers, for each of these rows, or for each there is, the row of
 * `interner`.
 */
export function absorbContent(interner: Interner, content: InternerContent, rows?: Int32Array): Int32Array {
  const used = rows && usedBy(content, rows);
  const strings = absorbStrings(interner, content, used?.strings);
  const functions = absorbFunctions(interner, content, strings, used?.functions);
  const mappings = absorbMappings(interner, content, strings);
  const locations = absorbLocations(interner, content, { mappings, functions }, used?.locations);
  const nodes = absorbNodes(interner, content, locations, used?.nodes);
  const labelSets = new Int32Array(content.labelSetEnds.length).fill(-1);
  const absorbed = new Int32Array(rows ? rows.length : content.rowNodes.length);
  interner.rows.reserve(absorbed.length);
  for (let at = 0; at < absorbed.length; at++) {
    const row = rows ? rows[at]! : at;
    const set = content.rowLabelSets[row]!;
    if (labelSets[set] === -1) labelSets[set] = absorbLabelSet(interner, content, set, strings);
    absorbed[at] = interner.rows.rowOfNode(nodes[content.rowNodes[row]!]!, labelSets[set]!);
  }
  return absorbed;
}

/** 1 for each entity that rows use. */
interface Used {
  strings: Uint8Array;
  functions: Uint8Array;
  locations: Uint8Array;
  nodes: Uint8Array;
}

function usedBy(content: InternerContent, rows: Int32Array): Used {
  const { locations, locationEnds, functions, nodes, mappings, labelSets, labelSetEnds, rowNodes, rowLabelSets } =
    content;
  const used: Used = {
    strings: new Uint8Array(content.stringEnds.length),
    functions: new Uint8Array(functions.length / FUNCTION_KEY),
    locations: new Uint8Array(locationEnds.length - 1),
    nodes: new Uint8Array(nodes.length / 2),
  };
  used.nodes[0] = 1;
  const isSeen = new Uint8Array(labelSetEnds.length);
  for (const row of rows) {
    for (let node = rowNodes[row]!; used.nodes[node] === 0; node = nodes[node * 2]!) {
      used.nodes[node] = 1;
      used.locations[nodes[node * 2 + 1]!] = 1;
    }
    const set = rowLabelSets[row]!;
    if (isSeen[set] !== 0) continue;
    isSeen[set] = 1;
    for (let at = labelSetEnds[set]!; at < labelSetEnds[set + 1]!; at += LABEL_STRIDE) {
      for (const part of [0, 1, 4]) used.strings[labelSets[at + part]!] = 1;
    }
  }
  for (let location = 0; location < used.locations.length; location++) {
    if (used.locations[location] === 0) continue;
    const end = locationEnds[location + 1]!;
    for (let at = locationEnds[location]! + LOCATION_HEAD; at < end; at += LINE_STRIDE)
      used.functions[locations[at]!] = 1;
  }
  for (let fn = 0; fn < used.functions.length; fn++) {
    if (used.functions[fn] === 0) continue;
    for (let part = 0; part < 3; part++) used.strings[functions[fn * FUNCTION_KEY + part]!] = 1;
  }
  for (let at = 0; at < mappings.length; at += MAPPING_KEY) used.strings[mappings[at + 4]!] = 1;
  return used;
}

function absorbStrings(
  { strings }: Interner,
  { stringBytes, stringEnds }: InternerContent,
  used: Uint8Array | undefined,
): Int32Array {
  const view = new DataView(stringBytes.buffer, stringBytes.byteOffset, stringBytes.length);
  const ids = new Int32Array(stringEnds.length);
  for (let at = 1; at < ids.length; at++) {
    if (used?.[at] !== 0) ids[at] = strings.intern(view, stringEnds[at - 1]!, stringEnds[at]!);
  }
  return ids;
}

function absorbFunctions(
  { functions }: Interner,
  content: InternerContent,
  strings: Int32Array,
  used: Uint8Array | undefined,
): Int32Array {
  const { key } = functions;
  const ids = new Int32Array(content.functions.length / FUNCTION_KEY);
  for (let id = 0, at = 0; id < ids.length; id++, at += FUNCTION_KEY) {
    if (used?.[id] === 0) continue;
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
  { mappings, functions }: { mappings: Int32Array; functions: Int32Array },
  used: Uint8Array | undefined,
): Int32Array {
  const { locationEnds, locations: data } = content;
  const ids = new Int32Array(locationEnds.length - 1);
  for (let id = 0; id < ids.length; id++) {
    if (used?.[id] === 0) continue;
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
function absorbNodes(
  { stacks }: Interner,
  { nodes }: InternerContent,
  locations: Int32Array,
  used: Uint8Array | undefined,
): Int32Array {
  const ids = new Int32Array(nodes.length / 2);
  stacks.reserve(used ? used.reduce((sum, flag) => sum + flag, 0) : ids.length);
  for (let node = 1; node < ids.length; node++) {
    if (used?.[node] === 0) continue;
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
