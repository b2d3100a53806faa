// All packs read through, and what is in them compared with what the catalog has: every profile written again is the one of its row, none is
// missing, none is too many.

import type { Limits } from "../model/limits.ts";
import { formatProfileId } from "../model/profile-id.ts";
import { selectorOf } from "../model/selector.ts";
import { shapeSignature } from "../model/shape.ts";
import type { Catalog, StoredProfile } from "../storage/catalog.ts";
import type { PackFile, PackSet } from "../storage/pack-catalog.ts";
import type { CheckAnswer } from "./pack-check.ts";
import { type PackPlace, placeOf } from "./pack-place.ts";
import type { PacksVerified } from "./repository.ts";

export interface PackVerifyOptions {
  catalog: Catalog;
  limits: Limits;
  /** All steps of reading a pack through; undefined where nothing names it any more. */
  read: (place: PackPlace) => Promise<CheckAnswer[] | undefined>;
  tell: (progress: string) => void;
}

const DAMAGED_NAMED = 100;
const IDS_NAMED = 10;

/** Packs that are replaced meanwhile are left out. */
export async function verifyPacks(options: PackVerifyOptions): Promise<PacksVerified> {
  const { catalog, tell } = options;
  const sets = await catalog.packSets({});
  const all = sets.reduce((sum, { packs }) => sum + packs.length, 0);
  const result: PacksVerified = { packs: 0, profiles: 0, damaged: [], damagedPacks: 0 };
  let next = 0;
  for (const set of sets) {
    const seqs = new Set<number>();
    let isWhole = true;
    for (const file of set.packs) {
      tell(`${next++} of ${all} packs`);
      const check = await verifyPack(options, set, file, seqs);
      if (check) note(result, file, check.profiles, check.damage);
      isWhole &&= check !== undefined && check.damage === undefined;
    }
    // What is in a damaged pack is not known, and that is said already.
    const missing = isWhole ? await missingOf(options, set, seqs) : undefined;
    if (missing !== undefined) note(result, set.packs[0]!, 0, missing, 0);
  }
  return result;
}

function note(result: PacksVerified, { packId }: PackFile, profiles: number, damage: string | undefined, packs = 1) {
  result.packs += packs;
  result.profiles += profiles;
  if (damage === undefined) return;
  result.damagedPacks++;
  if (result.damaged.length < DAMAGED_NAMED) result.damaged.push({ packId, detail: damage });
}

/** Notes the seqs of its profiles. Undefined where it is gone. */
async function verifyPack(
  { catalog, read }: PackVerifyOptions,
  set: PackSet,
  file: PackFile,
  seqs: Set<number>,
): Promise<{ profiles: number; damage: string | undefined } | undefined> {
  const place = placeOf(set, file, catalog.packNames(set));
  const answers = await read(place);
  if (answers === undefined) return undefined;
  let profiles = 0;
  const extra: string[] = [];
  for (const answer of answers) {
    profiles += answer.profiles;
    extra.push(...(await strangers(catalog, answer, set, seqs)));
  }
  const named = extra.slice(0, IDS_NAMED).join(" ");
  const strange = `${extra.length} of its profiles are not those that the catalog names: ${named}`;
  return { profiles, damage: answers.at(-1)?.damage ?? (extra.length > 0 ? strange : undefined) };
}

/** Ids of those that are neither a row of the catalog, with the same seq and the whole digest, nor one that was deleted. */
async function strangers(
  catalog: Catalog,
  { seqs: own, ids, digests }: CheckAnswer,
  set: PackSet,
  seqs: Set<number>,
): Promise<string[]> {
  const names = Array.from(own, (_, at) => formatProfileId(ids.subarray(at * 16, at * 16 + 16)));
  const rows = await catalog.get(names);
  const strange: number[] = [];
  for (const [at, seq] of own.entries()) {
    const isKnown = !seqs.has(seq) && isSame(rows[at], seq, digests.subarray(at * 32, at * 32 + 32));
    if (!isKnown) strange.push(at);
    seqs.add(seq);
  }
  if (strange.length === 0) return [];
  const [now] = await catalog.packSets({ setIds: [set.setId] });
  const deleted = new Set(now?.deleted);
  // Of a set that was replaced meanwhile nobody knows what was deleted.
  return now === undefined ? [] : strange.filter((at) => !deleted.has(own[at]!)).map((at) => names[at]!);
}

function isSame(row: StoredProfile | undefined, seq: number, digest: Uint8Array): boolean {
  return row?.seq === seq && Buffer.compare(row.digest, digest) === 0;
}

/** Rows that are marked as packed and that the set is about, a page at a time, that are in none of its packs. */
async function missingOf(
  { catalog, limits }: PackVerifyOptions,
  set: PackSet,
  seqs: ReadonlySet<number>,
): Promise<string | undefined> {
  const { startNs, endNs, seqFrom, coversSeq, setId } = set;
  const { service, type, shape } = catalog.packNames(set);
  const signature = shapeSignature(shape);
  const query = {
    selector: selectorOf(service, type),
    interval: { startNs, endNs },
    order: "oldest" as const,
    limit: limits.pageSizeMax,
    maxSeq: coversSeq,
  };
  const named: string[] = [];
  let count = 0;
  for (let afterId: string | undefined; ; ) {
    const rows = await catalog.find({ ...query, ...(afterId !== undefined && { afterId }) });
    for (const { id, seq, packed, shape: own } of rows) {
      if (packed === undefined || seq < seqFrom || seqs.has(seq)) continue;
      if (own === undefined || shapeSignature(own) !== signature) continue;
      count++;
      if (named.length < IDS_NAMED) named.push(id);
    }
    if (rows.length < query.limit) break;
    afterId = rows.at(-1)!.id;
  }
  if (count === 0) return undefined;
  return `Pack set ${setId}: ${count} profiles that the catalog names are in none of its packs: ${named.join(" ")}`;
}
