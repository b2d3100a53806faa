// The tables of a pack, which all its profiles refer to by index, and their sections, both ways side by side. The numbering is that of
// numbering.ts; decoding relies on no more of it than what is checked here.

import { FUNCTION_KEY, LOCATION_HEAD, MAPPING_KEY } from "../pprof/interner.ts";
import type { InternerContent } from "../pprof/interner-transfer.ts";
import { LINE_STRIDE } from "../pprof/location-table.ts";
import { LABEL_STRIDE } from "../pprof/sample-reader.ts";
import { hasSection, type Pack, readSection, type Section, type SectionKind, sectionName } from "./format.ts";
import { NumberReader, NumberWriter } from "./number-columns.ts";
import { damagedPack } from "./pack-damage.ts";
import { type PackHeads, readHeads, writeHeads } from "./pack-heads.ts";
import { NO_SAMPLINGS, readSamplings, type Samplings, writeSamplings } from "./sampling.ts";

/**
 * As an Interner has them, in the pack's order: what writes a profile and what absorbs tables take them as they are. Flat, so that
 * threads can share them.
 */
export interface PackTables extends InternerContent, PackHeads, Samplings {}

export function encodeTables(tables: PackTables): Section[] {
  const section = (kind: SectionKind, write: (out: NumberWriter, tables: PackTables) => void): Section => {
    const out = new NumberWriter();
    write(out, tables);
    return { kind, part: 0, bytes: out.finish() };
  };
  const samplings = tables.sampledSizes.length > 0 ? [section("samplings", writeSamplings)] : [];
  return [
    section("strings", writeStrings),
    section("functions", writeFunctions),
    section("mappings", writeMappings),
    section("locations", writeLocations),
    section("stacks", writeNodes),
    section("labelSets", writeLabelSets),
    section("rows", writeRows),
    section("heads", writeHeads),
    ...samplings,
  ];
}

/** Throws `unavailable`, naming the section that is damaged. */
export function decodeTables(pack: Pack): PackTables {
  const open = (kind: SectionKind) => new NumberReader(sectionName(kind), readSection(pack, kind));
  const strings = readStrings(open("strings"));
  const stringCount = strings.stringEnds.length;
  const functions = readFunctions(open("functions"), stringCount);
  const mappings = readMappings(open("mappings"), stringCount);
  const locations = readLocations(open("locations"), mappings.length / MAPPING_KEY, functions);
  const nodes = readNodes(open("stacks"), locations.locationEnds.length - 1);
  const labelSets = readLabelSets(open("labelSets"), stringCount);
  const rows = readRows(open("rows"), nodes.length / 2, labelSets.labelSetEnds.length - 1);
  const heads = readHeads(open("heads"), stringCount, mappings.length / MAPPING_KEY, pack.columns);
  const setCount = labelSets.labelSetEnds.length - 1;
  const samplings = hasSection(pack, "samplings") ? readSamplings(open("samplings"), setCount) : NO_SAMPLINGS;
  return { ...strings, functions, mappings, ...locations, ...labelSets, nodes, ...rows, ...heads, ...samplings };
}

function writeStrings(out: NumberWriter, { stringBytes, stringEnds }: PackTables): void {
  out.number(stringEnds.length - 1);
  for (let at = 1; at < stringEnds.length; at++) out.number(stringEnds[at]! - stringEnds[at - 1]!);
  out.bytes(stringBytes);
}

function readStrings(from: NumberReader) {
  const count = from.number(from.content.length);
  const lengths = from.numbers(count);
  const stringEnds = new Int32Array(count + 1);
  const bytesLeft = from.content.length - from.at;
  for (let at = 0; at < count; at++) {
    const end = stringEnds[at]! + lengths[at]!;
    if (end > bytesLeft) damagedPack(from.section, "its strings are longer than it is");
    stringEnds[at + 1] = end;
  }
  const stringBytes = from.bytes(stringEnds[count]!);
  from.end();
  return { stringBytes, stringEnds };
}

/** Numbers its owner gives by first use: 0 is the next new one, n the n-th before it. */
class FirstUses {
  next: number;

