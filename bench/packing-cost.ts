// A process of its own for one measurement: packs a data folder whose profiles are of one hour, first that hour while its day goes on, then
// the day. The clock is ours. Arguments: folder, time within the day after the hour, time after the day (ns). Prints JSON.

import { argv } from "node:process";
import { DEFAULT_LIMITS } from "../src/model/limits.ts";
import { createRepository } from "../src/repository/create.ts";
import type { PackResult } from "../src/repository/repository.ts";
import { openLocalStorage } from "../src/storage/local/open-local-storage.ts";

export interface Packing {
  profiles: number;
  packs: number;
  bytes: number;
  /** Of all threads, verification included. */
  cpuMs: number;
  ms: number;
  /** Of the whole process, at most, looked at every 20 ms. */
  rssGrowthBytes: number;
}

const [, , folder, ...times] = argv;
const limits = DEFAULT_LIMITS;
let nowNs = BigInt(times[0]!);
const report = (message: string) => console.error(message);
await using storage = await openLocalStorage({ folder: folder!, limits, report });
await using repository = createRepository({
  ...storage,
  limits,
  nowNs: () => nowNs,
  threads: 1,
  packing: { originals: "until-packed" },
  observe: () => {},
});
const hour = await pack();
nowNs = BigInt(times[1]!);
const day = await pack();
console.log(JSON.stringify({ hour, day }));

async function pack(): Promise<Packing> {
  const rssBefore = process.memoryUsage.rss();
  let rssMost = rssBefore;
  const watch = setInterval(() => {
    rssMost = Math.max(rssMost, process.memoryUsage.rss());
  }, 20);
  const before = process.cpuUsage();
  const startedMs = performance.now();
  let operation = repository.startPack();
  while (operation.endNs === undefined) operation = await repository.operation(operation.id, 60_000);
  const ms = performance.now() - startedMs;
  const { user, system } = process.cpuUsage(before);
  clearInterval(watch);
  if (operation.error) throw new Error(operation.error.message);
  const { profiles, packs, bytes } = operation.result as PackResult;
  return { profiles, packs, bytes, ms, cpuMs: (user + system) / 1000, rssGrowthBytes: rssMost - rssBefore };
}
