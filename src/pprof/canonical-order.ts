// The order in which a merge is written: by content alone, so that neither the order of adds nor the number of Mergers shows.
// docs/formats.md states it ("Merged profiles"). Nothing is encoded here.

import { chains, countingSort } from "./counting-sort.ts";
import { type Interner, LOCATION_HEAD } from "./interner.ts";
import { labelSetRanks } from "./label-order.ts";
import { LINE_STRIDE } from "./location-table.ts";

export interface CanonicalOrder {
  /** Ids of the interner in the order of the output. */
  mappings: number[];
  locations: Int32Array;
  functions: number[];
  rows: Int32Array;
  /** The stack nodes of the rows and those above them, the root first. */
  preorder: Int32Array;
  /** Per id of the interner its id in the output, from 1; 0 for what is not in it. */
  mappingIds: Int32Array;
  locationIds: Int32Array;
  functionIds: Int32Array;
}

/** `liveRows` are those with a value that is not zero; `mainMapping` is in the output, first, whether they use it or not. */
export function canonicalOrder(
  interner: Interner,
  liveRows: Int32Array,
  mainMapping: number | undefined,
): CanonicalOrder {
  const liveNodes = nodesOf(interner, liveRows);
  const usedLocations = locationsOf(interner, liveNodes);
  const mappings = orderMappings(interner, usedLocations, mainMapping);
  const mappingIds = outputIds(mappings, interner.mappings.count);
  const locations = orderLocations(interner, usedLocations, mappingIds);
  const locationIds = outputIds(locations, interner.locations.count);
  const functions = functionsOf(interner, locations);
  const preorder = orderNodes(interner, liveNodes, locationIds, locations.length);
  return {
    mappings,
    locations,
    functions,
    rows: orderRows(interner, liveRows, preorder),
    preorder,
    mappingIds,
    locationIds,
    functionIds: outputIds(functions, interner.functions.count),
  };
}

function outputIds(order: ArrayLike<number>, count: number): Int32Array {
  const ids = new Int32Array(count);
  for (let at = 0; at < order.length; at++) ids[order[at]!] = at + 1;
  return ids;
}

/** The nodes on the paths of the rows, the root left out. */
function nodesOf({ stacks, rows }: Interner, liveRows: Int32Array): Int32Array {
  const isLive = new Uint8Array(stacks.count);
  isLive[0] = 1;
  const found = new Int32Array(stacks.count);
  let count = 0;
  for (const row of liveRows) {
    for (let node = rows.nodes[row]!; isLive[node] === 0; node = stacks.nodes[node * 2]!) {
      isLive[node] = 1;
      found[count++] = node;
    }
  }
  return found.subarray(0, count);
}

function locationsOf({ stacks, locations }: Interner, liveNodes: Int32Array): Int32Array {
  const isUsed = new Uint8Array(locations.count);
  const found = new Int32Array(locations.count);
  let count = 0;
  for (const node of liveNodes) {
    const location = stacks.nodes[node * 2 + 1]!;
    if (isUsed[location] !== 0) continue;
    isUsed[location] = 1;
    found[count++] = location;
  }
  return found.subarray(0, count);
}

/** The main binary, then the others by (build id or file, offset, size). */
function orderMappings(interner: Interner, locations: Int32Array, main: number | undefined): number[] {
  const { data, ends } = interner.locations;
  const used = new Set<number>();
  for (const location of locations) used.add(data[ends[location]!]!);
  used.delete(-1);
  if (main !== undefined) used.delete(main);
  const keys = [...used].map((mapping) => {
    const at = interner.mappings.ends[mapping]!;
    const key = interner.mappings.data;
    const size = word64(key[at]!, key[at + 1]!);
    const offset = word64(key[at + 2]!, key[at + 3]!);
    return { mapping, size, offset, name: interner.strings.byteString(key[at + 4]!) };
  });
  keys.sort((a, b) => compare(a.name, b.name) || compare(a.offset, b.offset) || compare(a.size, b.size));
  const others = keys.map(({ mapping }) => mapping);
  return main === undefined ? others : [main, ...others];
}

/** By (mapping, none first, relative address, is_folded, lines); lines by (function, line, column), fewer first. */
function orderLocations(interner: Interner, locations: Int32Array, mappingIds: Int32Array): Int32Array {
  const { data, ends } = interner.locations;
  const rank = new Int32Array(interner.locations.count);
  const address = new Float64Array(interner.locations.count);
  for (const location of locations) {
    const at = ends[location]!;
    const mapping = data[at]!;
    rank[location] = mapping < 0 ? 0 : mappingIds[mapping]!;
    address[location] = (data[at + 2]! >>> 0) * 2 ** 32 + (data[at + 1]! >>> 0);
  }
  let functionRanks: Int32Array | undefined;
  const compareTied = (a: number, b: number): number => {
    functionRanks ??= rankFunctions(interner, locations);
    return compareContents(data, ends[a]!, ends[a + 1]!, ends[b]!, ends[b + 1]!, functionRanks);
  };
  return locations.slice().sort((a, b) => rank[a]! - rank[b]! || address[a]! - address[b]! || compareTied(a, b));
}

