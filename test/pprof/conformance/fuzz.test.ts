// Damaged and hostile profiles against the check and the Merger: refused with a reason, or right; never a crash.
// test/e2e/oracle-fuzz.test.ts compares many more with google/pprof itself.

import { expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../../../src/model/limits.ts";
import { Merger } from "../../../src/pprof/merger.ts";
import { summarize } from "../../../src/pprof/summary.ts";
import { readCorpus, refusalOfUpload } from "./fuzz-corpus.ts";
import { mutants, mutantsOf, refusal, ruleOf } from "./fuzz-inputs.ts";
import { merge } from "./merging.ts";
import { stricterRules } from "./stricter-than-google.ts";

const SEED = 20_260_906;
const MUTANTS = 24_000;

test("nothing of the committed corpus is accepted that google/pprof rejects, and nothing rejected that it accepts but by a listed rule", () => {
  const looser: string[] = [];
  const stricter: string[] = [];
  for (const { name, body, google } of readCorpus()) {
    const message = refusalOfUpload(body);
    if (message === undefined && google !== null) looser.push(`${name}: ${google}`);
    if (message !== undefined && google === null) stricter.push(ruleOf(message));
  }
  expect(looser).toEqual([]);
  expect(stricter.filter((rule) => !stricterRules().some((listed) => rule.includes(listed)))).toEqual([]);
});

test(`${MUTANTS} mutants are taken or refused with a reason, by the check and by the Merger alike`, () => {
  let accepted = 0;
  for (const raw of mutants(SEED, MUTANTS)) {
    const message = refusal(() => void summarize(raw, DEFAULT_LIMITS));
    const merger = new Merger({});
    const mergerMessage = refusal(() => merger.add(raw, 0));
    expect(mergerMessage === undefined, `seed ${SEED}: ${mergerMessage} / ${message}`).toBe(message === undefined);
    if (message !== undefined) continue;
    accepted++;
    const { bytes, samples } = merger.finish();
    expect(summarize(bytes, DEFAULT_LIMITS).sampleCount).toBe(samples);
  }
  // A mutator that breaks everything tests nothing.
  expect(accepted).toBeGreaterThan(MUTANTS / 10);
});

test("a profile that the Merger refuses leaves it as it was", () => {
  for (const { subject, inputs } of mutantsOf(SEED, 60, 60)) {
    const merger = new Merger({});
    merger.add(subject, 0);
    for (const [nth, raw] of inputs.entries()) {
      if (refusal(() => void new Merger({}).add(raw, 0)) !== undefined) {
        expect(refusal(() => merger.add(raw, nth + 1))).toBeDefined();
      }
    }
    expect(Buffer.from(merger.finish().bytes).equals(merge([subject]))).toBe(true);
  }
});
