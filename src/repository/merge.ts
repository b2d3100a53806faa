// One merge, from selection to answer and summary. The folding itself is src/repository/merge-pool.ts's.

import { DomainError } from "../model/errors.ts";
import { formatProfileId } from "../model/profile-id.ts";
import type { BlobStore } from "../storage/blob-store.ts";
import { type AnswerDependencies, answerOnce, type NewAnswer } from "./answer-once.ts";
import { canonicalOrders } from "./canonical-orders.ts";
import { readStored } from "./find.ts";
import type { MergePool } from "./merge-pool.ts";
import {
  columnOf,
  damagedOf,
  looseProfiles,
  summaryOf,
  totalsOf,
  warningsOfSkipped,
  warningsOfSums,
  warningsOfTrim,
} from "./merge-summary.ts";
import { type MergePlan, planMerge } from "./planner.ts";
import { profileEtag } from "./profile-etag.ts";
import type { MergeAnswer, MergeRequest } from "./repository.ts";

export interface MergeDependencies extends AnswerDependencies {
  blobs: BlobStore;
  pool: MergePool;
}

/** Part of every etag: raised when the same inputs give other bytes. Changes are listed in docs/formats.md. */
export const MERGE_ALGORITHM_VERSION = 1;

export function merge(dependencies: MergeDependencies, request: MergeRequest): Promise<MergeAnswer> {
  const { selection, signal, reserve } = request;
  const { columns, strict, verbatimSingle, maxResultBytes, maxNodes } = request;
  const form = ["merge", columns, strict, verbatimSingle, maxResultBytes, maxNodes];
  const kept = async ({ bytes }: MergeAnswer) => reserve?.(bytes.length);
  return answerOnce(dependencies, { selection, signal, form, kept }, () => mergeAnew(dependencies, request));
}

/** A pack that proves damaged while it is summed is planned without, and what it has is looked for elsewhere. */
async function mergeAnew(dependencies: MergeDependencies, request: MergeRequest): Promise<NewAnswer<MergeAnswer>> {
  const broken = new Map<number, string>();
  for (;;) {
    const made = await mergeWithout(broken, dependencies, request);
    if (made) return made;
  }
}

/** Undefined where more packs proved damaged, which `broken` has then. */
async function mergeWithout(
  broken: Map<number, string>,
  dependencies: MergeDependencies,
  request: MergeRequest,
): Promise<NewAnswer<MergeAnswer> | undefined> {
  const { catalog, pool, limits } = dependencies;
  const columns = request.columns ?? columnOf(request.selection);
  const plan = await planMerge(catalog, request.selection, { columns }, limits, request.strict, (packs) =>
    pool.select(packs, broken),
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
  for (const { pack, message } of damagedPacks) broken.set(pack.selected.question.packId, message);
  if (damagedPacks.length > 0) return undefined;
  const skipped = [...plan.skipped, ...damagedOf(damaged, request.strict ?? false)];
  if (merged === undefined) {
    throw new DomainError("unavailable", `None of the ${plan.matched} profiles can be read: ${damaged[0]?.message}`);
  }
  await request.reserve?.(merged.gzipped.length);
  const lost = new Set(damaged.map(({ input }) => input.id));
  const inputs = lost.size === 0 ? plan.inputs : plan.inputs.filter(({ id }) => !lost.has(id));
  const sampleTypes = totalsOf(plan.columns, merged.totals);
  const summary = summaryOf(request, plan, { inputs, packs: plan.packs }, skipped);
  const answer = {
    bytes: merged.gzipped,
    summary: {
      ...summary,
      sampleTypes,
      algorithmVersion: MERGE_ALGORITHM_VERSION,
      etag: `${merged.digest}-m${MERGE_ALGORITHM_VERSION}`,
      warnings: [
        ...warningsOfSkipped(skipped),
        ...plan.warnings,
        ...warningsOfSums(sampleTypes, merged.wrapped, summary.merged),
        ...warningsOfTrim(merged.trimmed),
      ],
    },
  };
  return { answer, fingerprint: damaged.length === 0 ? plan.fingerprint : undefined };
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
      algorithmVersion: MERGE_ALGORITHM_VERSION,
      sampleTypes: totalsOf(record.shape?.columns ?? [], record.totals),
      etag: profileEtag(record),
      warnings: [...warningsOfSkipped(plan.skipped), ...plan.warnings],
    },
  };
}
