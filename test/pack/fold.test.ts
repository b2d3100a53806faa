// Merges of packs are the merges of the same profiles, byte for byte: src/pack/fold.ts against src/pprof/merger.ts, over all sets that
// google/pprof's answers are committed for (test/pprof/conformance).

import { expect, test } from "vitest";
import { DomainError } from "../../src/model/errors.ts";
import type { ValueType } from "../../src/model/shape.ts";
import { addToMerger } from "../../src/pack/fold.ts";
import { KIND } from "../../src/pack/pack-profiles.ts";
import { decodeProfile } from "../../src/pprof/decode.ts";
import { Merger } from "../../src/pprof/merger.ts";
import { mergeSets } from "../support/merge-digests.ts";
import { buildProfile } from "../support/profile-builder.ts";
import { Random } from "../support/random.ts";
import { byShape, decode, packOf, shapeOf } from "./packing.ts";

/** Every third set, each its own third of the seeds: the whole of them takes its time. */
function someSets(nth: number): [name: string, raws: Uint8Array[]][] {
  return [...mergeSets()].filter(([name], at) => at % 3 === nth || name.startsWith("recorded"));
}

/** Profiles of a set at their positions, of which some lie in packs and the others are loose. */
interface Spread {
  packs: { bytes: Uint8Array; members: number[] }[];
  loose: number[];
}

function spread(raws: readonly Uint8Array[], random: Random): Spread {
  const packs: Spread["packs"] = [];
  const loose: number[] = [];
  for (const group of byShape(raws)) {
    const parts: number[][] = [[], [], []];
    for (const nth of group) random.pick([...parts, loose]).push(nth);
    for (const part of parts.filter(({ length }) => length > 0)) {
      const members = random.shuffle(part);
      packs.push({ bytes: packOf(members.map((nth) => raws[nth]!)), members });
    }
  }
  return { packs, loose };
}

function mergeSpread(
  raws: readonly Uint8Array[],
  { packs, loose }: Spread,
  isChosen: (nth: number) => boolean,
  columns?: readonly ValueType[],
) {
  const merger = new Merger(columns ? { columns } : {});
  for (const nth of loose) if (isChosen(nth)) merger.add(raws[nth]!, nth);
  for (const { bytes, members } of packs) {
    const rows = members.map((_, row) => row).filter((row) => isChosen(members[row]!));
    const orders = rows.map((row) => members[row]!);
    addToMerger(merger, decode(bytes), { rows, orders });
  }
  return merger.finish();
}

function mergeLoose(raws: readonly Uint8Array[], isChosen: (nth: number) => boolean, columns?: readonly ValueType[]) {
  const merger = new Merger(columns ? { columns } : {});
  for (const [nth, raw] of raws.entries()) if (isChosen(nth)) merger.add(raw, nth);
  return merger.finish();
}

test("a merge of packs and loose profiles is that of the profiles, whole", () => {
  const random = new Random(1);
  for (const [name, raws] of mergeSets()) {
    const expected = mergeLoose(raws, () => true);
    const { bytes, ...sums } = mergeSpread(raws, spread(raws, random), () => true);
    expect(Buffer.compare(bytes, expected.bytes), name).toBe(0);
    expect(sums, name).toEqual({ samples: expected.samples, totals: expected.totals, wrapped: expected.wrapped });
  }
});

test("a merge of any of the profiles is theirs alone", () => {
  const random = new Random(2);
  for (const [name, raws] of someSets(1)) {
    const chosen = new Set([random.between(0, raws.length - 1)]);
    for (let nth = 0; nth < raws.length; nth++) if (random.chance(0.3)) chosen.add(nth);
    const expected = mergeLoose(raws, (nth) => chosen.has(nth));
    const { bytes } = mergeSpread(raws, spread(raws, random), (nth) => chosen.has(nth));
    expect(Buffer.compare(bytes, expected.bytes), `${name}, ${[...chosen]}`).toBe(0);
  }
});

test("a merge of some columns is theirs alone", () => {
  const random = new Random(3);
  for (const [name, raws] of someSets(2)) {
    const columns = random.shuffle(shapeOf(raws[0]!).columns).slice(0, 1);
    const expected = attempt(() => mergeLoose(raws, () => true, columns).bytes);
    const found = attempt(() => mergeSpread(raws, spread(raws, random), () => true, columns).bytes);
    expect(found, name).toEqual(expected);
  }
});

test("the sets hold what tables tell, what tables tell and bytes repeat, and what bytes alone tell", () => {
  const counts = new Map<number, number>();
  for (const [, raws] of someSets(0)) {
    for (const { bytes } of spread(raws, new Random(4)).packs) {
      for (const kind of decode(bytes).profiles.kinds) counts.set(kind, (counts.get(kind) ?? 0) + 1);
    }
  }
  for (const kind of Object.values(KIND)) expect(counts.get(kind) ?? 0).toBeGreaterThan(5);
});

/** Two columns of one name cannot be told apart where they are asked for by name: then both refuse. */
function attempt(merge: () => Uint8Array): string {
  try {
    return Buffer.from(merge()).toString("base64");
  } catch (error) {
    if (error instanceof DomainError) return error.kind;
    throw error;
  }
}

test("a profile that counts n times is added n times, from a pack and by itself", () => {
  const random = new Random(3);
  for (const [name, raws] of someSets(2)) {
    const weights = raws.map(() => random.pick([1, 1, 2, 7, 100]));
    const often = new Merger({});
    for (const [nth, raw] of raws.entries()) {
      for (let time = 0; time < weights[nth]!; time++) often.add(raw, nth * 100 + time);
    }
    const [loose, packed] = [new Merger({}), new Merger({})];
    for (const [nth, raw] of raws.entries()) loose.add(raw, nth, weights[nth]!);
    for (const group of byShape(raws)) {
      const rows = group.map((_, row) => row);
      const decoded = decode(packOf(group.map((nth) => raws[nth]!)));
      addToMerger(packed, decoded, { rows, orders: group, weights: group.map((nth) => weights[nth]!) });
    }
    const expected = decodeProfile(often.finish().bytes);
    for (const merger of [loose, packed]) {
      const { bytes, totals } = merger.finish();
      // How long profiles lasted is no value: it does not count more often.
      expect({ ...decodeProfile(bytes), durationNs: expected.durationNs }, name).toEqual(expected);
      if (merger === packed) expect(totals, name).toEqual(loose.finish().totals);
    }
  }
});

test("values of more than 53 bits, and as many as a profile may have, count n times without loss", () => {
  const large = 2n ** 45n + 1n;
  const raw = buildProfile({
    samples: Array.from({ length: 30_000 }, (_, at) => ({ stack: [`f${at % 10}`, "main"], values: [large, -large] })),
  });
  const expected = 30_000n * large * 100n;
  const merger = new Merger({});
  addToMerger(merger, decode(packOf([raw])), { rows: [0], orders: [0], weights: [100] });
  const alone = new Merger({});
  alone.add(raw, 0, 100);
  const { bytes, totals } = merger.finish();
  expect(totals).toEqual([expected, -expected].map((sum) => BigInt.asIntN(64, sum)));
  expect(Buffer.compare(bytes, alone.finish().bytes)).toBe(0);
});
