// The rows and values of up to BLOCK_PROFILES profiles ↔ a section. Rows ascend within a profile; how they were written is orders.ts's.

import { type Pack, readSection, type Section, sectionName } from "./format.ts";
import { multiply64 } from "./multiply64.ts";
import { NumberReader, NumberWriter } from "./number-columns.ts";
import { damagedPack } from "./pack-damage.ts";
import { BLOCK_PROFILES, type PackProfiles } from "./pack-profiles.ts";

export interface Block {
  /** Index of its first profile in the pack. */
  first: number;
  profiles: number;
  /** Rows of its n-th profile lie between ends[n] and ends[n + 1]. */
  ends: Int32Array;
  rows: Int32Array;
  /** Of each column low and high halves, in the order of rows. */
  values: Int32Array[];
}

/**
 * How the values of a column are written. `zero`: all are 0. `plain`: as they are. `signed`: zigzagged. `period`: those of the first
 * column, times the profile's period. `since`: the difference, zigzagged, to the same row of the profile before it of the same process.
 */
const MODE = { zero: 0, plain: 1, signed: 2, period: 3, since: 4 } as const;

export function blockCount(profiles: number): number {
  return Math.ceil(profiles / BLOCK_PROFILES);
}

export function encodeBlock(block: Block, profiles: PackProfiles): Section {
  const out = new NumberWriter();
  const modes = block.values.map((values, column) => chooseMode(block, profiles, values, column));
  out.numbers(modes.map(({ mode }) => mode));
  for (let profile = 0; profile < block.profiles; profile++) {
    let before = 0;
    for (let at = block.ends[profile]!; at < block.ends[profile + 1]!; at++) {
      out.number(block.rows[at]! - before);
      before = block.rows[at]!;
    }
  }
  for (const { mode, values } of modes) writeValues(out, mode, values);
  return { kind: "columns", part: block.first / BLOCK_PROFILES, bytes: out.finish() };
}

function writeValues(out: NumberWriter, mode: number, values: Int32Array): void {
  if (mode === MODE.zero || mode === MODE.period) return;
  for (let at = 0; at < values.length; at += 2) {
    if (mode === MODE.plain) out.wide(values[at]!, values[at + 1]!);
    else out.wideSigned(values[at]!, values[at + 1]!);
  }
}

/** The mode of the fewest bytes, and the numbers to be written in it. */
function chooseMode(block: Block, profiles: PackProfiles, values: Int32Array, column: number) {
  if (values.every((half) => half === 0)) return { mode: MODE.zero, values };
  if (column > 0 && isTimesPeriod(block, profiles, values)) return { mode: MODE.period, values };
  const mode = values.some((half, at) => at % 2 === 1 && half < 0) ? MODE.signed : MODE.plain;
  const changes = values.slice();
  sinceBefore(block, profiles, changes, values, -1);
  return cost(changes) < cost(values) ? { mode: MODE.since, values: changes } : { mode, values };
}

/** Roughly, after compression: a number costs its bits, runs of 0 next to nothing. */
function cost(values: Int32Array): number {
  let bits = 0;
  for (let at = 0; at < values.length; at += 2) {
    const sign = values[at + 1]! >> 31;
    const hi = values[at + 1]! ^ sign;
    bits += hi !== 0 ? 66 - Math.clz32(hi) : 34 - Math.clz32(values[at]! ^ sign);
    if ((values[at]! | values[at + 1]!) === 0) bits -= 1.5;
  }
  return bits;
}

function isTimesPeriod(block: Block, profiles: PackProfiles, values: Int32Array): boolean {
  const expected = new Int32Array(values.length);
  timesPeriod(block, profiles, expected);
  return expected.every((half, at) => half === values[at]);
}

/** Writes the first column times each profile's period. */
function timesPeriod(
  { first, profiles: count, ends, values }: Block,
  { periods }: PackProfiles,
  out: Int32Array,
): void {
  for (let profile = 0; profile < count; profile++) {
    multiply64(values[0]!, ends[profile]! * 2, ends[profile + 1]! * 2, periods[first + profile]!, out);
  }
}

