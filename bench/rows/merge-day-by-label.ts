// A part of a long window, chosen by label: from packs only its columns are summed; loose, all of its profiles are read.

import { gunzipSync } from "node:zlib";
import { type BusyDay, busyDay } from "../data-folders.ts";
import type { Size } from "../generate.ts";
import { type Measurement, median, type Row } from "../measurement.ts";
import { startProcess } from "../server-process.ts";
import { type TimedMerge, timedMerge } from "../server-requests.ts";

export const mergeDayByLabel: Row = {
  name: "merge-day-by-label",
  what: "merge of one instance of ten, over a day of 900 profiles (10 KB) an hour, packed against loose, over HTTP",
  run: measure,
};

const WINDOW = { from: "2026-03-02T00:00:00Z", to: "2026-03-03T00:00:00Z" };
const ONE_INSTANCE = { service: "api", type: "cpu", labels: "instance=i3", ...WINDOW };
const NO_ANSWERS_KEPT = ["--limit", "resultCacheBytes=0"];

async function measure(size: Size): Promise<Measurement> {
  const day = await busyDay(size);
  const { entries } = day.corpus;
  const expected = entries.filter(({ instance }) => instance === "i3").length;
  const merges = await inPairs(day, expected, size === "full" ? 5 : 2);
  const [packed, loose] = [merges.packed, merges.loose].map((times) => median(times.map(({ ms }) => ms)));
  return {
    counts: { profilesOfTheDay: entries.length, profiles: expected },
    figures: {
      packedMs: packed!,
      packedFirstMs: merges.packed[0]!.ms,
      packedUncachedMs: await uncachedMs(day, expected),
      looseMs: loose!,
      looseRatio: packed! / loose!,
    },
    targets: [{ figure: "looseRatio", atMost: 0.25 }],
  };
}

async function inPairs({ packed, loose }: BusyDay, expected: number, pairs: number) {
  await using packedServer = await startProcess(packed, NO_ANSWERS_KEPT);
  await using looseServer = await startProcess(loose, ["--no-pack", ...NO_ANSWERS_KEPT]);
  const merges: Record<"packed" | "loose", TimedMerge[]> = { packed: [], loose: [] };
  for (let pair = 0; pair < pairs; pair++) {
    merges.packed.push(await timedMerge(packedServer.url, ONE_INSTANCE, expected));
    merges.loose.push(await timedMerge(looseServer.url, ONE_INSTANCE, expected));
  }
  const [first, second] = [merges.packed[0]!.body, merges.loose[0]!.body].map((body) => gunzipSync(body));
  if (!first!.equals(second!)) throw new Error("packed and loose profiles do not have the same merge");
  return merges;
}

/** Packs are read and decoded each time; the program is warm. */
async function uncachedMs({ packed }: BusyDay, expected: number): Promise<number> {
  await using server = await startProcess(packed, [...NO_ANSWERS_KEPT, "--limit", "packCacheBytes=0"]);
  const times: number[] = [];
  for (let nth = 0; nth < 4; nth++) times.push((await timedMerge(server.url, ONE_INSTANCE, expected)).ms);
  return median(times.slice(1));
}
