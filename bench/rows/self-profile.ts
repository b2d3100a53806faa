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

async function measure(size: Size): Promise<Measurement> {
  const { folder, entries } = await corpus(size, "light");
  // Full: longer than several of its windows of ten seconds.
  const rounds = size === "full" ? 12 : 1;
  const cpuMsOf = async (options: readonly string[]) => {
    await using temporary = await temporaryFolder();
    await using server = await startProcess(join(temporary.path, "data"), [...NO_PACKING, ...options]);
    const before = await readCpuMs(server.pid);
    await sendLoad(server.url, folder, { clients: 8, rounds, warmup: 0 });
    return (await readCpuMs(server.pid)) - before;
  };
  const pairs: { withMs: number; withoutMs: number }[] = [];
  for (let pair = 0; pair < (size === "full" ? 5 : 1); pair++) {
    // In turns, so that what warms up or wears off in the machine favours neither.
    const first = await cpuMsOf(pair % 2 === 0 ? ["--self-profile"] : []);
    const second = await cpuMsOf(pair % 2 === 0 ? [] : ["--self-profile"]);
    pairs.push(pair % 2 === 0 ? { withMs: first, withoutMs: second } : { withMs: second, withoutMs: first });
  }
  return {
    counts: { uploads: entries.length * rounds, pairs: pairs.length },
    figures: {
      withCpuMs: median(pairs.map(({ withMs }) => withMs)),
      withoutCpuMs: median(pairs.map(({ withoutMs }) => withoutMs)),
      cpuRatio: median(pairs.map(({ withMs, withoutMs }) => withMs / withoutMs)),
    },
    targets: [{ figure: "cpuRatio", atMost: 1.02 }],
  };
}
