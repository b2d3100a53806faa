// Which inputs answer a question, each exactly once, and which of those that match are left out and why. Loose profiles; packs join here.

import { DomainError } from "../model/errors.ts";
import type { Limits } from "../model/limits.ts";
import { formatProfileId, parseProfileId } from "../model/profile-id.ts";
import { describeShape, mergeKey, type Shape, type ValueType } from "../model/shape.ts";
import type { Catalog, MergeInput, MergeInputs } from "../storage/catalog.ts";
import type { Selection, Skipped } from "./repository.ts";

export interface MergePlan {
  /** In canonical order: (time, id). */
  inputs: readonly MergeInput[];
  /** The columns of the answer, in order. */
  columns: readonly ValueType[];
  matched: number;
  skipped: Skipped[];
}

const NAMED_IDS = 10;

/** Throws `not-found` where nothing matches, `too-large` over the limit of inputs, `conflict` where the shapes have nothing in common. */
export async function planMerge(
  catalog: Catalog,
  selection: Selection,
  columns: readonly ValueType[] | undefined,
  limits: Limits,
  strict = false,
): Promise<MergePlan> {
  const skipped: Skipped[] = [];
  const found = selection.ids
    ? await inputsByIds(catalog, selection.ids, skipped)
    : await inputsBySelector(catalog, selection, limits, skipped);
  if (found.inputs.length === 0) throw new DomainError("not-found", "No profile matches");
  const fitting = chooseShape(found, columns, strict || selection.ids !== undefined, skipped);
  return { ...fitting, matched: found.matched, skipped };
}

async function inputsBySelector(
  catalog: Catalog,
  selection: Selection,
  limits: Limits,
  skipped: Skipped[],
): Promise<MergeInputs> {
  const { selector, interval, strategy = "newest", maxProfiles } = selection;
  const limit = Math.min(maxProfiles ?? limits.mergeProfiles, limits.mergeProfiles);
  const found = await catalog.mergeInputs({ selector, ...(interval && { interval }), limit, strategy });
  if (found.matched > limit && maxProfiles === undefined) {
    throw new DomainError(
      "too-large",
      `Cannot merge ${found.matched} profiles: at most ${limits.mergeProfiles} are allowed; ask for a shorter window, more labels, or set max_profiles`,
      { subject: "result" },
    );
  }
  if (found.matched > found.inputs.length) {
    const count = found.matched - found.inputs.length;
    skipped.push({
      reason: "limit",
      count,
      ids: [],
      detail: `${maxProfiles === limit ? `max_profiles is ${limit}` : `a merge takes at most ${limit}`}: ${strategy} kept ${found.inputs.length}`,
    });
  }
  return found;
}

async function inputsByIds(catalog: Catalog, ids: readonly string[], skipped: Skipped[]): Promise<MergeInputs> {
  const seen = new Set<string>();
  const repeated = new Set<string>();
  for (const id of ids.map(canonicalId)) {
    if (seen.has(id)) repeated.add(id);
    seen.add(id);
  }
  const unique = [...seen];
  const found = await catalog.mergeInputsByIds(unique);
  if (repeated.size > 0) {
    skipped.push(skip("duplicate", [...repeated], "named more than once, counted once", ids.length - unique.length));
  }
  const present = new Set(found.inputs.map(({ id }) => id));
  const absent = unique.filter((id) => !present.has(id));
  if (absent.length > 0) skipped.push(skip("absent", absent, "not in the repository"));
  return found;
}

/** Ids are read in either case; text that is no id stays what it is, and is not there. */
function canonicalId(id: string): string {
  const bytes = parseProfileId(id);
  return bytes === undefined ? id : formatProfileId(bytes);
}

/**
 * Columns in another order are the same columns. With columns asked for, every shape that has them fits. Otherwise the newest shape wins,
 * and the rest is skipped; but where all must fit (named one by one, or strict), the rest is a conflict.
 */
function chooseShape(
  { inputs, shapes }: MergeInputs,
  columns: readonly ValueType[] | undefined,
  mustFit: boolean,
  skipped: Skipped[],
): Pick<MergePlan, "inputs" | "columns"> {
  const keyOf = new Map([...shapes].map(([shapeId, shape]) => [shapeId, groupKey(shape, columns)]));
  const newest = inputs.findLast(({ shapeId }) => keyOf.get(shapeId) !== undefined);
  if (newest === undefined) {
    throw new DomainError(
      "conflict",
      `No profile of the ${inputs.length} that match can be merged${wanted(columns)}: ${census(inputs, shapes)}`,
    );
  }
  const key = keyOf.get(newest.shapeId);
  const fitting = inputs.filter(({ shapeId }) => keyOf.get(shapeId) === key);
  if (fitting.length < inputs.length) {
    const detail = census(inputs, shapes);
    if (mustFit) throw new DomainError("conflict", `Cannot merge profiles of different shapes: ${detail}`);
    const others = inputs.filter(({ shapeId }) => keyOf.get(shapeId) !== key);
    const idsOf = (hasShape: boolean) =>
      others.filter(({ shapeId }) => shapes.has(shapeId) === hasShape).map(({ id }) => id);
    const [misfits, traces] = [idsOf(true), idsOf(false)];
    if (misfits.length > 0) skipped.push(skip("shape", misfits, detail));
    if (traces.length > 0) skipped.push(skip("trace", traces, "their bytes are no pprof profile"));
  }
  return { inputs: fitting, columns: columns ?? shapes.get(newest.shapeId)!.columns };
}

/** Equal for shapes that can be summed; undefined for one that lacks a column asked for, or one of two. Opaque profiles have no shape at all. */
function groupKey(shape: Shape, columns: readonly ValueType[] | undefined): string | undefined {
  if (columns === undefined) return mergeKey(shape);
  const countOf = (all: readonly ValueType[], { type, unit }: ValueType) =>
    all.filter((each) => each.type === type && each.unit === unit).length;
  const hasAll = columns.every((column) => countOf(shape.columns, column) >= countOf(columns, column));
  return hasAll ? JSON.stringify(shape.periodType) : undefined;
}

function wanted(columns: readonly ValueType[] | undefined): string {
  return columns === undefined ? "" : ` on ${columns.map(({ type, unit }) => `${type}/${unit}`).join(", ")}`;
}

/** Of a census; there may be as many shapes as profiles. */
const CENSUS_LETTERS = 1000;

/** "1200 × samples/count cpu/nanoseconds, 3 × trace". */
function census(inputs: readonly MergeInput[], shapes: ReadonlyMap<number, Shape>): string {
  const counts = new Map<string, number>();
  for (const { shapeId } of inputs) {
    const shape = shapes.get(shapeId);
    const text = shape ? describeShape(shape) : "bytes that are no pprof profile";
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  const text = [...counts].map(([shape, count]) => `${count} × ${shape}`).join(", ");
  return text.length <= CENSUS_LETTERS ? text : `${text.slice(0, CENSUS_LETTERS)}…`;
}

function skip(reason: Skipped["reason"], ids: readonly string[], detail: string, count = ids.length): Skipped {
  return { reason, count, ids: ids.slice(0, NAMED_IDS), detail };
}
