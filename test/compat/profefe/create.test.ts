// POST /api/0/profiles, row by row of profefe's behaviour.

import { readFileSync } from "node:fs";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DomainError } from "../../../src/model/errors.ts";
import { buildGzip } from "../../support/profile-builder.ts";
import { stubRepository } from "../../support/stub-repository.ts";
import {
  askServer,
  cpuProfile,
  heapProfile,
  type ProfefeServer,
  serveProfefe,
  startProfefe,
} from "./profefe-server.ts";

const recorded = (name: string) => readFileSync(new URL(`../../testdata/recorded/${name}`, import.meta.url));

function postChunked(url: string, body: Uint8Array): Promise<Response> {
  const stream = new Blob([new Uint8Array(body)]).stream();
  return fetch(url, { method: "POST", body: stream, duplex: "half" } as RequestInit);
}

let profefe: ProfefeServer;
beforeAll(async () => {
  profefe = await startProfefe();
});
afterAll(() => profefe[Symbol.asyncDispose]());

describe("a profile is stored", () => {
  test("answers 200 with the envelope and the profile object, keys in profefe's order", async () => {
    const { status, headers, text } = await profefe.ask(
      "POST",
      "/api/0/profiles?service=svc1&type=cpu&labels=region=eu,host=a%252Cb",
      cpuProfile(),
    );
    expect(status).toBe(200);
    expect(headers["content-type"]).toBe("application/json");
    expect(text).toMatch(
      /^\{"code":200,"body":\{"id":"[0-9a-z]{26}","type":"cpu","service":"svc1","labels":\[\{"key":"host","value":"a,b"\},\{"key":"region","value":"eu"\}\],"created_at":"2019-05-30T21:10:05Z"\}\}\n$/,
    );
  });

  test("labels are left out where there are none, and < > & are escaped as Go escapes them", async () => {
    const { text } = await profefe.ask("POST", "/api/0/profiles?service=%3Ca%26b%3E&type=cpu", cpuProfile());
    expect(text).toContain('"service":"\\u003ca\\u0026b\\u003e","created_at"');
    expect(JSON.parse(text).body.service).toBe("<a&b>");
  });

  test("with a trailing slash, chunked, raw instead of gzip, unknown parameters, any Content-Type or -Encoding", async () => {
    const query = "instance_id=7&service=ways&type=cpu&%ZZ=%ZZ";
    const headers = { "content-type": "text/html", "content-encoding": "br" };
    expect((await profefe.ask("POST", `/api/0/profiles/?${query}`, cpuProfile(), headers)).status).toBe(200);
    const answer = await postChunked(`${profefe.server.url}/api/0/profiles?${query}`, cpuProfile(1));
    expect(answer.status).toBe(200);
    expect((await profefe.ask("POST", `/api/0/profiles/?${query}`, gunzipSync(cpuProfile(2)))).status).toBe(200);
  });

  test("sent again it is the same profile", async () => {
    const first = await profefe.post("service=again&type=cpu&labels=a=1,b=2", cpuProfile(3));
    expect(await profefe.post("service=again&type=cpu&labels=b=2,a=1", cpuProfile(3))).toBe(first);
    expect(await profefe.post("service=again&type=cpu&labels=b=2", cpuProfile(3))).not.toBe(first);
  });

  test.each(["cpu", "heap", "block", "mutex", "goroutine", "threadcreate", "other", "allocs", "wall", "my_own_1"])(
    "as type %s, whatever its content",
    async (type) => {
      const { status, json } = await profefe.ask("POST", `/api/0/profiles?service=types&type=${type}`, heapProfile());
      expect([status, (json().body as { type: string }).type]).toEqual([200, type]);
    },
  );

  test.each(["go-heap-debug1.txt", "go-goroutine-debug1.txt", "go-threadcreate-debug1.txt", "go-mutex-debug1.txt"])(
    "from the legacy format of %s, and answered byte for byte",
    async (name) => {
      const body = recorded(name);
      const id = await profefe.post("service=legacy&type=other", body);
      expect((await profefe.ask("GET", `/api/0/profiles/${id}`)).bytes.equals(body)).toBe(true);
    },
  );

  test("as a trace: any bytes, even none, are kept as they are", async () => {
    for (const body of [recorded("go-runtime.trace"), Buffer.from("anything"), Buffer.alloc(0)]) {
      const id = await profefe.post("service=traces&type=trace", body);
      expect((await profefe.ask("GET", `/api/0/profiles/${id}`)).bytes.equals(body)).toBe(true);
    }
  });

  test("its own time wins over created_at, which wins over the clock", async () => {
    const created = async (query: string, body: Uint8Array) => {
      const { json } = await profefe.ask("POST", `/api/0/profiles?service=time&${query}`, body);
      return (json().body as { created_at: string }).created_at;
    };
    const timeless = buildGzip({ samples: [{ stack: ["f"], values: [1, 2] }] });
    const claim = "created_at=2020-02-03T04:05:06.789";
    expect(await created(`type=cpu&${claim}`, cpuProfile())).toBe("2019-05-30T21:10:05Z");
    expect(await created(`type=cpu&${claim}`, timeless)).toBe("2020-02-03T04:05:06Z");
    expect(await created(`type=trace&${claim}`, Buffer.from("t"))).toBe("2020-02-03T04:05:06Z");
    expect(await created("type=trace&created_at=1580702706", Buffer.from("u"))).toBe("2020-02-03T04:05:06Z");
    expect(await created("type=trace", Buffer.from("v"))).toBe("2026-09-21T14:13:20Z");
  });

  test("a reserved label name is kept as exported_…, with a warning, and found by its own name", async () => {
    const { headers, json } = await profefe.ask(
      "POST",
      "/api/0/profiles?service=reserved&type=cpu&labels=service=x",
      cpuProfile(),
    );
    expect((json().body as { labels: unknown }).labels).toEqual([{ key: "exported_service", value: "x" }]);
    expect(headers["profusion-warning"]).toContain("exported_service");
    const found = await profefe.ask("GET", "/api/0/profiles?service=reserved&labels=service=x&last=520w");
    expect(found.status).toBe(200);
  });
});

