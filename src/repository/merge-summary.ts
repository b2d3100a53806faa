// What the answers that sum say of themselves: what is in them, what was skipped, what their reader should know.

import { DomainError } from "../model/errors.ts";
import { parseProfileId } from "../model/profile-id.ts";
import type { Column, ValueType } from "../model/shape.ts";
import { earlierOf, laterOf } from "../model/time.ts";
import { OTHER_FRAME } from "../pprof/trim.ts";
import type { MergeInput } from "../storage/catalog.ts";
import { skip } from "./candidates.ts";
import type { SortedProfiles } from "./canonical-orders.ts";
import type { Damage } from "./merge-pool.ts";
import type { MergePlan } from "./planner.ts";
import type { MergeRequest, SampleTypeTotal, Selection, Skipped } from "./repository.ts";

/** Their ids are read where others overlap them in time. */
export function looseProfiles(inputs: readonly MergeInput[]): SortedProfiles {
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
export function summaryOf(
  { selection }: Pick<MergeRequest, "selection">,
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
  };
}

/** A profile-type id, such as memory:inuse_space:bytes:space:bytes, asks for its one column. */
export function columnOf({ selector, ids }: Selection): readonly ValueType[] | undefined {
  return ids === undefined && selector.column ? [selector.column] : undefined;
}

export function totalsOf(columns: readonly Column[], totals: readonly bigint[]): SampleTypeTotal[] {
  return columns.map((column, at) => ({ aggregation: "delta", ...column, total: totals[at] ?? 0n }));
}

/** Loose profiles; those in packs are a matter of plans. */
export function damagedOf(damaged: Damage["damaged"], strict: boolean): Skipped[] {
  const [first] = damaged;
  if (first === undefined) return [];
  const { input, message } = first;
  if (strict) throw new DomainError("unavailable", `Cannot merge strictly: profile ${input.id} is damaged: ${message}`);
  const ids = damaged.map(({ input: { id } }) => id);
  return [skip("damaged", ids, message)];
}

export function warningsOfSkipped(skipped: readonly Skipped[]): string[] {
  return skipped.map(
    ({ reason, count, detail, ids }) =>
      `${count} skipped (${reason}): ${detail}${ids.length > 0 ? ` [${ids.join(" ")}]` : ""}`,
  );
}

export function warningsOfTrim(trimmed: { nodes: number; kept: number } | undefined): string[] {
  if (trimmed === undefined) return [];
  const { nodes, kept } = trimmed;
  return [
    `cut to the ${kept} largest of ${nodes} nodes: what lies below them is in frames named ${OTHER_FRAME}; all totals are whole`,
  ];
}

/** A sum of snapshots is no snapshot: sixty scrapes of a 100 MB heap add up to 6 GB. */
export function warningsOfSums(
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
