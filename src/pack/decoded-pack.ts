// A pack in memory: open, and decoded as far as merges need it.

import { openPack, type Pack, type ReadRange } from "./format.ts";
import { decodeProfiles, type PackProfiles } from "./pack-profiles.ts";
import { decodeTables, type PackTables } from "./pack-tables.ts";

/** Callers keep `profiles` and `tables`, which are flat, and share them; a pack is opened by whoever reads it. */
export interface DecodedPack {
  pack: Pack;
  profiles: PackProfiles;
  tables: PackTables;
}

/** Profiles of a pack by their rows in it, each once, and their positions in the canonical order of all profiles of the merge. */
export interface Chosen {
  rows: ArrayLike<number>;
  orders: ArrayLike<number>;
  /** How often each counts, as in Merger.add(). Default: once. */
  weights?: ArrayLike<number> | undefined;
}

/** Throws what openPack throws, and `unavailable` for a section that is damaged. */
export function decodePack(read: ReadRange): DecodedPack {
  const pack = openPack(read);
  return { pack, profiles: decodeProfiles(pack), tables: decodeTables(pack) };
}
