// What bad input gets from the contract: a code, a message that says what is allowed, and no effect on anything else.

import { gunzipSync, gzipSync } from "node:zlib";
import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ProfileService } from "../../gen/profusion/v1/profile_service_pb.ts";
import { QueryService } from "../../gen/profusion/v1/query_service_pb.ts";
import { buildGzip, buildProfile } from "../support/profile-builder.ts";
import { runServer, type ServerForTest } from "../support/run-server.ts";

const SAMPLES = [{ stack: ["work", "main"], values: [1n, 10n] }];
const GOOD = buildGzip({ timeNs: 1_750_000_000_000_000_000n, samples: SAMPLES });
const INTERVAL = { startTime: { seconds: 1_750_000_000n } };
const ALL = { selector: "{}", interval: INTERVAL };

let server: ServerForTest;
let goodId: string;

beforeAll(async () => {
  server = await runServer();
  const client = createClient(ProfileService, createGrpcTransport({ baseUrl: server.url }));
  const { profile } = await client.createProfile({
    metadata: { service: "good", profileType: "cpu" },
    profileBytes: GOOD,
  });
  goodId = profile!.id;
});
afterAll(() => server[Symbol.asyncDispose]());

interface Clients {
  profiles: ReturnType<typeof createClient<typeof ProfileService>>;
  queries: ReturnType<typeof createClient<typeof QueryService>>;
}

const create =
  (metadata: object, profileBytes: Uint8Array = GOOD) =>
  ({ profiles }: Clients) =>
    profiles.createProfile({ metadata: { service: "bad", profileType: "cpu", ...metadata }, profileBytes });

/** A protobuf field of packed zero-length samples: `count` of them in two bytes each. */
function manySamples(count: number): Uint8Array {
  return gzipSync(
    Buffer.concat([buildProfile({ samples: SAMPLES }), Buffer.alloc(count * 2, Buffer.from([0x12, 0x00]))]),
  );
}

