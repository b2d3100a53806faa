// What it costs that a server profiles itself: CPU time of the same uploads with and without, pair by pair.

import { join } from "node:path";
import { corpus, type Size } from "../generate.ts";
import { type Measurement, median, type Row } from "../measurement.ts";
import { sendLoad } from "../peers.ts";
import { readCpuMs, startProcess, temporaryFolder } from "../server-process.ts";

/** Of an hour long closed: it would be packed at once. */
const NO_PACKING = ["--no-pack"];

export const selfProfile: Row = {
  name: "self-profile",
  what: "CPU time of durable uploads to a server that profiles itself, against one that does not",
  run: measure,
};

/** What the server takes between two of its windows and one of them: a shorter run would have more than its share of windows. */
const PERIOD_MS: Record<Size, number> = { full: 60_000, small: 0 };
const PAIRS: Record<Size, number> = { full: 3, small: 1 };

async function measure(size: Size): Promise<Measurement> {
  const { folder, entries } = await corpus(size, "light");
  const pairs: { withUs: number; withoutUs: number }[] = [];
  let uploads = 0;
  /** CPU time of an upload. */
  const cpuUsOf = async (options: readonly string[]) => {
    await using temporary = await temporaryFolder();
    await using server = await startProcess(join(temporary.path, "data"), [...NO_PACKING, ...options]);
    const before = await readCpuMs(server.pid);
    const startedMs = performance.now();
    let sent = 0;
    do {
      await sendLoad(server.url, folder, { clients: 8, rounds: 1, warmup: 0, firstRound: sent / entries.length });
      sent += entries.length;
    } while (performance.now() - startedMs < PERIOD_MS[size]);
    uploads += sent;
    return (((await readCpuMs(server.pid)) - before) / sent) * 1000;
  };
  for (let pair = 0; pair < PAIRS[size]; pair++) {
    // In turns, so that what warms up or wears off in the machine favours neither.
    const first = await cpuUsOf(pair % 2 === 0 ? ["--self-profile"] : []);
    const second = await cpuUsOf(pair % 2 === 0 ? [] : ["--self-profile"]);
    pairs.push(pair % 2 === 0 ? { withUs: first, withoutUs: second } : { withUs: second, withoutUs: first });
  }
  return {
    counts: { uploads, pairs: pairs.length },
    figures: {
      withCpuMs: median(pairs.map(({ withUs }) => withUs)) / 1000,
      withoutCpuMs: median(pairs.map(({ withoutUs }) => withoutUs)) / 1000,
      cpuRatio: median(pairs.map(({ withUs, withoutUs }) => withUs / withoutUs)),
    },
    targets: [{ figure: "cpuRatio", atMost: 1.02 }],
  };
}
