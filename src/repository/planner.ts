// Which profiles answer a question, each exactly once, loose or in packs, and which of those that match are left out and why.

import { DomainError } from "../model/errors.ts";
import type { Limits } from "../model/limits.ts";
import { formatProfileId } from "../model/profile-id.ts";
import { type Column, describeShape, mergeKey, type Shape, type ValueType } from "../model/shape.ts";
import type { Catalog, MergeInput } from "../storage/catalog.ts";
import type { PackKey } from "../storage/pack-catalog.ts";
import { type Candidates, findCandidates, type PackQuestion, skip, tooMany } from "./candidates.ts";
import { findLosses } from "./pack-losses.ts";
import type { Selection, Skipped } from "./repository.ts";

/** The profiles of one pack that a question is about, in canonical order. */
export interface SelectedPack {
  readonly question: PackQuestion;
  readonly rows: Uint32Array;
  readonly timesNs: BigInt64Array;
  /** 16 bytes each. */
  readonly ids: Uint8Array;
  /** Set: the pack cannot tell, and why. */
  readonly damage?: string;
}

/** Asks each pack which of its profiles are meant. In the order asked. */
export type SelectInPacks = (questions: readonly PackQuestion[]) => Promise<SelectedPack[]>;

export interface MergePlan {
  /** Loose profiles, in canonical order: (time, id). */
  inputs: readonly MergeInput[];
  /** None of them empty. */
  packs: readonly SelectedPack[];
  /** The columns of the answer, in order; what their numbers are is what it is in the newest profile. */
  columns: readonly Column[];
  /** Whose profile is the newest of the answer. */
  newest: PackKey;
  matched: number;
  skipped: Skipped[];
  warnings: string[];
  /** Candidates.fingerprint. */
  fingerprint?: string;
}

/** Profiles of one shape from one place. */
interface Part {
  key: PackKey;
  count: number;
  last: { timeNs: bigint; id: string };
}

/** What profiles must have to be summed. */
export interface WantedShape {
  /** Default: those of the newest profile, all of them. */
  readonly columns?: readonly ValueType[] | undefined;
  /** Default: that of the newest profile that has the columns. */
  readonly periodType?: ValueType | undefined;
}

/** Throws `not-found` where nothing matches, `too-large` over the limit of inputs, `conflict` where the shapes have nothing in common. */
export async function planMerge(
  catalog: Catalog,
  selection: Selection,
  shape: WantedShape,
  limits: Limits,
  strict = false,
  select: SelectInPacks = async () => [],
): Promise<MergePlan> {
  const skipped: Skipped[] = [];
  const candidates = await findCandidates(catalog, selection, limits, skipped);
  const asked = candidates.packs.length > 0 ? await select(candidates.packs) : [];
  const packs = asked.filter(({ rows }) => rows.length > 0);
  const packed = packs.reduce((sum, { rows }) => sum + rows.length, 0);
  if (packed > limits.mergePackedProfiles) throw tooMany(packed, limits.mergePackedProfiles);
  const { originals, lost, damage = "" } = await findLosses(catalog, asked, candidates.inputs, limits);
  if (lost.length > 0) {
    if (strict) throw new DomainError("unavailable", `Cannot merge strictly: ${damage}`);
    const ids = lost.map(({ id }) => id);
    skipped.push(skip("damaged", ids, damage));
  }
  const { shapes, cut, fingerprint } = candidates;
  const inputs = originals.length === 0 ? candidates.inputs : inCanonicalOrder([...candidates.inputs, ...originals]);
  const found = inputs.length + packed;
  if (found === 0 && lost.length > 0) throw new DomainError("unavailable", damage);
  if (found === 0) throw new DomainError("not-found", "No profile matches");
  const fitting = chooseShape({ inputs, packs, shapes }, shape, strict || selection.ids !== undefined, skipped);
  const isRepeatable = fingerprint !== undefined && damage === "";
  const warnings = originals.length === 0 ? [] : [`${originals.length} read as they were sent: ${damage}`];
  const matched = found + lost.length + cut;
  return { ...fitting, matched, skipped, warnings, ...(isRepeatable && { fingerprint }) };
}

function inCanonicalOrder(inputs: MergeInput[]): MergeInput[] {
  return inputs.sort((a, b) => (isAfter(a, b) ? 1 : -1));
}

/**
 * Columns in another order are the same columns. With columns asked for, every shape that has them fits. Otherwise the newest shape wins,
 * and the rest is skipped; but where all must fit (named one by one, or strict), the rest is a conflict.
 */