/** Compares two locations of one mapping from their address on: as doubles, large ones may have looked equal. */
function compareContents(
  data: Int32Array,
  a: number,
  aEnd: number,
  b: number,
  bEnd: number,
  ranks: Int32Array,
): number {
  const heads =
    (data[a + 2]! >>> 0) - (data[b + 2]! >>> 0) ||
    (data[a + 1]! >>> 0) - (data[b + 1]! >>> 0) ||
    data[a + 3]! - data[b + 3]!;
  if (heads !== 0) return heads;
  const shared = Math.min(aEnd - a, bEnd - b);
  for (let at = LOCATION_HEAD; at < shared; at += LINE_STRIDE) {
    const order =
      ranks[data[a + at]!]! - ranks[data[b + at]!]! ||
      data[a + at + 2]! - data[b + at + 2]! ||
      (data[a + at + 1]! >>> 0) - (data[b + at + 1]! >>> 0) ||
      data[a + at + 4]! - data[b + at + 4]! ||
      (data[a + at + 3]! >>> 0) - (data[b + at + 3]! >>> 0);
    if (order !== 0) return order;
  }
  return aEnd - a - (bEnd - b);
}

/** Functions by (name, system name, file, start line); only those of `locations` have a rank that means something. */
function rankFunctions(interner: Interner, locations: Int32Array): Int32Array {
  const { data, ends } = interner.functions;
  const keys = functionsOf(interner, locations).map((fn) => {
    const at = ends[fn]!;
    const [name, systemName, file] = [0, 1, 2].map((part) => interner.strings.byteString(data[at + part]!));
    return { fn, name: name!, systemName: systemName!, file: file!, line: int64(data[at + 3]!, data[at + 4]!) };
  });
  keys.sort(
    (a, b) =>
      compare(a.name, b.name) ||
      compare(a.systemName, b.systemName) ||
      compare(a.file, b.file) ||
      compare(a.line, b.line),
  );
  return outputIds(
    keys.map(({ fn }) => fn),
    interner.functions.count,
  );
}

/** The functions of the locations, by first use. */
function functionsOf(interner: Interner, locations: Int32Array): number[] {
  const { data, ends } = interner.locations;
  const isUsed = new Uint8Array(interner.functions.count);
  const found: number[] = [];
  for (const location of locations) {
    const end = ends[location + 1]!;
    for (let at = ends[location]! + LOCATION_HEAD; at < end; at += LINE_STRIDE) {
      const fn = data[at]!;
      if (isUsed[fn] !== 0) continue;
      isUsed[fn] = 1;
      found.push(fn);
    }
  }
  return found;
}

/** Children by their location: by counting, without comparing stacks. */
function orderNodes(
  { stacks }: Interner,
  liveNodes: Int32Array,
  locationIds: Int32Array,
  locationCount: number,
): Int32Array {
  const { nodes } = stacks;
  const nodesInOrder = countingSort(liveNodes, locationCount, (node) => locationIds[nodes[node * 2 + 1]!]! - 1);
  const children = chains(nodesInOrder, stacks.count, (node) => nodes[node * 2]!);
  const preorder = new Int32Array(liveNodes.length + 1);
  let length = 0;
  for (let node = 0; node >= 0; ) {
    preorder[length++] = node;
    let next = children.first[node]!;
    for (let up = node; next < 0 && up > 0; up = nodes[up * 2]!) next = children.next[up]!;
    node = next;
  }
  return preorder;
}

/** In preorder of the stack tree, then by label set. */
function orderRows(
  { stacks, rows, strings, labelSets }: Interner,
  liveRows: Int32Array,
  preorder: Int32Array,
): Int32Array {
  const { ranks, count } = labelSetRanks(liveRows, rows.labelSets, labelSets, strings);
  const rowsInOrder = countingSort(liveRows, count, (row) => ranks[rows.labelSets[row]!]!);
  const ofNode = chains(rowsInOrder, stacks.count, (row) => rows.nodes[row]!, rows.count);
  const order = new Int32Array(liveRows.length);
  let length = 0;
  for (const node of preorder) {
    for (let row = ofNode.first[node]!; row >= 0; row = ofNode.next[row]!) order[length++] = row;
  }
  return order;
}

function compare<T extends string | bigint>(a: T, b: T): number {
  return a < b ? -1 : Number(a > b);
}

function word64(lo: number, hi: number): bigint {
  return (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0);
}

function int64(lo: number, hi: number): bigint {
  return (BigInt(hi) << 32n) | BigInt(lo >>> 0);
}
