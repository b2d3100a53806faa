// Where the profiles of a selection are: loose ones, and the packs that may hold some. Which of a pack's are selected, the pack is asked.

import { DomainError } from "../model/errors.ts";
import type { Limits } from "../model/limits.ts";
import type { Matcher } from "../model/matcher.ts";
import { formatProfileId, parseProfileId } from "../model/profile-id.ts";
import type { Shape } from "../model/shape.ts";
import type { Interval } from "../model/time.ts";
import type { Catalog, MergeInput, MergeInputs } from "../storage/catalog.ts";
import { hasOriginal, type PackKey, type PackSet } from "../storage/pack-catalog.ts";
import { type PackPlace, placeOf } from "./pack-place.ts";
import type { Selection, Skipped } from "./repository.ts";

/** Which profiles of one pack are meant: those for which all holds. */
export interface PackQuestion {
  readonly packId: number;
  readonly set: PackSet;
  /** Profiles in it, deleted ones included. */
  readonly profiles: number;
  readonly sizeBytes: number;
  readonly labels: readonly Matcher[];
  readonly interval?: Interval;
  readonly place: PackPlace;
  /** Only these of the set, by seq ascending; absent: all. */
  readonly only?: { readonly inputs: readonly MergeInput[]; readonly seqs: Float64Array };
}

export interface Candidates {
  /** Profiles with bytes of their own, in canonical order. */
  inputs: MergeInput[];
  packs: PackQuestion[];
  shapes: ReadonlyMap<number, Shape>;
  /** Profiles that matched and were cut by a limit. */
  cut: number;
  /** Of what this is, where it can be asked for again: Coverage.fingerprint. */
  fingerprint?: string;
}

const NAMED_IDS = 10;

/** Throws `too-large` over the limit of loose profiles. */
export async function findCandidates(
  catalog: Catalog,
  selection: Selection,
  limits: Limits,
  skipped: Skipped[],
): Promise<Candidates> {
  if (selection.ids) return rowsOf(catalog, await inputsByIds(catalog, selection.ids, skipped));
  const { selector, interval, strategy = "newest", maxProfiles } = selection;
  const window = interval && { interval };
  if (maxProfiles !== undefined) {
    // Which ones remain is a question about rows.
    const limit = Math.min(maxProfiles, limits.mergeProfiles);
    const found = await catalog.mergeInputs({ selector, ...window, limit, strategy });
    const count = found.matched - found.inputs.length;
    const cause = maxProfiles === limit ? `max_profiles is ${limit}` : `a merge takes at most ${limit}`;
    const detail = `${cause}: ${strategy} kept ${found.inputs.length}`;
    if (count > 0) skipped.push({ reason: "limit", count, ids: [], detail });
    return rowsOf(catalog, found);
  }
  const limit = limits.mergeProfiles;
  const { inputs, shapes, loose, sets, fingerprint } = await catalog.coverage({ selector, ...window, limit });
  if (loose > limit) throw tooMany(loose, limit);
  const packs = sets.flatMap((set) => questionsOf(catalog, set, { labels: selector.labels, ...window }));
  return { inputs, packs, shapes, cut: 0, fingerprint };
}

export function tooMany(profiles: number, limit: number): DomainError {
  return new DomainError(
    "too-large",
    `Cannot merge ${profiles} profiles: at most ${limit} are allowed; ask for a shorter window, more labels, or set max_profiles`,
    { subject: "result" },
  );
}

function questionsOf(
  catalog: Catalog,
  set: PackSet,
  which: Pick<PackQuestion, "labels" | "interval" | "only">,
): PackQuestion[] {
  const names = catalog.packNames(set);
  return set.packs.map((file) => ({ ...file, set, place: placeOf(set, file, names), ...which }));
}

/** Rows without bytes of their own are asked of the set that has them. */
function rowsOf(catalog: Catalog, { inputs, shapes, sets, matched }: MergeInputs): Candidates {
  const loose: MergeInput[] = [];
  const packed = new Map<PackSet, MergeInput[]>();
  for (const input of inputs) {
    if (hasOriginal(input.locator)) {
      loose.push(input);
      continue;
    }
    const set = setOf(input, sets);
    const own = packed.get(set);
    if (own) own.push(input);
    else packed.set(set, [input]);
  }
  const packs = [...packed].flatMap(([set, own]) => {
    const only = { inputs: own, seqs: Float64Array.from(own, ({ seq }) => seq).sort() };
    return questionsOf(catalog, set, { labels: [], only });
  });
  return { inputs: loose, packs, shapes, cut: matched - inputs.length };
}

/** The set that has a profile. Throws `unavailable` where none has. */
export function setOf(
  input: Pick<MergeInput, "id" | "timeNs" | "seq" | keyof PackKey>,
  sets: readonly PackSet[],
): PackSet {
  const found = sets.find((set) => covers(set, input));
  if (found) return found;
  throw new DomainError("unavailable", `Cannot find profile ${input.id}: its bytes are in no segment and in no pack`);
}

/** Whether a set is about a profile: then it has it, unless that was set aside. */
export function covers(
  set: PackSet,
  { serviceId, typeId, shapeId, timeNs, seq }: Pick<MergeInput, "timeNs" | "seq" | keyof PackKey>,
): boolean {
  return (
    set.serviceId === serviceId &&
    set.typeId === typeId &&
    set.shapeId === shapeId &&
    set.startNs <= timeNs &&
    timeNs < set.endNs &&
    set.seqFrom <= seq &&
    seq <= set.coversSeq
  );
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

export function skip(reason: Skipped["reason"], ids: readonly string[], detail: string, count = ids.length): Skipped {
  return { reason, count, ids: ids.slice(0, NAMED_IDS), detail };
}