const CASES: [string, Code, RegExp, (clients: Clients) => Promise<unknown>][] = [
  ["what is no profile", Code.InvalidArgument, /./, create({}, Buffer.from("hello"))],
  ["no bytes at all", Code.InvalidArgument, /./, create({}, new Uint8Array())],
  ["a truncated gzip", Code.InvalidArgument, /./, create({}, GOOD.subarray(0, GOOD.length - 9))],
  ["a truncated profile", Code.InvalidArgument, /./, create({}, gzipSync(gunzipSync(GOOD).subarray(0, -3)))],
  [
    "a flipped bit",
    Code.InvalidArgument,
    /./,
    create(
      {},
      GOOD.map((byte, at) => (at === 30 ? byte ^ 4 : byte)),
    ),
  ],
  ["a gzip bomb", Code.ResourceExhausted, /268435456/, create({}, gzipSync(Buffer.alloc(300 * 1024 * 1024)))],
  ["more samples than are allowed", Code.ResourceExhausted, /1000000/, create({}, manySamples(10_000_000))],
  ["a profile without samples", Code.InvalidArgument, /no samples/, create({}, buildGzip({ samples: [] }))],
  ["no metadata", Code.InvalidArgument, /metadata/, ({ profiles }) => profiles.createProfile({ profileBytes: GOOD })],
  ["no service", Code.InvalidArgument, /service/, create({ service: "" })],
  ["a service of control characters", Code.InvalidArgument, /U\+000a/, create({ service: "a\nb" })],
  ["a type that is no word", Code.InvalidArgument, /one word/, create({ profileType: "cpu time" })],
  ["a label of 1 MB", Code.InvalidArgument, /4096/, create({ labels: [{ name: "a", value: "x".repeat(900_000) }] })],
  [
    "10 000 labels",
    Code.InvalidArgument,
    /at most 64/,
    create({ labels: Array(10_000).fill({ name: "a", value: "b" }) }),
  ],
  ["a label without a name", Code.InvalidArgument, /without a name/, create({ labels: [{ name: "", value: "b" }] })],
  ["a label with NUL", Code.InvalidArgument, /U\+0000/, create({ labels: [{ name: "a", value: "\u0000" }] })],
  [
    "a start time beyond 64 bits",
    Code.InvalidArgument,
    /metadata.start_time/,
    create({ startTime: { seconds: 250_000_000_000n } }),
  ],
  ["a request id of 1 kB", Code.InvalidArgument, /request id .* at most 256/, create({ requestId: "x".repeat(1000) })],
  ["an external id with a newline", Code.InvalidArgument, /external id/, create({ externalId: "a\n" })],
  ["an empty batch", Code.InvalidArgument, /1 to 1000/, ({ profiles }) => profiles.batchCreateProfiles({})],
  [
    "a batch of 1001",
    Code.InvalidArgument,
    /1001/,
    ({ profiles }) => profiles.batchCreateProfiles({ requests: Array(1001).fill({}) }),
  ],
  ["an upload without messages", Code.InvalidArgument, /metadata/, ({ profiles }) => profiles.uploadProfile(parts())],
  [
    "an upload that begins with a chunk",
    Code.InvalidArgument,
    /one message with metadata, then/,
    ({ profiles }) => profiles.uploadProfile(parts({ case: "chunk", value: GOOD })),
  ],
  [
    "an upload with an empty chunk",
    Code.InvalidArgument,
    /empty chunk/,
    ({ profiles }) => profiles.uploadProfile(parts(METADATA, { case: "chunk", value: new Uint8Array() })),
  ],
  [
    "an upload of 100 001 messages",
    Code.ResourceExhausted,
    /at most 100000.*larger chunks/,
    ({ profiles }) => profiles.uploadProfile(manyParts(100_000)),
  ],
  [
    "100 000 labels",
    Code.ResourceExhausted,
    /so many parts.*1048576/,
    create({ labels: Array(100_000).fill({ name: "a" }) }),
  ],
  [
    "a batch of 300 000",
    Code.ResourceExhausted,
    /so many parts.*8388608/,
    ({ profiles }) => profiles.batchCreateProfiles({ requests: Array(300_000).fill({}) }),
  ],
  ["an unknown id", Code.NotFound, /0000/, ({ profiles }) => profiles.getProfile({ id: "0".repeat(26) })],
  ["an id that is a path", Code.NotFound, /passwd/, ({ profiles }) => profiles.getProfile({ id: "../../etc/passwd" })],
  ["an unknown id to delete", Code.NotFound, /nobody/, ({ profiles }) => profiles.deleteProfile({ id: "nobody" })],
  [
    "an unreadable selector",
    Code.InvalidArgument,
    /character 5/,
    ({ profiles }) => profiles.listProfiles({ selector: "cpu{" }),
  ],
  [
    "an expression that RE2 does not have",
    Code.InvalidArgument,
    /./,
    ({ profiles }) => profiles.listProfiles({ selector: '{a=~"(?=b)"}' }),
  ],
  [
    "an expression that multiplies",
    Code.InvalidArgument,
    /./,
    ({ profiles }) => profiles.listProfiles({ selector: `{a=~"((a{100}){100}){100}"}` }),
  ],
  [
    "a page size below 0",
    Code.InvalidArgument,
    /page_size -1/,
    ({ profiles }) => profiles.listProfiles({ pageSize: -1 }),
  ],
  [
    "an order of the future",
    Code.InvalidArgument,
    /order 9/,
    ({ profiles }) => profiles.listProfiles({ order: 9 as 1 }),
  ],
  [
    "a page token of nobody's",
    Code.InvalidArgument,
    /page_token/,
    ({ profiles }) => profiles.listProfiles({ pageToken: "x" }),
  ],
  [
    "a window that ends before it starts",
    Code.InvalidArgument,
    /ends before it starts/,
    ({ queries }) =>
      queries.mergeProfiles({ selection: { ...ALL, interval: { ...INTERVAL, endTime: { seconds: 1n } } } }),
  ],
  [
    "a window before 1970",
    Code.InvalidArgument,
    /1970/,
    ({ queries }) => queries.mergeProfiles({ selection: { ...ALL, interval: { startTime: { seconds: -1n } } } }),
  ],
  [
    "a window after 2262",
    Code.InvalidArgument,
    /2262/,
    ({ queries }) =>
      queries.mergeProfiles({ selection: { ...ALL, interval: { endTime: { seconds: 10_000_000_000n } } } }),
  ],
  [
    "3001 ids",
    Code.InvalidArgument,
    /at most 3000/,
    ({ queries }) => queries.mergeProfiles({ selection: { profileIds: Array<string>(3001).fill(goodId) } }),
  ],
  [
    "ids that nobody has",
    Code.NotFound,
    /./,
    ({ queries }) => queries.mergeProfiles({ selection: { profileIds: ["nobody"] } }),
  ],
  [
    "a selection that matches nothing",
    Code.NotFound,
    /./,
    ({ queries }) => queries.mergeProfiles({ selection: { ...ALL, selector: "heap" } }),
  ],
  [
    "a column that no profile has",
    Code.FailedPrecondition,
    /wall\/nanoseconds.*cpu\/nanoseconds/,
    ({ queries }) => queries.mergeProfiles({ selection: ALL, sampleTypes: [{ type: "wall", unit: "nanoseconds" }] }),
  ],
  [
    "a column twice",
    Code.FailedPrecondition,
    /cpu\/nanoseconds, cpu\/nanoseconds/,
    ({ queries }) =>
      queries.mergeProfiles({ selection: ALL, sampleTypes: Array(2).fill({ type: "cpu", unit: "nanoseconds" }) }),
  ],
  [
    "less than no nodes",
    Code.InvalidArgument,
    /max_nodes -1/,
    ({ queries }) => queries.mergeProfiles({ selection: ALL, maxNodes: -1 }),
  ],
  [
    "65 columns",
    Code.InvalidArgument,
    /at most 64/,
    ({ queries }) =>
      queries.mergeProfiles({ selection: ALL, sampleTypes: Array(65).fill({ type: "cpu", unit: "nanoseconds" }) }),
  ],
  [
    "a deletion of nothing in particular",
    Code.InvalidArgument,
    /selector/,
    ({ profiles }) => profiles.deleteProfiles({}),
  ],
  [
    "a deletion without its etag",
    Code.InvalidArgument,
    /validate_only/,
    ({ profiles }) => profiles.deleteProfiles({ selector: "{}" }),
  ],
  [
    "a deletion by an etag of nobody's",
    Code.Aborted,
    /etag/,
    ({ profiles }) => profiles.deleteProfiles({ selector: "{}", etag: "9-abc" }),
  ],
  ["the values of no label", Code.InvalidArgument, /label_name/, ({ queries }) => queries.listLabelValues({})],
];

