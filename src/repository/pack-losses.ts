// Which profiles of a question its packs do not give, though the catalog says that they have them; and which of these are there as they were
// sent. Where no pack is damaged, nobody asks for rows.

import type { Limits } from "../model/limits.ts";
import { formatProfileId } from "../model/profile-id.ts";
import { selectorOf } from "../model/selector.ts";
import { earlierOf, laterOf } from "../model/time.ts";
import type { Catalog, MergeInput } from "../storage/catalog.ts";
import { hasOriginal, type PackSet } from "../storage/pack-catalog.ts";
import { covers } from "./candidates.ts";
import type { SelectedPack } from "./planner.ts";

export interface PackLosses {
  /** Profiles that are read as they were sent. */
  originals: MergeInput[];
  /** Those that nobody has. */
  lost: MergeInput[];
  /** What is wrong with the first pack; absent where no pack is damaged. */
  damage?: string;
}

/** `loose` are the loose profiles of the question. */
export async function findLosses(
  catalog: Catalog,
  asked: readonly SelectedPack[],
  loose: readonly MergeInput[],
  limits: Limits,
): Promise<PackLosses> {
  const losses: PackLosses = { originals: [], lost: [] };
  const bySet = Map.groupBy(asked, ({ question }) => question.set);
  for (const [set, packs] of bySet) {
    const damage = packs.find((pack) => pack.damage !== undefined)?.damage ?? incomplete(set, packs);
    if (damage === undefined) continue;
    losses.damage ??= damage;
    const there = new Set(packs.flatMap(({ ids }) => allIds(ids)));
    for (const { id } of loose) there.add(id);
    const missing = (await inputsOf(catalog, packs[0]!, limits)).filter(({ id }) => !there.has(id));
    for (const input of missing) {
      const isReadable = hasOriginal(input.locator) && loose.length + losses.originals.length < limits.mergeProfiles;
      (isReadable ? losses.originals : losses.lost).push(input);
    }
  }
  return losses;
}

/** Profiles that were asked for one by one must all be found. */
function incomplete({ setId }: PackSet, packs: readonly SelectedPack[]): string | undefined {
  const wanted = packs[0]!.question.only?.inputs.length ?? 0;
  const found = packs.reduce((sum, { rows }) => sum + rows.length, 0);
  if (found >= wanted) return undefined;
  return `Pack set ${setId}: ${wanted - found} profiles that the catalog names are in none of its packs`;
}

/** What the catalog says that the set has of the question. */
async function inputsOf(catalog: Catalog, { question }: SelectedPack, limits: Limits): Promise<readonly MergeInput[]> {
  const { set, only, labels, interval } = question;
  if (only) return only.inputs;
  const { service, type } = catalog.packNames(set);
  const startNs = interval ? laterOf(interval.startNs, set.startNs) : set.startNs;
  const endNs = interval ? earlierOf(interval.endNs, set.endNs) : set.endNs;
  const { inputs } = await catalog.mergeInputs({
    selector: { ...selectorOf(service, type), labels },
    interval: { startNs, endNs },
    limit: limits.mergePackedProfiles,
    strategy: "newest",
  });
  return inputs.filter((input) => covers(set, input));
}

function allIds(ids: Uint8Array): string[] {
  return Array.from({ length: ids.length / 16 }, (_, at) => formatProfileId(ids.subarray(at * 16, at * 16 + 16)));
}
