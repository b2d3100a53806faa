// Mutants against google/pprof itself: what we accept it accepts, and what both accept means the same to both. Needs Go.
// FUZZ_SEED=n repeats a run.

import { gzipSync } from "node:zlib";
import { afterAll, expect, test } from "vitest";
import { readCorpus, refusalOfUpload } from "../pprof/conformance/fuzz-corpus.ts";
import { mutants, mutantsOf, ruleOf } from "../pprof/conformance/fuzz-inputs.ts";
import { merge } from "../pprof/conformance/merging.ts";
import { mutateBytes } from "../pprof/conformance/mutate.ts";
import { stricterRules } from "../pprof/conformance/stricter-than-google.ts";
import { normalForm } from "../support/normal-form.ts";
import { startOracle } from "../support/oracle.ts";
import { encodeGenerated, generateSet } from "../support/profile-generator.ts";
import { Random } from "../support/random.ts";

const SEED = Number(process.env.FUZZ_SEED ?? Date.now() % 1_000_000_000);
const MUTANTS = 120_000;
const GZIP_MUTANTS = 20_000;
const FOLDED = 8_000;
const BATCH = 2_000;

const oracle = startOracle();
afterAll(() => oracle[Symbol.asyncDispose]());
console.log(`FUZZ_SEED=${SEED}`);

test("the verdicts of the committed corpus are google/pprof's of today", async () => {
  const corpus = readCorpus();
  const verdicts = await oracle.check(corpus.map(({ body }) => body));
  expect(verdicts.map((verdict) => verdict ?? null)).toEqual(corpus.map(({ google }) => google));
});

test(`of ${MUTANTS} mutants none is accepted that google/pprof rejects`, async () => {
  await compareVerdicts(mutants(SEED, MUTANTS));
});

test(`of ${GZIP_MUTANTS} mutants of gzip files none is accepted that google/pprof rejects`, async () => {
  await compareVerdicts(gzipMutants(SEED, GZIP_MUTANTS));
});

test(`${FOLDED} mutants that both accept have the same normal form in both`, async () => {
  const accepted: Uint8Array[] = [];
  for (const raw of mutants(SEED + 1, FOLDED * 20)) {
    if (accepted.length === FOLDED) break;
    if (refusalOfUpload(raw) === undefined) accepted.push(raw);
  }
  expect(accepted.length).toBe(FOLDED);
  for (const batch of batches(accepted)) {
    const theirs = await oracle.foldDigests(batch);
    for (const [nth, raw] of batch.entries()) {
      if (normalForm(merge([raw])).digest === theirs[nth]) continue;
      const merged = await oracle.merge([raw]);
      expect(normalForm(merge([raw])), Buffer.from(raw).toString("base64")).toMatchObject({
        text: merged.text,
        attributes: merged.attributes,
      });
    }
  }
});

test("a mutant merged with the profile it came from has the same normal form in both", async () => {
  let merged = 0;
  for (const { subject, inputs } of mutantsOf(SEED + 3, 100, 100)) {
    for (const raw of inputs.filter((input) => refusalOfUpload(input) === undefined)) {
      const theirs = await oracle.merge([subject, raw]).catch(() => undefined);
      // google/pprof refuses to add other columns: some of those we add by name.
      if (theirs === undefined) continue;
      merged++;
      const ours = normalForm(merge([subject, raw]));
      if (ours.digest !== theirs.digest) {
        expect(ours, Buffer.from(raw).toString("base64")).toMatchObject({
          text: theirs.text,
          attributes: theirs.attributes,
        });
      }
    }
  }
  console.log({ merged });
  expect(merged).toBeGreaterThan(1000);
});

async function compareVerdicts(inputs: Iterable<Uint8Array>): Promise<void> {
  const counts = { bothAccept: 0, bothReject: 0 };
  const looser: string[] = [];
  const stricter = new Map<string, number>();
  for (const batch of batches(inputs)) {
    const verdicts = await oracle.check(batch);
    for (const [nth, body] of batch.entries()) {
      const message = refusalOfUpload(body);
      const verdict = verdicts[nth];
      if (message === undefined && verdict === undefined) counts.bothAccept++;
      else if (message === undefined) looser.push(`${verdict}: ${Buffer.from(body).toString("base64")}`);
      else if (verdict !== undefined) counts.bothReject++;
      else stricter.set(ruleOf(message), (stricter.get(ruleOf(message)) ?? 0) + 1);
    }
  }
  console.log(counts, "refused by us alone:", Object.fromEntries(stricter));
  expect(looser.slice(0, 3)).toEqual([]);
  const listed = stricterRules();
  expect([...stricter.keys()].filter((rule) => !listed.some((part) => rule.includes(part)))).toEqual([]);
}

function* gzipMutants(seed: number, count: number): Generator<Uint8Array> {
  const random = new Random(seed);
  const raws = Array.from({ length: 100 }, (_, nth) => encodeGenerated(generateSet(seed + nth)[0]!));
  for (let nth = 0; nth < count; nth++) {
    const raw = random.pick(raws);
    const cut = random.chance(0.3) ? random.between(0, raw.length) : raw.length;
    const level = random.pick([0, 6]);
    const members = [raw.subarray(0, cut), ...(cut < raw.length ? [raw.subarray(cut)] : [])];
    const file = Buffer.concat(members.map((member) => gzipSync(member, { level })));
    // Headers and trailers are few bytes of a file: most of the faults go there.
    const start = random.pick([0, 0, Math.max(0, file.length - 12)]);
    const end = start === 0 && random.chance(0.7) ? 12 : file.length;
    yield Buffer.concat([file.subarray(0, start), mutateBytes(file.subarray(start, end), random), file.subarray(end)]);
  }
}

function* batches(inputs: Iterable<Uint8Array>): Generator<Uint8Array[]> {
  let batch: Uint8Array[] = [];
  for (const input of inputs) {
    batch.push(input);
    if (batch.length < BATCH) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
