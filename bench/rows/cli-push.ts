// `profusion push` of a folder of files, beside the Go load client that sends the same profiles from memory to the same server.

import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { bodyOf, type Corpus } from "../corpus.ts";
import { corpus, type Size } from "../generate.ts";
import { run } from "../go-programs.ts";
import { type Measurement, median, type Row } from "../measurement.ts";
import { sendLoad } from "../peers.ts";
import { MAIN, startProcess, temporaryFolder } from "../server-process.ts";

export const cliPush: Row = { name: "cli-push", what: "push of a folder of files, the whole process", run: measure };

/** As the row `ingest` sends. */
const CLIENTS = 8;
const WARMUP: Record<Size, number> = { full: 1000, small: 50 };

async function measure(size: Size): Promise<Measurement> {
  const profiles = await corpus(size, "light");
  const { length: count } = profiles.entries;
  const own: number[] = [];
  const peer: number[] = [];
  await using files = await temporaryFolder();
  await writeFiles(profiles, files.path);
  for (let pair = 0; pair < (size === "full" ? 3 : 1); pair++) {
    await using temporary = await temporaryFolder();
    // The corpus is of an hour long closed, which would be packed at once.
    await using server = await startProcess(join(temporary.path, "data"), ["--no-pack"]);
    const load = { clients: CLIENTS, rounds: 1, warmup: WARMUP[size] };
    peer.push((await sendLoad(server.url, profiles.folder, load)).perSecond);
    own.push(count / (await pushFiles(files.path, server.url, count, temporary.path)));
  }
  return {
    counts: { files: count, meanBytes: Math.round(profiles.bodies.length / count) },
    figures: {
      ownPerSecond: median(own),
      peerPerSecond: median(peer),
      peerRatio: median(own.map((perSecond, pair) => perSecond / peer[pair]!)),
    },
    targets: [{ figure: "peerRatio", atLeast: 0.5 }],
  };
}

async function writeFiles(profiles: Corpus, folder: string): Promise<void> {
  for (const [at, entry] of profiles.entries.entries()) {
    const file = join(folder, entry.service, entry.version, entry.instance, `cpu-${at}.pb.gz`);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, bodyOf(profiles, entry));
  }
}

/** Seconds from the start of the process to its end. A label makes its profiles others than those of the load. */
async function pushFiles(folder: string, url: string, count: number, stateFolder: string): Promise<number> {
  const options = [
    "--server",
    url,
    "--label",
    "sender=push",
    "--pattern",
    "{service}/{version}/{instance}/{type}-*.pb.gz",
  ];
  const startedMs = performance.now();
  const output = await run(process.execPath, [MAIN, "push", ...options, folder], {
    env: { XDG_STATE_HOME: stateFolder },
  });
  const seconds = (performance.now() - startedMs) / 1000;
  const ids = new Set(output.trim().split("\n"));
  if (ids.size !== count) throw new Error(`push stored ${ids.size} of ${count} profiles`);
  return seconds;
}
