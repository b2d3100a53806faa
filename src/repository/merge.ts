// One merge, from selection to answer and summary. The folding itself is src/repository/merge-pool.ts's.

import { DomainError } from "../model/errors.ts";
import type { Limits } from "../model/limits.ts";
import { formatProfileId, parseProfileId } from "../model/profile-id.ts";
import { formatSelector } from "../model/selector.ts";
import type { Column, ValueType } from "../model/shape.ts";
import { earlierOf, laterOf } from "../model/time.ts";
import { OTHER_FRAME } from "../pprof/trim.ts";
import type { BlobStore } from "../storage/blob-store.ts";
import type { Catalog, MergeInput } from "../storage/catalog.ts";
import { canonicalOrders, type SortedProfiles } from "./canonical-orders.ts";
import { readStored } from "./find.ts";
import type { Gate } from "./gate.ts";
import type { MergeJobResult, MergePool } from "./merge-pool.ts";
import { firstIds, type MergePlan, planMerge } from "./planner.ts";
import { profileEtag } from "./profile-etag.ts";
import type { ReadGuard } from "./read-guard.ts";
import type { MergeAnswer, MergeRequest, SampleTypeTotal, Selection, Skipped } from "./repository.ts";
import type { ResultCache } from "./result-cache.ts";

export interface MergeDependencies {
  catalog: Catalog;
  blobs: BlobStore;
  pool: MergePool;
  gate: Gate;
  reads: ReadGuard;
  results: ResultCache;
  limits: Limits;
}

/** Part of every etag: raised when the same inputs give other bytes. Changes are listed in docs/formats.md. */
export const MERGE_ALGORITHM_VERSION = 1;
const NAMED_IDS = 10;

export async function merge(dependencies: MergeDependencies, request: MergeRequest): Promise<MergeAnswer> {
  const { catalog, gate, reads, results } = dependencies;
  using _turn = await gate.enter(request.signal);
  using _reading = reads.enter();
  const question = questionOf(request);
  // Asked for before the inputs are: what comes meanwhile makes it an old one.
  const { version } = catalog;
  if (question !== undefined) {
    const { selector, interval } = request.selection;
    const limit = dependencies.limits.mergeProfiles;
    const query = { selector, ...(interval && { interval }), limit };
    const kept = await results.get(question, version, () => catalog.coverageFingerprint(query));
    if (kept) {
      await request.reserve?.(kept.bytes.length);
      return kept;
    }
  }
  const { answer, fingerprint } = await mergeAnew(dependencies, request);
  if (question !== undefined && fingerprint !== undefined) results.put(question, { fingerprint, version }, answer);
  return answer;
}

/** Equal for requests that the same profiles answer alike; undefined where that is not worth keeping. */
function questionOf({ selection, ...form }: MergeRequest): string | undefined {
  const { columns, strict, verbatimSingle, maxResultBytes, maxNodes } = form;
  const { selector, interval, ids, maxProfiles } = selection;
  if (ids !== undefined || maxProfiles !== undefined) return undefined;
  const window = interval && [`${interval.startNs}`, `${interval.endNs}`];
  const presence = selector.labels.map(({ mustExist }) => mustExist === true);
  return JSON.stringify([
    formatSelector(selector),
    presence,
    window,
    columns,
    strict,
    verbatimSingle,
    maxResultBytes,
    maxNodes,
  ]);
}

async function mergeAnew(
  dependencies: MergeDependencies,
  request: MergeRequest,
): Promise<{ answer: MergeAnswer; fingerprint?: string | undefined }> {
  const { catalog, pool, limits } = dependencies;
  const columns = request.columns ?? columnOf(request.selection);
  const plan = await planMerge(catalog, request.selection, columns, limits, request.strict, (packs) =>
    pool.select(packs),
  );
  const only =
    request.verbatimSingle &&
    columns === undefined &&
    request.maxNodes === undefined &&
    plan.matched === 1 &&
    plan.skipped.every(({ reason }) => reason === "duplicate");
  if (only) return { answer: await verbatim(dependencies, plan, request) };

  const [looseOrders, ...packOrders] = await canonicalOrders([looseProfiles(plan.inputs), ...plan.packs]);
  const result = await pool.merge({
    inputs: plan.inputs,
    orders: looseOrders!,
    packs: plan.packs.map((selected, at) => ({ selected, orders: packOrders[at]! })),
    columns: plan.columns,
    areAllColumns: columns === undefined,
    maxResultBytes: Math.min(request.maxResultBytes ?? limits.resultBytes, limits.resultBytes),
    maxNodes: request.maxNodes,
    signal: request.signal,
  });
  const { merged, damaged, damagedPacks } = result;
  const skipped = [...plan.skipped, ...damagedOf(result, request.strict ?? false)];
  if (merged === undefined) {
    const reason = damaged[0]?.message ?? damagedPacks[0]?.message;
    throw new DomainError("unavailable", `None of the ${plan.matched} profiles can be read: ${reason}`);
  }
  await request.reserve?.(merged.gzipped.length);
  const lost = new Set(damaged.map(({ input }) => input.id));
  const lostPacks = new Set(damagedPacks.map(({ pack }) => pack.selected));
  const inputs = lost.size === 0 ? plan.inputs : plan.inputs.filter(({ id }) => !lost.has(id));
  const folded = { inputs, packs: plan.packs.filter((pack) => !lostPacks.has(pack)) };
  const sampleTypes = totalsOf(plan.columns, merged.totals);
  const summary = summaryOf(request, plan, folded, skipped);
  const answer = {
    bytes: merged.gzipped,
    summary: {
      ...summary,
      sampleTypes,
      etag: `${merged.digest}-m${MERGE_ALGORITHM_VERSION}`,
      warnings: [
        ...warningsOfSkipped(skipped),
        ...warningsOfSums(sampleTypes, merged.wrapped, summary.merged),
        ...warningsOfTrim(merged.trimmed),
      ],
    },
  };
  const isWhole = damaged.length + damagedPacks.length === 0;
  return { answer, fingerprint: isWhole ? plan.fingerprint : undefined };
}

