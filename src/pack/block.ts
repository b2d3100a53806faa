// The rows and values of up to BLOCK_PROFILES profiles ↔ a section. Rows ascend within a profile; how they were written is orders.ts's.

import type { Shape } from "../model/shape.ts";
import { multiply64 } from "../pprof/multiply64.ts";
import type { DecodedPack } from "./decoded-pack.ts";
import { earlierRows } from "./earlier-rows.ts";
import { readSection, type Section, sectionName } from "./format.ts";
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
  /** Makes sure that the values of its n-th profile are there. Absent: those of all are. */
  fill?: (profile: number) => void;
  /** For each row where the profile before has it (earlier-rows.ts), once somebody needed that. */
  earlier?: Int32Array;
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
    if (mode === MODE.samples || mode === MODE.samplesSince) for (const count of values) out.signed(count);
    else if (mode === MODE.plain) for (let at = 0; at < values.length; at += 2) out.wide(values[at]!, values[at + 1]!);
    else for (let at = 0; at < values.length; at += 2) out.wideSigned(values[at]!, values[at + 1]!);
    for (const halves of others) {
      for (let at = 0; at < halves.length; at += 2) out.wideSigned(halves[at]!, halves[at + 1]!);
    }
  }
  return { kind: "columns", part: block.first / BLOCK_PROFILES, bytes: out.finish() };
}

/** What is written of a column: `values` in its mode, halves but for counts of samples; then both columns of what these do not tell. */
interface WrittenColumn {
  mode: number;
  values: Int32Array;
  others: Int32Array[];
}

function chooseModes(block: Block, profiles: PackProfiles, tables: PackTables, shape: Shape): WrittenColumn[] {
  const columns: WrittenColumn[] = [];
  block.earlier ??= earlierRows(block, profiles);
  const { earlier } = block;
  while (columns.length < block.values.length) {
    const column = columns.length;
    const samples = isSampledPair(shape, column) ? toSampleCounts(block, column, tables) : undefined;
    if (!samples) {
      columns.push({ ...chooseMode(block, profiles, earlier, column), others: [] });
      continue;
    }
    const { counts } = samples;
    const changes = counts.map((count, at) => (earlier[at]! < 0 ? count : count - counts[earlier[at]!]!));
    const isSince = cost(changes, 1) < cost(counts, 1);
    const others = [0, 1].map((place) => halvesAt(block.values[column + place]!, samples.others));
    const mode = isSince ? MODE.samplesSince : MODE.samples;
    columns.push({ mode, values: isSince ? changes : counts, others });
    columns.push({ mode: MODE.told, values: NO_VALUES, others: [] });
  }
  return columns;
}

/** The mode of the fewest bytes, and the numbers to be written in it. */
function chooseMode(block: Block, profiles: PackProfiles, earlier: Int32Array, column: number) {
  const values = block.values[column]!;
  if (values.every((half) => half === 0)) return { mode: MODE.zero, values: NO_VALUES };
  if (column > 0 && isTimesPeriod(block, profiles, values)) return { mode: MODE.period, values: NO_VALUES };
  const changes = values.slice();
  for (let at = 0; at < earlier.length; at++) {
    if (earlier[at]! >= 0) addHalves(changes, at, values, earlier[at]!, -1);
  }
  if (cost(changes, 2) < cost(values, 2)) return { mode: MODE.since, values: changes };
  return { mode: values.some((half, at) => at % 2 === 1 && half < 0) ? MODE.signed : MODE.plain, values };
}

/** Adds to `to`, `sign` times, what `from` has at another place. */
function addHalves(to: Int32Array, at: number, from: Int32Array, other: number, sign: 1 | -1): void {
  const lo = (to[at * 2]! >>> 0) + sign * (from[other * 2]! >>> 0);
  to[at * 2 + 1] = to[at * 2 + 1]! + sign * from[other * 2 + 1]! + Math.floor(lo / 2 ** 32);
  to[at * 2] = lo | 0;
}

function halvesAt(values: Int32Array, places: readonly number[]): Int32Array {
  return Int32Array.from(places.flatMap((at) => [values[at * 2]!, values[at * 2 + 1]!]));
}

