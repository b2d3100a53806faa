// What users may send, ask and keep, and how long they may take: every limit with its reason, and all can be set. Constants of one
// protocol or structure (linger times, streams of a session, sizes of pieces) stand beside their code.

import { bytes, count, milliseconds, percent } from "./limit.ts";
import { KIB, type Limit, MIB } from "./limit-units.ts";

const RELOADABLE = { isReloadable: true };
const MAY_BE_ZERO = { min: 0 } as const;

/** By the names that code uses; in the configuration file bodyBytes is limits.body_bytes. */
export const LIMITS = {
  // One upload.
  bodyBytes: bytes(
    64 * MIB,
    "A profile as it is sent. One of a large fleet's members is 0.1–2 MB; this is the largest heap profile seen, times ten.",
    RELOADABLE,
  ),
  jsonBodyBytes: bytes(
    8 * MIB,
    "The same in the contract's JSON, which carries bytes as base64 and is decoded on the event loop.",
    RELOADABLE,
  ),
  requestBytes: bytes(
    1 * MIB,
    "A request without its profile, each field counting as 32 bytes at least: 3000 ids, a selector and labels are 0.2 MB.",
    RELOADABLE,
  ),
  inflatedBytes: bytes(
    256 * MIB,
    "A profile inflated. gzip reaches 1000:1; beyond 4:1 of the largest body an upload is an attack or a mistake.",
  ),
  bytesInFlight: bytes(
    256 * MIB,
    "Uploads held in memory at once, whole process: beyond it new ones wait, then are refused.",
  ),
  answersInFlight: bytes(
    512 * MIB,
    "Profiles and sums whose clients have not read them yet, whole process: two of the largest sums, or eight of the largest profiles.",
  ),
  admissionWaitMs: milliseconds(
    5_000,
    "How long an upload or an answer waits for a place in bytes_in_flight or answers_in_flight before it is refused.",
    MAY_BE_ZERO,
  ),
  samples: count(
    1_000_000,
    "Samples of one profile, each a stack with its labels: ten times those of a large program.",
  ),
  columns: count(
    64,
    "Sample types of one profile: JVM and eBPF profilers write up to six. They are kept for every shape and named in every answer.",
  ),
  columnNameBytes: bytes(256, "The name or the unit of a sample type, in UTF-8."),
  sampleLabelKeys: count(
    256,
    "Distinct keys of sample labels that are indexed, of one profile; programs set a handful. The others stay in the profile alone.",
  ),
  framesPerStack: count(4096, "Frames of one stack. Go records 128, async-profiler 2048."),
  tableRows: count(
    4_000_000,
    "Strings, functions, mappings, locations or lines of one profile, each: a row costs up to 40 bytes while it is read.",
  ),

  // A profile in a legacy format (src/pprof/legacy/), which is read into objects, where a protobuf is read in place: these bound
  // the seconds and the memory that one upload can cost.
  legacyBytes: bytes(16 * MIB, "A profile in a legacy format, inflated; Go's texts of a large program have 1–2 MB."),
  legacyLineBytes: bytes(64 * KIB - 1, "A line of a legacy profile; google/pprof refuses longer ones too."),
  legacyLocations: count(500_000, "Distinct addresses of a legacy profile; a large program shows some 10 000."),
  legacyMappings: count(65_536, "Mappings of a legacy profile; Linux allows a process 65 530."),
  legacyAssignments: count(
    16,
    "Lines name=value of a legacy profile's memory map, which later lines refer to as $name: one or two in practice.",
  ),
  legacyMappingChecks: count(
    100_000_000,
    "Comparisons of a legacy profile's addresses with its mappings: 100 000 addresses among 1000 mappings.",
  ),

  // Labels and names.
  labels: count(
    64,
    "Labels of one profile: senders set some ten, and every distinct set of them is a series in memory.",
    RELOADABLE,
  ),
  labelNameBytes: bytes(256, "A label's name, in UTF-8: the longest in use have some hundred bytes."),
  labelValueBytes: bytes(4 * KIB, "A label's value, in UTF-8: a command line or a URL fits.", RELOADABLE),
  serviceBytes: bytes(512, "A service's name, in UTF-8: a path of the file system fits.", RELOADABLE),
  senderIdBytes: bytes(
    256,
    "Ids that senders choose (request ids, external ids): a UUID or a digest in hex, several times over.",
    RELOADABLE,
  ),

  // Queries.
  pageSizeDefault: count(
    100,
    "Entries of a page of a list, where the request does not say: a screenful or two.",
    RELOADABLE,
  ),
  pageSizeMax: count(1000, "Entries of a page of a list at most: an answer of some hundred kilobytes.", RELOADABLE),
  pageBytes: bytes(
    3 * MIB,
    "A page ends here even where it is not full: gRPC clients take 4 MiB with its token, and 1000 profiles may have 264 MB of labels.",
    RELOADABLE,
  ),
  idsPerRequest: count(
    3000,
    "Profiles that a request names by id: profefe clients have sent 3000 in one URL.",
    RELOADABLE,
  ),
  batchProfiles: count(1000, "Profiles of one batch: its answer names each of them.", RELOADABLE),
  batchMetadataBytes: bytes(
    8 * MIB,
    "As request_bytes, of a batch: 1000 profiles with 64 labels each have 200 000 fields.",
    RELOADABLE,
  ),
  uploadMessages: count(100_000, "Messages of one UploadProfile: 64 MiB in chunks of 1 KiB are 65 536.", RELOADABLE),
  columnsPerRequest: count(64, "Columns that a merge is asked for: as many as a profile may have.", RELOADABLE),
  selectorBytes: bytes(16 * KIB, "A selector's text: some hundred names and values.", RELOADABLE),
  selectorMatchers: count(64, "Matchers of a selector: as many as a profile may have labels.", RELOADABLE),
  regexpBytes: bytes(1 * KIB, "A regular expression's text: an alternative of some fifty names."),
  regexpProgramSize: count(
    500,
    "Instructions of a compiled regular expression: repetition such as (a{100}){100} multiplies.",
  ),
  regexpMs: milliseconds(
    2_000,
    "The time for one regular expression. A reader tests the values of one name, and two readers serve everybody; a hundred thousand short values take 0.1–0.3 s.",
  ),
  headerBytes: bytes(
    1 * MIB,
    "The head of a request: profefe clients put id lists of this size into the request line.",
  ),

  // A merge.
  mergeProfiles: count(
    100_000,
    "Loose profiles of one merge: each is read and inflated, where packs are summed without.",
    RELOADABLE,
  ),
  mergePackedProfiles: count(
    10_000_000,
    "Profiles in packs of one merge, beside the loose ones: a month of the largest services has 650 000, a year of one 8 000 000.",
    RELOADABLE,
  ),
  mergeMs: milliseconds(
    60_000,
    "The time for one merge: go tool pprof waits 65 s for the head of an answer.",
    RELOADABLE,
  ),
  mergeInputBytes: bytes(
    64 * KIB * MIB,
    "Inflated input of one merge: 100 000 profiles of 1 MiB would keep a core busy for ten minutes.",
    RELOADABLE,
  ),
  resultBytes: bytes(
    256 * MIB,
    "The uncompressed sum of a merge; also the bound on the tables it is made of, times four.",
    RELOADABLE,
  ),
  mergesQueued: count(64, "Merges running or waiting; one more is refused as exhausted.", MAY_BE_ZERO),
  topRows: count(10_000, "Rows of one ranking, over all its pages: whoever needs more needs the profile.", RELOADABLE),
  unaryResultBytes: bytes(
    4 * MIB,
    "A sum in one message of the contract; larger ones go by stream or download, since gRPC clients default to 4 MiB.",
    RELOADABLE,
  ),

  // PGO profiles and their releases.
  pgoProfiles: count(
    1_000_000,
    "Profiles that one PGO profile is made of: a month of 900 an hour. Each is weighed by itself, some hundred bytes of memory.",
    RELOADABLE,
  ),
  pgoPoliciesPerService: count(
    100,
    "Policies that a service may have set over the API: one for each mode of operation, and some to try.",
    RELOADABLE,
  ),
  releaseManifestBytes: bytes(
    32 * MIB,
    "What a release's manifest says of the profiles that are in it, as JSON: 100 000 with some labels each have 25 MB.",
    RELOADABLE,
  ),
  releaseChannels: count(
    100,
    "Channels of a service: a handful are in use, and one answer lists all with their moves.",
    RELOADABLE,
  ),

  // The wire.
  headersTimeoutMs: milliseconds(
    10_000,
    "The time for a request's head, and for a TLS handshake: slow networks need a second or two.",
  ),
  requestTimeoutMs: milliseconds(
    300_000,
    "The time for a whole request, and the longest silence on a connection that is in use: 64 MiB at 2 Mbit/s.",
  ),
  idleTimeoutMs: milliseconds(
    60_000,
    "How long a connection stays open without a request: agents send every minute or more often.",
  ),
  sniffTimeoutMs: milliseconds(
    5_000,
    "How long a connection may stay silent at its start: its first three bytes decide between HTTP/1 and HTTP/2.",
    RELOADABLE,
  ),
  undecidedSockets: count(1024, "Connections that have not sent those bytes yet; the oldest makes place.", RELOADABLE),
  connections: count(10_000, "Open connections of one listener: each costs memory and a file descriptor."),
  shutdownMs: milliseconds(
    10_000,
    "How long requests under way may go on after a signal to stop: Kubernetes kills after 30 s.",
    { ...MAY_BE_ZERO, ...RELOADABLE },
  ),

  // Storage.
  segmentBytes: bytes(64 * MIB, "A segment is sealed at this size: a whole segment's space is freed at once."),
  segmentMs: milliseconds(
    3_600_000,
    "A segment is sealed after this time even if small, so that retention can free it.",
  ),
  commitRows: count(64, "Uploads of one commit: larger batches bring no more, and make the first of them wait."),
  commitBytes: bytes(4 * MIB, "The bytes of one commit, for the same reason."),
  diskReserveMinBytes: bytes(
    64 * MIB,
    "Uploads stop below clamp(2 % of the disk, this, disk_reserve_max_bytes) of free space; reads and deletes go on.",
    { ...MAY_BE_ZERO, ...RELOADABLE },
  ),
  diskReserveMaxBytes: bytes(1024 * MIB, "The other end: 2 % of a large disk would be too much to keep free.", {
    ...MAY_BE_ZERO,
    ...RELOADABLE,
  }),

  // Keys.
  keyRequestsPerSecond: count(
    1_000,
    "Requests of one key or place of the file keys, each; as many may come at once. A fleet of 10 000 that sends each minute makes 170.",
    RELOADABLE,
  ),
  keyBytesPerSecond: bytes(
    64 * MIB,
    "The same of bodies: a quarter of what uploads may hold in memory, so that four keys at their limit leave room for others.",
    RELOADABLE,
  ),

  // Keys that everybody has.
  sourceRequestsPerSecond: count(
    10,
    "Requests of one source of a public key, which is an address: a program sends a profile an hour, and an office has one address.",
    RELOADABLE,
  ),
  quarantineProfiles: count(
    10,
    "So many profiles a source of a public key sends before any of them counts: who tries out what can be spoilt sends few. At most page_size_max.",
    { ...MAY_BE_ZERO, ...RELOADABLE },
  ),
  quarantineMs: milliseconds(
    86_400_000,
    "… and so long ago the first of them came: a program that is used is used again the next day.",
    { ...MAY_BE_ZERO, ...RELOADABLE },
  ),
  publicInflatedBytes: bytes(
    16 * MIB,
    "A profile by a public key, inflated: while it is scrubbed it takes twenty times that. Go's CPU profiles have 1 to 5 MB.",
  ),
  pgoSourcePercent: percent(
    25,
    "What one source of a public key may make up of a PGO profile, by weighted CPU time; where there are fewer than four, an equal share.",
  ),

  // Packs.
  packGraceMs: milliseconds(
    600_000,
    "An hour or a day is closed so long after its end: agents send what they took within seconds, and retry for minutes.",
    { ...MAY_BE_ZERO, ...RELOADABLE },
  ),
  packPassMs: milliseconds(
    60_000,
    "Between two looks for what could be packed: a look is cheap, and an hour is ready only once.",
    RELOADABLE,
  ),
  packHourProfiles: count(
    128,
    "An hour with fewer waits for its day: a pack of 60 profiles is 8 to 14 times smaller than they are, one of 300 20 times.",
    RELOADABLE,
  ),
  packLateMs: milliseconds(
    86_400_000,
    "Late arrivals that are few wait so long for others before they join their day.",
    { ...MAY_BE_ZERO, ...RELOADABLE },
  ),
  packRewritePercent: percent(
    25,
    "A pack set is written anew when so many of 100 profiles are deleted; until then their bytes stay.",
    RELOADABLE,
  ),
  packSharePercent: percent(
    50,
    "What the packer may take of a thread's time, so that uploads and merges have the disk and the rest.",
    RELOADABLE,
  ),
  packNodes: count(
    200_000,
    "A pack ends with so many nodes of its stack tree: recursive code makes them grow without end, and a merge decodes all of them.",
  ),
  packBytes: bytes(
    64 * MIB,
    "… or with so many bytes before compression: labels that no two samples share (trace ids) reach it.",
  ),
  packProfiles: count(65_536, "… or with so many profiles: a day of the largest services has 20 000."),
  packCacheBytes: bytes(
    96 * MIB,
    "Decoded packs that are kept for the next merge, whole process: some 30 of 1000 profiles.",
    MAY_BE_ZERO,
  ),
  resultCacheBytes: bytes(
    64 * MIB,
    "Answers of merges that are kept for the same question: some hundred.",
    MAY_BE_ZERO,
  ),
} as const satisfies Record<string, Limit>;

export type LimitName = keyof typeof LIMITS;
export type Limits = { readonly [name in LimitName]: number };

export const LIMIT_NAMES = Object.keys(LIMITS) as LimitName[];

export const DEFAULT_LIMITS = Object.fromEntries(LIMIT_NAMES.map((name) => [name, LIMITS[name].default])) as Limits;

/** The first is no larger than the second: other values contradict each other. */
export const ORDERED_LIMITS: readonly (readonly [LimitName, LimitName])[] = [
  ["pageSizeDefault", "pageSizeMax"],
  ["quarantineProfiles", "pageSizeMax"],
  ["diskReserveMinBytes", "diskReserveMaxBytes"],
];
