// The blob store on a disk: segments and objects below one folder, and whether there is room for more.

import { statfsSync } from "node:fs";
import type { Limits } from "../../model/limits.ts";
import type { BlobKind, BlobSource, BlobStore, Locator, ObjectReference, Segment } from "../blob-store.ts";
import { assertSpace, type Space } from "../space.ts";
import { makeDurableFolder } from "./durable.ts";
import { Objects } from "./objects.ts";
import { repairSegments } from "./repair.ts";
import { segmentsFolder } from "./segment-format.ts";
import { readBlob } from "./segment-reader.ts";
import { type SegmentAccess, Segments, type SegmentsOptions } from "./segments.ts";

export interface DiskBlobsOptions {
  /** Locked by the caller, see src/storage/disk/lock.ts. */
  folder: string;
  limits: Limits;
  /** Catalog.segmentEnds(). */
  knownEnds: ReadonlyMap<number, number>;
  /** Told everything that start-up repaired or found damaged, and every failure that does not reach a caller. */
  report: (message: string) => void;
  /** Default: of the disk that holds the folder. */
  spaceOf?: () => Space;
  /** Where segments are written. Default: in this thread, which then waits for the disk. */
  openSegments?: (options: SegmentsOptions) => Promise<SegmentAccess>;
}

export async function openDiskBlobs(options: DiskBlobsOptions): Promise<BlobStore> {
  const { folder, limits, knownEnds, report, spaceOf = () => diskSpace(folder) } = options;
  const { openSegments = openSegmentsHere } = options;
  await makeDurableFolder(segmentsFolder(folder));
  const objects = await Objects.open(folder, report);
  const found = await repairSegments({ folder, knownEnds, report });
  const nextId = 1 + Math.max(0, ...knownEnds.keys(), ...found.map(({ segmentId }) => segmentId));
  const checkSpace = () => assertSpace(spaceOf(), limits);
  const segments = await openSegments({ folder, limits, found, nextId, report });
  return new DiskBlobs(folder, segments, objects, checkSpace);
}

async function openSegmentsHere(options: SegmentsOptions): Promise<SegmentAccess> {
  const segments = new Segments(options);
  return {
    append: async (batch, kind) => segments.append(batch, kind),
    list: async () => segments.list(),
    delete: async (segmentId) => segments.delete(segmentId),
    sealAll: async () => segments.sealAll(),
  };
}

class DiskBlobs implements BlobStore {
  readonly #folder: string;
  readonly #segments: SegmentAccess;
  readonly #objects: Objects;
  readonly checkSpace: () => void;

  constructor(folder: string, segments: SegmentAccess, objects: Objects, checkSpace: () => void) {
    this.#folder = folder;
    this.#segments = segments;
    this.#objects = objects;
    this.checkSpace = checkSpace;
  }

  append(batch: readonly Uint8Array[], kind: BlobKind): Promise<Locator[]> {
    return this.#segments.append(batch, kind);
  }

  read(locator: Locator): Promise<Uint8Array> {
    return readBlob(this.#folder, locator);
  }

  source(): BlobSource {
    return { driver: "disk", folder: this.#folder };
  }

  sealSegments(): Promise<void> {
    return this.#segments.sealAll();
  }

  segments(): Promise<Segment[]> {
    return this.#segments.list();
  }

  deleteSegment(segmentId: number): Promise<void> {
    return this.#segments.delete(segmentId);
  }

  put(name: string, bytes: Uint8Array): Promise<void> {
    return this.#objects.put(name, bytes);
  }

  readRange(name: string, offset: number, length: number): Promise<Uint8Array> {
    return this.#objects.readRange(name, offset, length);
  }

  objectReference(name: string): ObjectReference {
    return { name };
  }

  deleteObject(name: string): Promise<void> {
    return this.#objects.delete(name);
  }

  list(prefix: string): Promise<string[]> {
    return this.#objects.list(prefix);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#segments.sealAll();
  }
}

function diskSpace(folder: string): Space {
  const { bavail, blocks, bsize } = statfsSync(folder);
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
}