describe("a profile is refused", () => {
  const ok = "service=x&type=cpu";
  const double = gzipSync(cpuProfile());
  test.each<[what: string, query: string, body: Uint8Array, status: number, error: string]>([
    ["no service", "type=cpu", cpuProfile(), 400, 'bad request: missing "service"'],
    ["no type", "service=x", cpuProfile(), 400, "bad request: unknown profile type"],
    ["type unknown", "service=x&type=unknown", cpuProfile(), 400, "bad request: unknown profile type"],
    ["a type of two words", "service=x&type=a-b", cpuProfile(), 400, "bad request: unknown profile type"],
    [
      "a bad escape in its labels",
      `${ok}&labels=%25GG=1`,
      cpuProfile(),
      400,
      'bad request: bad "labels" "%GG=1": invalid URL escape "%GG"',
    ],
    [
      "a bad created_at",
      `${ok}&created_at=today`,
      cpuProfile(),
      400,
      'bad request: bad "created_at" "today": time in unsupported format "today"',
    ],
    ["a label of 1 MB", `${ok}&labels=a=${"x".repeat(900_000)}`, cpuProfile(), 400, "at most 4096 are allowed"],
    [
      "10 000 labels",
      `${ok}&labels=${Array.from({ length: 10_000 }, (_, at) => `l${at}=1`).join(",")}`,
      cpuProfile(),
      400,
      "at most 64",
    ],
    ["a control character in a label", `${ok}&labels=a=%2501`, cpuProfile(), 400, "control character U+0001"],
    ["a control character in its service", "service=a%00b&type=cpu", cpuProfile(), 400, "control character U+0000"],
    ["a service that is not UTF-8", "service=%FF&type=cpu", cpuProfile(), 400, "not valid UTF-8"],
    ["a service of 513 bytes", `service=${"s".repeat(513)}&type=cpu`, cpuProfile(), 400, "at most 512 are allowed"],
    [
      "no samples",
      ok,
      buildGzip({ samples: [] }),
      400,
      "malformed profile (could not parse pprof profile: profile is empty: no samples)",
    ],
    ["an empty body", ok, Buffer.alloc(0), 400, "malformed profile (could not parse pprof profile: "],
    ["something else", ok, Buffer.from("hello, world"), 400, "malformed profile (could not parse pprof profile: "],
    ["double gzip", ok, double, 400, "malformed profile (could not parse pprof profile: "],
    ["a truncated gzip", ok, cpuProfile().subarray(0, 60), 400, "malformed profile (could not parse pprof profile: "],
    [
      "goroutine?debug=2",
      ok,
      Buffer.from("goroutine 1 [running]:\nmain.main()\n"),
      400,
      "malformed profile (could not parse pprof profile: ",
    ],
  ])("%s", async (_, query, body, status, error) => {
    const answer = await profefe.ask("POST", `/api/0/profiles?${query}`, body);
    expect(answer.status).toBe(status);
    expect(answer.headers["content-type"]).toBe("application/json");
    expect(answer.json()).toEqual({ code: status, error: expect.stringContaining(error) });
  });

  test("a path as a service name is a name, and harms nothing", async () => {
    const id = await profefe.post("service=..%2F..%2Fetc%2Fpasswd&type=cpu", cpuProfile());
    expect((await profefe.ask("GET", `/api/0/profiles/${id}`)).status).toBe(200);
  });

  test("over the body limit: 413 in the envelope, announced or chunked", async () => {
    await using small = await startProfefe({ bodyBytes: 1000 });
    const answer = await small.ask("POST", `/api/0/profiles?${ok}`, Buffer.alloc(1001));
    expect([answer.status, answer.json().error]).toEqual([413, expect.stringContaining("at most 1000 bytes")]);
    const chunked = await postChunked(`${small.server.url}/api/0/profiles?${ok}`, new Uint8Array(2_000));
    expect([chunked.status, await chunked.json()]).toEqual([
      413,
      { code: 413, error: "Cannot take a body of more than 1000 bytes: at most 1000 bytes are allowed" },
    ]);
  });

  test("a bomb of 1 GiB of zeros: 413, and the next upload is taken", async () => {
    const bomb = Buffer.concat(
      Array.from({ length: 16 }, () => gzipSync(Buffer.alloc(64 * 1024 * 1024), { level: 1 })),
    );
    const answer = await profefe.ask("POST", `/api/0/profiles?${ok}`, bomb);
    expect([answer.status, answer.json().code]).toEqual([413, 413]);
    await profefe.post(ok, cpuProfile());
  });

  test.each<[DomainError, number]>([
    [new DomainError("exhausted", "too many uploads"), 503],
    [new DomainError("unavailable", "the store is away"), 503],
    [new DomainError("unavailable", "the disk is full", { subject: "disk-full" }), 507],
  ])("%s: a 5xx with Retry-After, since profefe's agent drops on 4xx", async (error, status) => {
    await using server = await serveProfefe(stubRepository({ push: () => Promise.reject(error) }));
    const answer = await askServer(server, "POST", `/api/0/profiles?${ok}`, cpuProfile());
    expect([answer.status, answer.json()]).toEqual([status, { code: status, error: error.message }]);
    expect(answer.headers["retry-after"]).toBe("5");
  });

  test("for a bug: 500 in profefe's words, the cause is not told", async () => {
    await using server = await serveProfefe(stubRepository({ push: () => Promise.reject(new Error("secret")) }));
    const answer = await askServer(server, "POST", `/api/0/profiles?${ok}`, cpuProfile());
    expect(answer.json()).toEqual({ code: 500, error: "internal server error" });
  });
});
