// The packs of one pack set, made step by step: read some profiles, add them, write a pack when it is full or all are in; then read it back
// and compare every profile. Pure apart from reading blobs; src/repository/pack-worker.ts runs it in a thread.

import { hash } from "node:crypto";
import { DomainError } from "../model/errors.ts";
import type { Limits } from "../model/limits.ts";
import type { PackSignature } from "../pack/format.ts";
import { PackBuilder, type PackEntry } from "../pack/pack-builder.ts";
import { KIND } from "../pack/pack-profiles.ts";
import { withInflated } from "../pprof/gzip.ts";
import type { BlobReader, ObjectReference } from "../storage/blob-store.ts";
import type { PackRows } from "../storage/pack-catalog.ts";
import { SourcePack } from "./source-pack.ts";

export interface PackJobOptions {
  signature: PackSignature;
  rows: PackRows;
  /** Packs that have the profiles whose bytes as sent are gone. */
  sources: readonly ObjectReference[];
}

export interface AddAnswer {
  /** Positions in the rows that cannot be packed, and why. */
  refused: { at: number; message: string }[];
  /** The pack is full: finish it, and go on. */
  isFull: boolean;
  isDone: boolean;
}

export interface FinishAnswer {
  bytes: Uint8Array<ArrayBuffer>;
  profiles: number;
}

export interface VerifyAnswer {
  /** Profiles that are not what was sent. */
  differing: { at: number; message: string }[];
  /** Told when it is done: profiles of the pack that have their bytes in it, since nobody knows how they were written. */
  kept: number;
  isDone: boolean;
}

/** A step's turn: some 30 ms. */
const STEP_PROFILES = 32;
const STEP_BYTES = 512 * 1024;
const STEP_MS = 30;

export class PackJob implements Disposable {
  readonly #reader: BlobReader;
  readonly #limits: Limits;
  readonly #signature: PackSignature;
  readonly #rows: PackRows;
  readonly #sources: SourcePack[];
  #next = 0;
  #builder: PackBuilder | undefined;
  /** Positions in the rows, in the order of the pack that is built. */
  #building: number[] = [];
  #written: number[] = [];
  #verifying: { source: SourcePack; next: number } | undefined;

  constructor(reader: BlobReader, limits: Limits, { signature, rows, sources }: PackJobOptions) {
    this.#reader = reader;
    this.#limits = limits;
    this.#signature = signature;
    this.#rows = rows;
    this.#sources = sources.map((reference) => new SourcePack(reader.openObject(reference)));
  }