  /** `next` is the first that is given. */
  constructor(next: number) {
    this.next = next;
  }

  token(number: number): number {
    if (number !== this.next) return this.next - number;
    this.next++;
    return 0;
  }

  /** -1 for what no number stands for. */
  number(token: number): number {
    return token === 0 ? this.next++ : Math.max(-1, this.next - token);
  }
}

function writeFunctions(out: NumberWriter, { functions }: PackTables): void {
  const count = functions.length / FUNCTION_KEY;
  const strings = new FirstUses(1);
  const names = new Int32Array(count);
  const systemNames = new Int32Array(count);
  const files = new Int32Array(count);
  let file = 0;
  for (let fn = 0, at = 0; fn < count; fn++, at += FUNCTION_KEY) {
    names[fn] = strings.token(functions[at]!);
    systemNames[fn] = functions[at + 1] === functions[at] ? 0 : 1 + strings.token(functions[at + 1]!);
    files[fn] = functions[at + 2] === file ? 0 : 1 + strings.token(functions[at + 2]!);
    file = functions[at + 2]!;
  }
  out.number(count);
  out.numbers(names);
  out.numbers(systemNames);
  out.numbers(files);
  for (let at = 0; at < functions.length; at += FUNCTION_KEY) out.wide(functions[at + 3]!, functions[at + 4]!);
}

function readFunctions(from: NumberReader, stringCount: number): Int32Array {
  const count = from.number(from.content.length);
  const [names, systemNames, files] = [from.numbers(count), from.numbers(count), from.numbers(count)];
  const lines = from.wide(count);
  from.end();
  const strings = new FirstUses(1);
  const functions = new Int32Array(count * FUNCTION_KEY);
  let file = 0;
  for (let fn = 0, at = 0; fn < count; fn++, at += FUNCTION_KEY) {
    const name = strings.number(names[fn]!);
    const systemName = systemNames[fn] === 0 ? name : strings.number(systemNames[fn]! - 1);
    if (files[fn] !== 0) file = strings.number(files[fn]! - 1);
    if ((name | systemName | file) < 0) damagedPack(from.section, "it names a string that is none");
    functions[at] = name;
    functions[at + 1] = systemName;
    functions[at + 2] = file;
    functions[at + 3] = lines[fn * 2]!;
    functions[at + 4] = lines[fn * 2 + 1]!;
  }
  if (strings.next > stringCount) damagedPack(from.section, "it names a string that is none");
  return functions;
}

function writeMappings(out: NumberWriter, { mappings }: PackTables): void {
  out.number(mappings.length / MAPPING_KEY);
  for (let at = 0; at < mappings.length; at += MAPPING_KEY) out.wide(mappings[at]!, mappings[at + 1]!);
  for (let at = 0; at < mappings.length; at += MAPPING_KEY) out.wide(mappings[at + 2]!, mappings[at + 3]!);
  for (let at = 0; at < mappings.length; at += MAPPING_KEY) out.number(mappings[at + 4]!);
}

function readMappings(from: NumberReader, stringCount: number): Int32Array {
  const count = from.number(from.content.length);
  const sizes = from.wide(count);
  const offsets = from.wide(count);
  const names = from.numbers(count, stringCount);
  from.end();
  const mappings = new Int32Array(count * MAPPING_KEY);
  for (let mapping = 0, at = 0; mapping < count; mapping++, at += MAPPING_KEY) {
    mappings[at] = sizes[mapping * 2]!;
    mappings[at + 1] = sizes[mapping * 2 + 1]!;
    mappings[at + 2] = offsets[mapping * 2]!;
    mappings[at + 3] = offsets[mapping * 2 + 1]!;
    mappings[at + 4] = names[mapping]!;
  }
  return mappings;
}

