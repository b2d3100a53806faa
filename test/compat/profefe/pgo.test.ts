// GET /api/0/pgo/<service> over a real socket: the file, its headers, revalidation, what stands for no file, reports and releases.

import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { sha256 } from "../../../src/repository/pgo/release-objects.ts";
import { buildGzip, type FrameSpec } from "../../support/profile-builder.ts";
import { type ProfefeServer, startProfefe } from "./profefe-server.ts";

const HOUR = 3600;
/** The last full hour of the tests' clock, in seconds. */
const END = 1_790_000_000 - (1_790_000_000 % HOUR);

let profefe: ProfefeServer;
beforeEach(async () => {
  profefe = await startProfefe();
});
afterEach(() => profefe[Symbol.asyncDispose]());

const frame = (name: string): FrameSpec => ({ lines: [{ name, line: 12n, startLine: 10n }] });

function cpu(count: number, secondsAgo: number, callee = "leaf"): Uint8Array {
  const timeNs = BigInt(END - secondsAgo) * 1_000_000_000n;
  const stack = [frame(callee), frame("main.main")];
  return buildGzip({ timeNs, durationNs: 30_000_000_000n, samples: [{ stack, values: [count, count * 10_000_000] }] });
}

const push = (count: number, query = "", secondsAgo = HOUR, callee = "leaf") =>
  profefe.post(`service=auth&type=cpu${query}`, cpu(count, secondsAgo, callee));
const get = (path: string, headers?: Record<string, string>, method = "GET") =>
  profefe.ask(method, `/api/0/pgo/${path}`, undefined, headers);

describe("the file", () => {
  test("is default.pgo, with a strong etag that is its digest, its window, what is in it and what to think of it", async () => {
    await push(500, "&labels=version=1,instance=a", 3 * HOUR);
    await push(500, "&labels=version=2,instance=a", 2 * HOUR);
    await profefe.post(
      "service=auth&type=cpu&labels=version=2",
      buildGzip({ ...HEAP, timeNs: BigInt(END - 9) * 1_000_000_000n }),
    );
    const { status, headers, bytes } = await get("auth");
    expect(status).toBe(200);
    const digest = Buffer.from(await sha256(gunzipSync(bytes))).toString("hex");
    expect(headers).toMatchObject({
      "content-type": "application/octet-stream",
      "content-disposition": 'attachment; filename="default.pgo"',
      "content-length": String(bytes.length),
      etag: `"${digest}"`,
      "last-modified": new Date((END - 2 * HOUR) * 1000).toUTCString(),
      "cache-control": "private, no-cache",
      "profusion-verdict": "usable",
      "profusion-window": `${new Date((END - 7 * 24 * HOUR) * 1000).toISOString().replace(".000", "")}/${new Date(END * 1000).toISOString().replace(".000", "")}`,
      "profusion-matched": "3",
      "profusion-merged": "2",
      "profusion-skipped": "shape=1",
      "profusion-versions": "1=0.50, 2=0.50",
      "profusion-warning": expect.stringContaining("1 skipped (shape)"),
    });
  });

  test("is not sent again to who has it, and HEAD tells the same", async () => {
    await push(500);
    const { headers, bytes } = await get("auth");
    for (const tag of [headers.etag!, `W/${headers.etag}`, `"x", ${headers.etag}`, "*"]) {
      const again = await get("auth", { "if-none-match": tag });
      expect([again.status, again.bytes.length, again.headers.etag]).toEqual([304, 0, headers.etag]);
    }
    const head = await get("auth", {}, "HEAD");
    expect([head.status, head.bytes.length, head.headers["content-length"]]).toEqual([200, 0, String(bytes.length)]);
    await push(1, "", HOUR, "other");
    expect((await get("auth", { "if-none-match": headers.etag! })).status).toBe(200);
  });

  test("is narrowed as merges are, by labels, query, from and to, last; policy, mode and end are asked for by name", async () => {
    await push(300, "&labels=region=eu", 2 * HOUR, "eu");
    await push(400, "&labels=region=us", 3 * HOUR, "us");
    await push(900, "", -60, "now");
    const named = async (query: string) => {
      const text = gunzipSync((await get(`auth?${query}`)).bytes).toString("latin1");
      return ["eu", "us", "now"].filter((name) => text.includes(name)).join();
    };
    expect(await named("")).toBe("eu,us");
    expect(await named("labels=region=eu")).toBe("eu");
    expect(await named("query=%7Bregion%3D%22us%22%7D")).toBe("us");
    expect(await named(`from=${END - 3 * HOUR}&to=${END - 2 * HOUR}`)).toBe("us");
    expect(await named("last=1h")).toBe("now");
    expect(await named("end=now")).toBe("eu,us,now");
    expect(await named("policy=plain")).toBe("eu,us,now");
    const { policies } = profefe.opened.repository.pgo;
    const { policy } = await policies.get("auth", "default");
    await policies.put("auth", { ...policy, name: "by-region", modeLabel: "region" }, undefined);
    expect(await named("policy=by-region&mode=eu")).toBe("eu");
  });

  test("is of any service, whatever is in its name", async () => {
    for (const service of ["a/b", "ü ?&", "x@y", "report"]) {
      await profefe.post(`service=${encodeURIComponent(service)}&type=cpu`, cpu(200, HOUR));
      expect((await get(encodeURIComponent(service))).status, service).toBe(200);
      expect((await get(`${encodeURIComponent(service)}/report`)).status, service).toBe(200);
    }
    expect((await get("a/b")).status).toBe(200);
  });
});

