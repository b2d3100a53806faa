// The committed answers of google/pprof to the sets that the conformance tests merge: which sets there are, and the file.
// Run as a program (needs Go) it writes the file anew.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { type Oracle, startOracle } from "./oracle.ts";
import { encodeGenerated, generateSet } from "./profile-generator.ts";

/** Name of a set → digest of the normal form of google/pprof's merge of it. */
export type MergeDigests = Record<string, string>;

const FILE = new URL("../testdata/oracle/merge-digests.json", import.meta.url);
const RECORDED = new URL("../testdata/recorded/", import.meta.url);
const GENERATED_SETS = 700;

export function readMergeDigests(): MergeDigests {
  return JSON.parse(readFileSync(FILE, "utf8")) as MergeDigests;
}

/** Every set by name, each a list of uncompressed profiles in canonical order. */
export function* mergeSets(): Generator<[name: string, raws: Uint8Array[]]> {
  for (let seed = 1; seed <= GENERATED_SETS; seed++) yield [`seed ${seed}`, generateSet(seed).map(encodeGenerated)];
  yield* recordedSets();
}

/** The recorded profiles that can be summed: those of one program and type, in the order of their names. */
function* recordedSets(): Generator<[name: string, raws: Uint8Array[]]> {
  const names = readdirSync(RECORDED).filter((name) => name.endsWith(".pb.gz"));
  const sets = Map.groupBy(names.sort(), (name) => name.replace(/-\d+\.pb\.gz$/, ""));
  for (const [name, members] of sets) {
    yield [`recorded ${name}`, members.map((member) => gunzipSync(readFileSync(new URL(member, RECORDED))))];
  }
}

export async function askMergeDigests(oracle: Oracle): Promise<MergeDigests> {
  const digests: MergeDigests = {};
  for (const [name, raws] of mergeSets()) digests[name] = (await oracle.merge(raws)).digest;
  return digests;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await using oracle = startOracle();
  writeFileSync(FILE, `${JSON.stringify(await askMergeDigests(oracle), null, 1)}\n`);
}
