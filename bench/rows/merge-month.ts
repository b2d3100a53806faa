// A month of one service in day packs, in one merge.

import { catalogSize } from "../data-folders.ts";
import type { Size } from "../generate.ts";
import { type Measurement, median, type Row } from "../measurement.ts";
import { monthFolder } from "../month.ts";
import { MONTHS } from "../month-fleet.ts";
import { startProcess } from "../server-process.ts";
import { packedCounts, timedMerge } from "../server-requests.ts";

const MIB = 1024 * 1024;
const MONTH = { service: "api", type: "cpu", from: "2026-03-02T00:00:00Z", to: "2026-04-01T00:00:00Z" };

export const mergeMonth: Row = {
  name: "merge-month",
  what: "merge of a month of one service with ten releases in day packs, over HTTP",
  run: measure,
};

async function measure(size: Size): Promise<Measurement> {
  const folder = await monthFolder(size);
  const { days, instances, perInstanceDay } = MONTHS[size];
  const profiles = days * instances * perInstanceDay;
  await using server = await startProcess(folder, ["--limit", "resultCacheBytes=0"]);
  await server.resetPeak();
  const before = await server.memory();
  const ownMs: number[] = [];
  const ownCpuMs: number[] = [];
  let resultBytes = 0;
  for (let nth = 0; nth < 4; nth++) {
    const cpuBefore = await server.cpuMs();
    const { ms, body } = await timedMerge(server.url, MONTH, profiles);
    ownMs.push(ms);
    ownCpuMs.push((await server.cpuMs()) - cpuBefore);
    resultBytes = body.length;
  }
  const oneOfTen = { ...MONTH, labels: "instance=i3" };
  const oneInstance = await timedMerge(server.url, oneOfTen, profiles / instances);
  const memory = await server.memory();
  return {
    counts: { profiles, days, ...(await packedCounts(server.url)), resultBytes },
    figures: {
      catalogBytesEach: (await catalogSize(folder)).usedBytes / profiles,
      ownMs: median(ownMs.slice(1)),
      ownFirstMs: ownMs[0]!,
      ownCpuMs: median(ownCpuMs.slice(1)),
      oneInstanceMs: oneInstance.ms,
      memoryBeforeBytes: before.residentBytes,
      memoryGrowthBytes: memory.peakBytes - before.residentBytes,
    },
    targets: [
      { figure: "ownMs", atMost: 2500 },
      { figure: "memoryGrowthBytes", atMost: 500 * MIB },
    ],
  };
}