/** Addresses as differences to the location before, in one mapping; lines as differences to the last one in their function. */
function writeLocations(out: NumberWriter, { locations, locationEnds, functions }: PackTables): void {
  const count = locationEnds.length - 1;
  const heads = (write: (at: number, end: number) => void) => {
    for (let location = 0; location < count; location++) write(locationEnds[location]!, locationEnds[location + 1]!);
  };
  const lines = (write: (line: number) => void) =>
    heads((at, end) => {
      for (let line = at + LOCATION_HEAD; line < end; line += LINE_STRIDE) write(line);
    });
  out.number(count);
  heads((at) => out.number(locations[at]! + 1));
  let [mapping, lo, hi] = [-2, 0, 0];
  heads((at) => {
    if (locations[at] !== mapping) [mapping, lo, hi] = [locations[at]!, 0, 0];
    const difference = (locations[at + 1]! >>> 0) - (lo >>> 0);
    out.wide(difference | 0, (locations[at + 2]! - hi - (difference < 0 ? 1 : 0)) | 0);
    [lo, hi] = [locations[at + 1]!, locations[at + 2]!];
  });
  heads((at, end) => out.number(((end - at - LOCATION_HEAD) / LINE_STRIDE) * 2 + locations[at + 3]!));
  const uses = new FirstUses(0);
  lines((line) => out.number(uses.token(locations[line]!)));
  const last = startLines(functions);
  lines((line) => {
    const fn = locations[line]! * 2;
    const difference = (locations[line + 1]! >>> 0) - (last[fn]! >>> 0);
    out.wideSigned(difference | 0, (locations[line + 2]! - last[fn + 1]! - (difference < 0 ? 1 : 0)) | 0);
    last[fn] = locations[line + 1]!;
    last[fn + 1] = locations[line + 2]!;
  });
  lines((line) => out.wide(locations[line + 3]!, locations[line + 4]!));
}

/** Halves of the start line of each function. */
function startLines(functions: Int32Array): Int32Array {
  const count = functions.length / FUNCTION_KEY;
  const lines = new Int32Array(count * 2);
  for (let fn = 0; fn < count; fn++) {
    lines[fn * 2] = functions[fn * FUNCTION_KEY + 3]!;
    lines[fn * 2 + 1] = functions[fn * FUNCTION_KEY + 4]!;
  }
  return lines;
}

function readLocations(from: NumberReader, mappingCount: number, functions: Int32Array) {
  const count = from.number(from.content.length);
  const mappings = from.numbers(count, mappingCount + 1);
  const addresses = from.wide(count);
  const heads = from.numbers(count);
  let lineCount = 0;
  for (let location = 0; location < count; location++) lineCount += heads[location]! >> 1;
  const lineFunctions = from.numbers(lineCount);
  const lineNumbers = from.wideSigned(lineCount);
  const columns = from.wide(lineCount);
  from.end();
  const locations = new Int32Array(count * LOCATION_HEAD + lineCount * LINE_STRIDE);
  const locationEnds = new Int32Array(count + 1);
  const uses = new FirstUses(0);
  const last = startLines(functions);
  const functionCount = last.length / 2;
  let [at, line, mapping, lo, hi] = [0, 0, -2, 0, 0];
  for (let location = 0; location < count; location++) {
    if (mappings[location]! - 1 !== mapping) {
      mapping = mappings[location]! - 1;
      lo = 0;
      hi = 0;
    }
    const sum = (lo >>> 0) + (addresses[location * 2]! >>> 0);
    hi = (hi + addresses[location * 2 + 1]! + (sum > 0xffff_ffff ? 1 : 0)) | 0;
    lo = sum | 0;
    locations[at] = mapping;
    locations[at + 1] = lo;
    locations[at + 2] = hi;
    locations[at + 3] = heads[location]! & 1;
    at += LOCATION_HEAD;
    for (let lineEnd = line + (heads[location]! >> 1); line < lineEnd; line++, at += LINE_STRIDE) {
      const fn = uses.number(lineFunctions[line]!);
      if (fn < 0 || fn >= functionCount) damagedPack(from.section, "it names a function that is none");
      const lineSum = (last[fn * 2]! >>> 0) + (lineNumbers[line * 2]! >>> 0);
      last[fn * 2 + 1] = last[fn * 2 + 1]! + lineNumbers[line * 2 + 1]! + (lineSum > 0xffff_ffff ? 1 : 0);
      last[fn * 2] = lineSum | 0;
      locations[at] = fn;
      locations[at + 1] = last[fn * 2]!;
      locations[at + 2] = last[fn * 2 + 1]!;
      locations[at + 3] = columns[line * 2]!;
      locations[at + 4] = columns[line * 2 + 1]!;
    }
    locationEnds[location + 1] = at;
  }
  return { locations, locationEnds };
}

