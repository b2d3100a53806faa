// The order of label sets, by their bytes, and of the labels in one: texts before numbers, each by key.

import { LABEL_STRIDE } from "./sample-reader.ts";
import type { StringInterner } from "./string-interner.ts";
import type { TupleInterner } from "./tuple-interner.ts";

/** Ranks from 0 of the label sets that the rows have; others have none. */
export function labelSetRanks(
  rows: Int32Array,
  labelSetOf: Int32Array,
  labelSets: TupleInterner,
  strings: StringInterner,
): { ranks: Int32Array; count: number } {
  const used = new Set<number>();
  for (const row of rows) used.add(labelSetOf[row]!);
  const keys = [...used].map((set) => ({ set, key: sortKey(labelsInOrder(set, labelSets, strings)) }));
  keys.sort((a, b) => (a.key < b.key ? -1 : Number(a.key > b.key)));
  const ranks = new Int32Array(labelSets.count);
  keys.forEach(({ set }, rank) => {
    ranks[set] = rank;
  });
  return { ranks, count: keys.length };
}

export interface CanonicalLabel {
  /** String ids of the interner; `text` is 0 for a number. */
  key: number;
  text: number;
  numLo: number;
  numHi: number;
  unit: number;
  /** What the label says, as bytes whose order is that of the labels. */
  sortKey: string;
}

/** The labels of a canonical set as they are written: those of one key in the order they came in. */
export function labelsInOrder(set: number, labelSets: TupleInterner, strings: StringInterner): CanonicalLabel[] {
  const { data, ends } = labelSets;
  const labels: (CanonicalLabel & { keyOrder: string })[] = [];
  for (let at = ends[set]!; at < ends[set + 1]!; at += LABEL_STRIDE) {
    const [key, text, numLo, numHi, unit] = data.subarray(at, at + LABEL_STRIDE) as unknown as [
      number,
      number,
      number,
      number,
      number,
    ];
    const keyOrder = (text === 0 ? "\x02" : "\x01") + escaped(strings.byteString(key));
    const value =
      text === 0 ? number64(numLo, numHi) + escaped(strings.byteString(unit)) : escaped(strings.byteString(text));
    labels.push({ key, text, numLo, numHi, unit, keyOrder, sortKey: keyOrder + value });
  }
  return labels.sort((a, b) => (a.keyOrder < b.keyOrder ? -1 : Number(a.keyOrder > b.keyOrder)));
}

function sortKey(labels: readonly CanonicalLabel[]): string {
  return labels.map((label) => label.sortKey).join("");
}

/** Ends with a mark that sorts before every continuation, so that no two sequences of texts run into one. */
function escaped(text: string): string {
  return `${text.replaceAll("\0", "\0\xff")}\0\0`;
}

/** Sixteen digits that sort as the signed number does. */
function number64(lo: number, hi: number): string {
  const biased = ((hi ^ 0x8000_0000) >>> 0).toString(16).padStart(8, "0");
  return biased + (lo >>> 0).toString(16).padStart(8, "0");
}
