// Single downloads out of a pack of many thousand profiles, and out of one of large ones.

import { busyDay, packedHeaps } from "../data-folders.ts";
import type { Size } from "../generate.ts";
import { type Measurement, percentile, type Row } from "../measurement.ts";
import { startProcess } from "../server-process.ts";
import { packedCounts } from "../server-requests.ts";

export const downloadPacked: Row = {
  name: "download-packed",
  what: "download of one profile (10 KB) out of a day's pack, and of a heap profile (46 KB), over HTTP; cold: no decoded tables are kept",
  run: measure,
};

const WINDOW = { from: "2026-03-02T00:00:00Z", to: "2026-03-03T00:00:00Z" };
const WARM_UP = 10;
const NO_PACKS_KEPT = ["--limit", "packCacheBytes=0"];

async function measure(size: Size): Promise<Measurement> {
  const { packed } = await busyDay(size);
  const heaps = await packedHeaps(size);
  const downloads = size === "full" ? 400 : 10;
  const { times: warm, counts } = await timeDownloads(packed, "cpu", [], downloads);
  const { times: cold } = await timeDownloads(packed, "cpu", NO_PACKS_KEPT, downloads);
  const { times: heapWarm, counts: heapCounts } = await timeDownloads(heaps, "heap", [], downloads);
  const { times: heapCold } = await timeDownloads(heaps, "heap", NO_PACKS_KEPT, downloads);
  return {
    counts: {
      downloads,
      ...counts,
      heapProfiles: heapCounts.packedProfiles,
      heapPacks: heapCounts.packs,
      heapPackBytes: heapCounts.packBytes,
    },
    figures: {
      warmP50Ms: percentile(warm, 50),
      warmP99Ms: percentile(warm, 99),
      coldP50Ms: percentile(cold, 50),
      coldP99Ms: percentile(cold, 99),
      heapWarmP50Ms: percentile(heapWarm, 50),
      heapWarmP99Ms: percentile(heapWarm, 99),
      heapColdP50Ms: percentile(heapCold, 50),
      heapColdP99Ms: percentile(heapCold, 99),
    },
    targets: [
      { figure: "coldP99Ms", atMost: 60 },
      { figure: "warmP99Ms", atMost: 15 },
      { figure: "heapColdP99Ms", atMost: 60 },
      { figure: "heapWarmP99Ms", atMost: 15 },
    ],
  };
}

/** Of profiles all over the pack, one after the other, each of them once. */
async function timeDownloads(dataFolder: string, type: string, options: readonly string[], count: number) {
  await using server = await startProcess(dataFolder, options);
  const ids = await idsOf(server.url, type);
  // A step without a divisor in common with their number visits all of them out of order.
  const chosen = Array.from({ length: WARM_UP + count }, (_, nth) => ids[(nth * 7919) % ids.length]!);
  const times: number[] = [];
  for (const id of chosen) {
    const startedMs = performance.now();
    const answer = await fetch(`${server.url}/api/0/profiles/${id}`);
    const body = await answer.arrayBuffer();
    times.push(performance.now() - startedMs);
    if (!answer.ok || body.byteLength === 0) throw new Error(`the download of ${id} answered ${answer.status}`);
  }
  return { times: times.slice(WARM_UP), counts: await packedCounts(server.url) };
}

async function idsOf(url: string, type: string): Promise<string[]> {
  const answer = await fetch(`${url}/api/0/profiles?${new URLSearchParams({ service: "api", type, ...WINDOW })}`);
  const { body } = (await answer.json()) as { body: { id: string }[] };
  return body.map(({ id }) => id);
}
