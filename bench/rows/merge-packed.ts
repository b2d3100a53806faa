// Merges of thousands of profiles out of packs, over the download API.

import { join } from "node:path";
import { againMs } from "../again.ts";
import type { Corpus } from "../corpus.ts";
import { corpus, fleetCorpus, type Size } from "../generate.ts";
import { type Measurement, median, type Row, type Target } from "../measurement.ts";
import { type GoogleMerge, googleMerge, sendLoad } from "../peers.ts";
import { expectSameMerge } from "../same-merge.ts";
import { startProcess, temporaryFolder } from "../server-process.ts";
import { packedCounts, packNow, timedMerge } from "../server-requests.ts";

const MIB = 1024 * 1024;
const WINDOW = { from: "2026-03-02T00:00:00Z", to: "2026-03-03T00:00:00Z" };
/** Each merge is made anew. */
const NO_ANSWERS_KEPT = ["--limit", "resultCacheBytes=0"];
const NO_PACKS_KEPT = ["--limit", "packCacheBytes=0"];
const PAIRS: Record<Size, number> = { full: 5, small: 2 };

const ONE_SERVICE: Target = { figure: "oneServiceRatio", atLeast: 12 };
const GROWTH: Target = { figure: "memoryGrowthBytes", atMost: 200 * MIB };

export const mergePackedHour: Row = {
  name: "merge-packed-hour",
  what: "merge of all profiles (10 KB) of one hour out of packs, over HTTP, against google/pprof on one core",
  run: async (size) => {
    const targets = [{ figure: "googleRatio", atLeast: 18 }, ONE_SERVICE, GROWTH, { figure: "againMs", atMost: 5 }];
    return await measure(size, await corpus(size, "light"), targets);
  },
};

export const mergePackedDay: Row = {
  name: "merge-packed-day",
  what: "the same of profiles spread over a day, with a new release at noon",
  run: async (size) => {
    const targets = [{ figure: "googleRatio", atLeast: 12 }, GROWTH, { figure: "againMs", atMost: 5 }];
    return await measure(size, await fleetCorpus(size, "day"), targets);
  },
};

async function measure(size: Size, { folder, entries, bodies }: Corpus, targets: Target[]): Promise<Measurement> {
  await using temporary = await temporaryFolder();
  const dataFolder = join(temporary.path, "data");
  const googleFile = join(temporary.path, "google.pb.gz");
  const packed = await fill(dataFolder, folder, entries.length);
  const warm = await inPairs(size, { dataFolder, folder, googleFile, entries });
  const uncachedMs = await withoutCaches(dataFolder, entries.length);
  const google = median(warm.google.map(({ totalMs }) => totalMs));
  const ofService = median(warm.googleOfService.map(({ totalMs }) => totalMs));
  return {
    counts: {
      profiles: entries.length,
      gzippedBytes: bodies.length,
      ...packed,
      profilesOfOneService: warm.profilesOfService,
      resultBytes: warm.resultBytes,
    },
    figures: {
      ownMs: median(warm.ownMs),
      ownFirstMs: warm.ownMs[0]!,
      ownUncachedMs: uncachedMs,
      ownLastCpuMs: warm.lastCpuMs,
      googleMs: google,
      googleCpuMs: median(warm.google.map(({ cpuMs }) => cpuMs)),
      googleRatio: google / median(warm.ownMs),
      uncachedRatio: google / uncachedMs,
      oneServiceMs: median(warm.serviceMs),
      googleOneServiceMs: ofService,
      oneServiceRatio: ofService / median(warm.serviceMs),
      againMs: await againMs(dataFolder, [], { query: "cpu{}", ...WINDOW }, entries.length),
      memoryBeforeBytes: warm.memoryBeforeBytes,
      memoryGrowthBytes: warm.memoryGrowthBytes,
    },
    targets,
  };
}

async function fill(dataFolder: string, corpusFolder: string, profiles: number) {
  await using server = await startProcess(dataFolder);
  await sendLoad(server.url, corpusFolder, { clients: 8, rounds: 1, warmup: 0 });
  await packNow(server.url, profiles);
  return await packedCounts(server.url);
}

interface Data extends Pick<Corpus, "folder" | "entries"> {
  dataFolder: string;
  googleFile: string;
}

/** A fresh server against google/pprof, turn by turn. */
async function inPairs(size: Size, { dataFolder, folder, googleFile, entries }: Data) {
  const { service } = entries[0]!;
  const profilesOfService = entries.filter((entry) => entry.service === service).length;
  await using server = await startProcess(dataFolder, NO_ANSWERS_KEPT);
  await server.resetPeak();
  const before = await server.memory();
  const ownMs: number[] = [];
  const serviceMs: number[] = [];
  const google: GoogleMerge[] = [];
  const googleOfService: GoogleMerge[] = [];
  let lastCpuMs = 0;
  let resultBytes = 0;
  for (let pair = 0; pair < PAIRS[size]; pair++) {
    google.push(await googleMerge(folder, googleFile));
    const cpuBefore = await server.cpuMs();
    const { ms, body } = await timedMerge(server.url, { query: "cpu{}", ...WINDOW }, entries.length);
    lastCpuMs = (await server.cpuMs()) - cpuBefore;
    ownMs.push(ms);
    resultBytes = body.length;
    await expectSameMerge(body, googleFile);
    googleOfService.push(await googleMerge(folder, googleFile, service));
    const one = await timedMerge(server.url, { service, type: "cpu", ...WINDOW }, profilesOfService);
    serviceMs.push(one.ms);
    await expectSameMerge(one.body, googleFile);
  }
  const memoryGrowthBytes = (await server.memory()).peakBytes - before.residentBytes;
  const memory = { memoryBeforeBytes: before.residentBytes, memoryGrowthBytes };
  return { ownMs, serviceMs, google, googleOfService, lastCpuMs, resultBytes, profilesOfService, ...memory };
}

/** Packs are read and decoded each time; the program is warm. */
async function withoutCaches(dataFolder: string, profiles: number): Promise<number> {
  await using server = await startProcess(dataFolder, [...NO_ANSWERS_KEPT, ...NO_PACKS_KEPT]);
  const times: number[] = [];
  for (let nth = 0; nth < 4; nth++) {
    times.push((await timedMerge(server.url, { query: "cpu{}", ...WINDOW }, profiles)).ms);
  }
  return median(times.slice(1));
}
