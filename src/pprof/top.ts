// Where the sums of a merge lie: what each function, line, file, package or value of a label takes by itself and with all it calls.
// Frames are counted as google/pprof's -top counts them; ranking, pages and shares are others' business.

import type { Limits } from "../model/limits.ts";
import { type DroppedFrames, droppedCount, droppedFrames } from "./dropped-frames.ts";
import { grown } from "./grow.ts";
import type { Interner } from "./interner.ts";
import { LABEL_STRIDE } from "./sample-reader.ts";
import { type FrameGrouping, type TopGroup, TopGroups } from "./top-groups.ts";

export type TopGrouping = { by: FrameGrouping } | { by: "label"; key: string } | { by: "all"; name: string };

/** Sums wrap as int64 does. */
export interface TopRow extends TopGroup {
  /** Of samples whose innermost frame it is. */
  flat: bigint;
  /** Of samples that have it anywhere, each once. */
  cum: bigint;
}

export interface Top {
  /** Of the absolute values of all samples. */
  total: bigint;
  /** In no order; those with two zeros are left out. */
  rows: TopRow[];
}

export interface TopSource {
  interner: Interner;
  /** Rows of the interner that count. */
  rows: Int32Array;
  /** Halves of their sums: `width` integers for each row of the interner, those of the column from `place` on. */
  sums: { values: Int32Array; width: number; place: number };
  /** Byte string of the file of a mapping. */
  binaryOf: (mapping: number) => string;
  /** Byte strings. */
  dropFrames: string;
  keepFrames: string;
}

/** Throws `too-large` where the expressions of dropped frames take too long. */
export function topOf(source: TopSource, grouping: TopGrouping, limits: Limits): Top {
  const total = absoluteTotal(source);
  if (grouping.by === "all") return { total, rows: sumOfAll(source, grouping.name) };
  if (grouping.by === "label") return { total, rows: topOfLabel(source, grouping.key) };
  return { total, rows: topOfFrames(source, grouping.by, limits) };
}

function topOfFrames(source: TopSource, grouping: FrameGrouping, limits: Limits): TopRow[] {
  const { interner } = source;
  const groups = new TopGroups(grouping, interner, source.binaryOf);
  const dropped = droppedFrames(interner, source, limits);
  const flat = new Sums();
  const cum = new Sums();
  const { nodes, count } = interner.stacks;
  const self = nodeSums(source);
  /** By group: the node, plus 1, for which it was counted last. */
  let seen: Int32Array = new Int32Array(64);
  let stack: Int32Array = new Int32Array(128);
  for (let node = 1; node < count; node++) {
    const lo = self[node * 2]!;
    const hi = self[node * 2 + 1]!;
    if ((lo | hi) === 0) continue;
    let depth = 0;
    for (let at = node; at !== 0; at = nodes[at * 2]!) {
      stack = grown(stack, depth + 1);
      stack[depth++] = nodes[at * 2 + 1]!;
    }
    const first = dropped ? droppedCount(stack, depth, dropped) : 0;
    for (let at = first; at < depth; at++) {
      const location = stack[at]!;
      const own = groups.of(location);
      for (let line = linesDropped(dropped, location); line < own.length; line++) {
        const group = own[line]!;
        seen = grown(seen, group + 1);
        if (at === first && line === linesDropped(dropped, location)) flat.add(group, lo, hi);
        if (seen[group] === node + 1) continue;
        seen[group] = node + 1;
        cum.add(group, lo, hi);
      }
    }
  }
  return rowsOf(groups.groups, flat, cum);
}

function linesDropped(dropped: DroppedFrames | undefined, location: number): number {
  return dropped?.lines[location] ?? 0;
}

