// What a second merge thread adds, on profiles that are not packed.

import { cp } from "node:fs/promises";
import { join } from "node:path";
import { corpus, type Size } from "../generate.ts";
import { run } from "../go-programs.ts";
import { type Measurement, median, type Row } from "../measurement.ts";
import type { MergeThreadsResult } from "../merge-threads.ts";
import { sendLoad } from "../peers.ts";
import { startProcess, temporaryFolder } from "../server-process.ts";

const PROGRAM = join(import.meta.dirname, "..", "merge-threads.ts");

export const mergeLooseWorkers: Row = {
  name: "merge-loose-workers",
  what: "merge of all profiles (10 KB), loose, in process, with two merge threads against one",
  run: measure,
};

async function measure(size: Size): Promise<Measurement> {
  const { folder, entries, bodies } = await corpus(size, "light");
  await using temporary = await temporaryFolder();
  const dataFolder = join(temporary.path, "data");
  {
    await using server = await startProcess(dataFolder, ["--no-pack"]);
    await sendLoad(server.url, folder, { clients: 8, rounds: 1, warmup: 0 });
  }
  const copy = join(temporary.path, "copy");
  await cp(dataFolder, copy, { recursive: true });
  const one: MergeThreadsResult[] = [];
  const two: MergeThreadsResult[] = [];
  /** What two of this machine's processors do beside each other: two processes, one thread each, that share nothing. */
  const apart: MergeThreadsResult[][] = [];
  for (let pair = 0; pair < (size === "full" ? 5 : 1); pair++) {
    one.push(await mergeWith(dataFolder, 1, entries.length));
    two.push(await mergeWith(dataFolder, 2, entries.length));
    apart.push(await Promise.all([copy, dataFolder].map((folder) => mergeWith(folder, 1, entries.length))));
  }
  const of = (runs: readonly MergeThreadsResult[], figure: "ms" | "cpuMs") => median(runs.map((each) => each[figure]));
  const twoRatio = median(one.map(({ ms }, pair) => ms / two[pair]!.ms));
  const machineRatio = median(one.map(({ ms }, pair) => (2 * ms) / mean(apart[pair]!.map((each) => each.ms))));
  return {
    counts: { profiles: entries.length, gzippedBytes: bodies.length },
    figures: {
      oneMs: of(one, "ms"),
      oneCpuMs: of(one, "cpuMs"),
      twoMs: of(two, "ms"),
      twoCpuMs: of(two, "cpuMs"),
      twoRatio,
      machineRatio,
      twoOfMachine: twoRatio / machineRatio,
    },
    targets: [{ figure: "twoRatio", atLeast: 1.7 }],
  };
}

async function mergeWith(dataFolder: string, threads: number, expected: number): Promise<MergeThreadsResult> {
  const merged = JSON.parse(await run(process.execPath, [PROGRAM, dataFolder, String(threads)])) as MergeThreadsResult;
  if (merged.profiles !== expected) throw new Error(`${merged.profiles} of ${expected} profiles were merged`);
  return merged;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
