// The committed fuzz corpus: small inputs, each with google/pprof's verdict, one for every way in which inputs have differed.
// Run as a program (needs Go) it writes the file anew: the cases written by hand, and mutants chosen by both readers' rules.

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { DEFAULT_LIMITS } from "../../../src/model/limits.ts";
import { inflate } from "../../../src/pprof/gzip.ts";
import { summarize } from "../../../src/pprof/summary.ts";
import { type Oracle, startOracle } from "../../support/oracle.ts";
import { mutants, refusal, ruleOf } from "./fuzz-inputs.ts";
import { handMadeCases } from "./hand-made-cases.ts";

export interface CorpusEntry {
  name: string;
  /** An upload: gzip or raw. */
  body: Uint8Array;
  /** What google/pprof says: null when it accepts. */
  google: string | null;
}

const FILE = new URL("../../testdata/fuzz/corpus.json", import.meta.url);
const MUTANTS = 60_000;
const MUTANT_BYTES = 400;

export function readCorpus(): CorpusEntry[] {
  const stored = JSON.parse(readFileSync(FILE, "utf8")) as { name: string; body: string; google: string | null }[];
  return stored.map(({ body, ...entry }) => ({ ...entry, body: Buffer.from(body, "base64") }));
}

/** Undefined when an upload of this body is taken, else the message that refuses it. */
export function refusalOfUpload(body: Uint8Array): string | undefined {
  return refusal(() => void summarize(inflate(body, DEFAULT_LIMITS.inflatedBytes), DEFAULT_LIMITS));
}

async function chooseCorpus(oracle: Oracle): Promise<CorpusEntry[]> {
  const cases = handMadeCases();
  const verdicts = await oracle.check(cases.map(([, body]) => body));
  const handMade = cases.map(([name, body], nth) => ({ name, body, google: verdicts[nth] ?? null }));
  return [...handMade, ...(await chooseMutants(oracle))];
}

/** The smallest mutant for each pair of verdicts. */
async function chooseMutants(oracle: Oracle): Promise<CorpusEntry[]> {
  const inputs = [...mutants(1, MUTANTS)].filter((input) => input.length <= MUTANT_BYTES);
  const verdicts = await oracle.check(inputs);
  const smallest = new Map<string, CorpusEntry>();
  for (const [nth, body] of inputs.entries()) {
    const google = verdicts[nth] ?? null;
    const pair = `${ruleOf(google ?? "accepted")} / ${ruleOf(refusalOfUpload(body) ?? "accepted")}`;
    const known = smallest.get(pair);
    if (!known || body.length < known.body.length) smallest.set(pair, { name: `mutant: ${pair}`, body, google });
  }
  return [...smallest.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await using oracle = startOracle();
  const entries = await chooseCorpus(oracle);
  const stored = entries.map(({ body, ...entry }) => ({ ...entry, body: Buffer.from(body).toString("base64") }));
  writeFileSync(FILE, `${JSON.stringify(stored, null, 1)}\n`);
}
