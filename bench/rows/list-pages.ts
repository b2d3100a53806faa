// Pages of 100 profiles, newest first, out of very many: the repository's call, and the same over HTTP beside it.

import { availableParallelism } from "node:os";
import { DEFAULT_LIMITS } from "../../src/model/limits.ts";
import { parseSelector } from "../../src/model/selector.ts";
import { formatTime, type Interval } from "../../src/model/time.ts";
import { createRepository } from "../../src/repository/create.ts";
import { openLocalStorage } from "../../src/storage/local/open-local-storage.ts";
import { FLEET_END_NS, FLEET_START_NS, FLEETS, fleetFolder } from "../catalog-data.ts";
import type { Size } from "../generate.ts";
import { type Measurement, percentile, type Row } from "../measurement.ts";
import { LAST_DAY, PAGE_CASES, type PageCase } from "../selectors.ts";
import { startProcess } from "../server-process.ts";

const PAGE = 100;
const CALLS: Record<Size, number> = { full: 200, small: 20 };

export const listPages: Row = {
  name: "list-pages",
  what: "a page of 100 for each of twelve selectors: repository call, and ListProfiles over HTTP",
  run: measure,
};

/** A page, and where the next one starts. */
interface Answer {
  profiles: number;
  next: string | undefined;
}
type List = (selector: string, interval: Interval, after: string | undefined) => Promise<Answer>;

async function measure(size: Size): Promise<Measurement> {
  const folder = await fleetFolder(size);
  const own = await withRepository(folder, (list) => timeAll(list, CALLS[size]));
  const http = await withServer(folder, (list) => timeAll(list, CALLS[size]));
  const all = [...own.values()].flat();
  const p99s = [...own].map(([name, times]) => [`${name}P99Ms`, percentile(times, 99)] as const);
  const { profiles, services, instances } = FLEETS[size];
  return {
    counts: { profiles, series: 20 * services * instances, selectors: PAGE_CASES.length, calls: all.length },
    figures: {
      ownP50Ms: percentile(all, 50),
      ownP99Ms: percentile(all, 99),
      worstSelectorP99Ms: Math.max(...p99s.map(([, value]) => value)),
      httpP50Ms: percentile([...http.values()].flat(), 50),
      httpP99Ms: percentile([...http.values()].flat(), 99),
      ...Object.fromEntries(p99s),
    },
    targets: [{ figure: "worstSelectorP99Ms", atMost: 10 }],
  };
}

/** Times per selector, in ms; the first calls, which fill caches and compile, are not among them. */
async function timeAll(list: List, calls: number): Promise<Map<string, number[]>> {
  for (const one of PAGE_CASES) await timeOne(list, one, 10);
  const times = new Map<string, number[]>();
  for (const one of PAGE_CASES) times.set(one.name, await timeOne(list, one, calls));
  return times;
}

/** Every second call turns the page of the one before, the others ask anew in another window. */
async function timeOne(list: List, one: PageCase, calls: number): Promise<number[]> {
  const times: number[] = [];
  let found = 0;
  let interval = LAST_DAY;
  let after: string | undefined;
  for (let call = 0; call < calls; call++) {
    if (after === undefined && !one.lastDay) interval = windowOf(call, calls);
    const startedMs = performance.now();
    const { profiles, next } = await list(one.selector, interval, after);
    times.push(performance.now() - startedMs);
    found += profiles;
    after = call % 2 === 0 ? next : undefined;
  }
  if ((found === 0) !== (one.empty === true)) throw new Error(`${one.selector} found ${found} profiles`);
  return times;
}

/** From the start to anywhere behind the first tenth. */
function windowOf(call: number, calls: number): Interval {
  const all = FLEET_END_NS - FLEET_START_NS;
  return { startNs: FLEET_START_NS, endNs: FLEET_END_NS - (all * 9n * BigInt(call)) / BigInt(10 * calls) };
}

async function withRepository<T>(folder: string, work: (list: List) => Promise<T>): Promise<T> {
  const limits = DEFAULT_LIMITS;
  const report = (message: string) => console.error(message);
  await using storage = await openLocalStorage({ folder, limits, report });
  const nowNs = () => FLEET_END_NS;
  const threads = availableParallelism();
  await using repository = createRepository({ ...storage, limits, nowNs, threads, observe: () => {} });
  return await work(async (text, interval, after) => {
    const selector = parseSelector(text, limits);
    const page = { selector, interval, order: "newest" as const, limit: PAGE };
    const { records, nextAfterId } = await repository.list(after === undefined ? page : { ...page, afterId: after });
    return { profiles: records.length, next: nextAfterId };
  });
}

async function withServer<T>(folder: string, work: (list: List) => Promise<T>): Promise<T> {
  await using server = await startProcess(folder);
  return await work(async (selector, { startNs, endNs }, pageToken) => {
    const interval = { startTime: formatTime(startNs), endTime: formatTime(endNs) };
    const answer = await fetch(`${server.url}/profusion.v1.ProfileService/ListProfiles`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ selector, interval, pageSize: PAGE, pageToken }),
    });
    const body = (await answer.json()) as { profiles?: unknown[]; nextPageToken?: string };
    if (!answer.ok) throw new Error(`ListProfiles answered ${answer.status}: ${JSON.stringify(body)}`);
    return { profiles: body.profiles?.length ?? 0, next: body.nextPageToken };
  });
}
