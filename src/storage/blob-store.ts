// The blob store's contract: bytes that stay as they are. What they mean is the catalog's; no driver is chosen here.

import type { DomainError } from "../model/errors.ts";

/** Where an appended blob lies. A row of the catalog holds it. */
export interface Locator {
  readonly segmentId: number;
  /** Of the frame in the segment, bytes. */
  readonly offset: number;
  /** Of the blob itself, bytes. */
  readonly sizeBytes: number;
}

/** Profiles are packed later and leave their segments; opaque blobs (traces) stay, so they have segments of their own. */
export type BlobKind = "profile" | "opaque";

export interface Segment {
  readonly segmentId: number;
  readonly kind: BlobKind;
  readonly bytes: number;
  /** Takes no more appends, ever. */
  readonly sealed: boolean;
}

/** Reads without the store, in a thread of its own; synchronous, since such a thread has nothing else to do. Holds nothing between calls. */
export interface BlobReader {
  /** In the order asked. What cannot be read stands there as the error that says why, and harms no other. */
  readMany(locators: readonly Locator[]): (Uint8Array | DomainError)[];
  /** Throws `not-found`. Dispose of it soon: it holds the bytes of an object that is deleted meanwhile. */
  openObject(reference: ObjectReference): OpenObject;
}

/** An object as a thread can be told of it: plain data. */
export type ObjectReference = { name: string; bytes?: SharedArrayBuffer };

export interface OpenObject extends Disposable {
  readonly sizeBytes: number;
  /** Bytes of its own. A range that ends behind the object is cut there. Throws `unavailable`. */
  read(offset: number, length: number): Uint8Array;
}

/** What a thread needs to open a BlobReader: plain data, so that it can be sent. src/storage/open-blob-reader.ts opens it. */
export type BlobSource = { driver: "disk"; folder: string } | { driver: "memory"; arena: SharedArrayBuffer };

export interface BlobStore extends AsyncDisposable {
  /**
   * Durable when it resolves, all of the batch in the order given. Throws `unavailable` (`disk-full` without space); then nothing of the
   * batch counts, and what was appended before is unharmed. It may use the reserve, which is kept for what frees space: who stores
   * uploads calls checkSpace() first.
   */
  append(batch: readonly Uint8Array[], kind: BlobKind): Promise<Locator[]>;
  /**
   * Throws `not-found` for an absent segment, `unavailable` naming segment and offset where the checksum does not fit. What a reader may
   * still need must not be deleted: src/repository/read-guard.ts sees to that.
   */
  read(locator: Locator): Promise<Uint8Array>;
  source(): BlobSource;

  /** So that what is dead in segments that still take appends can be freed: the next append begins a new one. */
  sealSegments(): Promise<void>;
  /** Ascending by id. One that is older than the limit is sealed first, so that what is idle can be freed too. */
  segments(): Promise<Segment[]>;
  /** Deleting an absent segment succeeds; a segment that still takes appends is sealed first. */
  deleteSegment(segmentId: number): Promise<void>;

  /**
   * Durable when it resolves; immutable, whole or not at all. Throws `conflict` where the name is taken, and changes nothing then. Names:
   * lower-case words joined by - . /
   */
  put(name: string, bytes: Uint8Array): Promise<void>;
  /** Throws `not-found`; a range that ends behind the object is cut there. */
  readRange(name: string, offset: number, length: number): Promise<Uint8Array>;
  /** For BlobReader.openObject() in a thread. */
  objectReference(name: string): ObjectReference;
  /** Deleting an absent object succeeds. */
  deleteObject(name: string): Promise<void>;
  /** Names in byte order. */
  list(prefix: string): Promise<string[]>;

  /** Throws `unavailable` (`disk-full`) while uploads would be refused for want of space. */
  checkSpace(): void;
}
