// From the start of the process until /readyz says yes, with very many profiles in the catalog.

import { FLEETS, fleetFolder } from "../catalog-data.ts";
import type { Size } from "../generate.ts";
import { type Measurement, median, type Row } from "../measurement.ts";
import { startProcess } from "../server-process.ts";

export const startToReady: Row = {
  name: "start-to-ready",
  what: "process start to /readyz with that catalog",
  run: measure,
};

async function measure(size: Size): Promise<Measurement> {
  const folder = await fleetFolder(size);
  const starts: number[] = [];
  const cpu: number[] = [];
  const resident: number[] = [];
  for (let start = 0; start < (size === "full" ? 5 : 2); start++) {
    await using server = await startProcess(folder);
    starts.push(server.startMs);
    cpu.push(await server.cpuMs());
    resident.push((await server.memory()).residentBytes);
  }
  const { profiles, services, instances } = FLEETS[size];
  return {
    counts: { profiles, series: 20 * services * instances, starts: starts.length },
    figures: {
      readyMs: median(starts),
      slowestMs: Math.max(...starts),
      cpuMs: median(cpu),
      residentBytes: median(resident),
    },
    targets: [{ figure: "readyMs", atMost: 2000 }],
  };
}
