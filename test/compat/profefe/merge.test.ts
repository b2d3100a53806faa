// GET /api/0/profiles/merge, /api/0/profiles/<id>, id lists, and the paths around them, row by row of profefe's behaviour.

import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DomainError } from "../../../src/model/errors.ts";
import { DEFAULT_LIMITS } from "../../../src/model/limits.ts";
import { summarize } from "../../../src/pprof/summary.ts";
import { openHttp2 } from "../../http/http2-client.ts";
import { mergeAnswer, stubRepository } from "../../support/stub-repository.ts";
import {
  askServer,
  cpuProfile,
  heapProfile,
  type ProfefeServer,
  serveProfefe,
  startProfefe,
  WINDOW,
} from "./profefe-server.ts";

let profefe: ProfefeServer;
/** Three cpu profiles of 11, 21 and 31 samples, a heap profile, a trace. */
let cpu: string[] = [];
let heap = "";
let trace = "";
const ABSENT = "00000000000000000000000000";
beforeAll(async () => {
  profefe = await startProfefe();
  cpu = [
    await profefe.post("service=svc&type=cpu&labels=v=1", cpuProfile(0, 10)),
    await profefe.post("service=svc&type=cpu&labels=v=1", cpuProfile(60, 20)),
    await profefe.post("service=svc&type=cpu&labels=v=2", cpuProfile(120, 30)),
  ];
  heap = await profefe.post("service=svc&type=heap", heapProfile());
  trace = await profefe.post("service=svc&type=trace&created_at=2019-05-30T21:16:00", Buffer.from("go 1.11 trace"));
});
afterAll(() => profefe[Symbol.asyncDispose]());

/** Samples of the first column. */
function samplesOf(bytes: Uint8Array): bigint {
  return summarize(gunzipSync(bytes), DEFAULT_LIMITS).sampleTypes[0]!.total;
}

