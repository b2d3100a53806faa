// src/pprof/merger.ts against google/pprof's committed answers, and against the algebra that any merge must obey.
// test/e2e/oracle-merge.test.ts asks google/pprof itself.

import { describe, expect, test } from "vitest";
import { Merger } from "../../../src/pprof/merger.ts";
import { mergeSets, readMergeDigests } from "../../support/merge-digests.ts";
import { normalForm } from "../../support/normal-form.ts";
import { encodeGenerated, type GeneratedProfile, generateSet, negated } from "../../support/profile-generator.ts";
import { Random } from "../../support/random.ts";
import { merge, mergeByWorkers } from "./merging.ts";

const SEEDS = Array.from({ length: 300 }, (_, nth) => nth + 1);

test("a merge has the normal form of google/pprof's merge, for every generated and recorded set", () => {
  const expected = readMergeDigests();
  const different = [...mergeSets()]
    .filter(([name, raws]) => normalForm(merge(raws)).digest !== expected[name])
    .map(([name]) => name);
  expect(different).toEqual([]);
});

test("the bytes of a merge depend neither on the order of adding nor on the number of workers", () => {
  for (const [name, raws] of mergeSets()) {
    const random = new Random(raws.length);
    const bytes = Buffer.from(merge(raws));
    for (const workers of [1, 2, 3]) {
      const joined = mergeByWorkers(raws, workers, random);
      expect(bytes.equals(joined), `${name}, ${workers} workers`).toBe(true);
    }
  }
});

test("a merge of a merge is the same bytes", () => {
  for (const [name, raws] of mergeSets()) {
    const once = merge(raws);
    expect(Buffer.from(once).equals(merge([once])), name).toBe(true);
  }
});

describe("algebra", () => {
  test("p + (−1)·p has no rows", () => {
    for (const seed of SEEDS) {
      const set = generateSet(seed);
      const raws = [...set, ...set.map(negated)].map(encodeGenerated);
      expect(rowsOf(merge(raws)), `seed ${seed}`).toEqual([]);
    }
  });

  test("rows and totals are associative", () => {
    for (const seed of SEEDS) {
      const [first, ...rest] = generateSet(seed).map(encodeGenerated);
      const left = merge([first!, ...rest]);
      const right = merge([first!, merge(rest)]);
      expect(rowsOf(right), `seed ${seed}`).toEqual(rowsOf(left));
    }
  });

  test("rows and totals are commutative", () => {
    for (const seed of SEEDS) {
      const raws = generateSet(seed).map(encodeGenerated);
      expect(rowsOf(merge(raws.toReversed())), `seed ${seed}`).toEqual(rowsOf(merge(raws)));
    }
  });

  test("columns in another order are merged by name", () => {
    for (const seed of SEEDS.filter((seed) => seed % 7 === 1 || seed % 7 === 2 || seed % 7 === 0)) {
      const [first, ...rest] = generateSet(seed);
      const expected = merge([first!, ...rest].map(encodeGenerated));
      const permuted = merge([first!, ...rest.map(reversedColumns)].map(encodeGenerated));
      expect(Buffer.from(permuted).equals(expected), `seed ${seed}`).toBe(true);
    }
  });
});

test("finish() reports the totals and the rows that its bytes hold", () => {
  for (const seed of SEEDS) {
    const merger = new Merger({});
    for (const [order, profile] of generateSet(seed).entries()) merger.add(encodeGenerated(profile), order);
    const { bytes, samples, totals } = merger.finish();
    const rows = rowsOf(bytes).map(({ values }) => values);
    expect(samples, `seed ${seed}`).toBe(rows.length);
    const sums = totals.map((_, column) =>
      rows.reduce((sum, values) => BigInt.asIntN(64, sum + BigInt(values[column]!)), 0n),
    );
    expect([...totals], `seed ${seed}`).toEqual(sums);
  }
});

function rowsOf(raw: Uint8Array): { key: string; values: string[] }[] {
  const lines = normalForm(raw)
    .text.split("\n")
    .filter((line) => line.startsWith("row "));
  return lines.map((line) => {
    const cut = line.lastIndexOf(" = ");
    return { key: line.slice(0, cut), values: line.slice(cut + 3).split(" ") };
  });
}

function reversedColumns(profile: GeneratedProfile): GeneratedProfile {
  const { spec } = profile;
  const samples = spec.samples.map((sample) => ({ ...sample, values: sample.values.toReversed() }));
  const sampleTypes = spec.sampleTypes?.toReversed() ?? [];
  return { ...profile, spec: { ...spec, sampleTypes, samples } };
}
