// Mutants of packs: whatever was changed, a pack answers as before or says that it is damaged. FUZZ_SEED=n repeats a run.

import { expect, test } from "vitest";
import { DomainError } from "../../src/model/errors.ts";
import type { Section } from "../../src/pack/format.ts";
import { byShape, decode, packOf } from "../pack/packing.ts";
import { answersOf, type PackAnswers } from "../pack/reading.ts";
import { resealed, sectionsOf } from "../pack/sections.ts";
import { mergeSets } from "../support/merge-digests.ts";
import { Random } from "../support/random.ts";

const SEED = Number(process.env.FUZZ_SEED ?? Date.now() % 1_000_000_000);
const MUTANTS = 100_000;
const SEALED_MUTANTS = 20_000;
console.log(`FUZZ_SEED=${SEED}`);

interface Subject {
  name: string;
  bytes: Uint8Array;
  sections: Section[];
  answers: PackAnswers;
}

const subjects = [...makeSubjects()];

/** Small packs of generated and recorded profiles, kept bytes and totals among them. */
function* makeSubjects(): Generator<Subject> {
  for (const [name, raws] of mergeSets()) {
    const seed = Number(name.replace("seed ", ""));
    if (seed > 60) continue;
    for (const group of byShape(raws)) {
      const members = group.map((nth) => raws[nth]!);
      const bytes = packOf(seed % 5 === 0 ? members.flatMap((raw) => [raw, raw, raw, raw, raw, raw]) : members);
      if (bytes.length > 30_000) continue;
      yield { name, bytes, sections: sectionsOf(bytes), answers: answersOf(bytes) };
    }
  }
}

/** What a mutant answers, or undefined where it says that it is damaged. Anything else thrown is a bug. */
function answersOrDamage(bytes: Uint8Array): PackAnswers | undefined {
  try {
    return answersOf(bytes);
  } catch (error) {
    if (error instanceof DomainError) return undefined;
    throw error;
  }
}

function mutated(bytes: Uint8Array, random: Random): Uint8Array {
  const copy = Buffer.from(bytes);
  for (let faults = random.between(1, 3); faults > 0; faults--) {
    const at = random.between(0, Math.max(0, copy.length - 1));
    const kind = random.between(0, 4);
    if (kind === 0) copy[at] = copy[at]! ^ (1 << random.between(0, 7));
    else if (kind === 1) copy[at] = random.pick([0, 1, 0x7f, 0x80, 0xff]);
    else if (kind === 2) copy.copy(copy, at, random.between(0, copy.length), copy.length);
    else if (kind === 3) copy.fill(random.between(0, 255), at, Math.min(copy.length, at + random.between(1, 8)));
    else return Buffer.concat([copy.subarray(0, at), copy.subarray(at + random.between(0, 9))]);
  }
  return copy;
}

test(`of ${MUTANTS} mutants each answers as its pack did, or says that it is damaged`, () => {
  const random = new Random(SEED);
  for (let nth = 0; nth < MUTANTS; nth++) {
    const { name, bytes, answers } = random.pick(subjects);
    const mutant = mutated(bytes, random);
    const found = answersOrDamage(mutant);
    if (found !== undefined) expect(found, `${name}, mutant ${nth}`).toEqual(answers);
  }
});

test(`of ${SEALED_MUTANTS} mutants whose checksums fit none rebuilds another profile, and all fail in words`, () => {
  const random = new Random(SEED + 1);
  let damaged = 0;
  for (let nth = 0; nth < SEALED_MUTANTS; nth++) {
    const { name, bytes, sections, answers } = random.pick(subjects);
    const { kind, part } = random.pick(sections.filter((section) => section.kind !== "identities"));
    const mutant = resealed(bytes, (section) =>
      section.kind === kind && section.part === part ? mutated(section.bytes, random) : section.bytes,
    );
    const found = answersOrDamage(mutant);
    if (found === undefined) damaged++;
    else expect(found.profiles, `${name}, ${kind}, mutant ${nth}`).toEqual(answers.profiles);
  }
  expect(damaged).toBeGreaterThan(SEALED_MUTANTS / 4);
});

test("the packs that are mutated have every kind of section", () => {
  const kinds = new Set(subjects.flatMap(({ sections }) => sections.map(({ kind }) => kind)));
  expect([...kinds].sort()).toEqual(
    expect.arrayContaining(["columns", "heads", "identities", "kept", "orders", "profiles", "totals"]),
  );
  expect(subjects.some(({ bytes }) => decode(bytes).profiles.kinds.includes(2))).toBe(true);
});