  /** Adds the next profiles. Throws `unavailable` where a pack that has them is damaged: nobody else has them. */
  add(): AddAnswer {
    const answer: AddAnswer = { refused: [], isFull: false, isDone: false };
    const untilMs = performance.now() + STEP_MS;
    const to = this.#stepEnd();
    const originals = this.#readOriginals(this.#next, to);
    while (this.#next < to && !answer.isFull && performance.now() < untilMs) {
      const at = this.#next++;
      try {
        this.#addOne(at, originals.get(at));
      } catch (error) {
        if (!(error instanceof DomainError) || this.#isPacked(at)) throw error;
        answer.refused.push({ at, message: error.message });
      }
      answer.isFull = this.#builder?.isFull ?? false;
    }
    answer.isDone = this.#next === this.#rows.count;
    return answer;
  }

  /** Undefined where nothing was added since the last. */
  finish(): FinishAnswer | undefined {
    const builder = this.#builder;
    if (builder === undefined || this.#building.length === 0) return undefined;
    this.#builder = undefined;
    this.#written = this.#building;
    this.#building = [];
    const { bytes } = builder.finish();
    return { bytes, profiles: this.#written.length };
  }

  /** Reads back the pack that was finished last, from where it was put. Call it until it is done. Throws `unavailable` where it is no pack. */
  verify(reference: ObjectReference): VerifyAnswer {
    const verifying = this.#verifying ?? { source: new SourcePack(this.#reader.openObject(reference)), next: 0 };
    this.#verifying = verifying;
    const differing: VerifyAnswer["differing"] = [];
    const untilMs = performance.now() + STEP_MS;
    for (; verifying.next < this.#written.length && performance.now() < untilMs; verifying.next++) {
      const at = this.#written[verifying.next]!;
      const message = this.#difference(at, () => verifying.source.verify(verifying.next));
      if (message !== undefined) differing.push({ at, message });
    }
    const isDone = verifying.next === this.#written.length;
    const kept = isDone ? verifying.source.profiles.kinds.filter((kind) => kind !== KIND.rows).length : 0;
    if (isDone) this.#closeWritten();
    return { differing, kept, isDone };
  }

  [Symbol.dispose](): void {
    this.#closeWritten();
    for (const source of this.#sources) source[Symbol.dispose]();
  }

  #isPacked(at: number): boolean {
    return this.#sources.some((source) => source.rowOf(this.#rows.seqs[at]!) !== undefined);
  }

  #stepEnd(): number {
    let bytes = 0;
    let to = this.#next;
    while (to < this.#rows.count && to - this.#next < STEP_PROFILES && bytes < STEP_BYTES) {
      bytes += this.#rows.locators[to * 3 + 2]!;
      to++;
    }
    return to;
  }

  #readOriginals(from: number, to: number): Map<number, Uint8Array | DomainError> {
    const { locators } = this.#rows;
    const positions: number[] = [];
    for (let at = from; at < to; at++) if (locators[at * 3] !== 0 && !this.#isPacked(at)) positions.push(at);
    const bytes = this.#reader.readMany(
      positions.map((at) => ({
        segmentId: locators[at * 3]!,
        offset: locators[at * 3 + 1]!,
        sizeBytes: locators[at * 3 + 2]!,
      })),
    );
    return new Map(positions.map((at, nth) => [at, bytes[nth]!]));
  }

  /** From a pack, where that has it: then nobody else need have it. */
  #addOne(at: number, original: Uint8Array | DomainError | undefined): void {
    const seq = this.#rows.seqs[at]!;
    const builder = this.#openBuilder();
    const entry = this.#entry(at);
    const source = this.#sources.find((each) => each.rowOf(seq) !== undefined);
    if (source) {
      const row = source.rowOf(seq)!;
      if (source.hasRows(row)) builder.move(entry, source.decoded, row);
      else builder.add(entry, source.rebuild(row));
    } else if (original === undefined) {
      throw new DomainError("unavailable", `Cannot pack profile ${seq} anew: no pack of its set has it`);
    } else {
      if (original instanceof Error) throw original;
      withInflated(original, this.#limits.inflatedBytes, (inflated) => builder.add(entry, inflated));
    }
    this.#building.push(at);
  }

  #openBuilder(): PackBuilder {
    const { packNodes, packBytes, packProfiles } = this.#limits;
    this.#builder ??= new PackBuilder(this.#signature, {
      limits: this.#limits,
      nodesMax: packNodes,
      bytesMax: packBytes,
      profilesMax: packProfiles,
    });
    return this.#builder;
  }

  #entry(at: number): PackEntry {
    const { ids, digests, timesNs, receivedNs, seqs, series, labelSets, locators } = this.#rows;
    return {
      id: ids.subarray(at * 16, at * 16 + 16),
      digest: digests.subarray(at * 32, at * 32 + 32),
      timeNs: timesNs[at]!,
      receivedNs: receivedNs[at]!,
      seq: BigInt(seqs[at]!),
      labels: labelSets[series[at]!]!,
      sizeBytes: locators[at * 3 + 2]!,
    };
  }

  #closeWritten(): void {
    this.#verifying?.source[Symbol.dispose]();
    this.#verifying = undefined;
  }

  /** By the whole digest that the catalog has, over all bytes; undefined where there is none. */
  #difference(at: number, rebuild: () => Uint8Array): string | undefined {
    try {
      const digest = hash("sha256", rebuild(), "buffer");
      const isSame = Buffer.compare(digest, this.#rows.digests.subarray(at * 32, at * 32 + 32)) === 0;
      return isSame ? undefined : "written again, it was not what was sent";
    } catch (error) {
      if (error instanceof DomainError) return `it could not be written again: ${error.message}`;
      throw error;
    }
  }
}
