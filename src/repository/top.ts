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
  const whole = await planMerge(catalog, request.selection, asked, limits, request.strict, (packs) =>
    pool.select(packs),
  );
  const lost: Damage = { damaged: [], damagedPacks: [] };
  for (let plan = whole; ; plan = without(plan, lost)) {
    if (plan.inputs.length + plan.packs.length === 0) {
      const reason = lost.damaged[0]?.message ?? lost.damagedPacks[0]?.message;
      throw new DomainError("unavailable", `None of the ${whole.matched} profiles can be read: ${reason}`);
    }
    const ranked = await rankPlan(dependencies, request, plan, untilMs);
    lost.damaged.push(...ranked.damage.damaged);
    lost.damagedPacks.push(...ranked.damage.damagedPacks);
    const skipped = [...whole.skipped, ...damagedOf(lost, request.strict ?? false)];
    // What is lost may have had its say in what the others count for.
    if (ranked.ranking === undefined) continue;
    const isWhole = lost.damaged.length + lost.damagedPacks.length === 0;
    const summary = summaryOf(request, whole, plan, skipped);
    return { answer: answerOf(ranked, summary), fingerprint: isWhole ? whole.fingerprint : undefined };
  }
}

function answerOf(
  { ranking, column, method, isWrapped, warnings }: Extract<RankedPlan, { ranking: Ranking }>,
  summary: ReturnType<typeof summaryOf>,
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
      warnings: [...warningsOfSkipped(summary.skipped), ...warnings, ...sums],
    },
  };
}

function without(plan: MergePlan, { damaged, damagedPacks }: Damage): MergePlan {
  const inputs = new Set(damaged.map(({ input }) => input));
  const packIds = new Set(damagedPacks.map(({ pack }) => pack.selected.question.packId));
  return {
    ...plan,
    inputs: plan.inputs.filter((input) => !inputs.has(input)),
    packs: plan.packs.filter(({ question }) => !packIds.has(question.packId)),
  };
}