/** Their ids are read where others overlap them in time. */
function looseProfiles(inputs: readonly MergeInput[]): SortedProfiles {
  return {
    timesNs: BigInt64Array.from(inputs, ({ timeNs }) => timeNs),
    get ids() {
      const ids = new Uint8Array(inputs.length * 16);
      for (const [at, { id }] of inputs.entries()) ids.set(parseProfileId(id) ?? [], at * 16);
      return ids;
    },
  };
}

/** What both kinds of answer say of those that are in the sum. */
function summaryOf(
  { selection }: MergeRequest,
  plan: MergePlan,
  { inputs, packs }: Pick<MergePlan, "inputs" | "packs">,
  skipped: Skipped[],
) {
  const times = [inputs.map(({ timeNs }) => timeNs), ...packs.map(({ timesNs }) => timesNs)].filter(
    ({ length }) => length > 0,
  );
  const packed = packs.reduce((sum, { rows }) => sum + rows.length, 0);
  const covered = times.length > 0 && {
    startNs: times.map((own) => own[0]!).reduce(earlierOf),
    endNs: 1n + times.map((own) => own.at(-1)!).reduce(laterOf),
  };
  return {
    ...(selection.interval && { interval: selection.interval }),
    ...(covered && { covered }),
    matched: plan.matched,
    merged: inputs.length + packed,
    skipped,
    packs: packed,
    loose: inputs.length,
    algorithmVersion: MERGE_ALGORITHM_VERSION,
  };
}

/** A profile-type id, such as memory:inuse_space:bytes:space:bytes, asks for its one column. */
function columnOf({ selector, ids }: Selection): readonly ValueType[] | undefined {
  return ids === undefined && selector.column ? [selector.column] : undefined;
}

/** A single match is answered as it was sent, like the download of its id. */
async function verbatim(dependencies: MergeDependencies, plan: MergePlan, request: MergeRequest): Promise<MergeAnswer> {
  const { catalog } = dependencies;
  const id = plan.inputs[0]?.id ?? formatProfileId(plan.packs[0]!.ids);
  const [record] = await catalog.get([id]);
  if (record === undefined) throw new DomainError("not-found", "No profile matches");
  await request.reserve?.(record.sizeBytes);
  return {
    bytes: await readStored(dependencies, record),
    summary: {
      ...summaryOf(request, plan, plan, plan.skipped),
      sampleTypes: totalsOf(record.shape?.columns ?? [], record.totals),
      etag: profileEtag(record),
      warnings: warningsOfSkipped(plan.skipped),
    },
  };
}

function totalsOf(columns: readonly Column[], totals: readonly bigint[]): SampleTypeTotal[] {
  return columns.map((column, at) => ({ aggregation: "delta", ...column, total: totals[at] ?? 0n }));
}

function damagedOf({ damaged, damagedPacks }: MergeJobResult, strict: boolean): Skipped[] {
  const count = damagedPacks.reduce((sum, { pack }) => sum + pack.orders.length, damaged.length);
  if (count === 0) return [];
  const ids = [
    ...damaged.slice(0, NAMED_IDS).map(({ input }) => input.id),
    ...damagedPacks.flatMap(({ pack }) => firstIds(pack.selected.ids)),
  ].slice(0, NAMED_IDS);
  const detail = damaged[0]?.message ?? damagedPacks[0]!.message;
  if (strict) throw new DomainError("unavailable", `Cannot merge strictly: profile ${ids[0]} is damaged: ${detail}`);
  return [{ reason: "damaged", count, ids, detail }];
}

function warningsOfSkipped(skipped: readonly Skipped[]): string[] {
  return skipped.map(
    ({ reason, count, detail, ids }) =>
      `${count} skipped (${reason}): ${detail}${ids.length > 0 ? ` [${ids.join(" ")}]` : ""}`,
  );
}

function warningsOfTrim(trimmed: { nodes: number; kept: number } | undefined): string[] {
  if (trimmed === undefined) return [];
  const { nodes, kept } = trimmed;
  return [
    `cut to the ${kept} largest of ${nodes} nodes: what lies below them is in frames named ${OTHER_FRAME}; all totals are whole`,
  ];
}

/** A sum of snapshots is no snapshot: sixty scrapes of a 100 MB heap add up to 6 GB. */
function warningsOfSums(
  sampleTypes: readonly SampleTypeTotal[],
  wrapped: readonly boolean[],
  inputs: number,
): string[] {
  if (inputs < 2) return [];
  return sampleTypes.flatMap(({ type, unit, aggregation }, at) => [
    ...(aggregation === "delta"
      ? []
      : [`${type}/${unit} is ${aggregation}: this is the plain sum of ${inputs} profiles`]),
    ...(wrapped[at] ? [`the total of ${type}/${unit} does not fit 64 bits: it wrapped`] : []),
  ]);
}
