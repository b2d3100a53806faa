// Uploads while merges of thousands of profiles run one after another: what the one costs the other.

import { join } from "node:path";
import type { Corpus } from "../corpus.ts";
import { corpus, type Size } from "../generate.ts";
import { type Measurement, median, type Row } from "../measurement.ts";
import { type LoadOptions, sendLoad } from "../peers.ts";
import { startProcess, temporaryFolder } from "../server-process.ts";

export const ingestBesideMerges: Row = {
  name: "ingest-beside-merges",
  what: "durable uploads (10 KB), 8 clients, while merges run all the time",
  run: measure,
};

/** The merges fold loose profiles, each time anew. */
const OPTIONS = ["--no-pack", "--limit", "resultCacheBytes=0"];

const MERGED = { service: "merged", type: "cpu", from: "2026-03-02T00:00:00Z", to: "2026-03-03T00:00:00Z" };

async function measure(size: Size): Promise<Measurement> {
  const sample = await corpus(size, "light");
  const load: LoadOptions = { clients: 8, rounds: 1, warmup: size === "full" ? 1000 : 50 };
  await using temporary = await temporaryFolder();
  await using server = await startProcess(join(temporary.path, "data"), OPTIONS);
  await upload(server.url, sample);
  const alone = await sendLoad(server.url, sample.folder, load);

  const mergeMs: number[] = [];
  let isLoading = true;
  const merging = (async () => {
    while (isLoading) mergeMs.push(await merge(server.url, sample.entries.length));
  })();
  // From the second round on the uploads are new; the first repeats those that were sent alone.
  const beside = await sendLoad(server.url, sample.folder, { ...load, rounds: size === "full" ? 4 : 2 }).finally(() => {
    isLoading = false;
  });
  await merging;
  return {
    counts: { uploads: beside.profiles, merges: mergeMs.length, profilesPerMerge: sample.entries.length },
    figures: {
      alonePerSecond: alone.perSecond,
      aloneP99Ms: alone.p99Ms,
      besidePerSecond: beside.perSecond,
      besideP50Ms: beside.p50Ms,
      besideP99Ms: beside.p99Ms,
      mergeMs: median(mergeMs),
    },
    targets: [{ figure: "besideP99Ms", atMost: 50 }],
  };
}

/** All of the corpus under one service of its own, so that merges do not grow while others upload. */
async function upload(url: string, { entries, bodies }: Corpus): Promise<void> {
  const queue = entries.values();
  const send = async () => {
    for (const { offset, length, instance } of queue) {
      const target = `${url}/api/0/profiles?service=${MERGED.service}&type=${MERGED.type}&labels=instance%3D${instance}`;
      const answer = await fetch(target, { method: "POST", body: bodies.subarray(offset, offset + length) });
      if (!answer.ok) throw new Error(`an upload answered ${answer.status}: ${await answer.text()}`);
      await answer.arrayBuffer();
    }
  };
  await Promise.all(Array.from({ length: 8 }, send));
}

/** Milliseconds of one. Throws where it is not the merge of exactly `expected` profiles. */
async function merge(url: string, expected: number): Promise<number> {
  const startedMs = performance.now();
  const answer = await fetch(`${url}/api/0/profiles/merge?${new URLSearchParams(MERGED)}`);
  await answer.arrayBuffer();
  const merged = answer.headers.get("profusion-merged");
  if (merged !== String(expected)) throw new Error(`the merge answered ${answer.status}, ${merged} of ${expected}`);
  return performance.now() - startedMs;
}
