// src/pprof/prune.ts against google/pprof's Prune. Needs Go.

import { afterAll, expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../../src/model/limits.ts";
import { decodeProfile } from "../../src/pprof/decode.ts";
import { encodeProfile } from "../../src/pprof/encode.ts";
import { applyPruneRules } from "../../src/pprof/prune.ts";
import { normalForm } from "../support/normal-form.ts";
import { startOracle } from "../support/oracle.ts";
import { generateCpuProfile } from "../support/pgo-generator.ts";
import { preprofiled } from "../support/preprofile.ts";
import { encodeGenerated, generateSet } from "../support/profile-generator.ts";
import { Random } from "../support/random.ts";

const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
const RULES: [drop: string, keep: string][] = [
  ["^runtime[.]", ""],
  ["^runtime[.]", "gopark"],
  ["json|memmove", ""],
  ["main", "main[.]main"],
  ["(?i)GRÖSSE", ""],
  ["\\(", ""],
  [".", ""],
  ["^$", ""],
  ["func1$|^std::|do_syscall", ""],
  ["b[.]v2|Push|\\pL\\.f", "^.[.]f"],
];

const oracle = startOracle();
afterAll(() => oracle[Symbol.asyncDispose]());

async function expectSame(raw: Uint8Array, [drop, keep]: [string, string], name: string): Promise<boolean> {
  const profile = decodeProfile(raw, { encoding: "latin1" });
  applyPruneRules(profile, [keep === "" ? { drop } : { drop, keep }], DEFAULT_LIMITS);
  const ours = normalForm(encodeProfile(profile, "latin1"));
  const theirs = await oracle.prune(drop, keep, raw);
  expect(ours.text, `${name}, drop ${drop}, keep ${keep}`).toBe(theirs.text);
  return ours.text !== normalForm(raw).text;
}

test("500 invented profiles are pruned as google/pprof prunes them", async () => {
  console.log(`SEED=${SEED}`);
  let changed = 0;
  for (let seed = SEED; seed < SEED + 500; seed++) {
    const random = new Random(seed);
    const raw = seed % 2 === 0 ? generateCpuProfile(seed) : encodeGenerated(generateSet(seed)[0]!);
    if (await expectSame(raw, random.pick(RULES), `seed ${seed}`)) changed++;
  }
  expect(changed).toBeGreaterThan(100);
});

test("recorded profiles and those of other writers are too, by every rule", async () => {
  for (const [name, raw] of preprofiled()) {
    if (name.startsWith("seed")) continue;
    for (const rule of RULES) await expectSame(raw, rule, name);
  }
});
