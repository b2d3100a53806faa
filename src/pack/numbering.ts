// What of an Interner the rows of a pack use, numbered as packs have it: locations by (mapping, address), functions and strings by first
// use in that order, stacks in preorder with children by location, rows by (stack, label set).

import { chains, countingSort } from "../pprof/counting-sort.ts";
import { FUNCTION_KEY, type Interner, LOCATION_HEAD, MAPPING_KEY } from "../pprof/interner.ts";
import type { InternerContent } from "../pprof/interner-transfer.ts";
import { LINE_STRIDE } from "../pprof/location-table.ts";
import { LABEL_STRIDE } from "../pprof/sample-reader.ts";

const UNUSED = -1;

/** The tables in the pack's order, and where they have what the interner has. */
export interface Numbering {
  tables: UnnamedTables;
  /** By row of the interner; -1 for those that are not used. Mappings keep their numbers. */
  rowOf: Int32Array;
}

/** The strings are in none of them yet: whoever has more to name goes on asking for numbers. */
export type UnnamedTables = Omit<InternerContent, "stringBytes" | "stringEnds">;

/** Strings are numbered as they are asked for. */
export class StringNumbers {
  readonly #interner: Interner;
  readonly #numberOf: Int32Array;
  readonly #ids: number[] = [0];

  constructor(interner: Interner) {
    this.#interner = interner;
    this.#numberOf = new Int32Array(interner.strings.count);
  }

