// What it costs that a server profiles itself: CPU time of the same uploads with and without, in turns.

import { join } from "node:path";
import { corpus, type Size } from "../generate.ts";
import type { Measurement, Row } from "../measurement.ts";
import { sendLoad } from "../peers.ts";
import { readCpuMs, startProcess, temporaryFolder } from "../server-process.ts";

/** Of an hour long closed: it would be packed at once. */
const NO_PACKING = ["--no-pack"];

export const selfProfile: Row = {
  name: "self-profile",
  what: "CPU time of durable uploads to a server that profiles itself, against one that does not",
  run: measure,
};

/** Four of its windows, one of which samples the heap too, more than its share: that is one of ten. */
const LOAD_MS: Record<Size, number> = { full: 240_000, small: 0 };

async function measure(size: Size): Promise<Measurement> {
  const { folder, entries } = await corpus(size, "light");
  await using temporary = await temporaryFolder();
  const start = (name: string, options: readonly string[]) =>
    startProcess(join(temporary.path, name), [...NO_PACKING, ...options]);
  await using profiled = await start("profiled", ["--self-profile"]);
  await using plain = await start("plain", []);
  const cpuMs = new Map([profiled, plain].map((server) => [server, 0]));
  let rounds = 0;
  const startedMs = performance.now();
  // Both are there all the time and are sent to in turns: whatever else the machine does meets them alike.
  do {
    for (const server of rounds % 2 === 0 ? [profiled, plain] : [plain, profiled]) {
      const before = await readCpuMs(server.pid);
      await sendLoad(server.url, folder, { clients: 8, rounds: 1, warmup: 0, firstRound: rounds });
      cpuMs.set(server, cpuMs.get(server)! + (await readCpuMs(server.pid)) - before);
    }
    rounds++;
  } while (performance.now() - startedMs < LOAD_MS[size]);
  const [withMs, withoutMs] = [cpuMs.get(profiled)!, cpuMs.get(plain)!];
  const uploads = entries.length * rounds;
  return {
    counts: { uploads, rounds },
    figures: { withCpuMs: withMs / uploads, withoutCpuMs: withoutMs / uploads, cpuRatio: withMs / withoutMs },
    targets: [{ figure: "cpuRatio", atMost: 1.02 }],
  };
}
