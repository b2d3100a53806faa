// The packs that a run takes profiles from. Their lists of profiles are read at once, their tables when the first profile of one is asked
// for; a pack is let go of when its last profile has passed.

import { DomainError } from "../model/errors.ts";
import type { DecodedPack } from "../pack/decoded-pack.ts";
import { openPack } from "../pack/format.ts";
import { decodeProfiles } from "../pack/pack-profiles.ts";
import type { BlobReader, ObjectReference } from "../storage/blob-store.ts";
import { SourcePack } from "./source-pack.ts";

interface Place {
  source: Source;
  row: number;
}

interface Source {
  reference: ObjectReference;
  /** Wanted profiles that have not passed yet. */
  left: number;
  pack?: SourcePack;
  /** Why it cannot be opened. */
  damage?: DomainError;
}

export class PackSources implements Disposable {
  readonly #reader: BlobReader;
  readonly #sources: Source[];
  readonly #closed: (pack: DecodedPack) => void;
  /** By seq. */
  readonly #places = new Map<number, Place>();

  /** Tells of each pack that it lets go of. A pack that cannot be read has no profiles. */
  constructor(
    reader: BlobReader,
    references: readonly ObjectReference[],
    wantedSeqs: Float64Array,
    closed: (pack: DecodedPack) => void,
  ) {
    this.#reader = reader;
    this.#closed = closed;
    this.#sources = references.map((reference) => ({ reference, left: 0 }));
    const wanted = new Set(wantedSeqs);
    for (const source of this.#sources) {
      for (const [row, seq] of this.#seqsOf(source).entries()) {
        if (!wanted.has(Number(seq))) continue;
        this.#places.set(Number(seq), { source, row });
        source.left++;
      }
    }
  }

  /** What is wrong with those that cannot be opened. */
  get damage(): string[] {
    return this.#sources.flatMap(({ damage }) => damage?.message ?? []);
  }

  has(seq: number): boolean {
    return this.#places.has(seq);
  }

  /** Throws a DomainError where the pack, or what of it is read, is damaged. */
  read(seq: number, take: (pack: SourcePack, row: number) => void): void {
    const { source, row } = this.#places.get(seq)!;
    take(this.#open(source), row);
  }

  /** It is not read again. */
  pass(seq: number): void {
    const source = this.#places.get(seq)?.source;
    if (source !== undefined && --source.left === 0) this.#close(source);
  }

  [Symbol.dispose](): void {
    for (const source of this.#sources) this.#close(source);
  }

  #seqsOf(source: Source): BigInt64Array {
    try {
      using object = this.#reader.openObject(source.reference);
      return decodeProfiles(openPack((offset, length) => object.read(offset, length))).seqs;
    } catch (error) {
      source.damage = damageOf(source, error);
      return new BigInt64Array(0);
    }
  }

  #open(source: Source): SourcePack {
    if (source.damage) throw source.damage;
    try {
      source.pack ??= new SourcePack(this.#reader.openObject(source.reference));
      return source.pack;
    } catch (error) {
      source.damage = damageOf(source, error);
      throw source.damage;
    }
  }

  #close(source: Source): void {
    if (source.pack === undefined) return;
    this.#closed(source.pack.decoded);
    source.pack[Symbol.dispose]();
    delete source.pack;
  }
}

/** Throws what is no DomainError. */
function damageOf({ reference }: Source, error: unknown): DomainError {
  if (error instanceof DomainError) return new DomainError("unavailable", `${reference.name}: ${error.message}`);
  throw error;
}
