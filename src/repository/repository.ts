// The face of the domain: every use case of profiles as one object. Protocols speak to this and to nothing below it.

import type { Label } from "../model/labels.ts";
import type { ProfileRecord } from "../model/profile-record.ts";
import type { Selector } from "../model/selector.ts";
import type { Aggregation, Shape, ValueType } from "../model/shape.ts";
import type { Interval } from "../model/time.ts";
import type { FrameGrouping } from "../pprof/top-groups.ts";
import type { ListQuery, NameCount, SelectionStrategy, SeriesRow, Usage } from "../storage/catalog.ts";
import type { PackStatistics } from "../storage/pack-catalog.ts";
import type { Operation } from "./operations.ts";
import type { Pgo } from "./pgo/pgo.ts";
import type { ReleasesVerified } from "./pgo/release-objects.ts";
import type { Releases } from "./pgo/releases.ts";

export interface PushRequest {
  service: string;
  type: string;
  labels: readonly Label[];
  /** As they came: pprof (gzip or raw), a legacy pprof format, or anything where the type is trace. */
  bytes: Uint8Array;
  /** Takes effect where the profile has no believable time of its own. */
  clientTimeNs?: bigint;
  /** It takes effect before the profile's own, too. */
  clientTimeFirst?: boolean;
  /** A client's key for retries: the same one answers the same profile for a day. */
  requestId?: string;
  externalId?: string;
  submitter?: string;
  /** Store it without what tells of its sender: src/pprof/scrub.ts. */
  scrub?: boolean;
  /** Asked once, before anything is stored or counted as empty; what it throws, the push throws. `shape` is absent for opaque bytes. */
  judge?: (shape: Shape | undefined) => void;
}

export type PushOutcome =
  | { state: "stored"; record: ProfileRecord; alreadyExisted: boolean; warnings: readonly string[] }
  /** A sound profile without samples: counted, not stored. Each protocol says it in its own way. */
  | { state: "empty" };

export interface PageRequest {
  selector: Selector;
  interval?: Interval;
  order: "newest" | "oldest";
  /** 1 to limits.pageSizeMax. A page has fewer where it would have more than limits.pageBytes. */
  limit: number;
  /** The last id of the page before. */
  afterId?: string;
}

export interface Page {
  records: readonly ProfileRecord[];
  /** Set where more may follow: pass it as `afterId`. */
  nextAfterId?: string;
}

/** Which profiles a question is about: those of a selector in an interval, or those named. */
export interface Selection {
  selector: Selector;
  interval?: Interval;
  /** Set: exactly these, each once, and the selector is not used. */
  ids?: readonly string[];
  /** At most so many; default limits.mergeProfiles, beyond which a merge is refused. */
  maxProfiles?: number;
  /** Which remain where `maxProfiles` cuts; default newest. */
  strategy?: SelectionStrategy;
}

/** A deletion is of all that matches. */
export type Deletion = Pick<Selection, "selector" | "interval">;

export interface MergeRequest {
  selection: Selection;
  /** Keep only these columns, in this order. Default: the one of the selector's profile-type id, else all of the newest profile's shape. */
  columns?: readonly ValueType[];
  /** A damaged or unfitting profile fails the merge, where it would else be skipped and counted. */
  strict?: boolean;
  /** Answer a single match with its bytes as they were sent. */
  verbatimSingle?: boolean;
  /** Default limits.resultBytes. */
  maxResultBytes?: number;
  /** Keep only so many nodes of the call tree, the largest; what lies below them is summed into frames named "other". Default: all. */
  maxNodes?: number | undefined;
  /**
   * Makes room for the answer's bytes: called once, before a single match is read, or while a sum still has its turn, so that no more
   * answers wait for room than may run at once. What it throws, the merge throws.
   */
  reserve?: (answerBytes: number) => Promise<void>;
  /** The caller left: the workers are freed. */
  signal: AbortSignal;
}

export interface MergeSummary {
  /** As asked for; absent for id lists and for all of time. */
  interval?: Interval;
  /** From the first merged profile's start to the last one's. */
  covered?: Interval;
  matched: number;
  merged: number;
  skipped: readonly Skipped[];
  /** Of the merged profiles, those that came from packs, and those that were loose. */
  packs: number;
  loose: number;
  sampleTypes: readonly SampleTypeTotal[];
  algorithmVersion: number;
  /** Strong, without quotes: the digest of the uncompressed answer and the algorithm's version. */
  etag: string;
  warnings: readonly string[];
}

export interface SampleTypeTotal extends ValueType {
  total: bigint;
  aggregation: Aggregation;
}

export interface Skipped {
  /** limit: cut by maxProfiles. shape: columns that do not fit. damaged: bytes that fail their checksum. absent: an id that is not there. trace: no pprof. Of PGO profiles alone start-line: no function says on which line it begins. zero: nothing was measured. implausible: what no profiler measures. policy: an older version. */
  reason:
    | "limit"
    | "shape"
    | "damaged"
    | "absent"
    | "duplicate"
    | "trace"
    | "start-line"
    | "zero"
    | "implausible"
    | "policy";
  count: number;
  /** The first few. */
  ids: readonly string[];
  detail: string;
}

