// What the fuzz tests feed: mutants of generated and recorded profiles, and how a reader's answer is counted.

import { readdirSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { DomainError } from "../../../src/model/errors.ts";
import { encodeGenerated, generateSet } from "../../support/profile-generator.ts";
import { Random } from "../../support/random.ts";
import { mutate, type Subject, takeApart } from "./mutate.ts";

const RECORDED = new URL("../../testdata/recorded/", import.meta.url);
/** Larger subjects make the fuzz slow and find nothing more. */
const SUBJECT_BYTES = 8 * 1024;

/** `count` mutants; the same seed gives the same ones. */
export function* mutants(seed: number, count: number): Generator<Uint8Array> {
  const random = new Random(seed);
  const subjects = fuzzSubjects();
  for (let nth = 0; nth < count; nth++) yield mutate(random.pick(subjects), random.pick(subjects), random);
}

/** For each of `subjects` profiles, `count` mutants of it. */
export function* mutantsOf(
  seed: number,
  subjects: number,
  count: number,
): Generator<{ subject: Uint8Array; inputs: Uint8Array[] }> {
  const random = new Random(seed);
  const all = fuzzSubjects();
  for (const subject of all.slice(0, subjects)) {
    const inputs = Array.from({ length: count }, () => mutate(subject, random.pick(all), random));
    yield { subject: subject.raw, inputs };
  }
}

function fuzzSubjects(): Subject[] {
  const generated = Array.from({ length: 150 }, (_, seed) => encodeGenerated(generateSet(seed + 1)[0]!));
  const recorded = readdirSync(RECORDED)
    .filter((name) => name.endsWith(".pb.gz"))
    .sort()
    .map((name) => gunzipSync(readFileSync(new URL(name, RECORDED))));
  return [...generated, ...recorded].filter((raw) => raw.length <= SUBJECT_BYTES).map(takeApart);
}

/** Undefined when `read` succeeds, the message of its DomainError when it refuses. Anything else it throws is a bug and flies. */
export function refusal(read: () => void): string | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    if (error instanceof DomainError) return error.message;
    throw error;
  }
}

/** A message without its numbers and names: the rule. */
export function ruleOf(message: string): string {
  return message.replace(/0x[0-9a-f]+/g, "#").replace(/\d+/g, "#");
}
