// Every method of the contract over every transport, with generated clients against the whole server.

import { createHash } from "node:crypto";
import { gunzipSync } from "node:zlib";
import type { DescMethod } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createClient, type Interceptor, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Health } from "../../gen/grpc/health/v1/health_pb.ts";
import { ServerReflection } from "../../gen/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as ServerReflectionAlpha } from "../../gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { AdminService } from "../../gen/profusion/v1/admin_service_pb.ts";
import { PgoService, PgoVerdict, PgoWeighting } from "../../gen/profusion/v1/pgo_service_pb.ts";
import { AggregationMethod } from "../../gen/profusion/v1/profile_pb.ts";
import { ProfileOrder, ProfileService } from "../../gen/profusion/v1/profile_service_pb.ts";
import { QueryService, TopGrouping, TopOrder } from "../../gen/profusion/v1/query_service_pb.ts";
import { normalForm } from "../support/normal-form.ts";
import { buildGzip } from "../support/profile-builder.ts";
import { runServer, type ServerForTest } from "../support/run-server.ts";

const BASE_SECONDS = 1_750_000_000n;
const INTERVAL = { startTime: { seconds: BASE_SECONDS }, endTime: { seconds: BASE_SECONDS + 1000n } };
const LARGE = 2n ** 62n + 1n;

