// An open pack whose profiles are written again, one after the other.

import { type DecodedPack, decodePack } from "../pack/decoded-pack.ts";
import { readSection, type SectionKind } from "../pack/format.ts";
import {
  BLOCK_PROFILES,
  decodeIdentities,
  KIND,
  type PackIdentities,
  type PackProfiles,
} from "../pack/pack-profiles.ts";
import { ProfileRebuilder } from "../pack/profile-rebuilder.ts";
import type { OpenObject } from "../storage/blob-store.ts";

/** Throws `unavailable` where the pack is damaged, when it is made too. */
export class SourcePack implements Disposable {
  readonly #object: OpenObject;
  readonly decoded: DecodedPack;
  readonly #rebuilder: ProfileRebuilder;
  #identities: PackIdentities | undefined;
  #rows: Map<number, number> | undefined;

  constructor(object: OpenObject) {
    this.#object = object;
    try {
      this.decoded = decodePack((offset, length) => object.read(offset, length));
    } catch (error) {
      object[Symbol.dispose]();
      throw error;
    }
    this.#rebuilder = new ProfileRebuilder(this.decoded);
  }

  get sizeBytes(): number {
    return this.#object.sizeBytes;
  }

  get profiles(): PackProfiles {
    return this.decoded.profiles;
  }

  /** Throws `unavailable` where they are damaged. */
  get identities(): PackIdentities {
    this.#identities ??= decodeIdentities(this.decoded.pack, this.profiles);
    return this.#identities;
  }

  /** Reads every section and compares its checksum, those too that no profile needs. Throws `unavailable`. */
  checkSections(): void {
    const { pack } = this.decoded;
    for (const name of pack.entries.keys()) {
      const [kind, part = "0"] = name.split(" ");
      readSection(pack, kind as SectionKind, Number(part));
    }
  }

  rowOf(seq: number): number | undefined {
    this.#rows ??= new Map(Array.from(this.profiles.seqs, (own, row) => [Number(own), row]));
    return this.#rows.get(seq);
  }

  /** Whether it has profile `row` by its rows, and not by its bytes. */
  hasRows(row: number): boolean {
    return this.profiles.kinds[row] === KIND.rows;
  }

  /** A view that is valid until the next call. Throws `unavailable` for what is damaged. */
  rebuild(row: number): Uint8Array {
    return this.#rebuilder.rebuild(row);
  }

  /**
   * The SHA-256 of what rebuild() answers; the last profile of each block is read alone first, as downloads read: what only reads in turn must
   * not pass.
   */
  verify(row: number): Uint8Array {
    const isLast = row % BLOCK_PROFILES === BLOCK_PROFILES - 1 || row === this.profiles.count - 1;
    if (isLast) new ProfileRebuilder(this.decoded, { identities: this.identities }).rebuild(row);
    this.rebuild(row);
    return this.#rebuilder.digest;
  }

  [Symbol.dispose](): void {
    this.#object[Symbol.dispose]();
  }
}
