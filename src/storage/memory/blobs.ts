// The blob store in memory, for tests: the same contract, nothing survives the process. One arena holds all segments, interleaved.

import { DomainError } from "../../model/errors.ts";
import type { Limits } from "../../model/limits.ts";
import { quote } from "../../model/text.ts";
import type { BlobKind, BlobSource, BlobStore, Locator, ObjectReference, Segment } from "../blob-store.ts";
import { absentSegment, frameEnd, frameHead } from "../frame.ts";
import { checkObjectName, nameIsTaken } from "../object-name.ts";
import { assertSpace, type Space } from "../space.ts";
import { readFromArena } from "./arena-reader.ts";

const ARENA_BYTES = 1024 ** 3;
const BOUNDLESS: Space = { freeBytes: Number.MAX_SAFE_INTEGER, totalBytes: Number.MAX_SAFE_INTEGER };

interface MemorySegment {
  segmentId: number;
  kind: BlobKind;
  bytes: number;
  sealed: boolean;
  createdMs: number;
  blobs: Locator[];
}

export class MemoryBlobs implements BlobStore {
  readonly #limits: Limits;
  readonly #spaceOf: () => Space;
  // Address space, not memory: it grows as it is written.
  readonly #arena = new SharedArrayBuffer(0, { maxByteLength: ARENA_BYTES });
  readonly #segments = new Map<number, MemorySegment>();
  readonly #objects = new Map<string, Uint8Array<SharedArrayBuffer>>();
  #lastId = 0;

  constructor(limits: Limits, spaceOf: () => Space = () => BOUNDLESS) {
    this.#limits = limits;
    this.#spaceOf = spaceOf;
  }

  async append(batch: readonly Uint8Array[], kind: BlobKind): Promise<Locator[]> {
    const segment = this.#openSegment(kind);
    return batch.map((bytes) => {
      const locator = { segmentId: segment.segmentId, offset: this.#arena.byteLength, sizeBytes: bytes.length };
      this.#arena.grow(frameEnd(locator));
      const frame = new Uint8Array(this.#arena, locator.offset);
      const head = frameHead(locator.segmentId, locator.offset, bytes.length, bytes);
      frame.set(head);
      frame.set(bytes, head.length);
      segment.bytes += frame.length;
      segment.blobs.push(locator);
      return locator;
    });
  }

  async read(locator: Locator): Promise<Uint8Array> {
    if (!this.#segments.has(locator.segmentId)) throw absentSegment(locator);
    return readFromArena(this.#arena, locator);
  }

  source(): BlobSource {
    return { driver: "memory", arena: this.#arena };
  }

  async sealSegments(): Promise<void> {
    for (const segment of this.#segments.values()) segment.sealed = true;
  }

  async segments(): Promise<Segment[]> {
    for (const segment of this.#segments.values()) segment.sealed ||= this.#isOld(segment);
    return [...this.#segments.values()].map(({ segmentId, kind, bytes, sealed }) => ({
      segmentId,
      kind,
      bytes,
      sealed,
    }));
  }

  async deleteSegment(segmentId: number): Promise<void> {
    for (const blob of this.#segments.get(segmentId)?.blobs ?? []) {
      new Uint8Array(this.#arena, blob.offset, frameEnd(blob) - blob.offset).fill(0);
    }
    this.#segments.delete(segmentId);
  }

  async put(name: string, bytes: Uint8Array): Promise<void> {
    if (this.#objects.has(checkObjectName(name))) throw nameIsTaken(name);
    const object = new Uint8Array(new SharedArrayBuffer(bytes.length));
    object.set(bytes);
    this.#objects.set(name, object);
  }

  async readRange(name: string, offset: number, length: number): Promise<Uint8Array> {
    const object = this.#objects.get(checkObjectName(name));
    if (object === undefined) throw new DomainError("not-found", `There is no object ${quote(name)}`);
    return object.slice(offset, offset + length);
  }

  objectReference(name: string): ObjectReference {
    const object = this.#objects.get(checkObjectName(name));
    return { name, ...(object && { bytes: object.buffer }) };
  }

  async deleteObject(name: string): Promise<void> {
    this.#objects.delete(checkObjectName(name));
  }

  async list(prefix: string): Promise<string[]> {
    return [...this.#objects.keys()].filter((name) => name.startsWith(prefix)).sort();
  }

  checkSpace(): void {
    assertSpace(this.#spaceOf(), this.#limits);
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #openSegment(kind: BlobKind): MemorySegment {
    for (const segment of this.#segments.values()) {
      if (segment.kind !== kind || segment.sealed) continue;
      if (segment.bytes < this.#limits.segmentBytes && !this.#isOld(segment)) return segment;
      segment.sealed = true;
    }
    const segmentId = ++this.#lastId;
    const opened = { segmentId, kind, bytes: 0, sealed: false, createdMs: Date.now(), blobs: [] };
    this.#segments.set(segmentId, opened);
    return opened;
  }

  #isOld({ createdMs }: MemorySegment): boolean {
    return Date.now() - createdMs >= this.#limits.segmentMs;
  }
}
