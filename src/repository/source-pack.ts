// An open pack whose profiles are written again, one after the other.

import { openPack } from "../pack/format.ts";
import { decodeProfiles, type PackProfiles } from "../pack/pack-profiles.ts";
import { decodeTables } from "../pack/pack-tables.ts";
import { ProfileRebuilder } from "../pack/profile-rebuilder.ts";
import type { OpenObject } from "../storage/blob-store.ts";

/** Throws `unavailable` where the pack is damaged, when it is made too. */
export class SourcePack implements Disposable {
  readonly #object: OpenObject;
  readonly #rebuilder: ProfileRebuilder;
  readonly profiles: PackProfiles;
  #rows: Map<number, number> | undefined;

  constructor(object: OpenObject) {
    this.#object = object;
    const pack = openPack((offset, length) => object.read(offset, length));
    this.profiles = decodeProfiles(pack);
    this.#rebuilder = new ProfileRebuilder(pack, this.profiles, decodeTables(pack));
  }

  rowOf(seq: number): number | undefined {
    this.#rows ??= new Map(Array.from(this.profiles.seqs, (own, row) => [Number(own), row]));
    return this.#rows.get(seq);
  }

  /** A view that is valid until the next call. Throws `unavailable` for what is damaged. */
  rebuild(row: number): Uint8Array {
    return this.#rebuilder.rebuild(row);
  }

  [Symbol.dispose](): void {
    this.#object[Symbol.dispose]();
  }
}
