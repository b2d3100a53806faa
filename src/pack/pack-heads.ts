// What profiles of a pack say outside their samples, as far as many say the same: each distinct saying once, as a tuple of integers.

import { MAPPING_STRIDE } from "../pprof/mapping-table.ts";
import type { NumberReader, NumberWriter } from "./number-columns.ts";
import { damagedPack } from "./pack-damage.ts";

/** Tuple n lies between ends[n] and ends[n + 1] of its data. */
export interface PackHeads {
  /** Strings: type and unit of each column, period type, its unit, drop_frames, keep_frames, default_sample_type, doc_url, comments. */
  headings: Int32Array;
  headingEnds: Int32Array;
  /** The mappings of a process in the order written, PROCESS_STRIDE integers each. */
  processes: Int32Array;
  processEnds: Int32Array;
  /** Rows of a process' mappings that samples other than zero ones use, ascending. */
  uses: Int32Array;
  useEnds: Int32Array;
  /** Bytes of skeletons (exact/written-profile.ts). */
  skeletons: Int32Array;
  skeletonEnds: Int32Array;
}

/** A row of mapping-table.ts, its strings those of the pack, then its mapping in the pack's table. */
export const PROCESS_STRIDE = MAPPING_STRIDE + 1;
/** Integers of a heading behind its columns, comments left out. */
export const HEADING_TAIL = 6;

export function writeHeads(out: NumberWriter, heads: PackHeads): void {
  writeTuples(out, heads.headings, heads.headingEnds);
  writeTuples(out, limitsToSizes(heads.processes, -1), heads.processEnds);
  writeTuples(out, heads.uses, heads.useEnds);
  writeTuples(out, heads.skeletons, heads.skeletonEnds);
}

export function readHeads(from: NumberReader, stringCount: number, mappingCount: number, columns: number): PackHeads {
  const [headings, headingEnds] = readTuples(from);
  const [sizes, processEnds] = readTuples(from);
  const [uses, useEnds] = readTuples(from);
  const [skeletons, skeletonEnds] = readTuples(from);
  from.end();
  const check = (value: number, below: number) => {
    if (value >>> 0 >= below) damagedPack(from.section, `a number is ${value} where less than ${below} is possible`);
  };
  for (let heading = 1; heading < headingEnds.length; heading++) {
    check(columns * 2 + HEADING_TAIL, headingEnds[heading]! - headingEnds[heading - 1]! + 1);
  }
  for (const string of headings) check(string, stringCount);
  for (const end of processEnds) check(end % PROCESS_STRIDE, 1);
  for (let at = 0; at < sizes.length; at += PROCESS_STRIDE) {
    check(sizes[at + 6]!, stringCount);
    check(sizes[at + 7]!, stringCount);
    check(sizes[at + MAPPING_STRIDE]!, mappingCount);
  }
  return {
    headings,
    headingEnds,
    processes: limitsToSizes(sizes, 1),
    processEnds,
    uses,
    useEnds,
    skeletons,
    skeletonEnds,
  };
}

/** As each element's difference, modulo 2^32, to that of the tuple before. */
function writeTuples(out: NumberWriter, data: Int32Array, ends: Int32Array): void {
  const count = ends.length - 1;
  out.number(count);
  for (let tuple = 0; tuple < count; tuple++) out.number(ends[tuple + 1]! - ends[tuple]!);
  for (let tuple = 0; tuple < count; tuple++) {
    const before = tuple === 0 ? 0 : ends[tuple - 1]!;
    for (let at = ends[tuple]!; at < ends[tuple + 1]!; at++) {
      const other = before + at - ends[tuple]!;
      out.signed((data[at]! - (tuple > 0 && other < ends[tuple]! ? data[other]! : 0)) | 0);
    }
  }
}

function readTuples(from: NumberReader): [data: Int32Array, ends: Int32Array] {
  const count = from.number(from.content.length);
  const lengths = from.numbers(count);
  const ends = new Int32Array(count + 1);
  for (let tuple = 0; tuple < count; tuple++) {
    if (lengths[tuple]! > from.content.length - ends[tuple]!) damagedPack(from.section, "it is longer than it is");
    ends[tuple + 1] = ends[tuple]! + lengths[tuple]!;
  }
  const data = from.signed(ends[count]!);
  for (let tuple = 1; tuple < count; tuple++) {
    let other = ends[tuple - 1]!;
    for (let at = ends[tuple]!; at < ends[tuple + 1]! && other < ends[tuple]!; at++)
      data[at] = data[at]! + data[other++]!;
  }
  return [data, ends];
}

/** A copy in which limits have become sizes (`sign` -1), since these stay where a process is moved, or the other way round (1). */
function limitsToSizes(processes: Int32Array, sign: 1 | -1): Int32Array {
  const copy = processes.slice();
  for (let at = 0; at < copy.length; at += PROCESS_STRIDE) {
    const lo = (copy[at + 2]! >>> 0) + sign * (copy[at]! >>> 0);
    copy[at + 2] = lo | 0;
    copy[at + 3] = copy[at + 3]! + sign * copy[at + 1]! + Math.floor(lo / 2 ** 32);
  }
  return copy;
}

/** Tuple `index` of a list. Throws `unavailable` where there is none. */
export function tupleOf(list: string, data: Int32Array, ends: Int32Array, index: number): Int32Array {
  if (index + 1 >= ends.length) damagedPack("profiles", `it names one of the ${list} that is not there`);
  return data.subarray(ends[index]!, ends[index + 1]!);
}