function chooseShape(
  { inputs, packs, shapes }: Pick<Candidates, "inputs" | "shapes"> & { packs: SelectedPack[] },
  wanted: WantedShape,
  mustFit: boolean,
  skipped: Skipped[],
): Pick<MergePlan, "inputs" | "packs" | "columns" | "newest"> {
  const { columns } = wanted;
  const keyOf = new Map([...shapes].map(([shapeId, shape]) => [shapeId, groupKey(shape, wanted)]));
  const parts = [...looseParts(inputs), ...packs.map(packPart)];
  const newest = parts
    .filter(({ key }) => keyOf.get(key.shapeId) !== undefined)
    .reduce<Part | undefined>(
      (latest, part) => (latest && !isAfter(part.last, latest.last) ? latest : part),
      undefined,
    );
  const matching = parts.reduce((sum, { count }) => sum + count, 0);
  if (newest === undefined) {
    throw new DomainError(
      "conflict",
      `No profile of the ${matching} that match can be merged${described(wanted)}: ${census(parts, shapes)}`,
    );
  }
  const chosen = keyOf.get(newest.key.shapeId);
  const fits = ({ shapeId }: PackKey) => keyOf.get(shapeId) === chosen;
  if (!parts.every(({ key }) => fits(key))) {
    const detail = census(parts, shapes);
    if (mustFit) throw new DomainError("conflict", `Cannot merge profiles of different shapes: ${detail}`);
    const misfits = inputs.filter((input) => !fits(input));
    skipped.push(
      ...skippedOf(
        misfits,
        packs.filter((pack) => !fits(pack.question.set)),
        shapes,
        detail,
      ),
    );
  }
  const present = shapes.get(newest.key.shapeId)!.columns;
  return {
    inputs: inputs.filter(fits),
    packs: packs.filter(({ question }) => fits(question.set)),
    columns: columns?.map((column) => present.find((each) => isSameType(each, column))!) ?? present,
    newest: newest.key,
  };
}

/** One part for each shape of the loose profiles, and one for all that have none. */
function looseParts(inputs: readonly MergeInput[]): Part[] {
  const parts = new Map<number, Part>();
  for (const input of inputs) {
    const part = parts.get(input.shapeId);
    parts.set(input.shapeId, { key: input, count: (part?.count ?? 0) + 1, last: input });
  }
  return [...parts.values()];
}

function packPart({ question, timesNs, ids, rows }: SelectedPack): Part {
  const last = { timeNs: timesNs.at(-1)!, id: formatProfileId(ids.subarray(ids.length - 16)) };
  return { key: question.set, count: rows.length, last };
}

function isAfter(a: Part["last"], b: Part["last"]): boolean {
  return a.timeNs > b.timeNs || (a.timeNs === b.timeNs && a.id > b.id);
}

function skippedOf(
  inputs: readonly MergeInput[],
  packs: readonly SelectedPack[],
  shapes: ReadonlyMap<number, Shape>,
  detail: string,
): Skipped[] {
  const idsOf = (hasShape: boolean) =>
    inputs.filter(({ shapeId }) => shapes.has(shapeId) === hasShape).map(({ id }) => id);
  const packed = packs.reduce((sum, { rows }) => sum + rows.length, 0);
  const named = packs.flatMap(({ ids }) => firstIds(ids));
  const [misfits, traces] = [idsOf(true), idsOf(false)];
  const skipped: Skipped[] = [];
  if (misfits.length + packed > 0) skipped.push(skip("shape", [...misfits, ...named], detail, misfits.length + packed));
  if (traces.length > 0) skipped.push(skip("trace", traces, "their bytes are no pprof profile"));
  return skipped;
}

const NAMED_IDS = 10;

/** As many as a summary names. */
export function firstIds(ids: Uint8Array): string[] {
  const count = Math.min(NAMED_IDS, ids.length / 16);
  return Array.from({ length: count }, (_, at) => formatProfileId(ids.subarray(at * 16, at * 16 + 16)));
}

/** Equal for shapes that can be summed; undefined for one that lacks a column asked for, or one of two. Opaque profiles have no shape at all. */
function groupKey(shape: Shape, { columns, periodType }: WantedShape): string | undefined {
  if (periodType && !isSameType(shape.periodType, periodType)) return undefined;
  if (columns === undefined) return mergeKey(shape);
  const countOf = (all: readonly ValueType[], column: ValueType) =>
    all.filter((each) => isSameType(each, column)).length;
  const hasAll = columns.every((column) => countOf(shape.columns, column) >= countOf(columns, column));
  return hasAll ? JSON.stringify(shape.periodType) : undefined;
}

function isSameType(a: ValueType, b: ValueType): boolean {
  return a.type === b.type && a.unit === b.unit;
}

function described({ columns, periodType }: WantedShape): string {
  const name = ({ type, unit }: ValueType) => `${type}/${unit}`;
  const period = periodType ? ` with the period type ${name(periodType)}` : "";
  return columns === undefined ? period : ` on ${columns.map(name).join(", ")}${period}`;
}

/** Of a census; there may be as many shapes as profiles. */
const CENSUS_LETTERS = 1000;

/** "1200 × samples/count cpu/nanoseconds, 3 × trace". */
function census(parts: readonly Part[], shapes: ReadonlyMap<number, Shape>): string {
  const counts = new Map<string, number>();
  for (const { key, count } of parts) {
    const shape = shapes.get(key.shapeId);
    const text = shape ? describeShape(shape) : "bytes that are no pprof profile";
    counts.set(text, (counts.get(text) ?? 0) + count);
  }
  const text = [...counts].map(([shape, count]) => `${count} × ${shape}`).join(", ");
  return text.length <= CENSUS_LETTERS ? text : `${text.slice(0, CENSUS_LETTERS)}…`;
}
