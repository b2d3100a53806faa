// Uploads that are on the disk when they are acknowledged, against a Go server of ours that does what profefe does for each.

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { corpus, type Size } from "../generate.ts";
import { type Measurement, median, type Row, type Target } from "../measurement.ts";
import { type Load, type LoadOptions, probeSync, sendLoad, startIngestPeer } from "../peers.ts";
import { startProcess, temporaryFolder } from "../server-process.ts";

const FAST_DISK_P50_MS = 1;

export const ingest: Row = { name: "ingest", what: "durable uploads (10 KB), 8 clients over loopback", run: measure };

async function measure(size: Size): Promise<Measurement> {
  const { folder, entries, bodies } = await corpus(size, "light");
  const load: LoadOptions =
    size === "full" ? { clients: 8, rounds: 2, warmup: 1000 } : { clients: 8, rounds: 1, warmup: 50 };
  const own: Load[] = [];
  const peer: Load[] = [];
  const peak: number[] = [];
  const probe: number[] = [];
  for (let pair = 0; pair < (size === "full" ? 3 : 1); pair++) {
    await using temporary = await temporaryFolder();
    probe.push((await probeSync(temporary.path)).p50Ms);
    peer.push(await loadPeer(join(temporary.path, "peer"), folder, load));
    await using server = await startProcess(join(temporary.path, "own"));
    own.push(await sendLoad(server.url, folder, load));
    peak.push((await server.memory()).peakBytes);
  }
  const of = (loads: readonly Load[], figure: keyof Load) => median(loads.map((each) => each[figure]));
  const syncP50Ms = median(probe);
  const targets: Target[] = [
    { figure: "peerRatio", atLeast: 1.5 },
    { figure: "ownP99Ms", atMost: 30 },
  ];
  if (syncP50Ms <= FAST_DISK_P50_MS) targets.push({ figure: "ownPerSecond", atLeast: 2000 });
  return {
    counts: {
      uploads: entries.length * load.rounds,
      meanBytes: Math.round(bodies.length / entries.length),
      clients: load.clients,
    },
    figures: {
      ownPerSecond: of(own, "perSecond"),
      ownP50Ms: of(own, "p50Ms"),
      ownP99Ms: of(own, "p99Ms"),
      ownPeakBytes: median(peak),
      peerPerSecond: of(peer, "perSecond"),
      peerP50Ms: of(peer, "p50Ms"),
      peerP99Ms: of(peer, "p99Ms"),
      peerRatio: median(own.map(({ perSecond }, pair) => perSecond / peer[pair]!.perSecond)),
      syncProbeP50Ms: syncP50Ms,
    },
    targets,
  };
}

async function loadPeer(dataFolder: string, corpusFolder: string, load: LoadOptions): Promise<Load> {
  await mkdir(dataFolder);
  await using server = await startIngestPeer(dataFolder);
  return await sendLoad(server.url, corpusFolder, load);
}
