// Uploads that are on the disk when they are acknowledged, against a Go server of ours that does what profefe does for each.

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { corpus, type Size } from "../generate.ts";
import { type Measurement, median, type Row } from "../measurement.ts";
import { type Load, type LoadOptions, probeSync, sendLoad, startIngestPeer } from "../peers.ts";
import { readCpuMs, startProcess, temporaryFolder } from "../server-process.ts";

const FAST_DISK_P50_MS = 1;
/** The corpus is of an hour long closed, which would be packed at once; uploads of today are packed later. */
const NO_PACKING = ["--no-pack"];

export const ingest: Row = { name: "ingest", what: "durable uploads (10 KB), 8 clients over loopback", run: measure };

/** One server under the load. */
interface Loaded extends Load {
  /** Of the server, warm-up included. */
  cpuMs: number;
}

async function measure(size: Size): Promise<Measurement> {
  const { folder, entries, bodies } = await corpus(size, "light");
  const load: LoadOptions =
    size === "full" ? { clients: 8, rounds: 4, warmup: 1000 } : { clients: 8, rounds: 1, warmup: 50 };
  const own: Loaded[] = [];
  const peer: Loaded[] = [];
  const peakBytes: number[] = [];
  const probe: number[] = [];
  for (let pair = 0; pair < (size === "full" ? 3 : 1); pair++) {
    await using temporary = await temporaryFolder();
    probe.push((await probeSync(temporary.path)).p50Ms);
    peer.push(await loadPeer(join(temporary.path, "peer"), folder, load));
    await using server = await startProcess(join(temporary.path, "own"), NO_PACKING);
    own.push(await loadServer(server, folder, load));
    peakBytes.push((await server.memory()).peakBytes);
  }
  const uploads = entries.length * load.rounds;
  const figures = {
    ...describe("own", own),
    ownPeakBytes: median(peakBytes),
    ...describe("peer", peer),
    peerRatio: median(own.map(({ perSecond }, pair) => perSecond / peer[pair]!.perSecond)),
    syncProbeP50Ms: median(probe),
  };
  return {
    counts: { uploads, meanBytes: Math.round(bodies.length / entries.length), clients: load.clients },
    figures,
    targets: [
      { figure: "peerRatio", atLeast: 1.5 },
      { figure: "ownP99Ms", atMost: 30 },
      ...(figures.syncProbeP50Ms <= FAST_DISK_P50_MS ? [{ figure: "ownPerSecond", atLeast: 2000 }] : []),
    ],
  };
}

function describe(whose: string, runs: readonly Loaded[]): Record<string, number> {
  const of = (figure: keyof Loaded) => median(runs.map((each) => each[figure]));
  return {
    [`${whose}PerSecond`]: of("perSecond"),
    [`${whose}P50Ms`]: of("p50Ms"),
    [`${whose}P99Ms`]: of("p99Ms"),
    [`${whose}CpuMs`]: of("cpuMs"),
  };
}

async function loadPeer(dataFolder: string, corpusFolder: string, load: LoadOptions): Promise<Loaded> {
  await mkdir(dataFolder);
  await using server = await startIngestPeer(dataFolder);
  return await loadServer(server, corpusFolder, load);
}

async function loadServer(
  server: { url: string; pid: number },
  corpusFolder: string,
  load: LoadOptions,
): Promise<Loaded> {
  const before = await readCpuMs(server.pid);
  const sent = await sendLoad(server.url, corpusFolder, load);
  return { ...sent, cpuMs: (await readCpuMs(server.pid)) - before };
}
