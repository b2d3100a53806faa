// One pack read through, step by step: all checksums, and every profile written again and compared with the digest that the pack has.

import { DomainError } from "../model/errors.ts";
import type { BlobReader, ObjectReference } from "../storage/blob-store.ts";
import { SourcePack } from "./source-pack.ts";

export interface CheckAnswer {
  /** Profiles written again in this step. */
  profiles: number;
  /** The first thing that is wrong with it. */
  damage?: string;
  isDone: boolean;
}

const STEP_MS = 30;

export class PackCheck implements Disposable {
  readonly #reader: BlobReader;
  readonly #reference: ObjectReference;
  #source: SourcePack | undefined;
  #next = 0;

  constructor(reader: BlobReader, reference: ObjectReference) {
    this.#reader = reader;
    this.#reference = reference;
  }

  step(): CheckAnswer {
    const first = this.#next;
    try {
      this.#source ??= this.#open();
      const untilMs = performance.now() + STEP_MS;
      const { count } = this.#source.profiles;
      for (; this.#next < count && performance.now() < untilMs; this.#next++) this.#source.rebuild(this.#next);
      return { profiles: this.#next - first, isDone: this.#next === count };
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      return { profiles: this.#next - first, damage: error.message, isDone: true };
    }
  }

  #open(): SourcePack {
    const source = new SourcePack(this.#reader.openObject(this.#reference));
    source.checkSections();
    return source;
  }

  [Symbol.dispose](): void {
    this.#source?.[Symbol.dispose]();
  }
}
