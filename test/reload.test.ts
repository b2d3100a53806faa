// What a running server takes of new settings: each limit that LIMITS calls reloadable is shown to hold for the next request, and to be
// lifted by the one after.

import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { AdminService } from "../gen/profusion/v1/admin_service_pb.ts";
import { ProfileService } from "../gen/profusion/v1/profile_service_pb.ts";
import { DEFAULT_LIMITS, LIMIT_NAMES, LIMITS, type LimitName, type Limits } from "../src/model/limits.ts";
import { buildGzip } from "./support/profile-builder.ts";
import { runServer, type ServerForTest } from "./support/run-server.ts";

const TIME_NS = 1_750_000_000_000_000_000n;
const profile = (at: number) =>
  buildGzip({ timeNs: TIME_NS + BigInt(at), samples: [{ stack: [`work${at}`, "main"], values: [1n, 10n] }] });
const BODY = profile(0);
const BASE64 = Buffer.from(BODY).toString("base64");

/** No answer is kept: each merge is one. */
const BEFORE: Limits = { ...DEFAULT_LIMITS, resultCacheBytes: 0, sniffTimeoutMs: LIMITS.sniffTimeoutMs.max };

let running: ServerForTest;
let ids: string[];
const reload = (changed: Partial<Limits>) => running.server.reload({ limits: { ...BEFORE, ...changed } });

beforeAll(async () => {
  running = await runServer(BEFORE);
  const profiles = createClient(ProfileService, createGrpcTransport({ baseUrl: running.url }));
  const create = async (service: string, at: number, profileBytes = profile(at)) => {
    const metadata = { service, profileType: "cpu" };
    return (await profiles.createProfile({ metadata, profileBytes })).profile!.id;
  };
  await create("packed", 1);
  await create("packed", 2);
  const admin = createClient(AdminService, createGrpcTransport({ baseUrl: running.url }));
  let { operation } = await admin.pack({});
  while (!operation?.done) ({ operation } = await admin.getOperation({ id: operation!.id, maxWait: { seconds: 5n } }));
  ids = [await create("loose", 3), await create("loose", 4)];
  await create("published", 5, readFileSync(new URL("testdata/recorded/go-cpu-1.pb.gz", import.meta.url)));
});
afterAll(() => running[Symbol.asyncDispose]());

/** What came back, in a word or two: `200`, or a status with what is wrong. */
async function answerOf(request: Promise<Response>): Promise<string> {
  const response = await request;
  return response.ok ? "200" : `${response.status} ${await response.text()}`;
}
const push = (query: string) =>
  answerOf(fetch(`${running.url}/api/0/profiles?type=cpu&${query}`, { method: "POST", body: BODY }));
