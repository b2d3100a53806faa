// src/pprof/merger.ts against google/pprof itself. Needs Go.

import { afterAll, expect, test } from "vitest";
import { merge } from "../pprof/conformance/merging.ts";
import { askMergeDigests, mergeSets, readMergeDigests } from "../support/merge-digests.ts";
import { normalForm } from "../support/normal-form.ts";
import { startOracle } from "../support/oracle.ts";
import { encodeGenerated, generateSet } from "../support/profile-generator.ts";

const FRESH_SETS = 3000;

const oracle = startOracle();
afterAll(() => oracle[Symbol.asyncDispose]());

test("the committed digests are google/pprof's own answers of today", async () => {
  expect(await askMergeDigests(oracle)).toEqual(readMergeDigests());
});

test("both normal forms, Go's and ours, agree on every profile and every merge", async () => {
  for (const [name, raws] of mergeSets()) {
    const merged = await oracle.merge(raws);
    expect(normalForm(merged.bytes).text, name).toBe(merged.text);
    for (const raw of raws) expect(normalForm(raw).digest, name).toBe((await oracle.normal(raw)).digest);
  }
});

test(`a merge has the normal form of google/pprof's, for ${FRESH_SETS} sets of new seeds`, async () => {
  const firstSeed = Date.now() % 1_000_000_000;
  console.log(`seeds from ${firstSeed}`);
  for (let seed = firstSeed; seed < firstSeed + FRESH_SETS; seed++) {
    const raws = generateSet(seed).map(encodeGenerated);
    const theirs = await oracle.merge(raws);
    const ours = normalForm(merge(raws));
    if (ours.digest !== theirs.digest) {
      expect(ours.text, `seed ${seed}`).toBe(theirs.text);
      expect(ours.attributes, `seed ${seed}`).toBe(theirs.attributes);
    }
  }
});

test("google/pprof reads our merge and merges it again to the same normal form", async () => {
  for (const [name, raws] of mergeSets()) {
    const ours = merge(raws);
    expect((await oracle.merge([ours])).digest, name).toBe(normalForm(ours).digest);
  }
});

test("halves merged by google/pprof and joined by us have the rows of the whole", async () => {
  for (const [name, raws] of mergeSets()) {
    const middle = raws.length >> 1;
    if (middle === 0) continue;
    const halves = [await oracle.merge(raws.slice(0, middle)), await oracle.merge(raws.slice(middle))];
    expect(rows(merge(halves.map(({ bytes }) => bytes))), name).toEqual(rows(merge(raws)));
  }
});

function rows(raw: Uint8Array): string[] {
  return normalForm(raw)
    .text.split("\n")
    .filter((line) => line.startsWith("row "));
}
