// One merge, from selection to answer and summary. The folding itself is src/repository/merge-pool.ts's.

import { DomainError } from "../model/errors.ts";
import type { Limits } from "../model/limits.ts";
import { aggregationOf } from "../model/profile-type.ts";
import type { ValueType } from "../model/shape.ts";
import type { BlobStore } from "../storage/blob-store.ts";
import type { Catalog, MergeInput, StoredProfile } from "../storage/catalog.ts";
import type { Gate } from "./gate.ts";
import type { MergeJobResult, MergePool } from "./merge-pool.ts";
import { type MergePlan, planMerge } from "./planner.ts";
import type { ReadGuard } from "./read-guard.ts";
import type { MergeAnswer, MergeRequest, SampleTypeTotal, Selection, Skipped } from "./repository.ts";

export interface MergeDependencies {
  catalog: Catalog;
  blobs: BlobStore;
  pool: MergePool;
  gate: Gate;
  reads: ReadGuard;
  limits: Limits;
}

/** Part of every etag: raised when the same inputs give other bytes. Changes are listed in docs/formats.md. */
export const MERGE_ALGORITHM_VERSION = 1;
const NAMED_IDS = 10;

export async function merge(dependencies: MergeDependencies, request: MergeRequest): Promise<MergeAnswer> {
  const { catalog, pool, gate, reads, limits } = dependencies;
  using _turn = await gate.enter(request.signal);
  using _reading = reads.enter();
  const columns = request.columns ?? columnOf(request.selection);
  const plan = await planMerge(catalog, request.selection, columns, limits, request.strict);
  const only =
    request.verbatimSingle &&
    columns === undefined &&
    plan.matched === 1 &&
    plan.skipped.every(({ reason }) => reason === "duplicate");
  if (only) return verbatim(dependencies, plan, request);

  const result = await pool.merge({
    inputs: plan.inputs,
    columns: plan.columns,
    maxResultBytes: Math.min(request.maxResultBytes ?? limits.resultBytes, limits.resultBytes),
    signal: request.signal,
  });
  const { merged, damaged } = result;
  const skipped = [...plan.skipped, ...damagedInputs(damaged, request.strict ?? false)];
  if (merged === undefined) {
    const reason = damaged[0]?.message;
    throw new DomainError("unavailable", `None of the ${plan.inputs.length} profiles can be read: ${reason}`);
  }
  await request.reserve?.(merged.gzipped.length);
  const lost = new Set(damaged.map(({ input }) => input.id));
  const inputs = lost.size === 0 ? plan.inputs : plan.inputs.filter(({ id }) => !lost.has(id));
  const type = (await catalog.get([inputs.at(-1)!.id]))[0]?.type ?? "";
  const sampleTypes = totalsOf(type, plan.columns, merged.totals);
  return {
    bytes: merged.gzipped,
    summary: {
      ...summaryOf(request, plan, inputs, skipped),
      sampleTypes,
      etag: `${merged.digest}-m${MERGE_ALGORITHM_VERSION}`,
      warnings: [...warningsOfSkipped(skipped), ...warningsOfSums(sampleTypes, merged.wrapped, inputs.length)],
    },
  };
}

/** What both kinds of answer say; `inputs` are those in the sum. */
function summaryOf({ selection }: MergeRequest, plan: MergePlan, inputs: readonly MergeInput[], skipped: Skipped[]) {
  const [first] = inputs;
  const last = inputs.at(-1);
  return {
    ...(selection.interval && { interval: selection.interval }),
    ...(first && last && { covered: { startNs: first.timeNs, endNs: last.timeNs + 1n } }),
    matched: plan.matched,
    merged: inputs.length,
    skipped,
    packs: 0,
    loose: inputs.length,
    algorithmVersion: MERGE_ALGORITHM_VERSION,
  };
}

/** A profile-type id, such as memory:inuse_space:bytes:space:bytes, asks for its one column. */
function columnOf({ selector, ids }: Selection): readonly ValueType[] | undefined {
  return ids === undefined && selector.column ? [selector.column] : undefined;
}

/** A single match is answered as it was sent, like the download of its id. */
async function verbatim(
  { catalog, blobs }: MergeDependencies,
  plan: MergePlan,
  request: MergeRequest,
): Promise<MergeAnswer> {
  const [input] = plan.inputs;
  const [record] = await catalog.get([input!.id]);
  if (record === undefined) throw new DomainError("not-found", "No profile matches");
  await request.reserve?.(record.locator.sizeBytes);
  return {
    bytes: await blobs.read(record.locator),
    summary: {
      ...summaryOf(request, plan, plan.inputs, plan.skipped),
      sampleTypes: totalsOf(record.type, record.shape?.columns ?? [], record.totals),
      etag: originalEtag(record),
      warnings: warningsOfSkipped(plan.skipped),
    },
  };
}

/** Strong: the digest of the content, and that it stands in the wrapper it was sent in. */
export function originalEtag({ digest, sizeBytes }: Pick<StoredProfile, "digest" | "sizeBytes">): string {
  return `${Buffer.from(digest).toString("hex")}-o${sizeBytes}`;
}

function totalsOf(type: string, columns: readonly ValueType[], totals: readonly bigint[]): SampleTypeTotal[] {
  return columns.map((column, at) => ({
    ...column,
    total: totals[at] ?? 0n,
    aggregation: aggregationOf(type, column),
  }));
}

function damagedInputs(damaged: MergeJobResult["damaged"], strict: boolean): Skipped[] {
  const [first] = damaged;
  if (first === undefined) return [];
  if (strict)
    throw new DomainError(
      "unavailable",
      `Cannot merge strictly: profile ${first.input.id} is damaged: ${first.message}`,
    );
  const ids = damaged.slice(0, NAMED_IDS).map(({ input }) => input.id);
  return [{ reason: "damaged", count: damaged.length, ids, detail: first.message }];
}

function warningsOfSkipped(skipped: readonly Skipped[]): string[] {
  return skipped.map(
    ({ reason, count, detail, ids }) =>
      `${count} skipped (${reason}): ${detail}${ids.length > 0 ? ` [${ids.join(" ")}]` : ""}`,
  );
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
