// Some profiles of a pack → a Merger, as if each had been added by itself.

import { DomainError } from "../model/errors.ts";
import { DEFAULT_LIMITS, type Limits } from "../model/limits.ts";
import { convertLegacy } from "../pprof/legacy/convert.ts";
import { type ByteValueType, locateColumns, toByteValueType } from "../pprof/merge-columns.ts";
import { type HeaderState, MergeHeader } from "../pprof/merge-header.ts";
import type { Merger } from "../pprof/merger.ts";
import { byteString } from "./byte-string.ts";
import type { Chosen, DecodedPack } from "./decoded-pack.ts";
import { mappingStatements } from "./mapping-statements.ts";
import { tupleOf } from "./pack-heads.ts";
import { KIND } from "./pack-profiles.ts";
import { ProfileRebuilder } from "./profile-rebuilder.ts";
import { type PackSums, sumProfiles, sumWeighted } from "./sum.ts";

/**
 * Adds the chosen profiles; `onKept` is called before each that is read from its bytes, with how many these are. Throws `unavailable` for a
 * damaged pack, and what Merger.add and `onKept` throw; the merger is of no use then.
 */
export function addToMerger(
  merger: Merger,
  decoded: DecodedPack,
  chosen: Chosen,
  limits: Limits = DEFAULT_LIMITS,
  onKept: (bytes: number) => void = () => {},
): void {
  const { kinds } = decoded.profiles;
  const { weights } = chosen;
  const summed: { rows: number[]; orders: number[] } = { rows: [], orders: [] };
  const alone: { rows: number[]; orders: number[]; weights: number[] } = { rows: [], orders: [], weights: [] };
  for (let at = 0; at < chosen.rows.length; at++) {
    const row = chosen.rows[at]!;
    const list = kinds[row] === KIND.bytes ? alone : summed;
    list.rows.push(row);
    list.orders.push(chosen.orders[at]!);
    if (list === alone) alone.weights.push(weights?.[at] ?? 1);
  }
  if (summed.rows.length > 0) {
    absorbSums(
      merger,
      decoded,
      summed,
      weights ? weighted(decoded, chosen, weights) : sumProfiles(decoded, summed.rows),
    );
  }
  if (alone.rows.length > 0) {
    const rebuilder = new ProfileRebuilder(decoded);
    alone.rows.forEach((row, at) => {
      const bytes = rebuilder.rebuild(row);
      onKept(bytes.length);
      addBytes(merger, bytes, { order: alone.orders[at]!, weight: alone.weights[at]! }, limits);
    });
  }
}

function weighted(decoded: DecodedPack, { rows }: Chosen, weights: ArrayLike<number>): PackSums {
  const byRow = new Int32Array(decoded.profiles.count);
  for (let at = 0; at < rows.length; at++) {
    if (decoded.profiles.kinds[rows[at]!] !== KIND.bytes) byRow[rows[at]!] = weights[at]!;
  }
  return sumWeighted(decoded, (row) => byRow[row]!);
}

/** Adds `sums` of the chosen profiles, whose rows the pack has. */
export function absorbSums(
  merger: Merger,
  decoded: DecodedPack,
  chosen: Chosen,
  { rows, sums, totals }: PackSums,
): void {
  const { shape } = decoded.pack.signature;
  const columns = shape.columns.map(toByteValueType);
  const state = {
    header: headerState(decoded, chosen),
    mappings: mappingStatements(decoded, chosen, projectedColumns(merger, columns)),
    columns,
    periodType: toByteValueType(shape.periodType),
    totals,
    layout: { order: leastOf(chosen.orders), places: columns.map((_, column) => column) },
  };
  merger.absorbPart({ state, content: decoded.tables, sums }, rows);
}

function addBytes(
  merger: Merger,
  bytes: Uint8Array,
  { order, weight }: { order: number; weight: number },
  limits: Limits,
): void {
  try {
    merger.add(bytes, order, weight);
  } catch (error) {
    if (!(error instanceof DomainError) || error.kind !== "invalid") throw error;
    const converted = convertLegacy(bytes, limits);
    if (converted === undefined) throw error;
    merger.add(converted, order, weight);
  }
}

/** Those of the pack's columns that the merge sums; undefined where that is all of them. */
function projectedColumns({ projection }: Merger, columns: readonly ByteValueType[]): number[] | undefined {
  if (projection === undefined || projection.length === columns.length) return undefined;
  return [...locateColumns(projection, columns)];
}

function headerState({ profiles, tables, pack }: DecodedPack, { rows, orders }: Chosen): HeaderState {
  const count = rows.length;
  const moments = {
    orders: Float64Array.from(orders),
    timesNs: new BigInt64Array(count),
    periods: new BigInt64Array(count),
  };
  const firstOrders = new Map<number, number>();
  let durationNs = 0n;
  for (let at = 0; at < count; at++) {
    const row = rows[at]!;
    moments.timesNs[at] = profiles.ownTimesNs[row]!;
    moments.periods[at] = profiles.periods[row]!;
    durationNs += profiles.durationsNs[row]!;
    const heading = profiles.headings[row]!;
    firstOrders.set(heading, Math.min(orders[at]!, firstOrders.get(heading) ?? Number.POSITIVE_INFINITY));
  }
  const header = new MergeHeader();
  header.takeMoments(moments, durationNs);
  for (const [heading, order] of firstOrders) {
    const strings = tupleOf("headings", tables.headings, tables.headingEnds, heading);
    const texts = Array.from(strings.subarray(pack.columns * 2 + 2), (string) => byteString(tables, string));
    const [dropFrames, keepFrames, defaultSampleType, docUrl, ...comments] = texts as [string, string, string, string];
    header.takeTexts({ dropFrames, keepFrames, defaultSampleType, docUrl, comments }, order);
  }
  return header.state();
}

function leastOf(orders: ArrayLike<number>): number {
  let least = Number.POSITIVE_INFINITY;
  for (let at = 0; at < orders.length; at++) least = Math.min(least, orders[at]!);
  return least;
}