describe("merge", () => {
  const merge = (query: string, headers?: Record<string, string>) =>
    profefe.ask("GET", `/api/0/profiles/merge?${query}&${WINDOW}`, undefined, headers);

  test("answers the sum as a file named by its type, with short headers about it", async () => {
    const { status, headers, bytes } = await merge("service=svc&type=cpu");
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      "content-type": "application/octet-stream",
      "content-disposition": 'attachment; filename="cpu"',
      "profusion-matched": "3",
      "profusion-merged": "3",
      "cache-control": "private, no-cache",
    });
    expect(headers["content-encoding"]).toBeUndefined();
    expect(headers["content-length"]).toBe(String(bytes.length));
    expect(samplesOf(bytes)).toBe(63n);
  });

  test.each([
    ["service=svc&type=cpu&labels=v=1", 32n],
    ["service=svc&type=cpu&limit=2", 52n],
    [`service=svc&query=${encodeURIComponent('cpu{v!="2"}')}`, 32n],
    [`query=${encodeURIComponent('{service=~".+"}')}&type=cpu`, 63n],
  ])("%s sums %i samples", async (query, samples) => {
    expect(samplesOf((await merge(query)).bytes)).toBe(samples);
  });

  test("a limit tells what it left out", async () => {
    const { headers } = await merge("service=svc&type=cpu&limit=2");
    expect(headers).toMatchObject({
      "profusion-matched": "3",
      "profusion-merged": "2",
      "profusion-skipped": "limit=1",
    });
  });

  test("snapshots are summed as profefe sums them, with a warning", async () => {
    await using other = await startProfefe();
    await other.post("service=svc&type=heap", heapProfile(0));
    await other.post("service=svc&type=heap", heapProfile(60));
    const { headers, bytes } = await other.ask("GET", `/api/0/profiles/merge?service=svc&type=heap&${WINDOW}`);
    expect(samplesOf(bytes)).toBe(6n);
    expect(headers["profusion-warning"]).toContain("inuse_space/bytes is gauge");
  });

  test("max_nodes cuts the call tree and no total, and says so, also of one match", async () => {
    for (const [query, total] of [
      ["service=svc&type=cpu", 63n],
      ["service=svc&type=cpu&labels=v=2", 31n],
    ] as const) {
      const { status, headers, bytes } = await merge(`${query}&max_nodes=1`);
      expect([status, headers["profusion-warning"]]).toEqual([200, expect.stringContaining("cut to the ")]);
      expect(samplesOf(bytes)).toBe(total);
      const { functionCount } = summarize(gunzipSync(bytes), DEFAULT_LIMITS);
      const whole = summarize(gunzipSync((await merge(query)).bytes), DEFAULT_LIMITS);
      expect(functionCount).toBeLessThanOrEqual(2);
      expect(whole.functionCount).toBeGreaterThan(functionCount - 1);
    }
    expect((await merge("service=svc&type=cpu&max_nodes=-1")).status).toBe(400);
    expect((await merge("service=svc&type=cpu&max_nodes=0")).headers["profusion-warning"]).toBeUndefined();
  });

  test("one match is answered byte for byte", async () => {
    const { headers, bytes } = await merge("service=svc&type=cpu&labels=v=2");
    expect(bytes.equals(cpuProfile(120, 30))).toBe(true);
    expect(headers["profusion-merged"]).toBe("1");
  });

  test.each([
    ["service=svc", 405, "can't merge profiles of unknown type"],
    ["service=svc&type=unknown", 405, "can't merge profiles of unknown type"],
    ["service=svc&type=no-such", 405, "can't merge profiles of unknown type"],
    ["service=svc&type=trace", 405, "can't merge profiles of trace type"],
    ["service=svc&type=wall", 404, "nothing found"],
    ["service=nobody&type=cpu", 404, "nothing found"],
    // Errors of parameters come before that of the type.
    ["type=trace", 400, 'bad request: missing "service"'],
    ["service=svc&type=trace&limit=x", 400, 'bad request: bad "limit" "x": strconv.Atoi: parsing "x": invalid syntax'],
  ])("%s is answered with %i %s", async (query, status, error) => {
    const answer = await merge(query);
    expect([answer.status, answer.json()]).toEqual([status, { code: status, error }]);
    expect(answer.headers["content-type"]).toBe("application/json");
    expect(answer.headers["content-disposition"]).toBeUndefined();
    expect(answer.headers.allow !== undefined).toBe(status === 405);
  });

  test("an ETag saves the bytes while nothing changed", async () => {
    const first = await merge("service=svc&type=cpu");
    const again = await merge("service=svc&type=cpu", { "if-none-match": first.headers.etag! });
    expect([again.status, again.bytes.length, again.headers.etag]).toEqual([304, 0, first.headers.etag]);
    expect((await merge("service=svc&type=cpu&limit=2", { "if-none-match": first.headers.etag! })).status).toBe(200);
  });

  test("a trailing slash and HEAD are the same", async () => {
    const got = await profefe.ask("GET", `/api/0/profiles/merge/?service=svc&type=cpu&${WINDOW}`);
    const head = await profefe.ask("HEAD", `/api/0/profiles/merge?service=svc&type=cpu&${WINDOW}`);
    expect([head.status, head.bytes.length, head.headers["content-length"]]).toEqual([
      200,
      0,
      String(got.bytes.length),
    ]);
  });

  test.each<[DomainError, number]>([
    [new DomainError("too-large", "Cannot merge so many", { subject: "result" }), 422],
    [new DomainError("conflict", "No two shapes fit"), 409],
    [new DomainError("exhausted", "Too many merges"), 503],
  ])("%s is answered with %i", async (error, status) => {
    await using server = await serveProfefe(stubRepository({ merge: () => Promise.reject(error) }));
    const answer = await askServer(server, "GET", `/api/0/profiles/merge?service=x&type=cpu&last=1h`);
    expect([answer.status, answer.json()]).toEqual([status, { code: status, error: error.message }]);
    expect(answer.headers["retry-after"]).toBe(status === 503 ? "5" : undefined);
  });

  test("a client that leaves aborts its merge", async () => {
    const started = Promise.withResolvers<AbortSignal>();
    const left = Promise.withResolvers<void>();
    const repository = stubRepository({
      async merge({ signal }) {
        signal.addEventListener("abort", () => left.resolve());
        started.resolve(signal);
        await left.promise;
        throw new DomainError("cancelled", "left");
      },
    });
    await using server = await serveProfefe(repository);
    const leaving = new AbortController();
    const asked = fetch(`${server.url}/api/0/profiles/merge?service=x&type=cpu&last=1h`, { signal: leaving.signal });
    await started.promise;
    leaving.abort();
    await expect(asked).rejects.toThrow();
    await left.promise;
  });

  test("a type id asks for its column alone, and warnings become one short line of ASCII", async () => {
    const asked: unknown[] = [];
    const repository = stubRepository({
      async merge({ columns, verbatimSingle }) {
        asked.push(columns, verbatimSingle);
        return mergeAnswer(Buffer.from("x"), { warnings: ["größer\r\n", "y".repeat(5_000)] });
      },
    });
    await using server = await serveProfefe(repository);
    const query = encodeURIComponent('{type="memory:inuse_space:bytes:space:bytes"}');
    const { headers } = await askServer(server, "GET", `/api/0/profiles/merge?query=${query}&last=1h`);
    expect(asked).toEqual([[{ type: "inuse_space", unit: "bytes" }], false]);
    expect(headers["profusion-warning"]).toMatch(/^gr\?\?er\?\?; y+\.\.\.$/);
    expect(headers["profusion-warning"]!.length).toBeLessThan(1_100);
  });
});

