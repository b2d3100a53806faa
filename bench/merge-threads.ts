// A process of its own for one measurement: a repository with so many merge threads merges all CPU profiles of a data folder, four times.
// Arguments: folder, threads. Prints JSON.

import { argv } from "node:process";
import { DEFAULT_LIMITS } from "../src/model/limits.ts";
import { parseSelector } from "../src/model/selector.ts";
import { createRepository } from "../src/repository/create.ts";
import { openLocalStorage } from "../src/storage/local/open-local-storage.ts";
import { percentile } from "./measurement.ts";

export interface MergeThreadsResult {
  /** Of the second to the last. */
  ms: number;
  cpuMs: number;
  profiles: number;
}

const [, , folder, threads] = argv;
const limits = { ...DEFAULT_LIMITS, resultCacheBytes: 0 };
const report = (message: string) => console.error(message);
await using storage = await openLocalStorage({ folder: folder!, limits, report });
const nowNs = () => BigInt(Date.now()) * 1_000_000n;
const observe = () => {};
await using repository = createRepository({ ...storage, limits, nowNs, threads: Number(threads), observe });
const results: MergeThreadsResult[] = [];
for (let nth = 0; nth < 4; nth++) {
  const before = process.cpuUsage();
  const startedMs = performance.now();
  const { summary } = await repository.merge({
    selection: { selector: parseSelector("cpu{}", limits) },
    signal: new AbortController().signal,
  });
  const ms = performance.now() - startedMs;
  const { user, system } = process.cpuUsage(before);
  results.push({ ms, cpuMs: (user + system) / 1000, profiles: summary.merged });
}
const warm = results.slice(1);
const result: MergeThreadsResult = {
  ms: percentile(
    warm.map(({ ms }) => ms),
    50,
  ),
  cpuMs: percentile(
    warm.map(({ cpuMs }) => cpuMs),
    50,
  ),
  profiles: warm[0]!.profiles,
};
console.log(JSON.stringify(result));
