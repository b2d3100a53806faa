// The packs of one pack set, made step by step: read some profiles, add them, write a pack when it is full or all are in; then read it back
// and compare every profile. Pure apart from reading blobs; src/repository/pack-worker.ts runs it in a thread.

import { DomainError } from "../model/errors.ts";
import type { Limits } from "../model/limits.ts";
import { formatProfileId } from "../model/profile-id.ts";
import type { EncodedPack, PackSignature } from "../pack/format.ts";
import { PackBuilder, type PackEntry } from "../pack/pack-builder.ts";
import { KIND } from "../pack/pack-profiles.ts";
import type { Steps } from "../pack/steps.ts";
import { withInflated } from "../pprof/gzip.ts";
import type { BlobReader, ObjectReference } from "../storage/blob-store.ts";
import type { PackRows } from "../storage/pack-catalog.ts";
import { type AddAnswer, type FinishAnswer, REFUSALS, type VerifyAnswer } from "./pack-job-answers.ts";
import { PackSources } from "./pack-sources.ts";
import { SourcePack } from "./source-pack.ts";

export interface PackJobOptions {
  signature: PackSignature;
  rows: PackRows;
  /** Packs that have the profiles whose bytes as sent are gone. */
  sources: readonly ObjectReference[];
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
  readonly #sources: PackSources;
  #next = 0;
  #builder: PackBuilder | undefined;
  /** Positions in the rows, in the order of the pack that is built. */
  #building: number[] = [];
  #written: number[] = [];
  readonly #damage = new Set<string>();
  #finishing: Steps<EncodedPack> | undefined;
  #verifying: { source: SourcePack; next: number } | undefined;

  constructor(reader: BlobReader, limits: Limits, { signature, rows, sources }: PackJobOptions) {
    this.#reader = reader;
    this.#limits = limits;
    this.#signature = signature;
    this.#rows = rows;
    this.#sources = new PackSources(reader, sources, rows.seqs, (pack) => this.#builder?.forget(pack));
  }

  /** Adds the next profiles. Throws `unavailable` for one that cannot be read now. */
  add(): AddAnswer {
    const answer: AddAnswer = { refused: [], damage: [], isFull: false, isDone: false };
    const untilMs = performance.now() + STEP_MS;
    const to = this.#stepEnd();
    const originals = this.#readOriginals(this.#next, to);
    while (this.#next < to && !answer.isFull && performance.now() < untilMs) {
      const at = this.#next++;
      try {
        this.#addOne(at, originals.get(at));
      } catch (error) {
        const reason = REFUSALS.find((kind) => error instanceof DomainError && error.kind === kind);
        if (reason === undefined) throw error;
        answer.refused.push({ at, reason, message: (error as DomainError).message });
      }
      this.#sources.pass(this.#rows.seqs[at]!);
      answer.isFull = this.#builder?.isFull ?? false;
    }
    answer.isDone = this.#next === this.#rows.count;
    if (answer.isDone) answer.damage = [...new Set([...this.#sources.damage, ...this.#damage])];
    return answer;
  }

  /** Call it until the bytes are there. Undefined where nothing was added since the last. */
  finish(): FinishAnswer | undefined {
    if (this.#finishing === undefined) {
      if (this.#builder === undefined || this.#building.length === 0) return undefined;
      this.#written = this.#building;
      this.#building = [];
      this.#finishing = this.#builder.finishing();
      this.#builder = undefined;
    }
    const untilMs = performance.now() + STEP_MS;
    while (performance.now() < untilMs) {
      const step = this.#finishing.next();
      if (!step.done) continue;
      this.#finishing = undefined;
      return { bytes: step.value.bytes, profiles: this.#written.length };
    }
    return { profiles: this.#written.length };
  }

  /** Reads back the pack that was finished last, from where it was put. Call it until it is done. Throws `unavailable` where it is no pack. */
  verify(reference: ObjectReference): VerifyAnswer {
    const verifying = this.#verifying ?? { source: new SourcePack(this.#reader.openObject(reference)), next: 0 };
    this.#verifying = verifying;
    const differing: VerifyAnswer["differing"] = [];
    const untilMs = performance.now() + STEP_MS;
    for (; verifying.next < this.#written.length && performance.now() < untilMs; verifying.next++) {
      const at = this.#written[verifying.next]!;
      const message = this.#difference(at, verifying.source, verifying.next);
      if (message !== undefined) differing.push({ at, message });
    }
    const isDone = verifying.next === this.#written.length;
    const kept = isDone ? verifying.source.profiles.kinds.filter((kind) => kind !== KIND.rows).length : 0;
    if (isDone) this.#closeWritten();
    return { differing, kept, isDone };
  }

  [Symbol.dispose](): void {
    this.#closeWritten();
    this.#sources[Symbol.dispose]();
  }

  #isPacked(at: number): boolean {
    return this.#sources.has(this.#rows.seqs[at]!);
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

  /** From a pack, where one has it: then nobody else need have it. */
  #addOne(at: number, original: Uint8Array | DomainError | undefined): void {
    if (!this.#isPacked(at)) {
      this.#addOriginal(at, original ?? this.#absent(at));
      return;
    }
    try {
      const [builder, entry] = [this.#openBuilder(), this.#entry(at)];
      this.#sources.read(this.#rows.seqs[at]!, (source, row) => {
        if (source.hasRows(row)) builder.move(entry, source.decoded, row);
        else builder.add(entry, source.rebuild(row));
      });
      this.#building.push(at);
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      this.#damage.add(error.message);
      this.#addOriginal(at, this.#readOriginal(at) ?? this.#absent(at, error.message));
    }
  }

  #addOriginal(at: number, original: Uint8Array | DomainError): void {
    if (original instanceof Error) throw original;
    const builder = this.#openBuilder();
    withInflated(original, this.#limits.inflatedBytes, (inflated) => builder.add(this.#entry(at), inflated));
    this.#building.push(at);
  }

  #readOriginal(at: number): Uint8Array | DomainError | undefined {
    const [segmentId, offset, sizeBytes] = this.#rows.locators.subarray(at * 3);
    if (segmentId === 0) return undefined;
    return this.#reader.readMany([{ segmentId: segmentId!, offset: offset!, sizeBytes: sizeBytes! }])[0];
  }

  #absent(at: number, damage = this.#sources.damage[0] ?? "no pack of its set has it"): DomainError {
    const id = formatProfileId(this.#rows.ids.subarray(at * 16, at * 16 + 16));
    return new DomainError("unavailable", `Cannot pack profile ${id} anew: ${damage}`);
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

  /** By the whole digest that the catalog has, over all bytes; undefined where there is none. Throws `unavailable` for a damaged pack. */
  #difference(at: number, source: SourcePack, row: number): string | undefined {
    try {
      const isSame = Buffer.compare(source.verify(row), this.#rows.digests.subarray(at * 32, at * 32 + 32)) === 0;
      return isSame ? undefined : "written again, it was not what was sent";
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      // Where the pack reads as it was written, the fault is in what was written.
      source.checkSections();
      return `it could not be written again: ${error.message}`;
    }
  }
}
