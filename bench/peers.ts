// The Go programs that rows are compared with or driven by, called from TypeScript. Each prints one line of JSON.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { buildGoProgram, run } from "./go-programs.ts";

export interface GoogleMerge {
  profiles: number;
  gunzipMs: number;
  parseMs: number;
  mergeMs: number;
  writeMs: number;
  totalMs: number;
  /** Of parse, merge and write; garbage collection included. */
  cpuMs: number;
  resultBytes: number;
  peakRssBytes: number;
}

/** google/pprof's Parse, Merge and Write of the corpus, or of one service in it, on one core; `out` is where the merge goes. */
export async function googleMerge(corpusFolder: string, out: string, service = ""): Promise<GoogleMerge> {
  const args = ["-corpus", corpusFolder, "-out", out, "-service", service];
  return JSON.parse(await run(await buildGoProgram("merge"), args)) as GoogleMerge;
}

export interface Load {
  profiles: number;
  seconds: number;
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
}

export interface LoadOptions {
  clients: number;
  /** Times that the corpus is sent, each with labels of its own. */
  rounds: number;
  /** Uploads before that are not measured, under a service of their own. */
  warmup: number;
  /** Number of the first round; one that was sent before is sent again. Default 0. */
  firstRound?: number;
  /** Of all profiles. Default cpu. */
  type?: string;
  /** Whose requests. Default profefe. */
  protocol?: LoadProtocol;
}

export type LoadProtocol = "profefe" | "autopgo" | "pgo-fleet" | "pcapture";

/** Posts the corpus to a server that speaks the protocol. Rejects where one upload fails: there is no rate of failures. */
export async function sendLoad(url: string, corpusFolder: string, options: LoadOptions): Promise<Load> {
  const { clients, rounds, warmup, firstRound = 0, type = "cpu", protocol = "profefe" } = options;
  const counts = { clients, rounds, warmup, "first-round": firstRound };
  const numbers = Object.entries(counts).flatMap(([name, count]) => [`-${name}`, String(count)]);
  const output = await run(await buildGoProgram("load"), [
    "-url",
    url,
    "-corpus",
    corpusFolder,
    "-type",
    type,
    "-protocol",
    protocol,
    ...numbers,
  ]);
  const sent = JSON.parse(output) as Load & { errors: number; firstError?: string };
  if (sent.errors > 0)
    throw new Error(`${sent.errors} of ${sent.errors + sent.profiles} uploads failed: ${sent.firstError}`);
  return sent;
}

/** What an append of 10 KB and fdatasync takes in that folder. */
export async function probeSync(folder: string): Promise<{ p50Ms: number; p99Ms: number }> {
  return JSON.parse(await run(await buildGoProgram("fsync-probe"), ["-folder", folder]));
}

/** Our server in Go that does per upload what profefe does; it ends when disposed. */
export async function startIngestPeer(folder: string): Promise<AsyncDisposable & { url: string; pid: number }> {
  const child = spawn(await buildGoProgram("ingest-server"), ["-folder", folder], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const [url] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  return {
    url,
    pid: child.pid!,
    async [Symbol.asyncDispose]() {
      const ended = once(child, "exit");
      child.stdin.end();
      await ended;
    },
  };
}
