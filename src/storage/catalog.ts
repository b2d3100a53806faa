// The catalog's contract: what is known of every profile, and how it is found. Bytes are the blob store's; no driver is chosen here.

import type { Labels } from "../model/labels.ts";
import type { ProfileRecord } from "../model/profile-record.ts";
import type { Selector } from "../model/selector.ts";
import type { Shape } from "../model/shape.ts";
import type { Interval, ResolvedTime } from "../model/time.ts";
import type { Locator } from "./blob-store.ts";
import type { PackCatalog, PackSet } from "./pack-catalog.ts";
import type { PgoCatalog } from "./pgo-catalog.ts";

/** One profile whose bytes are durable already: bytes before row. */
export interface NewProfile {
  /** 16 bytes, src/model/profile-id.ts. */
  id: Uint8Array;
  service: string;
  type: string;
  labels: Labels;
  timeNs: bigint;
  timeSource: ResolvedTime["source"];
  claimedTimeNs?: bigint;
  durationNs: bigint;
  receivedNs: bigint;
  sampleCount: number;
  digest: Uint8Array;
  /** Absent for opaque bytes. */
  shape?: Shape;
  totals: readonly bigint[];
  /** Keys of labels inside the profile's samples; kept per series. */
  sampleLabelKeys: readonly string[];
  externalId?: string;
  submitter?: string;
  requestId?: string;
  locator: Locator;
}

export interface StoredProfile extends ProfileRecord {
  /** Segment 0: its bytes are in a pack alone, src/storage/pack-catalog.ts. */
  readonly locator: Locator;
  /** In a pack, whether its bytes as sent are still there too or not. */
  readonly packed?: true;
}

export interface InsertOutcome {
  record: StoredProfile;
  /** True: this profile was there; `record` is the first one, and the new bytes are garbage. */
  alreadyExisted: boolean;
}

export interface FindQuery {
  selector: Selector;
  /** On the start time; absent: all of time. */
  interval?: Interval;
  order: "newest" | "oldest";
  /** Exclusive: only profiles behind this id in the order. 26 characters. */
  afterId?: string;
  limit: number;
  /** Only profiles of this commit position or before it. */
  maxSeq?: number;
}

/** What a merge needs of one input; a merge may take 100 000 of them, so nothing more. */
export interface MergeInput {
  id: string;
  timeNs: bigint;
  digest: Uint8Array;
  serviceId: number;
  typeId: number;
  /** 0 for opaque bytes. */
  shapeId: number;
  /** Position in commit order. */
  seq: number;
  /** Segment 0: the bytes are in a pack alone. */
  locator: Locator;
}

export interface MergeInputs {
  /** In canonical order: (time, id) ascending. */
  inputs: MergeInput[];
  shapes: ReadonlyMap<number, Shape>;
  /** Profiles that match, before `limit` cut. */
  matched: number;
  /** The pack sets that may hold inputs, as of the moment in which the inputs were read. */
  sets: PackSet[];
}

/** A selection as a merge covers it, all of one moment: each profile is in one pack of the sets, or loose. */
export interface Coverage {
  /** Loose profiles of the selection, in canonical order; all of them have bytes of their own. Empty where there are more than the limit. */
  inputs: MergeInput[];
  shapes: ReadonlyMap<number, Shape>;
  loose: number;
  /** Sets of the selected services and types that overlap the interval. Which of their profiles are selected, only the packs know. */
  sets: PackSet[];
  /** Equal for two moments only where the same profiles are selected, from the same sets and loose ones. */
  fingerprint: string;
}

export interface CoverageQuery {
  selector: Selector;
  interval?: Interval;
  limit: number;
}

export interface InputsQuery {
  selector: Selector;
  interval?: Interval;
  /** At most so many of those that match, chosen by `strategy`. */
  limit: number;
  strategy: SelectionStrategy;
}

/**
 * Which profiles remain where a limit cuts. newest: the latest. spread: even over time and over instances (the first present of the
 * labels instance, pod, host, else the submitter). most_cpu: those with the largest total in their cpu column, else in their first.
 * Deterministic: ties go to the smaller id.
 */
export type SelectionStrategy = "newest" | "spread" | "most_cpu";

export interface SelectionState {
  count: number;
  sizeBytes: number;
  /** The highest commit position in the catalog when it was counted. */
  maxSeq: number;
}

export interface NameCount {
  name: string;
  /** Profiles of the selector in the interval. A profile that has a label name twice counts once. */
  profiles: number;
}

export interface ListQuery {
  /** Narrow the list to what these profiles have. Defaults: everything, all of time. */
  selector: Selector;
  interval?: Interval;
  /** Of the names; in a list of series, of the service. */
  prefix: string;
  /** Exclusive: the last name of the page before. */
  after?: string;
  limit: number;
}

