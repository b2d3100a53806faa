// The tables of an Interner as plain arrays, for another thread, and back into another Interner. Nothing is checked: they come
// from this code in this process.

import { grown } from "./grow.ts";
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
 * Adds what `rows` use of `content`; without them, what all of its rows use. Answers, for each of these rows, or for each there is, the row
 * of `interner`.
 */
export function absorbContent(interner: Interner, content: InternerContent, rows?: Int32Array): Int32Array {
  const transfer = new ContentTransfer(interner, content);
  const absorbed = new Int32Array(rows ? rows.length : content.rowNodes.length);
  interner.rows.reserve(absorbed.length);
  // Tables that grow step by step are hashed again at each.
  const share = absorbed.length / Math.max(1, content.rowNodes.length);
  interner.stacks.reserve(Math.ceil((content.nodes.length / 2) * share));
  for (let at = 0; at < absorbed.length; at++) absorbed[at] = transfer.row(rows ? rows[at]! : at);
  return absorbed;
}

const UNKNOWN = -1;

/** Ids of a content → ids of an interner, which gets each entity when it is first asked for, with all that it names. */
export class ContentTransfer {
  readonly #interner: Interner;
  readonly #content: InternerContent;
  readonly #labelsAsWritten: boolean;
  readonly #view: DataView;
  readonly #strings: Int32Array;
  readonly #functions: Int32Array;
  readonly #mappings: Int32Array;
  readonly #locations: Int32Array;
  readonly #nodes: Int32Array;
  readonly #labelSets: Int32Array;
  /** Scratch: nodes that wait for their parent. */
  #path: Int32Array = new Int32Array(128);

  /** `labelsAsWritten`: as ProfileInterner has it. */
  constructor(interner: Interner, content: InternerContent, { labelsAsWritten = false } = {}) {
    this.#interner = interner;
    this.#content = content;
    this.#labelsAsWritten = labelsAsWritten;
    const { stringBytes, stringEnds, functions, mappings, locationEnds, nodes, labelSetEnds } = content;
    this.#view = new DataView(stringBytes.buffer, stringBytes.byteOffset, stringBytes.length);
    const unknown = (count: number) => new Int32Array(count).fill(UNKNOWN);
    this.#strings = unknown(stringEnds.length);
    this.#functions = unknown(functions.length / FUNCTION_KEY);
    this.#mappings = unknown(mappings.length / MAPPING_KEY);
    this.#locations = unknown(locationEnds.length - 1);
    this.#nodes = unknown(nodes.length / 2);
    this.#nodes[0] = 0;
    this.#labelSets = unknown(labelSetEnds.length - 1);
  }

  row(row: number): number {
    const { rowNodes, rowLabelSets } = this.#content;
    return this.#interner.rows.rowOfNode(this.#node(rowNodes[row]!), this.#labelSet(rowLabelSets[row]!));
  }

  string(string: number): number {
    const known = this.#strings[string]!;
    if (known !== UNKNOWN) return known;
    const { stringEnds } = this.#content;
    const start = string === 0 ? 0 : stringEnds[string - 1]!;
    const id = this.#interner.strings.intern(this.#view, start, stringEnds[string]!);
    this.#strings[string] = id;
    return id;
  }

  mapping(mapping: number): number {
    const known = this.#mappings[mapping]!;
    if (known !== UNKNOWN) return known;
    const { mappings } = this.#content;
    const from = mapping * MAPPING_KEY;
    const name = this.string(mappings[from + 4]!);
    const { key } = this.#interner.mappings;
    for (let part = 0; part < 4; part++) key[part] = mappings[from + part]!;
    key[4] = name;
    const id = this.#interner.mappings.intern(MAPPING_KEY);
    this.#mappings[mapping] = id;
    return id;
  }

  #function(fn: number): number {
    const known = this.#functions[fn]!;
    if (known !== UNKNOWN) return known;
    const { functions } = this.#content;
    const from = fn * FUNCTION_KEY;
    const { key } = this.#interner.functions;
    for (let part = 0; part < 3; part++) key[part] = this.string(functions[from + part]!);
    key[3] = functions[from + 3]!;
    key[4] = functions[from + 4]!;
    const id = this.#interner.functions.intern(FUNCTION_KEY);
    this.#functions[fn] = id;
    return id;
  }

  #location(location: number): number {
    const known = this.#locations[location]!;
    if (known !== UNKNOWN) return known;
    const { locations, locationEnds } = this.#content;
    const start = locationEnds[location]!;
    const length = locationEnds[location + 1]! - start;
    const key = this.#interner.locations.reserve(length);
    for (let part = 0; part < length; part++) key[part] = locations[start + part]!;
    if (key[0]! >= 0) key[0] = this.mapping(key[0]!);
    for (let line = LOCATION_HEAD; line < length; line += LINE_STRIDE) key[line] = this.#function(key[line]!);
    const id = this.#interner.locations.intern(length);
    this.#locations[location] = id;
    return id;
  }

  #node(node: number): number {
    const { nodes } = this.#content;
    let depth = 0;
    let at = node;
    for (; this.#nodes[at] === UNKNOWN; at = nodes[at * 2]!) {
      this.#path = grown(this.#path, depth + 1);
      this.#path[depth++] = at;
    }
    let id = this.#nodes[at]!;
    while (depth > 0) {
      const next = this.#path[--depth]!;
      id = this.#interner.stacks.child(id, this.#location(nodes[next * 2 + 1]!));
      this.#nodes[next] = id;
    }
    return id;
  }

  #labelSet(set: number): number {
    const known = this.#labelSets[set]!;
    if (known !== UNKNOWN) return known;
    const { labelSets, labelSetEnds } = this.#content;
    const start = labelSetEnds[set]!;
    const length = labelSetEnds[set + 1]! - start;
    const key = this.#interner.labelSets.reserve(length);
    for (let at = 0; at < length; at += LABEL_STRIDE) {
      key[at] = this.string(labelSets[start + at]!);
      key[at + 1] = this.string(labelSets[start + at + 1]!);
      key[at + 2] = labelSets[start + at + 2]!;
      key[at + 3] = labelSets[start + at + 3]!;
      key[at + 4] = this.string(labelSets[start + at + 4]!);
    }
    const id = this.#labelsAsWritten ? this.#interner.labelSets.intern(length) : this.#interner.labelSet(length);
    this.#labelSets[set] = id;
    return id;
  }
}
