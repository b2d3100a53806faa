// A form that was damaged: another profile, whose digest the pack refuses, or a complaint. Nothing else, and never for long.

import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { DomainError } from "../../../src/model/errors.ts";
import { learnWrittenForm } from "../../../src/pack/exact/learn.ts";
import { ProfileWriter } from "../../../src/pack/exact/profile-writer.ts";
import { Interner } from "../../../src/pprof/interner.ts";
import { Random } from "../../support/random.ts";
import { internedProfile } from "./interned-profile.ts";
import { loaded } from "./loaded.ts";

const SEED = Date.now() % 1_000_000_000;
const PATHS = ["recorded/go-heap-1", "recorded/node-cpu-1", "written/pprof-rs-cpu-1", "written/datadog-wall-4"];

function mutated(bytes: Uint8Array, random: Random): Uint8Array {
  const copy = Uint8Array.from(bytes);
  for (let faults = random.between(1, 3); faults > 0 && copy.length > 0; faults--) {
    copy[random.between(0, copy.length - 1)] = random.pick([0, 1, 0x7f, 0x80, 0xff, random.between(0, 255)]);
  }
  return random.chance(0.2) ? copy.subarray(0, random.between(0, copy.length)) : copy;
}

test.each(PATHS)("mutants of the form of %s are refused in words or write bytes", (path) => {
  const raw = gunzipSync(readFileSync(new URL(`../../testdata/${path}.pb.gz`, import.meta.url)));
  const { source, samples } = loaded(raw);
  const writer = new ProfileWriter();
  const profile = internedProfile(new Interner(), source, samples);
  const form = learnWrittenForm(writer, source, samples, profile)!;
  const random = new Random(SEED);
  const seen = { written: 0, refused: 0 };
  for (let nth = 0; nth < 3000; nth++) {
    const isSkeleton = form.orders.length === 0 || random.chance(0.5);
    const mutant = {
      skeleton: isSkeleton ? mutated(form.skeleton, random) : form.skeleton,
      orders: isSkeleton ? form.orders : mutated(form.orders, random),
    };
    try {
      expect(writer.write(profile, mutant).length).toBeLessThan(raw.length * 200);
      seen.written++;
    } catch (error) {
      if (!(error instanceof DomainError)) throw new Error(`seed ${SEED}, mutant ${nth}`, { cause: error });
      seen.refused++;
    }
  }
  expect(seen.refused).toBeGreaterThan(100);
  expect(Buffer.compare(writer.write(profile, form), raw)).toBe(0);
});