let server: ServerForTest;
beforeAll(async () => {
  server = await runServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const TRANSPORTS: Record<string, (baseUrl: string, interceptors: Interceptor[]) => Transport> = {
  gRPC: (baseUrl, interceptors) => createGrpcTransport({ baseUrl, interceptors }),
  "gRPC with JSON": (baseUrl, interceptors) => createGrpcTransport({ baseUrl, interceptors, useBinaryFormat: false }),
  "gRPC-Web over HTTP/1.1": (baseUrl, interceptors) =>
    createGrpcWebTransport({ baseUrl, interceptors, httpVersion: "1.1" }),
  "gRPC-Web over HTTP/2": (baseUrl, interceptors) =>
    createGrpcWebTransport({ baseUrl, interceptors, httpVersion: "2" }),
  "Connect over HTTP/1.1": (baseUrl, interceptors) =>
    createConnectTransport({ baseUrl, interceptors, httpVersion: "1.1" }),
  "Connect over HTTP/2": (baseUrl, interceptors) => createConnectTransport({ baseUrl, interceptors, httpVersion: "2" }),
  "Connect with JSON over HTTP/1.1": (baseUrl, interceptors) =>
    createConnectTransport({ baseUrl, interceptors, httpVersion: "1.1", useBinaryFormat: false }),
  "Connect with JSON over HTTP/2": (baseUrl, interceptors) =>
    createConnectTransport({ baseUrl, interceptors, httpVersion: "2", useBinaryFormat: false }),
  "Connect with GET over HTTP/1.1": (baseUrl, interceptors) =>
    createConnectTransport({ baseUrl, interceptors, httpVersion: "1.1", useHttpGet: true }),
  "Connect with GET and JSON over HTTP/1.1": (baseUrl, interceptors) =>
    createConnectTransport({ baseUrl, interceptors, httpVersion: "1.1", useHttpGet: true, useBinaryFormat: false }),
};

function profile(at: number, value: bigint): Uint8Array {
  const timeNs = (BASE_SECONDS + BigInt(at)) * 1_000_000_000n + 1n;
  return buildGzip({ timeNs, durationNs: 10n, samples: [{ stack: ["work", "main"], values: [1n, value] }] });
}

async function collect<Message>(messages: AsyncIterable<Message>): Promise<Message[]> {
  const all: Message[] = [];
  for await (const message of messages) all.push(message);
  return all;
}

describe.each(Object.entries(TRANSPORTS))("%s", (name, createTransport) => {
  const service = `of ${name}`;
  const selector = `cpu{service=${JSON.stringify(service)}}`;
  const called = new Set<DescMethod>();
  const record: Interceptor = (next) => async (request) => {
    called.add(request.method);
    const response = await next(request);
    const isRead = request.method.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS;
    // Only a GET is answered so.
    if (name.includes("GET") && isRead) expect(response.header.get("cache-control")).toBe("private, no-cache");
    return response;
  };
  const transport = () => createTransport(server.url, [record]);
  const metadata = (version: string) => ({
    service,
    profileType: "cpu",
    labels: [{ name: "version", value: version }],
  });
  const profiles = () => createClient(ProfileService, transport());
  const queries = () => createClient(QueryService, transport());

  test("profiles come by each of three ways, and a repeat is recognised", async () => {
    const first = { metadata: metadata("1"), profileBytes: profile(1, LARGE) };
    const created = await profiles().createProfile(first);
    expect(created).toMatchObject({
      alreadyExisted: false,
      profile: { service, profileType: "cpu", submitter: "127.0.0.1" },
    });
    expect(created.profile?.startTime).toMatchObject({ seconds: BASE_SECONDS + 1n, nanos: 1 });
    expect(created.profile?.sampleTypes.map(({ total }) => total)).toEqual([1n, LARGE]);
    const again = await profiles().createProfile(first);
    expect([again.alreadyExisted, again.profile?.id]).toEqual([true, created.profile?.id]);

    const bad = { metadata: metadata("2"), profileBytes: Buffer.from("no profile") };
    const { results } = await profiles().batchCreateProfiles({
      requests: [{ metadata: metadata("2"), profileBytes: profile(2, 5n) }, bad],
    });
    expect(results.map(({ outcome }) => outcome.case)).toEqual(["created", "error"]);
    expect(results[1]?.outcome.value).toMatchObject({ code: Code.InvalidArgument });

    const third = profile(3, 7n);
    async function* parts() {
      yield { part: { case: "metadata" as const, value: metadata("3") } };
      for (let at = 0; at < third.length; at += 50) {
        yield { part: { case: "chunk" as const, value: third.subarray(at, at + 50) } };
      }
    }
    const uploaded = await profiles().uploadProfile(parts());
    const pieces = await collect(profiles().downloadProfile({ id: uploaded.profile?.id ?? "" }));
    expect(pieces[0]?.part.value).toMatchObject({ id: uploaded.profile?.id });
    const bytes = Buffer.concat(pieces.flatMap(({ part }) => (part.case === "chunk" ? [part.value] : [])));
    expect(bytes.equals(third)).toBe(true);
    const { profile: got } = await profiles().getProfile({ id: uploaded.profile?.id ?? "" });
    expect(got).toEqual(uploaded.profile);
  });

  test("profiles are listed page by page, in both orders, and another query's token is refused", async () => {
    const pages = async (order: ProfileOrder) => {
      const versions: (string | undefined)[] = [];
      let pageToken = "";
      do {
        const page = await profiles().listProfiles({ selector, interval: INTERVAL, pageSize: 2, pageToken, order });
        versions.push(...page.profiles.map(({ labels }) => labels[0]?.value), "|");
        pageToken = page.nextPageToken;
      } while (pageToken !== "");
      return versions.join("");
    };
    expect(await pages(ProfileOrder.UNSPECIFIED)).toBe("32|1|");
    expect(await pages(ProfileOrder.OLDEST)).toBe("12|3|");
    const { nextPageToken } = await profiles().listProfiles({ selector, pageSize: 1 });
    const foreign = profiles().listProfiles({ selector: "heap", pageSize: 1, pageToken: nextPageToken });
    expect(ConnectError.from(await foreign.catch((error: unknown) => error)).code).toBe(Code.InvalidArgument);
  });

  test("everything is packed and verified as an operation, and the status tells", async () => {
    const admin = createClient(AdminService, transport());
    const maxWait = { seconds: 60n };
    const done = async (id = "") => (await admin.getOperation({ id, maxWait })).operation;
    const packed = await done((await admin.pack({})).operation?.id);
    expect(packed).toMatchObject({ done: true, result: { case: "pack", value: { refusedProfiles: 0n } } });
    expect(packed?.endTime).toBeDefined();
    const verified = await done((await admin.verify({})).operation?.id);
    expect(verified?.result).toMatchObject({ case: "verify", value: { damaged: [], damagedCount: 0n } });
    const { version, profileCount, packs } = await admin.getStatus({});
    expect(version).toBe("test");
    expect(packs).toMatchObject({ enabled: true, looseProfiles: 0n, packedProfiles: profileCount, lastFailure: "" });
    const absent = await done("none").catch((error: unknown) => ConnectError.from(error).code);
    expect(absent).toBe(Code.NotFound);
  });

  test("a merge is one sum, at once or in pieces, with its summary", async () => {
    const selection = { selector, interval: INTERVAL };
    const { profileBytes, summary } = await queries().mergeProfiles({ selection });
    expect(summary).toMatchObject({ matched: 3n, merged: 3n, packs: 3n, loose: 0n, skipped: [], interval: INTERVAL });
    expect(summary?.sampleTypes.map(({ total }) => total)).toEqual([3n, LARGE + 12n]);
    expect(normalForm(gunzipSync(profileBytes)).text).toContain(`${LARGE + 12n}`);
    const pieces = await collect(queries().streamMergedProfile({ selection }));
    expect(pieces[0]?.part.value).toMatchObject({ etag: summary?.etag });
    const bytes = Buffer.concat(pieces.flatMap(({ part }) => (part.case === "chunk" ? [part.value] : [])));
    expect(bytes.equals(profileBytes)).toBe(true);
    const one = await queries().mergeProfiles({ selection, sampleTypes: [{ type: "samples", unit: "count" }] });
    expect(one.summary?.sampleTypes).toMatchObject([{ type: "samples", unit: "count", total: 3n }]);
  });

  test("a ranking says where the sum lies, page by page, with shares and its summary", async () => {
    const selection = { selector, interval: INTERVAL };
    const first = await queries().listTopFunctions({ selection, pageSize: 1 });
    const total = LARGE + 12n;
    expect(first).toMatchObject({
      functions: [{ name: "work", functionName: "", file: "", line: 0n, flat: total, cum: total, flatShare: 1 }],
      totalSize: 2n,
      total,
      aggregation: AggregationMethod.SUM,
      summary: { matched: 3n, merged: 3n, packs: 3n, sampleTypes: [{ type: "cpu", unit: "nanoseconds", total }] },
    });
    const rest = { selection, pageSize: 5, pageToken: first.nextPageToken };
    expect(await queries().listTopFunctions(rest)).toMatchObject({
      functions: [{ name: "main", flat: 0n, cum: total, flatShare: 0, cumShare: 1 }],
      nextPageToken: "",
    });
    const refusal = async (request: Parameters<ReturnType<typeof queries>["listTopFunctions"]>[0]) =>
      ConnectError.from(
        await queries()
          .listTopFunctions(request)
          .catch((error: unknown) => error),
      );
    expect(await refusal({ ...rest, order: TopOrder.CUM })).toMatchObject({ code: Code.InvalidArgument });
    expect(await refusal({ selection, groupBy: TopGrouping.LABEL })).toMatchObject({ code: Code.InvalidArgument });
    expect(await refusal({ selection, labelKey: "thread" })).toMatchObject({ code: Code.InvalidArgument });
    expect(await refusal({ selection, pageSize: -1 })).toMatchObject({ code: Code.InvalidArgument });
    expect(await refusal({ selection, sampleType: { type: "wall", unit: "nanoseconds" } })).toMatchObject({
      code: Code.FailedPrecondition,
    });
    const services = await queries().listTopFunctions({
      selection,
      groupBy: TopGrouping.SERVICE,
      sampleType: { type: "samples", unit: "count" },
    });
    expect(services.functions).toMatchObject([{ name: service, flat: 3n, cum: 3n }]);
  });

  test("what is taken is told by service and type, page by page", async () => {
    const admin = createClient(AdminService, transport());
    const { usages, total, nextPageToken } = await admin.getUsage({ prefix: service });
    const expected = { profileCount: 3n, packedProfileCount: 3n, seriesCount: 3n, originalBytes: 0n };
    expect(usages).toMatchObject([{ service, profileType: "cpu", ...expected }]);
    expect(usages[0]?.firstStartTime).toMatchObject({ seconds: BASE_SECONDS + 1n, nanos: 0 });
    expect(usages[0]?.lastStartTime).toMatchObject({ seconds: BASE_SECONDS + 3n, nanos: 0 });
    expect(usages[0]?.packBytes).toBeGreaterThan(0n);
    expect(usages[0]?.sentBytes).toBe(
      [1, 2, 3].reduce((sum, at) => sum + BigInt(profile(at, [LARGE, 5n, 7n][at - 1]!).length), 0n),
    );
    expect([total?.service, total?.sentBytes, nextPageToken]).toEqual(["", usages[0]?.sentBytes, ""]);
    const everything = (await admin.getUsage({})).usages.map((usage) => usage.service);
    const paged: string[] = [];
    for (let pageToken = "", isFirst = true; isFirst || pageToken !== ""; isFirst = false) {
      const page = await admin.getUsage({ pageSize: 1, pageToken });
      paged.push(...page.usages.map((usage) => usage.service));
      pageToken = page.nextPageToken;
    }
    expect(paged).toEqual(everything);
  });

  test("the lists of the catalog know what was pushed", async () => {
    const counted = (names: { name: string; profileCount: bigint }[]) =>
      names.map((found) => `${found.name} ${found.profileCount}`);
    const client = queries();
    expect(counted((await client.listServices({ prefix: service, selector })).services)).toEqual([`${service} 3`]);
    expect(counted((await client.listProfileTypes({ selector })).profileTypes)).toEqual(["cpu 3"]);
    expect(counted((await client.listLabelNames({ selector })).labelNames)).toEqual(["version 3"]);
    const values = await client.listLabelValues({ selector, labelName: "version", pageSize: 2 });
    expect(counted(values.labelValues)).toEqual(["1 1", "2 1"]);
    const more = await client.listLabelValues({ selector, labelName: "version", pageToken: values.nextPageToken });
    expect([counted(more.labelValues), more.nextPageToken]).toEqual([["3 1"], ""]);
    const series = await client.listSeries({ selector, pageSize: 2 });
    expect(series.series).toMatchObject(
      [1, 2].map((version) => ({ service, labels: [{ value: `${version}` }], profileCount: 1n })),
    );
    const rest = await client.listSeries({ selector, pageToken: series.nextPageToken });
    expect(rest.series).toMatchObject([{ labels: [{ value: "3" }], firstStartTime: { seconds: BASE_SECONDS + 3n } }]);
    expect((await client.parseSelector({ selector: ` ${selector} ` })).canonicalSelector).toBe(selector);
  });

  test("PGO profiles are made by policies, judged, and published", async () => {
    const client = createClient(PgoService, transport());
    const timeNs = BigInt(Math.floor(Date.now() / 3_600_000) * 3600 - 60) * 1_000_000_000n;
    const frame = (fn: string) => ({ lines: [{ name: fn, line: 12n, startLine: 10n }] });
    const samples = [{ stack: [frame("leaf"), frame("main.main")], values: [500n, 5_000_000_000n] }];
    const metadataOfPgo = { service, profileType: "pgo_cpu", labels: [{ name: "mode", value: "api" }] };
    await profiles().createProfile({
      metadata: metadataOfPgo,
      profileBytes: buildGzip({ timeNs, durationNs: 1n, samples }),
    });
    const policy = {
      name: "own",
      selector: "pgo_cpu",
      window: { seconds: 7200n },
      modeLabel: "mode",
      keepLocations: -1,
      weighting: PgoWeighting.NONE,
    };
    const set = await client.updatePgoPolicy({ service, policy });
    expect(set.policy).toMatchObject({ ...policy, minSamples: 100n, minProfiles: 1, minInstances: 1 });
    expect(await client.getPgoPolicy({ service, name: "own" })).toEqual({
      ...set,
      $typeName: "profusion.v1.GetPgoPolicyResponse",
    });
    expect((await client.listPgoPolicies({ service })).policies.map((each) => each.name)).toEqual([
      "default",
      "own",
      "plain",
    ]);
    const question = { service, policy: "own", mode: "api" };
    const made = await client.getPgoProfile({ question });
    expect(createHash("sha256").update(gunzipSync(made.profileBytes)).digest().equals(made.digest)).toBe(true);
    expect(made.summary).toMatchObject({ matched: 1n, merged: 1n });
    const { report } = await client.getPgoReport({ question });
    expect(report).toEqual(made.report);
    expect(report).toMatchObject({
      sampleCount: 500n,
      edgeCount: 1n,
      totalWeight: 500n,
      modes: ["api"],
      verdict: PgoVerdict.POOR,
    });
    const published = await client.publishRelease({ question, name: "r1", channels: ["stable"] });
    expect(published).toMatchObject({
      alreadyExisted: false,
      release: { name: "r1", digest: made.digest, channels: ["stable"] },
    });
    const got = await client.getRelease({ service, name: "stable", withBytes: true, withManifest: true });
    expect(Buffer.from(got.profileBytes).equals(made.profileBytes)).toBe(true);
    expect(JSON.parse(got.manifestJson)).toMatchObject({ release: "r1", inputs: [{ weight: 1 }] });
    expect((await client.listReleases({ service })).releases).toEqual([published.release]);
    const { channel } = await client.moveChannel({ service, channel: "canary", release: "r1" });
    expect((await client.listChannels({ service })).channels.map((each) => each.name)).toEqual([
      channel?.name,
      "stable",
    ]);
    await client.deletePgoPolicy({ service, name: "own", etag: set.etag });
    const gone = await client.getPgoProfile({ question }).catch((reason: unknown) => reason);
    expect(ConnectError.from(gone).code).toBe(Code.NotFound);
    await profiles().deleteProfiles({
      selector: `pgo_cpu{service=${JSON.stringify(service)}}`,
      etag: (
        await profiles().deleteProfiles({ selector: `pgo_cpu{service=${JSON.stringify(service)}}`, validateOnly: true })
      ).etag,
    });
  });

  test("errors keep their code and message", async () => {
    const absent = profiles().getProfile({ id: "nobody" });
    const error = ConnectError.from(await absent.catch((reason: unknown) => reason));
    expect([error.code, error.rawMessage]).toEqual([Code.NotFound, 'There is no profile "nobody"']);
    const unreadable = queries().streamMergedProfile({ selection: { selector: "cpu{", interval: INTERVAL } });
    const streamed = ConnectError.from(await collect(unreadable).catch((reason: unknown) => reason));
    expect([streamed.code, streamed.rawMessage]).toMatchObject([Code.InvalidArgument, /Cannot read selector/]);
  });

  test("profiles are deleted by id and by selection, which takes the preview's etag", async () => {
    const [newest] = (await profiles().listProfiles({ selector })).profiles;
    await profiles().deleteProfile({ id: newest?.id ?? "" });
    const preview = await profiles().deleteProfiles({ selector, validateOnly: true });
    expect(preview).toMatchObject({ profileCount: 2n });
    const blind = profiles().deleteProfiles({ selector });
    expect(ConnectError.from(await blind.catch((error: unknown) => error)).code).toBe(Code.InvalidArgument);
    const foreign = profiles().deleteProfiles({ selector: "{}", etag: preview.etag });
    expect(ConnectError.from(await foreign.catch((error: unknown) => error)).code).toBe(Code.Aborted);
    expect(await profiles().deleteProfiles({ selector, etag: preview.etag })).toMatchObject({ profileCount: 2n });
    expect((await profiles().listProfiles({ selector })).profiles).toEqual([]);
  });

  test("health answers", async () => {
    const client = createClient(Health, transport());
    expect(await client.check({})).toMatchObject({ status: 1 });
    expect(await client.list({})).toMatchObject({ statuses: { "": { status: 1 } } });
    const leaving = new AbortController();
    for await (const { status } of client.watch({}, { signal: leaving.signal })) {
      expect(status).toBe(1);
      break;
    }
    leaving.abort();
  });

  // It needs streams in both directions, which HTTP/1.1 does not have.
  if (!name.includes("1.1")) {
    test("reflection answers", async () => {
      async function* questions() {
        yield { messageRequest: { case: "listServices" as const, value: "" } };
      }
      for (const version of [ServerReflection, ServerReflectionAlpha]) {
        const client = createClient(version, transport());
        expect(await collect(client.serverReflectionInfo(questions()))).toHaveLength(1);
      }
    });
  }

  test("no method of the contract was left out", () => {
    const all = [ProfileService, QueryService, PgoService, AdminService, Health].flatMap((served) => served.methods);
    expect(all.filter((method) => !called.has(method)).map((method) => method.name)).toEqual([]);
  });
});
