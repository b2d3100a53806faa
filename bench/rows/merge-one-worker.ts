// The merge itself, without server and storage: one thread of ours against one of google/pprof, and against inflating alone.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { corpus, type Size, type Weight } from "../generate.ts";
import { run } from "../go-programs.ts";
import { type Measurement, median, type Row } from "../measurement.ts";
import type { OneWorkerResult } from "../merge-one-worker.ts";
import { type GoogleMerge, googleMerge } from "../peers.ts";
import { expectSameMerge } from "../same-merge.ts";
import { temporaryFolder } from "../server-process.ts";

const PROGRAM = join(import.meta.dirname, "..", "merge-one-worker.ts");

export const mergeOneWorkerLight: Row = {
  name: "merge-one-worker",
  what: "merge of all profiles (10 KB) in one thread, gzip to gzip, against google/pprof on one core and gunzip in Node",
  run: (size) => measure(size, "light", 3),
};

export const mergeOneWorkerHeavy: Row = {
  name: "merge-one-worker-heavy",
  what: "the same of profiles of 37 KB",
  run: (size) => measure(size, "heavy", 1),
};

async function measure(size: Size, weight: Weight, pairs: number): Promise<Measurement> {
  const { folder, entries, bodies } = await corpus(size, weight);
  await using temporary = await temporaryFolder();
  const [googleFile, ownFile] = [join(temporary.path, "google.pb.gz"), join(temporary.path, "own.pb.gz")];
  const own: OneWorkerResult[] = [];
  const google: GoogleMerge[] = [];
  const gunzipMs: number[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    google.push(await googleMerge(folder, googleFile));
    own.push(await oneWorker("merge", folder, ownFile));
    gunzipMs.push((await oneWorker("gunzip", folder)).ms);
  }
  await expectSameMerge(await readFile(ownFile), googleFile);
  const ownMs = median(own.map(({ ms }) => ms));
  const googleMs = median(google.map(({ totalMs }) => totalMs));
  return {
    counts: { profiles: entries.length, gzippedBytes: bodies.length, resultBytes: own[0]!.resultBytes },
    figures: {
      ownMs,
      ownColdMs: median(own.map(({ coldMs }) => coldMs)),
      ownFinishMs: median(own.map(({ finishMs }) => finishMs)),
      ownCpuMs: median(own.map(({ cpuMs }) => cpuMs)),
      googleMs,
      googleCpuMs: median(google.map(({ cpuMs }) => cpuMs)),
      gunzipMs: median(gunzipMs),
      googleRatio: googleMs / ownMs,
      gunzipRatio: ownMs / median(gunzipMs),
      ownPeakBytes: median(own.map(({ peakRssBytes }) => peakRssBytes)),
      googlePeakBytes: median(google.map(({ peakRssBytes }) => peakRssBytes)),
    },
    targets: weight === "light" ? [{ figure: "googleRatio", atLeast: 4 }] : [],
  };
}

async function oneWorker(what: "merge" | "gunzip", ...args: string[]): Promise<OneWorkerResult> {
  return JSON.parse(await run(process.execPath, [PROGRAM, what, ...args])) as OneWorkerResult;
}