/** Of each value of a sample label; "" of the samples without it. */
function topOfLabel({ interner, rows, sums }: TopSource, key: string): TopRow[] {
  const keyBytes = Buffer.from(key, "utf8").toString("latin1");
  const numbers = new Map<string, number>();
  const groups: TopGroup[] = [];
  const ofSet = new Map<number, number[]>();
  const taken = new Sums();
  for (const row of rows) {
    const set = interner.rows.labelSets[row]!;
    let own = ofSet.get(set);
    if (own === undefined) {
      own = [...valuesOf(interner, set, keyBytes)].map((value) => {
        const group = numbers.get(value) ?? groups.length;
        if (group === groups.length) groups.push({ name: value, functionName: "", file: "", line: 0n });
        numbers.set(value, group);
        return group;
      });
      ofSet.set(set, own);
    }
    const at = row * sums.width + sums.place;
    for (const group of own) taken.add(group, sums.values[at]!, sums.values[at + 1]!);
  }
  return rowsOf(groups, taken, taken);
}

/** What a label set says of `key`, each once; a number with its unit. One text, "", where it says nothing. */
function valuesOf({ labelSets, strings }: Interner, set: number, key: string): Set<string> {
  const values = new Set<string>();
  const { data, ends } = labelSets;
  for (let at = ends[set]!; at < ends[set + 1]!; at += LABEL_STRIDE) {
    if (strings.byteString(data[at]!) !== key) continue;
    const number = (BigInt(data[at + 3]!) << 32n) | BigInt(data[at + 2]! >>> 0);
    const unit = utf8(strings.byteString(data[at + 4]!));
    const text = utf8(strings.byteString(data[at + 1]!));
    values.add(text !== "" ? text : unit === "" ? `${number}` : `${number} ${unit}`);
  }
  return values.size > 0 ? values : new Set([""]);
}

function sumOfAll({ rows, sums }: TopSource, name: string): TopRow[] {
  const all = new Sums();
  for (const row of rows) {
    const at = row * sums.width + sums.place;
    all.add(0, sums.values[at]!, sums.values[at + 1]!);
  }
  return rowsOf([{ name, functionName: "", file: "", line: 0n }], all, all);
}

/** As Go adds them up: int64, which has no absolute value of its least number. */
function absoluteTotal({ rows, sums }: TopSource): bigint {
  let total = 0n;
  for (const row of rows) {
    const at = row * sums.width + sums.place;
    const value = (BigInt(sums.values[at + 1]!) << 32n) | BigInt(sums.values[at]! >>> 0);
    total += value < 0n ? -value : value;
  }
  return BigInt.asIntN(64, total);
}

/** Halves of the sum of the rows of each stack, whatever their labels. */
function nodeSums({ interner, rows, sums }: TopSource): Int32Array {
  const self = new Sums(interner.stacks.count);
  for (const row of rows) {
    const at = row * sums.width + sums.place;
    self.add(interner.rows.nodes[row]!, sums.values[at]!, sums.values[at + 1]!);
  }
  return self.halves;
}

function rowsOf(groups: readonly TopGroup[], flat: Sums, cum: Sums): TopRow[] {
  return groups
    .map((group, at) => ({ ...group, flat: flat.get(at), cum: cum.get(at) }))
    .filter((row) => row.flat !== 0n || row.cum !== 0n);
}

/** int64 sums by number, 0 where nothing was added. */
class Sums {
  halves: Int32Array;

  constructor(count = 64) {
    this.halves = new Int32Array(count * 2);
  }

  add(number: number, lo: number, hi: number): void {
    const at = number * 2;
    this.halves = grown(this.halves, at + 2);
    const sum = (this.halves[at]! >>> 0) + (lo >>> 0);
    this.halves[at + 1] = this.halves[at + 1]! + hi + (sum > 0xffff_ffff ? 1 : 0);
    this.halves[at] = sum;
  }

  get(number: number): bigint {
    const at = number * 2;
    if (at >= this.halves.length) return 0n;
    return (BigInt(this.halves[at + 1]!) << 32n) | BigInt(this.halves[at]! >>> 0);
  }
}

function utf8(byteString: string): string {
  return Buffer.from(byteString, "latin1").toString("utf8");
}