/** In preorder: how many nodes up from the one before the parent is, and the location. The empty stack is not written. */
function writeNodes(out: NumberWriter, { nodes }: PackTables): void {
  const count = nodes.length / 2;
  const depths = new Int32Array(count);
  out.number(count - 1);
  for (let node = 1; node < count; node++) {
    const depth = depths[nodes[node * 2]!]! + 1;
    depths[node] = depth;
    out.number(depths[node - 1]! + 1 - depth);
  }
  for (let node = 1; node < count; node++) out.number(nodes[node * 2 + 1]!);
}

function readNodes(from: NumberReader, locationCount: number): Int32Array {
  const count = from.number(from.content.length);
  const pops = from.numbers(count);
  const locations = from.numbers(count, locationCount);
  from.end();
  const nodes = new Int32Array((count + 1) * 2);
  nodes[0] = -1;
  nodes[1] = -1;
  for (let node = 1; node <= count; node++) {
    let parent = node - 1;
    for (let up = pops[node - 1]!; up > 0; up--) {
      parent = nodes[parent * 2]!;
      if (parent < 0) damagedPack(from.section, "a stack has less than no frames");
    }
    nodes[node * 2] = parent;
    nodes[node * 2 + 1] = locations[node - 1]!;
  }
  return nodes;
}

function writeLabelSets(out: NumberWriter, { labelSets, labelSetEnds }: PackTables): void {
  const count = labelSetEnds.length - 1;
  out.number(count);
  for (let set = 0; set < count; set++) out.number((labelSetEnds[set + 1]! - labelSetEnds[set]!) / LABEL_STRIDE);
  for (const part of [0, 1, 4]) {
    for (let at = 0; at < labelSets.length; at += LABEL_STRIDE) out.number(labelSets[at + part]!);
  }
  for (let at = 0; at < labelSets.length; at += LABEL_STRIDE) out.wideSigned(labelSets[at + 2]!, labelSets[at + 3]!);
}

function readLabelSets(from: NumberReader, stringCount: number) {
  const count = from.number(from.content.length);
  const lengths = from.numbers(count);
  const labelSetEnds = new Int32Array(count + 1);
  let total = 0;
  for (let set = 0; set < count; set++) {
    total += lengths[set]!;
    labelSetEnds[set + 1] = total * LABEL_STRIDE;
  }
  const keys = from.numbers(total, stringCount);
  const texts = from.numbers(total, stringCount);
  const units = from.numbers(total, stringCount);
  const numbers = from.wideSigned(total);
  from.end();
  const labelSets = new Int32Array(total * LABEL_STRIDE);
  for (let label = 0, at = 0; label < total; label++, at += LABEL_STRIDE) {
    labelSets[at] = keys[label]!;
    labelSets[at + 1] = texts[label]!;
    labelSets[at + 2] = numbers[label * 2]!;
    labelSets[at + 3] = numbers[label * 2 + 1]!;
    labelSets[at + 4] = units[label]!;
  }
  return { labelSets, labelSetEnds };
}

function writeRows(out: NumberWriter, { rowNodes, rowLabelSets }: PackTables): void {
  out.number(rowNodes.length);
  for (let row = 0; row < rowNodes.length; row++) out.number(rowNodes[row]! - (row === 0 ? 0 : rowNodes[row - 1]!));
  out.numbers(rowLabelSets);
}

function readRows(from: NumberReader, nodeCount: number, labelSetCount: number) {
  const count = from.number(from.content.length);
  const rowNodes = from.numbers(count, nodeCount);
  const rowLabelSets = from.numbers(count, labelSetCount);
  from.end();
  let node = 0;
  for (let row = 0; row < count; row++) {
    node += rowNodes[row]!;
    if (node >= nodeCount) damagedPack(from.section, "it names a stack that is none");
    rowNodes[row] = node;
  }
  return { rowNodes, rowLabelSets };
}