/**
 * For each profile with one of its process before it in the block: adds to (`sign` 1), or takes from (-1), its values in `to` those that
 * `from` has for the same rows of that one. With `to` and `from` the same array, differences become values.
 */
function sinceBefore(block: Block, profiles: PackProfiles, to: Int32Array, from: Int32Array, sign: 1 | -1): void {
  const { ends, rows } = block;
  const references = blockReferences(block, profiles);
  for (let profile = 0; profile < block.profiles; profile++) {
    const reference = references[profile]!;
    if (reference < 0) continue;
    let other = ends[reference]!;
    const otherEnd = ends[reference + 1]!;
    for (let at = ends[profile]!; at < ends[profile + 1]!; at++) {
      const row = rows[at]!;
      while (other < otherEnd && rows[other]! < row) other++;
      if (other === otherEnd) break;
      if (rows[other] !== row) continue;
      const lo = (to[at * 2]! >>> 0) + sign * (from[other * 2]! >>> 0);
      to[at * 2 + 1] = to[at * 2 + 1]! + sign * from[other * 2 + 1]! + Math.floor(lo / 2 ** 32);
      to[at * 2] = lo | 0;
      // A row that a profile has twice follows on the second of the one before.
      if (rows[at + 1] === row && rows[other + 1] === row && other + 1 < otherEnd) other++;
    }
  }
}

/** For each profile of a block the one before it of the same series and process, as its place in the block, or -1. */
export function blockReferences(
  { first, profiles: count }: Pick<Block, "first" | "profiles">,
  profiles: PackProfiles,
): Int32Array {
  const { series, processes, rowCounts } = profiles;
  const references = new Int32Array(count).fill(-1);
  for (let profile = first; profile < first + count; profile++) {
    if (rowCounts[profile] === 0) continue;
    for (let other = profile - 1; other >= first && series[other] === series[profile]; other--) {
      if (processes[other] !== processes[profile] || rowCounts[other] === 0) continue;
      references[profile - first] = other - first;
      break;
    }
  }
  return references;
}

/** Throws `unavailable`, naming the section that is damaged. `rowCount` is that of the pack's tables. */
export function decodeBlock(pack: Pack, profiles: PackProfiles, part: number, rowCount: number): Block {
  const from = new NumberReader(sectionName("columns", part), readSection(pack, "columns", part));
  const first = part * BLOCK_PROFILES;
  const count = Math.min(BLOCK_PROFILES, profiles.count - first);
  const ends = new Int32Array(count + 1);
  for (let profile = 0; profile < count; profile++) {
    const end = ends[profile]! + profiles.rowCounts[first + profile]!;
    if (end > from.content.length) damagedPack(from.section, "it has fewer rows than its profiles");
    ends[profile + 1] = end;
  }
  const modes = from.numbers(pack.columns, MODE.since + 1);
  const total = ends[count]!;
  const rows = from.numbers(total);
  for (let profile = 0; profile < count; profile++) {
    let row = 0;
    for (let at = ends[profile]!; at < ends[profile + 1]!; at++) {
      row += rows[at]!;
      rows[at] = row;
      if (row >= rowCount) damagedPack(from.section, "it names a row that is none");
    }
  }
  const block: Block = { first, profiles: count, ends, rows, values: [] };
  for (const mode of modes) block.values.push(readValues(from, mode, block, profiles));
  from.end();
  return block;
}

function readValues(from: NumberReader, mode: number, block: Block, profiles: PackProfiles): Int32Array {
  const total = block.rows.length;
  if (mode === MODE.plain) return from.wide(total);
  if (mode === MODE.signed) return from.wideSigned(total);
  if (mode === MODE.since) {
    const values = from.wideSigned(total);
    sinceBefore(block, profiles, values, values, 1);
    return values;
  }
  const values = new Int32Array(total * 2);
  if (mode === MODE.period) {
    if (block.values.length === 0) damagedPack(from.section, "its first column is a multiple of itself");
    timesPeriod(block, profiles, values);
  }
  return values;
}
