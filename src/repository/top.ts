// One ranking, from selection to rows and summary: where the numbers of the selected profiles lie. How the rows come to be is rank-plan.ts's.

import { DomainError } from "../model/errors.ts";
import { type AnswerDependencies, answerOnce, type NewAnswer } from "./answer-once.ts";
import type { Damage } from "./merge-pool.ts";
import { columnOf, damagedOf, summaryOf, totalsOf, warningsOfSkipped, warningsOfSums } from "./merge-summary.ts";
import { type MergePlan, planMerge } from "./planner.ts";
import { type RankDependencies, type RankedPlan, rankPlan } from "./rank-plan.ts";
import type { TopAnswer, TopRequest } from "./repository.ts";
import type { Ranking } from "./top-ranking.ts";

export type TopDependencies = AnswerDependencies & RankDependencies;

/** Part of every etag: raised when the same profiles are ranked otherwise. */
export const TOP_ALGORITHM_VERSION = 1;

export function top(dependencies: TopDependencies, request: TopRequest): Promise<TopAnswer> {
  const { selection, signal, column, grouping, labelKey, order, method, strict } = request;
  const { topRows } = dependencies.limits;
  const form = ["top", column, grouping, labelKey, order, method, strict, topRows];
  return answerOnce(dependencies, { selection, signal, form }, () => topAnew(dependencies, request));
}

async function topAnew(dependencies: TopDependencies, request: TopRequest): Promise<NewAnswer<TopAnswer>> {
  const { catalog, pool, limits } = dependencies;
  const untilMs = performance.now() + limits.mergeMs;
  const asked = request.column ? [request.column] : columnOf(request.selection);
  const broken = new Map<number, string>();
  const replan = () =>
    planMerge(catalog, request.selection, { columns: asked }, limits, request.strict, (packs) =>
      pool.select(packs, broken),
    );
  const damaged: Damage["damaged"] = [];
  let whole = await replan();
  for (;;) {
    const plan = without(whole, damaged);
    if (plan.inputs.length + plan.packs.length === 0) {
      const reason = damaged[0]?.message;
      throw new DomainError("unavailable", `None of the ${whole.matched} profiles can be read: ${reason}`);
    }
    const ranked = await rankPlan(dependencies, request, plan, untilMs);
    damaged.push(...ranked.damage.damaged);
    const { damagedPacks } = ranked.damage;
    for (const { pack, message } of damagedPacks) broken.set(pack.selected.question.packId, message);
    if (damagedPacks.length > 0) whole = await replan();
    const skipped = [...whole.skipped, ...damagedOf(damaged, request.strict ?? false)];
    // What is lost may have had its say in what the others count for.
    if (ranked.ranking === undefined) continue;
    const summary = summaryOf(request, whole, plan, skipped);
    const fingerprint = damaged.length === 0 ? whole.fingerprint : undefined;
    return { answer: answerOf(ranked, summary, whole.warnings), fingerprint };
  }
}

function answerOf(
  { ranking, column, method, isWrapped, warnings }: Extract<RankedPlan, { ranking: Ranking }>,
  summary: ReturnType<typeof summaryOf>,
  planned: readonly string[],
): TopAnswer {
  const sampleTypes = totalsOf([column], [ranking.sum]);
  const sums = method === "sum" ? warningsOfSums(sampleTypes, [isWrapped], summary.merged) : [];
  return {
    bytes: ranking.rows,
    rowCount: ranking.rowCount,
    total: ranking.total,
    method,
    summary: {
      ...summary,
      sampleTypes,
      algorithmVersion: TOP_ALGORITHM_VERSION,
      etag: `${ranking.digest}-t${TOP_ALGORITHM_VERSION}`,
      warnings: [...warningsOfSkipped(summary.skipped), ...planned, ...warnings, ...sums],
    },
  };
}

function without(plan: MergePlan, damaged: Damage["damaged"]): MergePlan {
  const ids = new Set(damaged.map(({ input }) => input.id));
  return { ...plan, inputs: plan.inputs.filter(({ id }) => !ids.has(id)) };
}
