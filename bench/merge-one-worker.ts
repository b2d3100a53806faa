// A process of its own for one measurement: `merge` folds a corpus with one Merger, gzip to gzip; `gunzip` only inflates it. Each is done
// three times: a worker thread lives long and compiles its code once. Arguments: what, folder of the corpus, file for the result. Prints JSON.

import { hash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { argv } from "node:process";
import { gunzipSync } from "node:zlib";
import { DEFAULT_LIMITS } from "../src/model/limits.ts";
import { deflate, inflate } from "../src/pprof/gzip.ts";
import { Merger } from "../src/pprof/merger.ts";
import { bodyOf, type Corpus, readCorpus } from "./corpus.ts";

export interface OneWorkerResult {
  /** The third time. */
  ms: number;
  /** The first time, compilation included. */
  coldMs: number;
  /** Of all threads: the garbage collector and the compiler have their own. */
  cpuMs: number;
  /** Of that, from the last profile on: sorting, encoding, gzip. */
  finishMs: number;
  resultBytes: number;
  peakRssBytes: number;
}

function merge(corpus: Corpus): { gzipped: Uint8Array; finishMs: number } {
  const merger = new Merger({});
  for (const [order, entry] of corpus.entries.entries()) {
    merger.add(inflate(bodyOf(corpus, entry), DEFAULT_LIMITS.inflatedBytes), order);
  }
  const foldedMs = performance.now();
  const { bytes } = merger.finish();
  hash("sha256", bytes, "hex"); // part of every merge that the repository answers: its etag
  return { gzipped: deflate(bytes), finishMs: performance.now() - foldedMs };
}

function gunzip(corpus: Corpus): { gzipped: Uint8Array; finishMs: number } {
  for (const entry of corpus.entries) gunzipSync(bodyOf(corpus, entry));
  return { gzipped: new Uint8Array(0), finishMs: 0 };
}

function cpuMsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

const [, , what, folder, out] = argv;
const corpus = await readCorpus(folder!);
const work = what === "gunzip" ? gunzip : merge;
const firstStartedMs = performance.now();
work(corpus);
const coldMs = performance.now() - firstStartedMs;
work(corpus);
const cpuBefore = process.cpuUsage();
const startedMs = performance.now();
const { gzipped, finishMs } = work(corpus);
const result: OneWorkerResult = {
  ms: performance.now() - startedMs,
  coldMs,
  cpuMs: cpuMsSince(cpuBefore),
  finishMs,
  resultBytes: gzipped.length,
  peakRssBytes: process.resourceUsage().maxRSS * 1024,
};
if (out !== undefined) await writeFile(out, gzipped);
console.log(JSON.stringify(result));