const get = (path: string) => answerOf(fetch(`${running.url}/api/0/profiles${path}`));
const call = (method: string, message: object) =>
  fetch(`${running.url}/profusion.v1.${method}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(message),
  });
const rpc = (method: string, message: object) => answerOf(call(method, message));
const create = (metadata: object) =>
  rpc("ProfileService/CreateProfile", {
    metadata: { service: "s", profileType: "cpu", ...metadata },
    profileBytes: BASE64,
  });
const merge = (service: string) => get(`/merge?service=${service}&type=cpu&last=9999d`);
const sum = (message: object) =>
  rpc("QueryService/MergeProfiles", {
    selection: { selector: '{service="loose"}', interval: { startTime: "2020-01-01T00:00:00Z" } },
    ...message,
  });
const batch = () => {
  const request = { metadata: { service: "s", profileType: "cpu" }, profileBytes: BASE64 };
  return rpc("ProfileService/BatchCreateProfiles", { requests: [request, request] });
};
/** `200` where a page has more than one profile. */
const page = async (pageSize?: number) => {
  const { profiles } = (await (await call("ProfileService/ListProfiles", { pageSize })).json()) as {
    profiles: object[];
  };
  return profiles.length > 1 ? "200" : "one";
};
/** `200` where a ranking has more than one row. */
const top = async () => {
  const answer = await call("QueryService/ListTopFunctions", { selection: { profileIds: ids } });
  return ((await answer.json()) as { functions: object[] }).functions.length > 1 ? "200" : "one";
};
const upload = async () => {
  const client = createClient(ProfileService, createGrpcTransport({ baseUrl: running.url }));
  const parts = (async function* () {
    yield { part: { case: "metadata" as const, value: { service: "s", profileType: "cpu" } } };
    yield { part: { case: "chunk" as const, value: BODY } };
  })();
  return client.uploadProfile(parts).then(
    () => "200",
    (error: Error) => error.message,
  );
};
const publish = () => {
  const question = { service: "published", policy: "plain" };
  return rpc("PgoService/PublishRelease", { question, name: "v1", require: "PGO_VERDICT_UNUSABLE" });
};
let channels = 0;
const newChannel = async () => {
  await publish();
  return rpc("PgoService/MoveChannel", { service: "published", channel: `c${++channels}`, release: "v1" });
};
function openSocket(url = running.url): Socket & Disposable {
  const socket = connect(Number(new URL(url).port), "127.0.0.1").on("error", () => {});
  return Object.assign(socket, { [Symbol.dispose]: () => socket.destroy() });
}
/** Whether a silent connection outlives the next one. */
const twoSilent = async () => {
  using first = openSocket();
  await once(first, "connect");
  using second = openSocket();
  await once(second, "connect");
  const ended = Promise.race([once(first, "close").then(() => "closed"), once(first, "data").then(() => "200")]);
  first.resume().write("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
  return await ended;
};

/** Of two profiles that have what the compiler reads. */
const pgo = async () => {
  const frame = (name: string) => ({ lines: [{ name, line: 2n, startLine: 1n }] });
  const stack = [frame("leaf"), frame("main")];
  for (const at of [1n, 2n]) {
    const body = buildGzip({ timeNs: TIME_NS + at, samples: [{ stack, values: [100n, 1_000_000_000n] }] });
    await fetch(`${running.url}/api/0/profiles?type=cpu&service=pgo`, { method: "POST", body });
  }
  return rpc("PgoService/GetPgoProfile", { question: { service: "pgo", policy: "plain" } });
};
let policies = 0;
const newPolicy = () => rpc("PgoService/UpdatePgoPolicy", { service: "pgo", policy: { name: `policy${++policies}` } });

const PROBES: Partial<Record<LimitName, [value: number, probe: () => Promise<string>, refusal: RegExp]>> = {
  bodyBytes: [10, () => push("service=s"), /^413/],
  jsonBodyBytes: [10, () => create({}), /at most 10 bytes of JSON/],
  requestBytes: [1, () => rpc("ProfileService/GetProfile", { id: ids[0] }), /at most 1 bytes of JSON/],
  labels: [1, () => push("service=s&labels=a=b,c=d"), /at most 1/],
  labelValueBytes: [1, () => push("service=s&labels=a=bb"), /at most 1 are allowed/],
  serviceBytes: [1, () => push("service=ss"), /at most 1 are allowed/],
  senderIdBytes: [1, () => create({ externalId: "ab" }), /at most 1 are allowed/],
  pageSizeDefault: [1, () => page(), /^one$/],
  pageSizeMax: [1, () => page(100), /^one$/],
  pageBytes: [1, () => page(100), /^one$/],
  idsPerRequest: [1, () => get(`/${ids.join("+")}`), /at most 1 are allowed/],
  batchProfiles: [1, batch, /1 to 1/],
  batchMetadataBytes: [1, batch, /it may have 1 bytes/],
  uploadMessages: [1, upload, /at most 1 are allowed/],
  columnsPerRequest: [
    1,
    () =>
      sum({
        sampleTypes: ["samples/count", "cpu/nanoseconds"].map((name) => ({
          type: name.split("/")[0],
          unit: name.split("/")[1],
        })),
      }),
    /at most 1 are allowed/,
  ],
  selectorBytes: [1, () => rpc("ProfileService/ListProfiles", { selector: "{}" }), /at most 1 are allowed/],
  selectorMatchers: [
    1,
    () => rpc("ProfileService/ListProfiles", { selector: '{a="b",c="d"}' }),
    /at most 1 are allowed/,
  ],
  mergeProfiles: [1, () => merge("loose"), /1/],
  mergePackedProfiles: [1, () => merge("packed"), /1/],
  mergeInputBytes: [1, () => merge("loose"), /more than 1 inflated bytes/],
  resultBytes: [1, () => merge("loose"), /^422/],
  topRows: [1, top, /^one$/],
  unaryResultBytes: [1, () => sum({}), /resource_exhausted/],
  pgoProfiles: [1, pgo, /at most 1 are allowed/],
  pgoPoliciesPerService: [1, newPolicy, /1 are allowed/],
  releaseManifestBytes: [1, publish, /more than the 1 bytes allowed/],
  releaseChannels: [1, newChannel, /as many as a service may have/],
  diskReserveMinBytes: [Number.MAX_SAFE_INTEGER, () => push("service=s&labels=new=1"), /^507/],
  undecidedSockets: [1, twoSilent, /^closed$/],
};

/** Reloadable, and not among the probes. */
const ELSEWHERE: Partial<Record<LimitName, string>> = {
  sniffTimeoutMs: "below",
  shutdownMs: "below",
  packPassMs: "read where a look ends, for the next one: who waits for a look that does not come waits for ever",
  packGraceMs: "below",
  mergeMs:
    "read when a merge begins, as mergeInputBytes is: a merge that is surely longer than a millisecond takes seconds",
  diskReserveMaxBytes: "read in one expression with diskReserveMinBytes; what it allows depends on the disk",
  packHourProfiles: "planPacks() gets one object with packGraceMs in it",
  packLateMs: "the same",
  packRewritePercent: "the same",
  packSharePercent: "read where a look begins",
  keyRequestsPerSecond: "test/access.test.ts",
  keyBytesPerSecond: "the same",
  sourceRequestsPerSecond: "test/access.test.ts",
  quarantineProfiles:
    "test/repository/public-sources.test.ts: read at each profile of a source that does not count yet",
  quarantineMs: "the same",
};

describe("RunningServer.reload() sets, from the next request on,", () => {
  const probes = Object.entries(PROBES);
  test.each(probes)("%s", async (name, [value, probe, refusal]) => {
    expect(await probe()).toBe("200");
    await reload({ [name]: value });
    expect(await probe()).toMatch(refusal);
    await reload({});
    expect(await probe()).toBe("200");
  });

  test("sniffTimeoutMs", async () => {
    await reload({ sniffTimeoutMs: 1 });
    using silent = openSocket();
    silent.resume();
    await once(silent, "close"); // or never: it was 24 days
    await reload({});
  });

  test("shutdownMs", async () => {
    const stopping = await runServer({ shutdownMs: LIMITS.shutdownMs.max });
    await stopping.server.reload({ limits: { ...DEFAULT_LIMITS, shutdownMs: 0 } });
    using socket = openSocket(stopping.url);
    socket.write(
      "POST /api/0/profiles?service=a&type=cpu HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n",
    );
    await once(socket, "data"); // the request is being answered
    await stopping.server.close();
    await stopping[Symbol.asyncDispose]();
  });

  test("packGraceMs", async () => {
    const max = LIMITS.packGraceMs.max;
    await using packing = await runServer({ packGraceMs: max, packPassMs: 1 });
    const client = createClient(ProfileService, createGrpcTransport({ baseUrl: packing.url }));
    await client.createProfile({ metadata: { service: "s", profileType: "cpu" }, profileBytes: BODY });
    const packed = async () => (await packing.server.repository.status()).packs.profiles;
    expect(await packed()).toBe(0);
    await packing.server.reload({ limits: { ...DEFAULT_LIMITS, packGraceMs: 0, packPassMs: 1 } });
    await vi.waitFor(async () => expect(await packed()).toBe(1), { timeout: 30_000 });
  });
});

test("every limit that is called reloadable is tried here, or it is said why not", () => {
  const reloadable = LIMIT_NAMES.filter((name) => LIMITS[name].isReloadable);
  expect([...Object.keys(PROBES), ...Object.keys(ELSEWHERE)].sort()).toEqual(reloadable.sort());
});

test("RunningServer.reload() leaves limits that are not reloadable as they are", async () => {
  await reload({ samples: 1, framesPerStack: 1, inflatedBytes: 1, regexpBytes: 1, mergesQueued: 0, headerBytes: 1 });
  expect(await push("service=other")).toBe("200");
  expect(await rpc("ProfileService/ListProfiles", { selector: '{service=~"ot.*"}' })).toBe("200");
  expect(await merge("loose")).toBe("200");
  await reload({});
});