export interface MergeAnswer {
  /** A gzipped pprof; or, for `verbatimSingle`, what was sent. */
  bytes: Uint8Array;
  summary: MergeSummary;
}

/** How the numbers of several profiles become one: see proto/profusion/v1/profile.proto. */
export type AggregationMethod = "sum" | "mean" | "last" | "increase";

export interface TopRequest {
  selection: Selection;
  /** Default: the one of the selector's profile-type id, else the one that viewers show first. */
  column?: ValueType;
  grouping: FrameGrouping | "label" | "service";
  /** Of a grouping by label: its key. */
  labelKey?: string;
  order: "flat" | "cum";
  /** Default: by what the column's numbers are. */
  method?: AggregationMethod;
  /** As in MergeRequest. */
  strict?: boolean;
  signal: AbortSignal;
}

export interface TopAnswer {
  /** encodeTopRows() of src/repository/top-ranking.ts: the first limits.topRows in the order asked for. */
  bytes: Uint8Array;
  /** Rows there are. */
  rowCount: number;
  /** What shares are of: the sum of the absolute values of all samples. */
  total: bigint;
  method: AggregationMethod;
  /** Its one sample type is the column that was ranked. */
  summary: MergeSummary;
}

export interface DeletePreview {
  count: number;
  sizeBytes: number;
  /** Pass it to the real call, which then deletes exactly what was counted here. */
  etag: string;
}

export interface PackResult {
  /** Profiles that are in packs now and were loose before. */
  profiles: number;
  /** Packs written, and their size. */
  packs: number;
  bytes: number;
  /** Profiles that cannot be packed, and stay as they were sent. */
  refused: number;
}

export interface VerifyResult extends PacksVerified, ReleasesVerified {}

export interface PacksVerified {
  packs: number;
  profiles: number;
  /** The first 100. */
  damaged: { packId: number; detail: string }[];
  damagedPacks: number;
}

export interface RepositoryStatus {
  profiles: number;
  series: number;
  services: number;
  /** Of profiles that are kept as they were sent. */
  originalBytes: number;
  packs: PackStatistics;
  packing: {
    isPacking: boolean;
    /** What is packed right now, for people; empty where nothing is. */
    running: string;
    /** Empty where the last look had none. */
    lastFailure: string;
    /** Receipt of the earliest profile that is due and not packed. */
    backlogNs?: bigint;
  };
}

export interface Repository extends AsyncDisposable {
  /** Durable and in every answer when it resolves. Throws `invalid`, `too-large`, `unavailable`, `exhausted`. */
  push(request: PushRequest): Promise<PushOutcome>;
  /** Throws `not-found`. */
  get(id: string): Promise<ProfileRecord>;
  /** The bytes as they were sent, checked against their checksum. Throws `not-found`, and `unavailable` naming the damage. */
  download(id: string): Promise<{ record: ProfileRecord; bytes: Uint8Array }>;
  list(request: PageRequest): Promise<Page>;
  /** Throws `not-found` where nothing matches, `conflict` where nothing fits together, `too-large`, `exhausted`, `cancelled`. */
  merge(request: MergeRequest): Promise<MergeAnswer>;
  /** Throws as merge() does, and `conflict` where an increase is asked for that no series tells. */
  top(request: TopRequest): Promise<TopAnswer>;
  /** Throws `not-found`. */
  delete(id: string): Promise<void>;
  previewDelete(selection: Deletion): Promise<DeletePreview>;
  /** Deletes what `etag` was given for, and nothing that came later; answers how many. Throws `stale` where the etag is another selection's. */
  deleteSelection(selection: Deletion, etag: string): Promise<number>;

  services(query: ListQuery): Promise<NameCount[]>;
  types(query: ListQuery): Promise<NameCount[]>;
  labelNames(query: ListQuery): Promise<NameCount[]>;
  labelValues(labelName: string, query: ListQuery): Promise<NameCount[]>;
  series(query: ListQuery): Promise<SeriesRow[]>;

  status(): Promise<RepositoryStatus>;
  /** Of each service and type, sorted by both. */
  usage(): Promise<Usage[]>;
  readonly releases: Releases;
  readonly pgo: Pgo;
  /** Packs everything that is loose by now, after the one under way, where there is one. Throws `conflict` where packing is off. */
  startPack(): Operation<PackResult | VerifyResult>;
  /** Reads every pack and compares every profile in it, and reads every release. */
  startVerify(): Operation<PackResult | VerifyResult>;
  /** When it has ended, or after `maxWaitMs`. Throws `not-found`. */
  operation(id: string, maxWaitMs: number): Promise<Operation<PackResult | VerifyResult>>;

  /** False until start-up repair is done and while the store refuses writes. */
  ready(): { ready: boolean; reason: string };
}