describe("by id", () => {
  const get = (ids: string, headers?: Record<string, string>) =>
    profefe.ask("GET", `/api/0/profiles/${ids}`, undefined, headers);

  test("one id is the stored bytes, a file named by the id", async () => {
    const { status, headers, bytes } = await get(cpu[0]!);
    expect([status, bytes.equals(cpuProfile(0, 10))]).toEqual([200, true]);
    expect(headers).toMatchObject({
      "content-type": "application/octet-stream",
      "content-disposition": `attachment; filename="${cpu[0]}"`,
      "accept-ranges": "bytes",
    });
    expect((await get(trace)).text).toBe("go 1.11 trace");
  });

  test("ETag, If-None-Match, Range and If-Range", async () => {
    const whole = cpuProfile(0, 10);
    const { headers } = await get(cpu[0]!);
    expect((await get(cpu[0]!, { "if-none-match": headers.etag! })).status).toBe(304);
    const part = await get(cpu[0]!, { range: "bytes=10-19", "if-range": headers.etag! });
    expect([part.status, part.bytes.equals(whole.subarray(10, 20))]).toEqual([206, true]);
    const changed = await get(cpu[0]!, { range: "bytes=10-19", "if-range": '"other"' });
    expect([changed.status, changed.bytes.equals(whole)]).toEqual([200, true]);
  });

  test("HEAD tells its length, over HTTP/2 as well", async () => {
    const length = String(cpuProfile(0, 10).length);
    const head = await profefe.ask("HEAD", `/api/0/profiles/${cpu[0]}`);
    expect([head.status, head.headers["content-length"], head.bytes.length]).toEqual([200, length, 0]);
    using client = openHttp2(profefe.server.url);
    const second = await client.request({ ":method": "HEAD", ":path": `/api/0/profiles/${cpu[0]}` });
    expect([second.status, second.headers["content-length"]]).toEqual([200, length]);
  });

  test.each(["+", "%2B", "%252B"])("ids joined by %s are summed", async (plus) => {
    const { status, headers, bytes } = await get(cpu.join(plus));
    expect([status, samplesOf(bytes)]).toEqual([200, 63n]);
    expect(headers["content-disposition"]).toBe('attachment; filename="merged"');
  });

  test("slashes around the ids, or none before them, are forgiven", async () => {
    const answers = [`//${cpu[0]}/`, `/${cpu[0]}///`, cpu[0]!, `/%2F${cpu[0]}`];
    for (const path of answers) expect((await profefe.ask("GET", `/api/0/profiles${path}`)).status).toBe(200);
  });

  test("absent ids in a list are left out and counted", async () => {
    const { status, headers, bytes } = await get(`${cpu[0]}+${ABSENT}+no-id-at-all+${cpu[1]}`);
    expect([status, samplesOf(bytes)]).toEqual([200, 32n]);
    expect(headers["profusion-skipped"]).toBe("absent=2");
    expect(headers["profusion-warning"]).toContain(ABSENT);
  });

  test("an id twice counts once, with a warning", async () => {
    const { headers, bytes } = await get(`${cpu[0]}+${cpu[1]}+${cpu[0]}`);
    expect(samplesOf(bytes)).toBe(32n);
    expect(headers["profusion-warning"]).toContain(cpu[0]);
  });

  test.each<[what: string, ids: () => string, status: number, error: string]>([
    ["an absent id", () => ABSENT, 404, "nothing found"],
    ["no id of ours", () => "bad!id", 404, "nothing found"],
    ["a prefix of an id", () => cpu[0]!.slice(0, 10), 404, "nothing found"],
    ["an id of profefe on S3", () => "P0.svc1/1/bpc00mript33iv4net01,k1=v1,k2=v2", 404, "nothing found"],
    ["control characters", () => "%00%0d%0aX:%20y", 404, "nothing found"],
    ["bytes that are not UTF-8", () => "%FF%FE", 404, "nothing found"],
    ["absent ids only", () => `${ABSENT}+${ABSENT}1`, 404, "nothing found"],
    ["an empty element", () => `${cpu[0]}++${cpu[1]}`, 400, "bad request: an id is missing"],
    ["a plus in front", () => `+${cpu[0]}`, 400, "bad request: an id is missing"],
    ["a bad second escape", () => "%25ZZ", 400, 'invalid URL escape "%ZZ"'],
    ["a bad first escape", () => "%ZZ", 400, 'invalid URL escape "%ZZ"'],
    ["cpu and heap", () => `${cpu[0]}+${heap}`, 409, "different shapes"],
    ["a trace in a list", () => `${cpu[0]}+${trace}`, 409, "no pprof profile"],
    ["3001 ids", () => Array.from({ length: 3001 }, () => ABSENT).join("+"), 400, "at most 3000 are allowed"],
  ])("%s", async (_, ids, status, error) => {
    const answer = await get(ids());
    expect([answer.status, answer.json().error]).toEqual([status, expect.stringContaining(error)]);
  });

  test("3000 ids in one URL are summed", async () => {
    await using many = await startProfefe();
    const ids = await Promise.all(
      Array.from({ length: 3000 }, (_, nth) => many.post("service=many&type=cpu", cpuProfile(nth, 1))),
    );
    const answer = await many.ask("GET", `/api/0/profiles/${ids.join("+")}`);
    expect([answer.status, samplesOf(answer.bytes)]).toEqual([200, 6000n]);
    const posted = await many.ask("POST", "/api/0/profiles/merge", Buffer.from(ids.join("\n")));
    expect(posted.bytes.equals(answer.bytes)).toBe(true);
    using client = openHttp2(many.server.url);
    const second = await client.request({ ":path": `/api/0/profiles/${ids.join("+")}` });
    expect(second.body.equals(answer.bytes)).toBe(true);
  });

  test("a URL of 1 MiB is refused with 431", async () => {
    expect((await get("a".repeat(1024 * 1024))).status).toBe(431);
  });
});

