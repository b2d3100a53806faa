// Merges as users ask for them: uploaded before, over the download API, with all threads of the server.

import { join } from "node:path";
import { againMs } from "../again.ts";
import type { Corpus } from "../corpus.ts";
import { corpus, type Size, type Weight } from "../generate.ts";
import { type Measurement, median, type Row, type Target } from "../measurement.ts";
import { type GoogleMerge, googleMerge, sendLoad } from "../peers.ts";
import { expectSameMerge } from "../same-merge.ts";
import { startProcess, temporaryFolder } from "../server-process.ts";
import { timedMerge } from "../server-requests.ts";

const MIB = 1024 * 1024;
/** Each merge is made anew. */
const LOOSE = "--no-pack";
const ANEW = ["--limit", "resultCacheBytes=0"];
const WINDOW = { from: "2026-03-02T00:00:00Z", to: "2026-03-03T00:00:00Z" };

const AGAIN: Target = { figure: "againMs", atMost: 5 };

export const mergeOverHttpLight: Row = {
  name: "merge-over-http",
  what: "merge of all profiles (10 KB) in one request, all cores, loose, against google/pprof on one core",
  run: (size) => measure(size, "light", 3, [{ figure: "googleRatio", atMost: 0.22 }, growthAtMost(200), AGAIN]),
};

export const mergeOverHttpHeavy: Row = {
  name: "merge-over-http-heavy",
  what: "the same of profiles of 37 KB",
  run: (size) => measure(size, "heavy", 2, [{ figure: "googleRatio", atMost: 1 / 6 }, growthAtMost(250)]),
};

function growthAtMost(mebibytes: number): Target {
  return { figure: "memoryGrowthBytes", atMost: mebibytes * MIB };
}

async function measure(size: Size, weight: Weight, pairs: number, targets: Target[]): Promise<Measurement> {
  const { folder, entries, bodies } = await corpus(size, weight);
  await using temporary = await temporaryFolder();
  const dataFolder = join(temporary.path, "data");
  const { resultBytes, ...figures } = await inPairs({ folder, entries }, dataFolder, pairs);
  const again = await againMs(dataFolder, [LOOSE], { query: "cpu{}", ...WINDOW }, entries.length);
  return {
    counts: { profiles: entries.length, gzippedBytes: bodies.length, resultBytes },
    figures: { ...figures, againMs: again },
    targets,
  };
}

/** Uploads all to a server and merges them, turn by turn with google/pprof. */
async function inPairs({ folder, entries }: Pick<Corpus, "folder" | "entries">, dataFolder: string, pairs: number) {
  const services = [...new Set(entries.map(({ service }) => service))];
  await using temporary = await temporaryFolder();
  const googleFile = join(temporary.path, "google.pb.gz");
  await using server = await startProcess(dataFolder, [LOOSE, ...ANEW]);
  await sendLoad(server.url, folder, { clients: 8, rounds: 1, warmup: 0 });
  await server.resetPeak();
  const before = await server.memory();
  const ownMs: number[] = [];
  const google: GoogleMerge[] = [];
  let ownCpuMs = 0;
  let answer: Uint8Array = new Uint8Array(0);
  for (let pair = 0; pair < pairs; pair++) {
    google.push(await googleMerge(folder, googleFile));
    const cpuBefore = await server.cpuMs();
    const { ms, body } = await timedMerge(server.url, { query: "cpu{}", ...WINDOW }, entries.length);
    answer = body;
    ownMs.push(ms);
    ownCpuMs = (await server.cpuMs()) - cpuBefore;
  }
  const googleMs = median(google.map(({ totalMs }) => totalMs));
  const after = await server.memory();
  await expectSameMerge(answer, googleFile);
  const perServiceMs: number[] = [];
  for (const service of services) {
    const profiles = entries.filter((entry) => entry.service === service).length;
    perServiceMs.push((await timedMerge(server.url, { service, type: "cpu", ...WINDOW }, profiles)).ms);
  }
  return {
    resultBytes: answer.length,
    ownMs: median(ownMs),
    ownFirstMs: ownMs[0]!,
    ownLastCpuMs: ownCpuMs,
    googleMs,
    googleCpuMs: median(google.map(({ cpuMs }) => cpuMs)),
    googleRatio: median(ownMs) / googleMs,
    oneServiceMs: median(perServiceMs),
    memoryBeforeBytes: before.residentBytes,
    memoryGrowthBytes: after.peakBytes - before.residentBytes,
  };
}
