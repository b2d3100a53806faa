// The sections of a pack that say what its rows are: stacks, label sets, and pairs of both, both ways side by side.

import type { InternerContent } from "../pprof/interner-transfer.ts";
import { LABEL_STRIDE } from "../pprof/sample-reader.ts";
import type { NumberReader, NumberWriter } from "./number-columns.ts";
import { damagedPack } from "./pack-damage.ts";

/** In preorder: how many nodes up from the one before the parent is, and the location. The empty stack is not written. */
export function writeNodes(out: NumberWriter, { nodes }: InternerContent): void {
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

export function readNodes(from: NumberReader, locationCount: number): Int32Array {
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

export function writeLabelSets(out: NumberWriter, { labelSets, labelSetEnds }: InternerContent): void {
  const count = labelSetEnds.length - 1;
  out.number(count);
  for (let set = 0; set < count; set++) out.number((labelSetEnds[set + 1]! - labelSetEnds[set]!) / LABEL_STRIDE);
  for (const part of [0, 1, 4]) {
    for (let at = 0; at < labelSets.length; at += LABEL_STRIDE) out.number(labelSets[at + part]!);
  }
  for (let at = 0; at < labelSets.length; at += LABEL_STRIDE) out.wideSigned(labelSets[at + 2]!, labelSets[at + 3]!);
}

export function readLabelSets(from: NumberReader, stringCount: number) {
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

export function writeRows(out: NumberWriter, { rowNodes, rowLabelSets }: InternerContent): void {
  out.number(rowNodes.length);
  for (let row = 0; row < rowNodes.length; row++) out.number(rowNodes[row]! - (row === 0 ? 0 : rowNodes[row - 1]!));
  out.numbers(rowLabelSets);
}

export function readRows(from: NumberReader, nodeCount: number, labelSetCount: number) {
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