describe("POST of an id list to /merge", () => {
  const post = (body: string, query = "") => profefe.ask("POST", `/api/0/profiles/merge${query}`, Buffer.from(body));

  test.each(["+", "\n", "\r\n", " "])("ids separated by %j are summed", async (separator) => {
    expect(samplesOf((await post(cpu.join(separator))).bytes)).toBe(63n);
  });

  test("one id is the stored bytes; without a body it is the GET", async () => {
    expect((await post(`${cpu[0]}\n`)).bytes.equals(cpuProfile(0, 10))).toBe(true);
    expect(samplesOf((await post("", `?service=svc&type=cpu&${WINDOW}`)).bytes)).toBe(63n);
  });

  test("too many ids, or too many bytes of them, are refused", async () => {
    expect((await post(`${ABSENT}\n`.repeat(3001))).status).toBe(400);
    expect((await post("a".repeat(1024 * 1024 + 1))).status).toBe(413);
  });
});

describe("methods and other paths", () => {
  test.each([
    ["PUT", "/api/0/profiles", "GET, HEAD, POST"],
    ["DELETE", "/api/0/profiles", "GET, HEAD, POST"],
    ["OPTIONS", "/api/0/profiles", "GET, HEAD, POST"],
    ["DELETE", "/api/0/profiles/merge", "GET, HEAD, POST"],
    ["DELETE", "/api/0/profiles/x", "GET, HEAD"],
    ["POST", "/api/0/profiles/x", "GET, HEAD"],
    ["POST", "/api/0/services", "GET, HEAD"],
    ["POST", "/api/0/version", "GET, HEAD"],
  ])("%s %s is 405 with Allow: %s", async (method, path, allow) => {
    const answer = await profefe.ask(method, path, Buffer.from("body"));
    expect([answer.status, answer.headers.allow, answer.json().code]).toEqual([405, allow, 405]);
  });

  test.each(["/api/0", "/api/0/", "/api/0/nothing", "/api/0/services/", "/api/0/version/x", "/api/0/profile"])(
    "GET %s is 404 in the envelope",
    async (path) => {
      const answer = await profefe.ask("GET", path);
      expect([answer.status, answer.json()]).toEqual([404, { code: 404, error: "nothing found" }]);
    },
  );

  test("a path outside is a plain 404", async () => {
    const answer = await profefe.ask("GET", "/api/1/profiles");
    expect([answer.status, answer.text]).toEqual([404, "404 page not found\n"]);
  });

  test("the version has profefe's four strings", async () => {
    const answer = await profefe.ask("GET", "/api/0/version");
    expect([answer.status, answer.headers["content-type"]]).toEqual([200, "application/json"]);
    expect(answer.json().body).toEqual({
      version: "1.2.3",
      commit: expect.any(String),
      build_time: expect.any(String),
      go_version: expect.any(String),
    });
  });
});
