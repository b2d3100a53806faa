// The sections of a pack that say what addresses mean: strings, functions, mappings, locations, both ways side by side.

import { FUNCTION_KEY, LOCATION_HEAD, MAPPING_KEY } from "../pprof/interner.ts";
import type { InternerContent } from "../pprof/interner-transfer.ts";
import { LINE_STRIDE } from "../pprof/location-table.ts";
import type { NumberReader, NumberWriter } from "./number-columns.ts";
import { damagedPack } from "./pack-damage.ts";

export function writeStrings(out: NumberWriter, { stringBytes, stringEnds }: InternerContent): void {
  out.number(stringEnds.length - 1);
  for (let at = 1; at < stringEnds.length; at++) out.number(stringEnds[at]! - stringEnds[at - 1]!);
  out.bytes(stringBytes);
}

export function readStrings(from: NumberReader) {
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

export function writeFunctions(out: NumberWriter, { functions }: InternerContent): void {
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

export function readFunctions(from: NumberReader, stringCount: number): Int32Array {
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

export function writeMappings(out: NumberWriter, { mappings }: InternerContent): void {
  out.number(mappings.length / MAPPING_KEY);
  for (let at = 0; at < mappings.length; at += MAPPING_KEY) out.wide(mappings[at]!, mappings[at + 1]!);
  for (let at = 0; at < mappings.length; at += MAPPING_KEY) out.wide(mappings[at + 2]!, mappings[at + 3]!);
  for (let at = 0; at < mappings.length; at += MAPPING_KEY) out.number(mappings[at + 4]!);
}

export function readMappings(from: NumberReader, stringCount: number): Int32Array {
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
export function writeLocations(out: NumberWriter, { locations, locationEnds, functions }: InternerContent): void {
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

export function readLocations(from: NumberReader, mappingCount: number, functions: Int32Array) {
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
