// What users may send, ask and keep, and how long they may take: every limit with its reason, and all can be set. Constants of one
// protocol or structure (linger times, streams of a session, sizes of pieces) stand beside their code.

const KIB = 1024;
const MIB = 1024 * KIB;

export const DEFAULT_LIMITS = {
  // One upload.
  /** A CPU profile of a large fleet member is 0.1–2 MB; 64 MiB is the largest heap profile seen, times ten. */
  bodyBytes: 64 * MIB,
  /** Connect's JSON carries bytes as base64 and is decoded on the event loop. */
  jsonBodyBytes: 8 * MIB,
  /** A request without its profile, each field counting as 32 bytes at least: 3000 ids, a selector and labels are 0.2 MB. */
  requestBytes: 1 * MIB,
  /** gzip reaches 1000:1; beyond 4:1 of the largest body an upload is an attack or a mistake. */
  inflatedBytes: 256 * MIB,
  /** Uploads held in memory at once, whole process: beyond it new ones wait, then are refused. */
  bytesInFlight: 256 * MIB,
  /** Profiles and sums whose clients have not read them yet, whole process: two of the largest sums, or eight of the largest profiles. */
  answersInFlight: 512 * MIB,
  /** How long an upload or an answer waits for a place in `bytesInFlight` or `answersInFlight` before it is refused, ms. */
  admissionWaitMs: 5_000,
  samples: 1_000_000,
  /** Sample types of one profile: JVM and eBPF profilers write up to six. They are kept for every shape and named in every answer. */
  columns: 64,
  /** UTF-8 bytes of the name or unit of a sample type. */
  columnNameBytes: 256,
  /** Distinct keys of sample labels that are indexed, of one profile; programs set a handful. The others stay in the profile alone. */
  sampleLabelKeys: 256,
  /** Go records 128 frames, async-profiler 2048. */
  framesPerStack: 4096,

  // A profile in a legacy format (src/pprof/legacy/), which is read into objects, where a protobuf is read in place: these bound
  // the seconds and the memory that one upload can cost.
  /** Inflated; Go's texts of a large program have 1–2 MB. */
  legacyBytes: 16 * MIB,
  /** google/pprof refuses longer lines too. */
  legacyLineBytes: 64 * KIB - 1,
  /** Distinct addresses; a large program shows some 10 000. */
  legacyLocations: 500_000,
  /** Linux allows a process 65 530. */
  legacyMappings: 65_536,
  /** `name=value` lines of a memory map, which later lines refer to as `$name`: one or two in practice. */
  legacyAssignments: 16,
  /** Comparisons of addresses with mappings: 100 000 addresses among 1000 mappings. */
  legacyMappingChecks: 100_000_000,
  /** Strings, functions, mappings, locations or lines of one profile, each: a row costs up to 40 bytes while it is read. */
  tableRows: 4_000_000,

  // Labels and names (UTF-8 bytes).
  labels: 64,
  labelNameBytes: 256,
  labelValueBytes: 4 * KIB,
  serviceBytes: 512,
  /** Ids that senders choose (request ids, external ids): a UUID or a digest in hex, several times over. */
  senderIdBytes: 256,

  // Queries.
  pageSizeDefault: 100,
  pageSizeMax: 1000,
  /** A page ends here even where it is not full: gRPC clients take 4 MiB with its token, and 1000 profiles may have 264 MB of labels. */
  pageBytes: 3 * MIB,
  /** profefe clients have sent 3000 ids in one URL. */
  idsPerRequest: 3000,
  batchProfiles: 1000,
  /** As `requestBytes`, of a batch: 1000 profiles with 64 labels each have 200 000 fields. */
  batchMetadataBytes: 8 * MIB,
  /** Messages of one UploadProfile: 64 MiB in chunks of 1 KiB are 65 536. */
  uploadMessages: 100_000,
  /** Columns that a merge is asked for. */
  columnsPerRequest: 64,
  selectorBytes: 16 * KIB,
  selectorMatchers: 64,
  regexpBytes: 1 * KIB,
  /** Instructions of the compiled RE2 program: repetition such as (a{100}){100} multiplies. */
  regexpProgramSize: 500,
  /** A reader tests the values of one name; two readers serve everybody. A hundred thousand short values take 0.1–0.3 s. */
  regexpMs: 2_000,
  /** profefe clients put id lists of this size into the request line. */
  headerBytes: 1 * MIB,

  // A merge.
  mergeProfiles: 100_000,
  /** In packs, beside the loose ones: a month of the largest services has 650 000, a year of one 8 000 000. */
  mergePackedProfiles: 10_000_000,
  mergeMs: 60_000,
  /** Inflated input of one merge: 100 000 profiles of 1 MiB would keep a core busy for ten minutes. */
  mergeInputBytes: 64 * KIB * MIB,
  /** Uncompressed answer; also the bound on a Merger's own tables, times four. */
  resultBytes: 256 * MIB,
  /** Merges running or waiting; one more is refused as exhausted. */
  mergesQueued: 64,
  /** Rows of one ranking, over all its pages: whoever needs more needs the profile. */
  topRows: 10_000,
  /** A unary answer of the contract; larger ones go by stream or download (gRPC clients default to 4 MiB). */
  unaryResultBytes: 4 * MIB,

  // The wire.
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 300_000,
  idleTimeoutMs: 60_000,
  /** The first three bytes decide between HTTP/1 and HTTP/2; a socket silent for so long is closed. */
  sniffTimeoutMs: 5_000,
  undecidedSockets: 1024,
  connections: 10_000,
  shutdownMs: 10_000,

  // Storage.
  segmentBytes: 64 * MIB,
  /** A segment is sealed after this time even if small, so that retention can free it. */
  segmentMs: 3_600_000,
  commitRows: 64,
  commitBytes: 4 * MIB,
  /** Uploads stop below clamp(2 % of the disk, min, max) of free space; reads and deletes go on. */
  diskReserveMinBytes: 64 * MIB,
  diskReserveMaxBytes: 1024 * MIB,

  // Packs.
  /** An hour or a day is closed so long after its end: agents send what they took within seconds, and retry for minutes. */
  packGraceMs: 600_000,
  /** Between two looks for what could be packed. */
  packPassMs: 60_000,
  /** An hour with fewer waits for its day: a pack of 60 profiles is 8 to 14 times smaller than they are, one of 300 20 times. */
  packHourProfiles: 128,
  /** Late arrivals that are few wait so long for others before they join their day, ms. */
  packLateMs: 86_400_000,
  /** A pack set with so many of 100 profiles deleted is written anew; until then their bytes stay. */
  packRewritePercent: 25,
  /** What the packer may take of a thread's time, so that uploads and merges have the disk and the rest. */
  packSharePercent: 50,
  /** A pack ends with so many nodes of its stack tree: recursive code makes them grow without end, and a merge decodes all of them. */
  packNodes: 200_000,
  /** … or with so many bytes before compression: labels that no two samples share (trace ids) reach it. */
  packBytes: 64 * MIB,
  /** … or with so many profiles: a day of the largest services has 20 000. */
  packProfiles: 65_536,
  /** Decoded packs that are kept for the next merge, whole process: some 30 of 1000 profiles. */
  packCacheBytes: 96 * MIB,
  /** Answers of merges that are kept for the same question: some hundred. */
  resultCacheBytes: 64 * MIB,
} as const;

/** What timers of Node can wait for, ms: 24 days. */
const TIMER_MAX_MS = 2 ** 31 - 1;
/** 0 means none of it. Of everything else none would mean that nothing works. */
const MAY_BE_ZERO: ReadonlySet<string> = new Set<keyof Limits>([
  "admissionWaitMs",
  "mergesQueued",
  "shutdownMs",
  "diskReserveMinBytes",
  "diskReserveMaxBytes",
  "packGraceMs",
  "packLateMs",
  "packCacheBytes",
  "resultCacheBytes",
]);

/** What a limit may be set to, both ends included. */
export function limitRange(name: keyof Limits): { min: number; max: number } {
  return {
    min: MAY_BE_ZERO.has(name) ? 0 : 1,
    max: name.endsWith("Ms") ? TIMER_MAX_MS : Number.MAX_SAFE_INTEGER,
  };
}

export type Limits = { readonly [name in keyof typeof DEFAULT_LIMITS]: number };
