// The rows and values of up to BLOCK_PROFILES profiles ↔ a section. Rows ascend within a profile; how they were written is orders.ts's.

import type { Shape } from "../model/shape.ts";
import type { DecodedPack } from "./decoded-pack.ts";
import { readSection, type Section, sectionName } from "./format.ts";
import { multiply64 } from "./multiply64.ts";
import { NumberReader, NumberWriter } from "./number-columns.ts";
import { damagedPack } from "./pack-damage.ts";
import { BLOCK_PROFILES, type PackProfiles } from "./pack-profiles.ts";
import type { PackTables } from "./pack-tables.ts";
import { fromSampleCounts, isSampledPair, toSampleCounts } from "./sampling.ts";

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
 * `samples`: a number n + 1 that it follows from with the next column (sampling.ts), zigzagged, and 0 for rows whose two values stand behind;
 * `samplesSince`: the same with differences; `told`: by the column before.
 */
const MODE = { zero: 0, plain: 1, signed: 2, period: 3, since: 4, samples: 5, samplesSince: 6, told: 7 } as const;

const NO_VALUES = new Int32Array(0);

export function blockCount(profiles: number): number {
  return Math.ceil(profiles / BLOCK_PROFILES);
}

/** `tables` are the pack's. */
export function encodeBlock(block: Block, profiles: PackProfiles, tables: PackTables, shape: Shape): Section {
  const out = new NumberWriter();
  const columns = chooseModes(block, profiles, tables, shape);
  out.numbers(columns.map(({ mode }) => mode));
  for (let profile = 0; profile < block.profiles; profile++) {
    let before = 0;
    for (let at = block.ends[profile]!; at < block.ends[profile + 1]!; at++) {
      out.number(block.rows[at]! - before);
      before = block.rows[at]!;
    }
  }
  for (const { mode, values, others } of columns) {
    if (mode === MODE.plain) for (let at = 0; at < values.length; at += 2) out.wide(values[at]!, values[at + 1]!);
    else for (let at = 0; at < values.length; at += 2) out.wideSigned(values[at]!, values[at + 1]!);
    for (const halves of others)
      for (let at = 0; at < halves.length; at += 2) out.wideSigned(halves[at]!, halves[at + 1]!);
  }
  return { kind: "columns", part: block.first / BLOCK_PROFILES, bytes: out.finish() };
}

/** What is written of a column: `values` in its mode, then both columns of what the counts of samples do not tell. */
interface WrittenColumn {
  mode: number;
  values: Int32Array;
  others: Int32Array[];
}

function chooseModes(block: Block, profiles: PackProfiles, tables: PackTables, shape: Shape): WrittenColumn[] {
  const columns: WrittenColumn[] = [];
  while (columns.length < block.values.length) {
    const column = columns.length;
    const samples = isSampledPair(shape, column) ? toSampleCounts(block, column, tables) : undefined;
    if (!samples) {
      columns.push({ ...chooseMode(block, profiles, block.values[column]!, column), others: [] });
      continue;
    }
    const since = sinceOrNot(block, profiles, samples.counts);
    const others = [0, 1].map((place) => halvesAt(block.values[column + place]!, samples.others));
    columns.push({ mode: since ? MODE.samplesSince : MODE.samples, values: since ?? samples.counts, others });
    columns.push({ mode: MODE.told, values: NO_VALUES, others: [] });
  }
  return columns;
}

/** The mode of the fewest bytes, and the numbers to be written in it. */
function chooseMode(block: Block, profiles: PackProfiles, values: Int32Array, column: number) {
  if (values.every((half) => half === 0)) return { mode: MODE.zero, values: NO_VALUES };
  if (column > 0 && isTimesPeriod(block, profiles, values)) return { mode: MODE.period, values: NO_VALUES };
  const since = sinceOrNot(block, profiles, values);
  if (since) return { mode: MODE.since, values: since };
  return { mode: values.some((half, at) => at % 2 === 1 && half < 0) ? MODE.signed : MODE.plain, values };
}

/** The differences to the profiles before, where they are cheaper. */
function sinceOrNot(block: Block, profiles: PackProfiles, values: Int32Array): Int32Array | undefined {
  const changes = values.slice();
  sinceBefore(block, profiles, changes, values, -1);
  return cost(changes) < cost(values) ? changes : undefined;
}

function halvesAt(values: Int32Array, places: readonly number[]): Int32Array {
  return Int32Array.from(places.flatMap((at) => [values[at * 2]!, values[at * 2 + 1]!]));
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

/** Throws `unavailable`, naming the section that is damaged. */
export function decodeBlock({ pack, profiles, tables }: DecodedPack, part: number): Block {
  const from = new NumberReader(sectionName("columns", part), readSection(pack, "columns", part));
  const rowCount = tables.rowNodes.length;
  const first = part * BLOCK_PROFILES;
  const count = Math.min(BLOCK_PROFILES, profiles.count - first);
  const ends = new Int32Array(count + 1);
  for (let profile = 0; profile < count; profile++) {
    const end = ends[profile]! + profiles.rowCounts[first + profile]!;
    if (end > from.content.length) damagedPack(from.section, "it has fewer rows than its profiles");
    ends[profile + 1] = end;
  }
  const modes = from.numbers(pack.columns, MODE.told + 1);
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
  for (const mode of modes) {
    if (mode !== MODE.told) readColumn(from, mode, block, { profiles, tables });
    else if (block.values.length === 0) damagedPack(from.section, "its first column is told by none");
  }
  if (block.values.length !== pack.columns) damagedPack(from.section, "its columns are not those of the pack");
  from.end();
  return block;
}

/** Adds the column that follows, or two of them. */
function readColumn(
  from: NumberReader,
  mode: number,
  block: Block,
  { profiles, tables }: Pick<DecodedPack, "profiles" | "tables">,
): void {
  const total = block.rows.length;
  const isSince = mode === MODE.since || mode === MODE.samplesSince;
  if (mode === MODE.zero || mode === MODE.period) {
    const values = new Int32Array(total * 2);
    if (mode === MODE.period && block.values.length === 0)
      damagedPack(from.section, "its first column is a multiple of itself");
    if (mode === MODE.period) timesPeriod(block, profiles, values);
    block.values.push(values);
    return;
  }
  const values = mode === MODE.plain ? from.wide(total) : from.wideSigned(total);
  if (isSince) sinceBefore(block, profiles, values, values, 1);
  if (mode !== MODE.samples && mode !== MODE.samplesSince) {
    block.values.push(values);
    return;
  }
  if (tables.sampledSizes.length === 0) damagedPack(from.section, "it counts samples that nothing tells the size of");
  const pair = [new Int32Array(total * 2), new Int32Array(total * 2)];
  const others = fromSampleCounts(values, block.rows, tables, pair);
  for (const column of pair) {
    const halves = from.wideSigned(others.length);
    others.forEach((at, place) => {
      column[at * 2] = halves[place * 2]!;
      column[at * 2 + 1] = halves[place * 2 + 1]!;
    });
  }
  block.values.push(...pair);
}
