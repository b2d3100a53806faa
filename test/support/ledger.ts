// The sum of what a repository holds, made one by one from its downloads: what its merges must answer, whatever was packed meanwhile.

import { hash } from "node:crypto";
import { DEFAULT_LIMITS } from "../../src/model/limits.ts";
import type { ProfileRecord } from "../../src/model/profile-record.ts";
import { EVERYTHING, type Selector, selectorOf } from "../../src/model/selector.ts";
import { mergeKey, type ValueType } from "../../src/model/shape.ts";
import { inflate } from "../../src/pprof/gzip.ts";
import { Merger } from "../../src/pprof/merger.ts";
import { MERGE_ALGORITHM_VERSION } from "../../src/repository/merge.ts";
import type { Repository } from "../../src/repository/repository.ts";

/** Canonical order: (time, id). */
export function canonical(a: ProfileRecord, b: ProfileRecord): number {
  return a.timeNs < b.timeNs ? -1 : a.timeNs > b.timeNs ? 1 : a.id < b.id ? -1 : 1;
}

export async function listAll(repository: Repository, selector: Selector = EVERYTHING): Promise<ProfileRecord[]> {
  const records: ProfileRecord[] = [];
  for (let afterId: string | undefined; ; ) {
    const page = await repository.list({ selector, order: "oldest", limit: 1000, ...(afterId && { afterId }) });
    records.push(...page.records);
    if (page.nextAfterId === undefined) return records;
    afterId = page.nextAfterId;
  }
}

/** Inflated profiles in canonical order → the etag that their merge has. */
export function etagOfSum(profiles: readonly Uint8Array[], columns: readonly ValueType[]): string {
  const merger = new Merger({ limits: DEFAULT_LIMITS, columns, areAllColumns: true });
  for (const [order, bytes] of profiles.entries()) merger.add(bytes, order);
  return `${hash("sha256", merger.finish().bytes, "hex")}-m${MERGE_ALGORITHM_VERSION}`;
}

/** What is wrong: for each service the merge of all its profiles against the sum of their downloads. */
export async function faultsOfMerges(repository: Repository, services: readonly string[]): Promise<string[]> {
  const faults: string[] = [];
  for (const service of services) {
    const selector = selectorOf(service);
    const records = (await listAll(repository, selector)).sort(canonical);
    const newest = records.at(-1)?.shape;
    if (newest === undefined) continue;
    const fitting = records.filter(({ shape }) => mergeKey(shape!) === mergeKey(newest));
    const profiles: Uint8Array[] = [];
    for (const { id } of fitting) profiles.push(inflate((await repository.download(id)).bytes, 2 ** 30));
    const { summary } = await repository.merge({ selection: { selector }, signal: new AbortController().signal });
    const { matched, merged, etag } = summary;
    if (matched !== records.length) faults.push(`${service}: ${matched} of ${records.length} matched`);
    if (merged !== profiles.length) faults.push(`${service}: ${merged} of ${profiles.length} merged`);
    else if (etag !== etagOfSum(profiles, newest.columns)) faults.push(`${service}: another sum`);
  }
  return faults;
}