/** Roughly, after compression: a number, of one or two halves, costs its bits, runs of 0 next to nothing. */
function cost(values: Int32Array, halves: 1 | 2): number {
  let bits = 0;
  for (let at = 0; at < values.length; at += halves) {
    const low = values[at]!;
    const high = halves === 2 ? values[at + 1]! : low >> 31;
    const sign = high >> 31;
    bits += (high ^ sign) !== 0 ? 66 - Math.clz32(high ^ sign) : 34 - Math.clz32(low ^ sign);
    if ((low | high) === 0) bits -= 1.5;
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

/** With the values of all profiles. Throws `unavailable`, naming the section that is damaged. */
export function decodeBlock(decoded: DecodedPack, part: number): Block {
  const { fill, ...block } = openBlock(decoded, part);
  for (let profile = 0; profile < block.profiles; profile++) fill(profile);
  return block;
}

/** With the values of those profiles alone for which `fill` was called. Throws as decodeBlock() does. */
export function openBlock(
  { pack, profiles, tables }: DecodedPack,
  part: number,
): Block & { fill: (profile: number) => void } {
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
  const fillers: ((profile: number) => void)[] = [];
  for (const mode of modes) {
    if (mode !== MODE.told) readColumn(from, mode, block, { profiles, tables, fillers });
    else if (block.values.length === 0) damagedPack(from.section, "its first column is told by none");
  }
  if (block.values.length !== pack.columns) damagedPack(from.section, "its columns are not those of the pack");
  from.end();
  const isFilled = new Uint8Array(count);
  const fill = (profile: number) => {
    if (isFilled[profile] === 0) for (const filler of fillers) filler(profile);
    isFilled[profile] = 1;
  };
  return Object.assign(block, { fill });
}

interface Context extends Pick<DecodedPack, "profiles" | "tables"> {
  /** Of columns whose values are made by profile, when they are asked for. */
  fillers: ((profile: number) => void)[];
}

/** Adds the column that follows, or two of them. */
function readColumn(from: NumberReader, mode: number, block: Block, context: Context): void {
  const total = block.rows.length;
  if (mode === MODE.samples || mode === MODE.samplesSince) {
    readSamples(from, mode, block, context);
    return;
  }
  let values: Int32Array;
  if (mode === MODE.zero || mode === MODE.period) values = new Int32Array(total * 2);
  else values = mode === MODE.plain ? from.wide(total) : from.wideSigned(total);
  if (mode === MODE.period) {
    if (block.values.length === 0) damagedPack(from.section, "its first column is a multiple of itself");
    timesPeriod(block, context.profiles, values);
  }
  if (mode === MODE.since) {
    block.earlier ??= earlierRows(block, context.profiles);
    const { earlier } = block;
    for (let at = 0; at < total; at++) if (earlier[at]! >= 0) addHalves(values, at, values, earlier[at]!, 1);
  }
  block.values.push(values);
}

function readSamples(from: NumberReader, mode: number, block: Block, { profiles, tables, fillers }: Context): void {
  if (tables.sampledSizes.length === 0) damagedPack(from.section, "it counts samples that nothing tells the size of");
  const total = block.rows.length;
  const counts = from.signed(total);
  if (mode === MODE.samplesSince) {
    block.earlier ??= earlierRows(block, profiles);
    const { earlier } = block;
    for (let at = 0; at < total; at++) if (earlier[at]! >= 0) counts[at] = counts[at]! + counts[earlier[at]!]!;
  }
  const pair = [new Int32Array(total * 2), new Int32Array(total * 2)];
  fillers.push((profile) => fromSampleCounts(counts, block, profile, tables, pair));
  const others: number[] = [];
  for (let at = 0; at < total; at++) if (counts[at]! <= 0) others.push(at);
  for (const column of pair) {
    const halves = from.wideSigned(others.length);
    others.forEach((at, place) => {
      column[at * 2] = halves[place * 2]!;
      column[at * 2 + 1] = halves[place * 2 + 1]!;
    });
  }
  block.values.push(...pair);
}
