// Legacy formats against google/pprof itself: the committed digests are current, and of many damaged profiles none is accepted
// that it rejects, none is read to another meaning. Needs Go. PROFUSION_FUZZ_SEED repeats a run.

import { afterAll, beforeAll, expect, test } from "vitest";
import { DomainError } from "../../src/model/errors.ts";
import { DEFAULT_LIMITS } from "../../src/model/limits.ts";
import { convertLegacy } from "../../src/pprof/legacy/convert.ts";
import { prepareUpload } from "../../src/repository/prepare-upload.ts";
import { mutateBytes } from "../pprof/conformance/mutate.ts";
import { stricterRules } from "../pprof/conformance/stricter-than-google.ts";
import { readLegacyDigests, readLegacyProfiles } from "../support/legacy-corpus.ts";
import { normalForm } from "../support/normal-form.ts";
import { type Oracle, startOracle } from "../support/oracle.ts";
import { Random } from "../support/random.ts";

const INPUTS = 24_000;
const BATCH = 500;
const RULES = stricterRules();
const seed = Number(process.env.PROFUSION_FUZZ_SEED ?? 20261121);

let oracle: Oracle;
beforeAll(() => {
  oracle = startOracle();
});
afterAll(() => oracle[Symbol.asyncDispose]());

test("the committed digests are google/pprof's", async () => {
  for (const { name, bytes } of readLegacyProfiles()) {
    expect((await oracle.normal(bytes)).digest, name).toBe(readLegacyDigests()[name]);
  }
});

test(`of ${INPUTS} damaged legacy profiles none is accepted that google/pprof rejects, and none is read otherwise`, async () => {
  const random = new Random(seed);
  const profiles = readLegacyProfiles().filter(({ bytes }) => bytes.length < 10_000);
  let accepted = 0;
  let differing = 0;
  for (let done = 0; done < INPUTS; done += BATCH) {
    const mutants = Array.from({ length: BATCH }, () =>
      damage(random.pick(profiles).bytes, random.pick(profiles).bytes, random),
    );
    const verdicts = await oracle.check(mutants);
    for (const [at, mutant] of mutants.entries()) {
      const where = `seed ${seed}, input ${done + at}: ${Buffer.from(mutant).toString("base64").slice(0, 6000)}`;
      const fault = refusal(mutant);
      if (fault === undefined) expect(verdicts[at], where).toBeUndefined();
      else if (verdicts[at] === undefined)
        expect(
          RULES.some((rule) => fault.includes(rule)),
          `${fault}; ${where}`,
        ).toBe(true);
      if (fault !== undefined) continue;
      accepted++;
      const converted = convertLegacy(mutant, DEFAULT_LIMITS);
      if (converted === undefined) continue; // the mutant reads as a protobuf
      const theirs = await oracle.normal(mutant);
      const ours = normalForm(converted);
      if (ours.digest === theirs.digest) continue;
      differing++;
      expect(ours.text, where).toBe(theirs.text);
    }
  }
  console.log(`seed ${seed}: ${INPUTS} inputs, ${accepted} accepted and equal but for ${differing}`);
  expect(differing).toBe(0);
  expect(accepted).toBeGreaterThan(INPUTS / 10);
});

/** What an upload of it would be told. */
function refusal(bytes: Uint8Array): string | undefined {
  try {
    prepareUpload(bytes, "cpu", DEFAULT_LIMITS);
    return undefined;
  } catch (error) {
    if (error instanceof DomainError) return error.message;
    throw error;
  }
}

const EDGES = [
  "0",
  "1",
  "-1",
  "00",
  "010",
  "08",
  "0x1f",
  "1_0",
  "9223372036854775807",
  "9223372036854775808",
  "18446744073709551615",
  "ffffffffffffffff",
  "0xffffffffffffffff",
  "0x10000000000000000",
  "",
  " ",
  "\t",
  "\xa0",
  "\xc2\xa0",
  "\r",
  "=",
  "$build",
  "--- Memory map: ---",
  "MAPPED_LIBRARIES:",
  "---",
  "#",
  "@",
  ":",
  "(x)",
  "r-xp",
  "rw-p",
  "(@10)",
];

/** One to three faults that keep the look of the format, now and then one that knows nothing of it. */
function damage(bytes: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  if (random.chance(0.25)) return mutateBytes(bytes, random);
  // The words of a binary profile look like lines to nobody: only its text is changed by lines.
  let text = Buffer.from(bytes).toString("latin1");
  for (let faults = random.between(1, 3); faults > 0; faults--)
    text = damageText(text, Buffer.from(other).toString("latin1"), random);
  return Buffer.from(text, "latin1");
}

function damageText(text: string, other: string, random: Random): string {
  const lines = text.split("\n");
  const at = random.between(0, lines.length - 1);
  switch (random.between(0, 6)) {
    case 0:
      lines.splice(at, 1);
      break;
    case 1:
      lines.splice(random.between(0, lines.length), 0, lines[at]!);
      break;
    case 2:
      lines.splice(at, 0, random.pick(other.split("\n")));
      break;
    case 3:
      lines.splice(at, 0, random.pick(EDGES));
      break;
    case 4:
      return lines
        .slice(0, at)
        .concat(other.split("\n").slice(random.between(0, 9)))
        .join("\n");
    default: {
      // One number, word or gap becomes another.
      const tokens = lines[at]!.split(/(0x[0-9a-f]+|-?\d+|[ @:[\]()=/.-]+)/);
      tokens[random.between(0, tokens.length - 1)] = random.pick(EDGES);
      lines[at] = tokens.join("");
    }
  }
  return lines.join("\n");
}