export interface SeriesRow {
  service: string;
  type: string;
  labels: Labels;
  profiles: number;
  /** Start of its first and its last profile in the interval. */
  firstNs: bigint;
  lastNs: bigint;
}

/** What the profiles of one service and type take. */
export interface Usage {
  service: string;
  type: string;
  profiles: number;
  /** Of these, in packs. */
  packedProfiles: number;
  series: number;
  /** As they were sent, of all of them. */
  sentBytes: number;
  /** Of those that are kept as they were sent. */
  originalBytes: number;
  packBytes: number;
  /** Start of the first and of the last profile, to the millisecond; absent where there is none. */
  firstNs?: bigint;
  lastNs?: bigint;
}

/** What the rows say of one segment; its file holds headers and unacknowledged bytes besides. A profile of which only the packs have the bytes is in no segment. */
export interface CatalogSegment {
  segmentId: number;
  /** Sizes of all blobs that were ever named in it, those of duplicates included. */
  bytes: number;
  /** Of these, without a row now. */
  deadBytes: number;
  /** Profiles in it that are still in the catalog. */
  live: number;
}

/**
 * One writer, several readers, all off the event loop; answers are promises. What an insert acknowledged is in every answer that
 * starts afterwards. Every method throws `unavailable` when the store itself fails.
 */
export interface Catalog extends PackCatalog, AsyncDisposable {
  readonly pgo: PgoCatalog;

  /**
   * One commit, durable when it resolves, in the order given, seq ascending. A profile already there — by id, by `requestId`, or,
   * where its time is that of its receipt, by the same digest and series within ten minutes — is answered, not stored again.
   */
  insert(batch: readonly NewProfile[]): Promise<InsertOutcome[]>;

  /**
   * Another one after each insert, each removal and each switch of packs that was acknowledged: while it stays, so does every answer about a
   * fixed interval.
   */
  readonly version: string;

  /** By id, in the order asked; undefined where there is none. */
  get(ids: readonly string[]): Promise<(StoredProfile | undefined)[]>;
  /** One page, keyset on id: nothing repeats; a late arrival behind the cursor appears. */
  find(query: FindQuery): Promise<StoredProfile[]>;
  mergeInputs(query: InputsQuery): Promise<MergeInputs>;
  mergeInputsByIds(ids: readonly string[]): Promise<MergeInputs>;
  /** In one read snapshot, and without a look at the rows of packed profiles. */
  coverage(query: CoverageQuery): Promise<Coverage>;
  /** As of coverage() alone, for whoever has an answer already. */
  coverageFingerprint(query: CoverageQuery): Promise<string>;
  count(selector: Selector, interval?: Interval): Promise<SelectionState>;

  /** Removes the rows in one commit, from packs too, and answers how many there were. Absent ids are left out. */
  delete(ids: readonly string[]): Promise<number>;
  /** Removes the oldest of the selection up to `maxSeq`, at most `limit`, in one commit, and answers how many. */
  deleteSelection(selector: Selector, interval: Interval | undefined, maxSeq: number, limit: number): Promise<number>;

  services(query: ListQuery): Promise<NameCount[]>;
  types(query: ListQuery): Promise<NameCount[]>;
  labelNames(query: ListQuery): Promise<NameCount[]>;
  labelValues(labelName: string, query: ListQuery): Promise<NameCount[]>;
  /** Ordered by (service, type, labels); `after` is the seriesKey, src/storage/series-key.ts, of the last row of the page before. */
  series(query: ListQuery): Promise<SeriesRow[]>;

  /** For repair at start: the end of the last frame that a row names, per segment; 0 where no row names one any more. */
  segmentEnds(): Promise<Map<number, number>>;
  segments(): Promise<CatalogSegment[]>;
  /** Live profiles of one segment, in offset order, for copying them out of a segment that is mostly dead. */
  profilesInSegment(segmentId: number, limit: number): Promise<StoredProfile[]>;
  /** Points rows at copies of their bytes; a row deleted meanwhile is left out of the answer. */
  relocate(moves: readonly { id: string; to: Locator }[]): Promise<string[]>;
  /** Forgets a segment without live profiles; an absent one is forgotten already. Throws `conflict` where profiles are live. */
  forgetSegment(segmentId: number): Promise<void>;

  /** Of each service and type that has profiles, or packs, sorted by service, as UTF-8 bytes, and type. No profile is looked at by itself. */
  usage(): Promise<Usage[]>;
  /** `sizeBytes` as sent, of those that are not in packs alone. */
  statistics(): Promise<{ profiles: number; series: number; services: number; sizeBytes: number; maxSeq: number }>;
}
