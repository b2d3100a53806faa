// The catalog's contract about packs: which profiles are in which, and how that changes. A pack's bytes are an object of the blob store;
// what is inside one is src/pack's.

import type { Labels } from "../model/labels.ts";
import type { Shape } from "../model/shape.ts";
import type { Locator } from "./blob-store.ts";

/** Packs hold profiles of one service, type and shape. The ids are the store's own, and stay for its life. */
export interface PackKey {
  readonly serviceId: number;
  readonly typeId: number;
  readonly shapeId: number;
}

export type PackLevel = "hour" | "day";

/** Half-open, on the profiles' start times, in ns. */
export interface PackWindow extends PackKey {
  readonly level: PackLevel;
  readonly startNs: bigint;
  readonly endNs: bigint;
}

export interface PackFile {
  /** Never given twice; it names the object: src/storage/pack-name.ts. */
  readonly packId: number;
  readonly profiles: number;
  readonly sizeBytes: number;
}

/**
 * The packs that together hold every profile of the window that was committed in [seqFrom, coversSeq], except those that were set aside
 * (Catalog.setAside). Sets whose windows overlap have disjoint seqs, so that a profile is in one set at most.
 */
export interface PackSet extends PackWindow {
  /** Never given twice. */
  readonly setId: number;
  readonly seqFrom: number;
  readonly coversSeq: number;
  readonly packs: readonly PackFile[];
  /** Seqs of its profiles that were deleted since. Ascending. */
  readonly deleted: Float64Array;
}

/** Profiles in no pack that could be, of one hour of start times. */
export interface LooseHour extends PackKey {
  readonly startNs: bigint;
  readonly profiles: number;
  readonly sizeBytes: number;
  readonly firstReceivedNs: bigint;
  readonly lastReceivedNs: bigint;
}

/** A pack set in the making. Deletions in its window are noted from now on, and done to the set when it is switched to. */
export interface PackRun {
  readonly runId: number;
  /** It covers what was committed up to here. */
  readonly coversSeq: number;
}

export interface PackRunRequest extends PackWindow {
  readonly seqFrom: number;
}

/** The profiles of a run, sorted by series (in an order of the store's own), time, id. One position of each list is one profile. */
export interface PackRows {
  readonly count: number;
  /** 16 bytes each. */
  readonly ids: Uint8Array;
  /** 32 bytes each. */
  readonly digests: Uint8Array;
  readonly timesNs: BigInt64Array;
  readonly receivedNs: BigInt64Array;
  readonly seqs: Float64Array;
  /** Positions in labelSets. */
  readonly series: Uint32Array;
  readonly labelSets: readonly Labels[];
  /** Three each: segment, offset, size. Segment 0: the bytes are in a pack alone. */
  readonly locators: Float64Array;
}

export interface PackSwitch {
  runId: number;
  /** None: the window has no profiles left, and the replaced sets go without a successor. */
  packs: readonly PackFile[];
  /** Of the profiles in the packs: deletions of others, as of those that were refused, are none of the set. */
  seqs: Float64Array;
  /** Sets of the same key whose profiles the new packs have. */
  replaces: readonly number[];
}

export interface PackSetQuery {
  /** Only these; absent ones are left out. */
  setIds?: readonly number[];
  /** Only of this key. */
  key?: PackKey;
  level?: PackLevel;
  /** Only those whose window overlaps [startNs, endNs). */
  startNs?: bigint;
  endNs?: bigint;
  /** Only those of whose profiles at least this share is deleted, and at least one. */
  deletedShare?: number;
  /** Only those whose rows are not all marked as packed yet. */
  unsettled?: true;
}

/** Ascending. */
export interface PackIds {
  /** Those of the sets. */
  named: number[];
  /** Made, and in no set, or not any more. A pack that is in neither list was made by a later catalog than this. */
  unnamed: number[];
}

export interface PackStatistics {
  sets: number;
  packs: number;
  /** Profiles in packs, deleted ones left out. */
  profiles: number;
  sizeBytes: number;
}

export interface PackCatalog {
  /** The names behind the ids. */
  packNames(key: PackKey): { service: string; type: string; shape: Shape };
  /** What could be packed: in no pack, not set aside, no opaque bytes. Counted in slices, so that it is no snapshot. */
  looseHours(): Promise<LooseHour[]>;
  /** By key, then start, then seq. */
  packSets(query: PackSetQuery): Promise<PackSet[]>;
  packStatistics(): Promise<PackStatistics>;

  /** A number for a new pack, durable when it resolves. It is unnamed until a switch names it. */
  nextPackId(): Promise<number>;
  /** Numbers up to this one are not given: packs that a later catalog than this made have them. */
  skipPackIds(last: number): Promise<void>;
  packIds(): Promise<PackIds>;
  /** Unnamed packs whose objects are gone. */
  forgetPacks(packIds: readonly number[]): Promise<void>;

  beginPack(request: PackRunRequest): Promise<PackRun>;
  /** Those of its window and seqs that are not set aside, in packs or not. */
  packRows(runId: number): Promise<PackRows>;
  /** These cannot be packed: they stay loose for good, whatever sets cover. At most 100 in one commit. Those in a pack stay there. */
  setAside(ids: readonly Uint8Array[]): Promise<void>;
  /**
   * The one commit in which the window's profiles change from loose, or from the replaced sets, to the new packs, deletions since the
   * run's begin included. Answers the packs that nothing names any more. Throws `conflict` where a replaced set is gone.
   */
  switchPackSet(change: PackSwitch): Promise<{ setId?: number; freed: number[] }>;
  /** Ends a run without a switch. An absent one is ended already, as all are when the store closes. */
  abandonPack(runId: number): Promise<void>;
  /**
   * Marks up to 100 profiles of a set as packed, in one commit; with `release` their bytes as they were sent are dead from then on. Call it
   * with what it answered until that is undefined: then the set is settled.
   */
  settlePackSet(step: { setId: number; release: boolean; afterId?: Uint8Array }): Promise<Uint8Array | undefined>;
  /** Gives up the bytes as sent of those that are packed, in one commit; answers how many. */
  releaseOriginals(ids: readonly Uint8Array[]): Promise<number>;
}

/** Of a row whose bytes as they were sent are gone: they are rebuilt from a pack. */
export function hasOriginal({ segmentId }: Pick<Locator, "segmentId">): boolean {
  return segmentId !== 0;
}