type Part =
  | { case: "metadata"; value: { service: string; profileType: string } }
  | { case: "chunk"; value: Uint8Array<ArrayBuffer> };

const METADATA: Part = { case: "metadata", value: { service: "bad", profileType: "trace" } };

async function* parts(...all: Part[]) {
  for (const part of all) yield { part };
}

async function* manyParts(chunks: number) {
  yield* parts(METADATA);
  for (let at = 0; at < chunks; at++) yield* parts({ case: "chunk", value: Buffer.from("x") });
}

const TRANSPORTS: [string, () => Transport][] = [
  ["gRPC", () => createGrpcTransport({ baseUrl: server.url })],
  [
    "Connect with JSON",
    () => createConnectTransport({ baseUrl: server.url, httpVersion: "1.1", useBinaryFormat: false }),
  ],
];

describe.each(TRANSPORTS)("over %s", (_, createTransport) => {
  const clients = () => {
    const transport = createTransport();
    return { profiles: createClient(ProfileService, transport), queries: createClient(QueryService, transport) };
  };

  test.each(CASES)("%s is refused, and says why", async (_, code, message, call) => {
    const error = await call(clients()).then(() => undefined, ConnectError.from);
    expect([Code[error?.code ?? 0], error?.rawMessage]).toEqual([Code[code], expect.stringMatching(message)]);
    const { profiles } = await clients().profiles.listProfiles({});
    expect(profiles.map(({ id }) => id)).toEqual([goodId]);
  });
});

test("a path is a legal name of a service, and stays a name", async () => {
  const { profiles } = { profiles: createClient(ProfileService, createGrpcTransport({ baseUrl: server.url })) };
  const metadata = { service: "../../etc/passwd", profileType: "cpu" };
  const { profile } = await profiles.createProfile({ metadata, profileBytes: GOOD });
  expect((await profiles.getProfile({ id: profile!.id })).profile?.service).toBe("../../etc/passwd");
  await profiles.deleteProfile({ id: profile!.id });
});

test("a sum too large for one message is refused with the ways out, and the stream has it", async () => {
  await using small = await runServer({ unaryResultBytes: 64 * 1024 + 100 });
  const transport = createGrpcTransport({ baseUrl: small.url });
  await createClient(ProfileService, transport).createProfile({
    metadata: { service: "s", profileType: "cpu" },
    profileBytes: GOOD,
  });
  const queries = createClient(QueryService, transport);
  const error = await queries.mergeProfiles({ selection: ALL }).then(() => undefined, ConnectError.from);
  expect(error?.code).toBe(Code.ResourceExhausted);
  expect(error?.rawMessage).toMatch(/StreamMergedProfile.*\/api\/0\/profiles\/merge/);
  const pieces: (string | undefined)[] = [];
  for await (const { part } of queries.streamMergedProfile({ selection: ALL })) pieces.push(part.case);
  expect(pieces).toEqual(["summary", "chunk"]);
});
