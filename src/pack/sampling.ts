// Counts of sampled allocations. Go's runtime samples one allocation in about every `rate` bytes and writes, for n sampled ones of one size,
// ⌊n·s⌋ objects and ⌊n·size·s⌋ bytes, with s = 1 / (1 − e^(−size/rate)). n is small and changes little; both columns follow from it.

import type { Shape } from "../model/shape.ts";
import { LABEL_STRIDE } from "../pprof/sample-reader.ts";
import type { Block } from "./block.ts";
import { byteString } from "./byte-string.ts";
import type { NumberReader, NumberWriter } from "./number-columns.ts";
import { damagedPack } from "./pack-damage.ts";
import type { PackTables } from "./pack-tables.ts";

/** By label set; empty where the pack has none. */
export interface Samplings {
  /** Of one object, bytes; 0 for label sets that do not say it. */
  sampledSizes: Float64Array;
  /** s, as the arithmetic of the writer gave it: readers need no exponential function. */
  sampledScales: Float64Array;
}

export const NO_SAMPLINGS: Samplings = { sampledSizes: new Float64Array(0), sampledScales: new Float64Array(0) };

/** Columns at an even place that count objects, with their bytes behind them. */
export function isSampledPair({ columns }: Pick<Shape, "columns">, column: number): boolean {
  return column % 2 === 0 && columns[column]?.unit === "count" && columns[column + 1]?.unit === "bytes";
}

/** What the label sets say of sizes: those with a number `bytes`, as Go's heap profiles have it. `rate` is the profiles' period. */
export function findSamplings(tables: PackTables, rate: bigint): Samplings {
  const { labelSets, labelSetEnds } = tables;
  const count = labelSetEnds.length - 1;
  const found = { sampledSizes: new Float64Array(count), sampledScales: new Float64Array(count) };
  if (rate <= 1n) return NO_SAMPLINGS;
  for (let set = 0; set < count; set++) {
    for (let at = labelSetEnds[set]!; at < labelSetEnds[set + 1]!; at += LABEL_STRIDE) {
      if (labelSets[at + 3] !== 0 || labelSets[at + 2]! <= 0 || byteString(tables, labelSets[at]!) !== "bytes")
        continue;
      const size = labelSets[at + 2]!;
      found.sampledSizes[set] = size;
      found.sampledScales[set] = 1 / (1 - Math.exp(-size / Number(rate)));
    }
  }
  return found.sampledSizes.some((size) => size > 0) ? found : NO_SAMPLINGS;
}

export function writeSamplings(out: NumberWriter, { sampledSizes, sampledScales }: Samplings): void {
  out.numbers(sampledSizes);
  const scales = new DataView(new ArrayBuffer(8));
  sampledSizes.forEach((size, set) => {
    if (size === 0) return;
    scales.setFloat64(0, sampledScales[set]!, true);
    out.bytes(new Uint8Array(scales.buffer));
  });
}

export function readSamplings(from: NumberReader, labelSetCount: number): Samplings {
  const sampledSizes = Float64Array.from(from.numbers(labelSetCount));
  const sampledScales = sampledSizes.map((size) => {
    if (size === 0) return 0;
    const bytes = from.bytes(8);
    const scale = new DataView(bytes.buffer, bytes.byteOffset).getFloat64(0, true);
    if (!(scale >= 1 && scale < 2 ** 53)) damagedPack(from.section, "it scales as no sampling does");
    return scale;
  });
  from.end();
  return { sampledSizes, sampledScales };
}

/** Two columns as one: n + 1 of each row, 0 where the columns do not follow from an n, and the places of these. */
export interface SampleCounts {
  counts: Int32Array;
  others: number[];
}

/** Undefined where too few of a block's rows follow from an n. */
export function toSampleCounts(block: Block, column: number, tables: PackTables): SampleCounts | undefined {
  const { sampledSizes, sampledScales, rowLabelSets } = tables;
  if (sampledSizes.length === 0) return undefined;
  const [objects, bytes] = [block.values[column]!, block.values[column + 1]!];
  const counts = new Int32Array(block.rows.length);
  const others: number[] = [];
  for (let at = 0; at < block.rows.length; at++) {
    const set = rowLabelSets[block.rows[at]!]!;
    const [wantedObjects, wantedBytes] = [toDouble(objects, at), toDouble(bytes, at)];
    const scale = sampledScales[set]!;
    const near = scale === 0 ? 0 : Math.round(wantedObjects / scale);
    let count = -1;
    for (let n = Math.max(0, near - 1); n <= near + 1; n++) {
      if (Math.floor(n * scale) === wantedObjects && Math.floor(n * sampledSizes[set]! * scale) === wantedBytes)
        count = n;
    }
    if (count >= 0 && count < 2 ** 31 - 2) counts[at] = count + 1;
    else others.push(at);
    if (others.length > 64 && others.length * 8 > block.rows.length) return undefined;
  }
  return others.length * 8 > block.rows.length ? undefined : { counts, others };
}

/** Writes both columns of each row of a profile that follows from an n. */
export function fromSampleCounts(
  counts: Int32Array,
  { rows, ends }: Block,
  profile: number,
  { sampledSizes, sampledScales, rowLabelSets }: PackTables,
  values: Int32Array[],
): void {
  const [objects, bytes] = values as [Int32Array, Int32Array];
  for (let at = ends[profile]!; at < ends[profile + 1]!; at++) {
    const n = counts[at]! - 1;
    if (n <= 0) continue;
    const set = rowLabelSets[rows[at]!]!;
    put(objects, at, Math.floor(n * sampledScales[set]!));
    put(bytes, at, Math.floor(n * sampledSizes[set]! * sampledScales[set]!));
  }
}

/** -1 where it is negative or too large. */
function toDouble(halves: Int32Array, at: number): number {
  const high = halves[at * 2 + 1]!;
  return high < 0 || high >= 2 ** 20 ? -1 : high * 2 ** 32 + (halves[at * 2]! >>> 0);
}

function put(halves: Int32Array, at: number, value: number): void {
  const high = Math.floor(value / 2 ** 32);
  halves[at * 2] = value - high * 2 ** 32;
  halves[at * 2 + 1] = high;
}