describe("where there is no file", () => {
  test("the status is 404 and the body empty, with the reason in a header; HEAD and reports too", async () => {
    await push(99);
    for (const answer of [
      await get("auth"),
      await get("none"),
      await get("auth?policy=none"),
      await get("auth/report"),
      await get("auth?release=r1"),
    ]) {
      expect([answer.status, answer.bytes.length, answer.headers["content-length"]]).toEqual([404, 0, "0"]);
    }
    expect((await get("auth")).headers["profusion-reason"]).toContain("99 samples where 100 are the least");
    expect((await get("auth", {}, "HEAD")).status).toBe(404);
  });

  test("missing=empty asks for 200 and no bytes, which go build takes for no profile", async () => {
    const { status, bytes, headers } = await get("auth?missing=empty");
    expect([status, bytes.length]).toEqual([200, 0]);
    expect(headers["profusion-reason"]).toContain("No profile matches between 2026-");
    expect(headers["profusion-reason"]).toContain("the last full hour; end=now looks up to now");
  });

  test("require=good refuses less with 412 and the report, and require=usable takes it", async () => {
    await push(5000, "&labels=instance=a,version=1,go_version=go1.26");
    const { status, headers, json } = await get("auth?require=good");
    expect([status, headers["profusion-verdict"]]).toEqual([412, (json() as unknown as { verdict: string }).verdict]);
    const { findings } = json() as unknown as { findings: { name: string; verdict: string }[] };
    expect(findings.find(({ name }) => name === "samples")).toMatchObject({
      value: 5000,
      verdict: "usable",
      goodFrom: 10_000,
    });
    expect((await get("auth?require=best")).status).toBe(400);
  });

  test("mistakes in the question are told in a body, and other methods", async () => {
    await push(500);
    for (const query of [
      "from=x&to=1",
      "from=1",
      "missing=x",
      "labels=%zz",
      "query=%7B",
      "end=now&last=1h",
      "mode=a",
      "format=xml",
    ]) {
      const { status, json } = await get(`auth/report?${query}`);
      expect([query, status, json().error!.length > 10]).toEqual([query, 400, true]);
    }
    expect((await get("")).status).toBe(400);
    expect(await get("auth", {}, "POST")).toMatchObject({ status: 405, headers: { allow: "GET, HEAD" } });
  });
});

test("the report is JSON, or text for people", async () => {
  await push(2000, "&labels=instance=a");
  await push(3000, "&labels=instance=b", 5 * HOUR);
  const { status, headers, json } = await get("auth/report");
  expect([status, headers["content-type"]]).toEqual([200, "application/json"]);
  expect(json()).toMatchObject({
    window: { to: new Date(END * 1000).toISOString().replace(".000", "") },
    matched: 2,
    merged: 2,
    skipped: [],
    verdict: headers["profusion-verdict"],
    facts: { inputs: { samples: "5000", instances: 2, hoursOfDay: [9, 13] }, content: { totalWeight: "7000" } },
  });
  const text = await get("auth/report?format=text");
  expect([text.status, text.headers["content-type"]]).toEqual([200, "text/plain; charset=utf-8"]);
  expect(text.text).toMatch(/^(good|usable|poor): 5000 samples, 2 instances/);
});

describe("a release", () => {
  test("is the same bytes for ever, by its name and its channel's, also when its profiles are gone", async () => {
    const id = await push(500);
    const { pgo, releases } = profefe.opened.repository;
    const made = await pgo.toPublish({ service: "auth", signal: new AbortController().signal });
    await releases.publish({ ...made, name: "r1", channels: ["stable"] });
    const { bytes: file, headers: fileHeaders } = await get("auth");
    await profefe.opened.repository.delete(id);
    expect((await get("auth")).status).toBe(404);
    for (const path of ["auth@r1", "auth@stable", "auth%40r1", "auth?release=r1", "auth?release=stable"]) {
      const { status, bytes, headers } = await get(path);
      expect([path, status, bytes.equals(file), headers.etag]).toEqual([path, 200, true, fileHeaders.etag]);
      expect(headers).toMatchObject({ "profusion-release": "r1", "profusion-verdict": "poor" });
    }
    expect((await get("auth@r1", { "if-none-match": fileHeaders.etag! })).status).toBe(304);
    const worse = await get("auth@r1?require=good");
    expect([worse.status, worse.json()]).toEqual([412, { release: "r1", verdict: "poor" }]);
    expect((await get("auth?release=r1&policy=plain")).json().error).toContain("a release is what it is");
    expect((await get("auth@r2")).status).toBe(404);
    expect((await get("auth?release=%20")).status).toBe(404);
  });

  test("is what the drift of the next profile is held against", async () => {
    await push(500, "", HOUR, "before");
    const { pgo, releases } = profefe.opened.repository;
    const question = { service: "auth", signal: new AbortController().signal };
    await releases.publish({ ...(await pgo.toPublish(question)), name: "r1" });
    expect((await pgo.profile(question)).report.facts!.inputs.drift).toEqual({
      release: "r1",
      jaccard: 1,
      weightOverlap: 1,
    });
    await push(1500, "", HOUR, "after");
    const { drift } = (await pgo.profile(question)).report.facts!.inputs;
    expect(drift).toEqual({ release: "r1", jaccard: 0.5, weightOverlap: 0.25 });
  });
});

const HEAP = {
  sampleTypes: [["inuse_space", "bytes"]] as [string, string][],
  periodType: ["space", "bytes"] as [string, string],
  samples: [{ stack: [frame("leaf"), frame("main.main")], values: [1] }],
};
