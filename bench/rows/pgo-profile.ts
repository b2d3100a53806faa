// PGO profiles of thousands of profiles, over the download API: made, made again, and asked for by who has them.

import { busyDay } from "../data-folders.ts";
import type { Size } from "../generate.ts";
import { median, percentile, type Row } from "../measurement.ts";
import { startProcess } from "../server-process.ts";

/** Of a busy day of one service, the hours that have 5000 profiles. */
const WINDOWS: Record<Size, { from: string; to: string }> = {
  full: { from: "2026-03-02T00:00:00Z", to: "2026-03-02T05:33:20Z" },
  small: { from: "2026-03-02T00:00:00Z", to: "2026-03-03T00:00:00Z" },
};
const TIMES: Record<Size, number> = { full: 5, small: 2 };
const ASKED_AGAIN: Record<Size, number> = { full: 200, small: 20 };
const NO_ANSWERS_KEPT = ["--limit", "resultCacheBytes=0"];

export const pgoProfile: Row = {
  name: "pgo-profile",
  what: "PGO profile of a service's profiles (10 KB), weighed and judged, over HTTP; from packs and loose; and asked for with its etag",
  run: async (size) => {
    const { loose, packed } = await busyDay(size);
    const fromPacks = await made(packed, [], size);
    const fromLoose = await made(loose, ["--no-pack"], size);
    if (fromLoose.etag !== fromPacks.etag) throw new Error("loose and packed profiles give different files");
    const again = await askedAgain(packed, size);
    return {
      counts: { profiles: fromPacks.merged, fileBytes: fromPacks.fileBytes },
      figures: {
        packedFirstMs: fromPacks.firstMs,
        packedMs: median(fromPacks.times),
        packedMemoryGrowthBytes: fromPacks.memoryGrowthBytes,
        looseFirstMs: fromLoose.firstMs,
        looseMs: median(fromLoose.times),
        looseMemoryGrowthBytes: fromLoose.memoryGrowthBytes,
        ...again,
      },
      targets: [{ figure: "notModifiedP99Ms", atMost: 5 }],
    };
  },
};

/** By a fresh server that keeps no answers. */
async function made(dataFolder: string, options: readonly string[], size: Size) {
  await using server = await startProcess(dataFolder, [...options, ...NO_ANSWERS_KEPT]);
  await server.resetPeak();
  const before = await server.memory();
  const times: number[] = [];
  let last = await ask(server.url, size);
  const firstMs = last.ms;
  for (let nth = 0; nth < TIMES[size]; nth++) {
    last = await ask(server.url, size);
    times.push(last.ms);
  }
  const memoryGrowthBytes = (await server.memory()).peakBytes - before.residentBytes;
  const { etag, merged, bytes } = last;
  return { firstMs, times, memoryGrowthBytes, etag, merged, fileBytes: bytes };
}

/** Of a server as users start it, one request after the other. */
async function askedAgain(dataFolder: string, size: Size) {
  await using server = await startProcess(dataFolder);
  const { etag } = await ask(server.url, size);
  const notModified: number[] = [];
  const reports: number[] = [];
  for (let nth = 0; nth < ASKED_AGAIN[size]; nth++) {
    const again = await ask(server.url, size, { etag });
    if (again.status !== 304) throw new Error(`it answered ${again.status} to who has ${etag}`);
    notModified.push(again.ms);
    reports.push((await ask(server.url, size, { path: "/report" })).ms);
  }
  return {
    notModifiedP50Ms: median(notModified),
    notModifiedP99Ms: percentile(notModified, 99),
    reportAgainP50Ms: median(reports),
    reportAgainP99Ms: percentile(reports, 99),
  };
}

async function ask(url: string, size: Size, { etag = "", path = "" } = {}) {
  const startedMs = performance.now();
  const headers = etag === "" ? {} : { "if-none-match": etag };
  const answer = await fetch(`${url}/api/0/pgo/api${path}?${new URLSearchParams(WINDOWS[size])}`, { headers });
  const body = await answer.arrayBuffer();
  const ms = performance.now() - startedMs;
  if (answer.status >= 400) throw new Error(`it answered ${answer.status}: ${answer.headers.get("profusion-reason")}`);
  const merged = Number(answer.headers.get("profusion-merged"));
  return { ms, status: answer.status, etag: answer.headers.get("etag") ?? "", merged, bytes: body.byteLength };
}