  of(id: number): number {
    if (id === 0) return 0;
    if (this.#numberOf[id] === 0) this.#numberOf[id] = this.#ids.push(id) - 1;
    return this.#numberOf[id]!;
  }

  content(): Pick<InternerContent, "stringBytes" | "stringEnds"> {
    const parts = this.#ids.map((id) => this.#interner.strings.get(id));
    let end = 0;
    const stringEnds = Int32Array.from(parts, (part) => {
      end += part.length;
      return end;
    });
    const stringBytes = new Uint8Array(end);
    parts.forEach((part, at) => {
      stringBytes.set(part, stringEnds[at]! - part.length);
    });
    return { stringBytes, stringEnds };
  }
}

/** `isUsed` has 1 for each row of the interner that is. */
export function numberTables(interner: Interner, isUsed: Uint8Array, strings: StringNumbers): Numbering {
  const { stacks, rows } = interner;
  const usedRows = indexes(isUsed, rows.count);
  const usedNodes = pathsOf(interner, usedRows);
  const locations = numberLocations(interner, usedNodes);
  const functions = numberFunctions(interner, locations.order, strings);
  const mappings = copyMappings(interner, strings);
  const labelSets = numberLabelSets(interner, usedRows, strings);
  const nodesInOrder = countingSort(usedNodes, locations.order.length, (node) => {
    return locations.numberOf[stacks.nodes[node * 2 + 1]!]!;
  });
  const children = chains(nodesInOrder, stacks.count, (node) => stacks.nodes[node * 2]!);
  const rowsInOrder = countingSort(usedRows, labelSets.count, (row) => labelSets.numberOf[rows.labelSets[row]!]!);
  const rowsOf = chains(rowsInOrder, stacks.count, (row) => rows.nodes[row]!, rows.count);

  const nodes = new Int32Array((usedNodes.length + 1) * 2).fill(-1, 0, 2);
  const nodeOf = new Int32Array(stacks.count);
  const rowOf = new Int32Array(rows.count).fill(UNUSED);
  const rowNodes = new Int32Array(usedRows.length);
  const rowLabelSets = new Int32Array(usedRows.length);
  let [nodeCount, rowCount] = [0, 0];
  for (let node = 0; node >= 0; nodeCount++) {
    nodeOf[node] = nodeCount;
    if (node > 0) {
      nodes[nodeCount * 2] = nodeOf[stacks.nodes[node * 2]!]!;
      nodes[nodeCount * 2 + 1] = locations.numberOf[stacks.nodes[node * 2 + 1]!]!;
    }
    for (let row = rowsOf.first[node]!; row >= 0; row = rowsOf.next[row]!) {
      rowOf[row] = rowCount;
      rowNodes[rowCount] = nodeCount;
      rowLabelSets[rowCount++] = labelSets.numberOf[rows.labelSets[row]!]!;
    }
    let next = children.first[node]!;
    for (let up = node; next < 0 && up > 0; up = stacks.nodes[up * 2]!) next = children.next[up]!;
    node = next;
  }
  const tables = {
    functions: functions.data,
    mappings,
    ...copyLocations(interner, locations.order, functions.numberOf),
    labelSets: labelSets.data,
    labelSetEnds: labelSets.ends,
    nodes,
    rowNodes,
    rowLabelSets,
  };
  return { tables, rowOf };
}

function indexes(flags: Uint8Array, count: number): Int32Array {
  const found = new Int32Array(count);
  let length = 0;
  for (let at = 0; at < count; at++) if (flags[at] !== 0) found[length++] = at;
  return found.subarray(0, length);
}

/** The nodes on the paths of the rows, the empty stack left out. */
function pathsOf({ stacks, rows }: Interner, usedRows: Int32Array): Int32Array {
  const isFound = new Uint8Array(stacks.count);
  isFound[0] = 1;
  const found = new Int32Array(stacks.count);
  let count = 0;
  for (const row of usedRows) {
    for (let node = rows.nodes[row]!; isFound[node] === 0; node = stacks.nodes[node * 2]!) {
      isFound[node] = 1;
      found[count++] = node;
    }
  }
  return found.subarray(0, count);
}

function numberLocations({ stacks, locations }: Interner, usedNodes: Int32Array) {
  const isUsed = new Uint8Array(locations.count);
  for (const node of usedNodes) isUsed[stacks.nodes[node * 2 + 1]!] = 1;
  const order = indexes(isUsed, locations.count);
  const { data, ends } = locations;
  order.sort((a, b) => {
    const [x, y] = [ends[a]!, ends[b]!];
    return (
      data[x]! - data[y]! ||
      (data[x + 2]! >>> 0) - (data[y + 2]! >>> 0) ||
      (data[x + 1]! >>> 0) - (data[y + 1]! >>> 0) ||
      a - b
    );
  });
  const numberOf = new Int32Array(locations.count).fill(UNUSED);
  order.forEach((location, number) => {
    numberOf[location] = number;
  });
  return { order, numberOf };
}

function numberFunctions({ functions, locations }: Interner, locationOrder: Int32Array, strings: StringNumbers) {
  const numberOf = new Int32Array(functions.count).fill(UNUSED);
  const order: number[] = [];
  for (const location of locationOrder) {
    const end = locations.ends[location + 1]!;
    for (let line = locations.ends[location]! + LOCATION_HEAD; line < end; line += LINE_STRIDE) {
      const fn = locations.data[line]!;
      if (numberOf[fn] === UNUSED) numberOf[fn] = order.push(fn) - 1;
    }
  }
  const data = new Int32Array(order.length * FUNCTION_KEY);
  order.forEach((fn, number) => {
    const from = functions.ends[fn]!;
    const to = number * FUNCTION_KEY;
    for (let part = 0; part < 3; part++) data[to + part] = strings.of(functions.data[from + part]!);
    data[to + 3] = functions.data[from + 3]!;
    data[to + 4] = functions.data[from + 4]!;
  });
  return { data, numberOf };
}

/** All of them: processes name them too. */
function copyMappings({ mappings }: Interner, strings: StringNumbers): Int32Array {
  const data = mappings.data.slice(0, mappings.count * MAPPING_KEY);
  for (let at = 4; at < data.length; at += MAPPING_KEY) data[at] = strings.of(data[at]!);
  return data;
}

/** The empty set is the first, whether it is used or not. */
function numberLabelSets({ rows, labelSets }: Interner, usedRows: Int32Array, strings: StringNumbers) {
  const numberOf = new Int32Array(labelSets.count).fill(UNUSED);
  numberOf[0] = 0;
  let count = 1;
  const data: number[] = [];
  const ends = [0, 0];
  for (const row of usedRows) {
    const set = rows.labelSets[row]!;
    if (numberOf[set] !== UNUSED) continue;
    numberOf[set] = count++;
    for (let at = labelSets.ends[set]!; at < labelSets.ends[set + 1]!; at += LABEL_STRIDE) {
      const [key, text, lo, hi, unit] = labelSets.data.subarray(at, at + LABEL_STRIDE);
      data.push(strings.of(key!), strings.of(text!), lo!, hi!, strings.of(unit!));
    }
    ends.push(data.length);
  }
  return { data: Int32Array.from(data), ends: Int32Array.from(ends), numberOf, count };
}

function copyLocations(
  { locations }: Interner,
  order: Int32Array,
  functionOf: Int32Array,
): Pick<InternerContent, "locations" | "locationEnds"> {
  const { data, ends } = locations;
  const locationEnds = new Int32Array(order.length + 1);
  order.forEach((location, at) => {
    locationEnds[at + 1] = locationEnds[at]! + ends[location + 1]! - ends[location]!;
  });
  const copy = new Int32Array(locationEnds[order.length]!);
  order.forEach((location, number) => {
    const start = locationEnds[number]!;
    copy.set(data.subarray(ends[location]!, ends[location + 1]!), start);
    for (let line = start + LOCATION_HEAD; line < locationEnds[number + 1]!; line += LINE_STRIDE) {
      copy[line] = functionOf[copy[line]!]!;
    }
  });
  return { locations: copy, locationEnds };
}
