// One pack read through, step by step: all checksums, and every profile written again, in turn and some alone, and compared with the digest
// that the pack has. What the catalog has is compared by src/repository/pack-verify.ts.

import { DomainError } from "../model/errors.ts";
import type { BlobReader, ObjectReference } from "../storage/blob-store.ts";
import { checkHead, checkRows, type PackPlace } from "./pack-place.ts";
import { SourcePack } from "./source-pack.ts";

/** Of the profiles written again in this step, one position of each list is one. */
export interface CheckAnswer {
  profiles: number;
  seqs: Float64Array;
  /** 16 bytes each. */
  ids: Uint8Array;
  /** SHA-256 of what was written, 32 bytes each. */
  digests: Uint8Array;
  /** The first thing that is wrong with it. */
  damage?: string;
  isDone: boolean;
}

const STEP_MS = 30;

export class PackCheck implements Disposable {
  readonly #reader: BlobReader;
  readonly #reference: ObjectReference;
  readonly #place: PackPlace;
  #source: SourcePack | undefined;
  #next = 0;

  constructor(reader: BlobReader, reference: ObjectReference, place: PackPlace) {
    this.#reader = reader;
    this.#reference = reference;
    this.#place = place;
  }

  step(): CheckAnswer {
    const first = this.#next;
    const digests: Uint8Array[] = [];
    try {
      this.#source ??= this.#open();
      const untilMs = performance.now() + STEP_MS;
      const { count } = this.#source.profiles;
      for (; this.#next < count && performance.now() < untilMs; this.#next++) {
        digests.push(this.#source.verify(this.#next));
      }
      return this.#answer(first, digests, { isDone: this.#next === count });
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      return this.#answer(first, digests, { damage: error.message, isDone: true });
    }
  }

  #answer(first: number, digests: readonly Uint8Array[], rest: Pick<CheckAnswer, "damage" | "isDone">): CheckAnswer {
    const end = first + digests.length;
    const source = this.#source;
    return {
      profiles: digests.length,
      seqs: Float64Array.from(source?.profiles.seqs.slice(first, end) ?? [], Number),
      ids: digests.length === 0 ? new Uint8Array(0) : source!.identities.ids.slice(first * 16, end * 16),
      digests: new Uint8Array(Buffer.concat(digests)),
      ...rest,
    };
  }

  #open(): SourcePack {
    const source = new SourcePack(this.#reader.openObject(this.#reference));
    try {
      checkHead(source.decoded.pack, source.sizeBytes, this.#place);
      checkRows(source.profiles, this.#place);
      source.checkSections();
      return source;
    } catch (error) {
      source[Symbol.dispose]();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#source?.[Symbol.dispose]();
  }
}
