// What packing costs: CPU time against a merge by google/pprof of the same profiles, and what uploads notice of it.

import { cp } from "node:fs/promises";
import { join } from "node:path";
import type { Corpus } from "../corpus.ts";
import { corpus, DAY_START_NS, fleetCorpus, type Size } from "../generate.ts";
import { run } from "../go-programs.ts";
import { type Measurement, median, type Row } from "../measurement.ts";
import type { Packing } from "../packing-cost.ts";
import { type GoogleMerge, googleMerge, sendLoad } from "../peers.ts";
import { startProcess, temporaryFolder } from "../server-process.ts";
import { packNow } from "../server-requests.ts";

const PROGRAM = join(import.meta.dirname, "..", "packing-cost.ts");
const HOUR_NS = 3_600_000_000_000n;
/** The corpus is of the hour from ten on. */
const [IN_THE_DAY_NS, AFTER_THE_DAY_NS] = [DAY_START_NS + 12n * HOUR_NS, DAY_START_NS + 25n * HOUR_NS];

export const packing: Row = {
  name: "packing",
  what: "CPU of packing an hour of profiles (10 KB), all rebuilt and compared, against google/pprof's parse, merge, write; uploads beside it",
  run: measure,
};

async function measure(size: Size): Promise<Measurement> {
  const light = await corpus(size, "light");
  await using temporary = await temporaryFolder();
  const cpu = await packOften(light, "cpu", temporary.path, size === "full" ? 3 : 1);
  const snapshots: Record<string, number> = {};
  for (const type of ["heap", "goroutine"] as const) {
    const { counts, figures } = await packOften(await fleetCorpus(size, type), type, temporary.path, 1);
    for (const [name, value] of Object.entries({ ...counts, ...figures })) snapshots[`${type}-${name}`] = value;
  }
  const beside = await uploadsBeside(join(temporary.path, "beside"), light.folder, light.entries.length);
  return {
    counts: cpu.counts,
    figures: { ...cpu.figures, ...snapshots, ...beside },
    targets: [
      { figure: "hourRatio", atMost: 1 },
      { figure: "dayRatio", atMost: 0.5 },
      { figure: "besideP99Ms", atMost: 30 },
    ],
  };
}

/** A corpus of one type as an hour and as a day, so often, each time beside google/pprof. */
async function packOften({ folder, entries, bodies }: Corpus, type: string, temporary: string, pairs: number) {
  const loose = join(temporary, `loose-${type}`);
  {
    await using server = await startProcess(loose, ["--no-pack"]);
    await sendLoad(server.url, folder, { clients: 8, rounds: 1, warmup: 0, type });
  }
  const hours: Packing[] = [];
  const days: Packing[] = [];
  const google: GoogleMerge[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    google.push(await googleMerge(folder, join(temporary, "google.pb.gz")));
    const data = join(temporary, `data-${type}-${pair}`);
    await cp(loose, data, { recursive: true });
    const times = [IN_THE_DAY_NS, AFTER_THE_DAY_NS].map(String);
    const packed = JSON.parse(await run(process.execPath, [PROGRAM, data, ...times])) as {
      hour: Packing;
      day: Packing;
    };
    if (packed.hour.profiles !== entries.length) throw new Error(`${packed.hour.profiles} profiles were packed`);
    if (packed.day.packs === 0) throw new Error("the day was not packed");
    hours.push(packed.hour);
    days.push(packed.day);
  }
  const of = (runs: readonly Packing[], figure: "cpuMs" | "ms" | "rssGrowthBytes") =>
    median(runs.map((each) => each[figure]));
  return {
    counts: {
      profiles: entries.length,
      gzippedBytes: bodies.length,
      packs: hours[0]!.packs,
      packBytes: hours[0]!.bytes,
    },
    figures: {
      hourCpuMs: of(hours, "cpuMs"),
      hourMs: of(hours, "ms"),
      dayCpuMs: of(days, "cpuMs"),
      dayMs: of(days, "ms"),
      packRssGrowthBytes: Math.max(of(hours, "rssGrowthBytes"), of(days, "rssGrowthBytes")),
      googleCpuMs: median(google.map(({ cpuMs }) => cpuMs)),
      hourRatio: median(hours.map(({ cpuMs }, pair) => cpuMs / google[pair]!.cpuMs)),
      dayRatio: median(days.map(({ cpuMs }, pair) => cpuMs / google[pair]!.cpuMs)),
    },
  };
}

/** Uploads from the moment in which everything that is there begins to be packed, at full pace. */
async function uploadsBeside(dataFolder: string, corpusFolder: string, profiles: number) {
  await using server = await startProcess(dataFolder);
  await sendLoad(server.url, corpusFolder, { clients: 8, rounds: 1, warmup: 0 });
  const startedMs = performance.now();
  const packingEnds = packNow(server.url, profiles).then(() => performance.now() - startedMs);
  const load = await sendLoad(server.url, corpusFolder, { clients: 8, rounds: 1, warmup: 0, firstRound: 1 });
  const besideLoadMs = performance.now() - startedMs;
  return {
    besidePerSecond: load.perSecond,
    besideP50Ms: load.p50Ms,
    besideP99Ms: load.p99Ms,
    besideLoadMs,
    besidePackingMs: await packingEnds,
  };
}
