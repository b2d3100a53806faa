// Which profiles of a pack a question is about, by what the pack says of each. Pure; threads call it.

import type { Labels } from "../model/labels.ts";
import type { Limits } from "../model/limits.ts";
import { compileMatcher, type Matcher } from "../model/matcher.ts";
import type { Interval } from "../model/time.ts";

/** Of every profile of a pack, in the order of its rows. */
export interface PackHeads {
  readonly count: number;
  readonly labels: readonly Labels[];
  /** Positions in `labels`. */
  readonly series: Int32Array;
  readonly timesNs: BigInt64Array;
  readonly seqs: BigInt64Array;
  /** 16 bytes each. */
  readonly ids: Uint8Array;
}

export interface RowQuestion {
  labels: readonly Matcher[];
  interval?: Interval | undefined;
  /** Only these; ascending. */
  seqs?: Float64Array | undefined;
  /** Not these; ascending. */
  deleted: Float64Array;
}

/** Rows in canonical order, by time and id, with times and ids beside them. */
export interface SelectedRows {
  rows: Uint32Array<ArrayBuffer>;
  timesNs: BigInt64Array<ArrayBuffer>;
  ids: Uint8Array<ArrayBuffer>;
}

export function selectRows(heads: PackHeads, question: RowQuestion, limits: Limits): SelectedRows {
  const matching = matchingSeries(heads.labels, question.labels, limits);
  const deleted = new Set(question.deleted);
  const wanted = question.seqs && new Set(question.seqs);
  const { startNs, endNs } = question.interval ?? { startNs: -(2n ** 63n), endNs: 2n ** 63n };
  const { series, timesNs, seqs, ids } = heads;
  const found: number[] = [];
  for (let row = 0; row < heads.count; row++) {
    if (matching[series[row]!] === 0) continue;
    const timeNs = timesNs[row]!;
    if (timeNs < startNs || timeNs >= endNs) continue;
    if (deleted.size > 0 && deleted.has(Number(seqs[row]))) continue;
    if (wanted && !wanted.has(Number(seqs[row]))) continue;
    found.push(row);
  }
  const rows = inCanonicalOrder(found, timesNs, ids);
  const selected = {
    rows: Uint32Array.from(rows),
    timesNs: new BigInt64Array(rows.length),
    ids: new Uint8Array(rows.length * 16),
  };
  for (const [at, row] of rows.entries()) {
    selected.timesNs[at] = timesNs[row]!;
    selected.ids.set(ids.subarray(row * 16, row * 16 + 16), at * 16);
  }
  return selected;
}

/** By series: 1 where all matchers hold. */
function matchingSeries(sets: readonly Labels[], matchers: readonly Matcher[], limits: Limits): Uint8Array {
  const tests = matchers.map((matcher) => ({ name: matcher.name, holds: compileMatcher(matcher, limits) }));
  return Uint8Array.from(sets, (labels) => {
    const valuesOf = (wanted: string) => labels.filter(({ name }) => name === wanted).map(({ value }) => value);
    return tests.every(({ name, holds }) => holds(valuesOf(name))) ? 1 : 0;
  });
}

function inCanonicalOrder(rows: number[], timesNs: BigInt64Array, ids: Uint8Array): number[] {
  const [first] = rows;
  if (first === undefined) return rows;
  // Since one of them, in ns: exact, since a pack has a day at most.
  const sinceNs = new Float64Array(timesNs.length);
  for (const row of rows) sinceNs[row] = Number(timesNs[row]! - timesNs[first]!);
  const bytes = Buffer.from(ids.buffer, ids.byteOffset, ids.byteLength);
  return rows.sort(
    (a, b) => sinceNs[a]! - sinceNs[b]! || bytes.compare(bytes, b * 16, b * 16 + 16, a * 16, a * 16 + 16),
  );
}
