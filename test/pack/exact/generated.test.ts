// Profiles that no writer would write: written again exactly or not at all, and nothing else ever happens.

import { expect, test } from "vitest";
import { DomainError } from "../../../src/model/errors.ts";
import { mutants } from "../../pprof/conformance/fuzz-inputs.ts";
import { encodeGenerated, generateSet } from "../../support/profile-generator.ts";
import { PLAIN_SPELLING } from "../../support/profile-tables.ts";
import { type Exactness, exactnessOf } from "./exactness.ts";
import { loaded } from "./loaded.ts";

const firstSeed = Date.now() % 1_000_000_000;

function generated(count: number) {
  return Array.from({ length: count }, (_, at) => generateSet(firstSeed + at)).flat();
}

test("nearly all generated profiles in a plain spelling are written again exactly", () => {
  console.log(`seeds from ${firstSeed}`);
  const plain = generated(300).filter(({ repeatsEntities }) => !repeatsEntities);
  const seen = exactnessOf(plain.map((profile) => encodeGenerated({ ...profile, spelling: PLAIN_SPELLING })));
  expect(seen.tables + seen.goRuntime).toBeGreaterThan(plain.length * 0.9);
});

test("profiles in every spelling, entities repeated, are written again exactly or kept", () => {
  const seen = exactnessOf(generated(300).map(encodeGenerated));
  expect(seen.tables).toBeGreaterThan(0);
  expect(seen.verbatim).toBeGreaterThan(0);
});

test("so are damaged ones that can still be read", () => {
  const seen: Exactness = exactnessOf(readable(mutants(firstSeed, 5000)));
  expect(seen.verbatim).toBeGreaterThan(0);
});

function* readable(profiles: Iterable<Uint8Array>): Generator<Uint8Array> {
  for (const raw of profiles) {
    try {
      const { source, samples } = loaded(raw);
      samples.start();
      for (let sample = 0; sample < source.samples.count; sample++) samples.read(sample);
    } catch (error) {
      if (error instanceof DomainError) continue;
      throw error;
    }
    yield raw;
  }
}

test("a profile of very many strings that nothing uses is kept, at little cost", () => {
  const strings = Buffer.concat([Buffer.from([0x32, 0]), Buffer.alloc(2 * 300_000, Buffer.from([0x32, 0]))]);
  expect(exactnessOf([strings])).toMatchObject({ tables: 0, verbatim: 1 });
});
