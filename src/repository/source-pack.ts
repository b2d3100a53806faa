// An open pack whose profiles are written again, one after the other.

import { openPack, type Pack, readSection, type SectionKind } from "../pack/format.ts";
import { decodeProfiles, type PackProfiles } from "../pack/pack-profiles.ts";
import { decodeTables } from "../pack/pack-tables.ts";
import { ProfileRebuilder } from "../pack/profile-rebuilder.ts";
import type { OpenObject } from "../storage/blob-store.ts";

/** Throws `unavailable` where the pack is damaged, when it is made too. */
export class SourcePack implements Disposable {
  readonly #object: OpenObject;
  readonly #pack: Pack;
  readonly #rebuilder: ProfileRebuilder;
  readonly profiles: PackProfiles;
  #rows: Map<number, number> | undefined;

  constructor(object: OpenObject) {
    this.#object = object;
    this.#pack = openPack((offset, length) => object.read(offset, length));
    this.profiles = decodeProfiles(this.#pack);
    this.#rebuilder = new ProfileRebuilder(this.#pack, this.profiles, decodeTables(this.#pack));
  }

  /** Reads every section and compares its checksum, those too that no profile needs. Throws `unavailable`. */
  checkSections(): void {
    for (const name of this.#pack.entries.keys()) {
      const [kind, part = "0"] = name.split(" ");
      readSection(this.#pack, kind as SectionKind, Number(part));
    }
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
