// pgo-fleet's wire over a real socket: each status with its empty body, what is accepted, what a merge is of, keys and what they bind.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parseFleetKeys, readFleetKeyFile } from "../../../src/compat/pgo-fleet/key-file.ts";
import { pgoFleetRoutes } from "../../../src/compat/pgo-fleet/routes.ts";
import { type Access, OPEN_ACCESS, type Scope } from "../../../src/http/access.ts";
import type { KeyFile } from "../../../src/http/keys/key-file.ts";
import { keyedAccess } from "../../../src/http/keys/keyed-access.ts";
import { watchKeyFile } from "../../../src/http/keys/watched-key-file.ts";
import { DEFAULT_LIMITS, type LimitName } from "../../../src/model/limits.ts";
import { EVERYTHING } from "../../../src/model/selector.ts";
import { decodeProfile } from "../../../src/pprof/decode.ts";
import { connectRaw } from "../../http/with-listener.ts";
import { type CompatServer, goCpu, goHeap, serveCompat, swappedGoCpu } from "../../support/compat-server.ts";

let submitKeys: KeyFile | undefined;
let mergeKeys: KeyFile | undefined;
let fleet: CompatServer;
beforeEach(async () => {
  limits = { ...DEFAULT_LIMITS };
  submitKeys = undefined;
  mergeKeys = undefined;
  fleet = await serveCompat(
    (repository, common) =>
      pgoFleetRoutes(repository, {
        ...common,
        submitAccess: accessBy(() => submitKeys),
        mergeAccess: accessBy(() => mergeKeys),
      }),
    { bodyBytes: 100_000 },
  );
});
afterEach(() => fleet[Symbol.asyncDispose]());

let limits: Record<LimitName, number> = DEFAULT_LIMITS;
/** As the server has it: the file's, or open where there is none. */
function accessBy(file: () => KeyFile | undefined): Access {
  const keyed = keyedAccess({ file: () => file()!, limits, sourceOf: (id) => id });
  return { admit: (...asked) => (file() ? keyed : OPEN_ACCESS).admit(...asked) };
}
const keys = (text: string, scope: Scope = "write") => parseFleetKeys(text, "keys", scope, DEFAULT_LIMITS);
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
const submit = (body: Uint8Array, query = "", headers = {}) => fleet.ask("POST", `/v1/submit${query}`, body, headers);
const merge = (query = "", headers = {}) => fleet.ask("POST", `/v1/merge${query}`, undefined, headers);
const stored = async () =>
  (await fleet.opened.repository.list({ selector: EVERYTHING, order: "newest", limit: 100 })).records;
const totals = (bytes: Uint8Array) => {
  const { sampleTypes, samples } = decodeProfile(gunzipSync(bytes), { encoding: "latin1" });
  return sampleTypes.map(({ type }, at) => `${type}=${samples.reduce((sum, { values }) => sum + values[at]!, 0n)}`);
};
const of = ({ status, bytes }: Awaited<ReturnType<typeof merge>>) => [status, bytes.length];

describe("submit", () => {
  test("answers 204 without a body, and keeps every profile; one without samples adds nothing", async () => {
    const { status, bytes, headers } = await submit(goCpu(10));
    expect([status, bytes.length, headers["content-length"], headers["content-type"]]).toEqual([
      204,
      0,
      undefined,
      undefined,
    ]);
    expect((await submit(goCpu(10, 61))).status).toBe(204);
    expect((await submit(goCpu(0))).status).toBe(204);
    expect((await stored()).map(({ service, type }) => `${type}{${service}}`)).toEqual([
      "cpu{pgo-fleet}",
      "cpu{pgo-fleet}",
    ]);
  });

  test("takes the two columns of a CPU profile in either order and nothing else: 400 and an empty body", async () => {
    expect((await submit(swappedGoCpu(10))).status).toBe(204);
    const samples = [{ stack: ["work", "main"], values: [1] }];
    const [count, cpu] = [["samples", "count"] as [string, string], ["cpu", "nanoseconds"] as [string, string]];
    const refused = {
      heap: goHeap(),
      "only samples": goCpu(1, 60, { sampleTypes: [count], samples }),
      "only cpu": goCpu(1, 60, { sampleTypes: [cpu], samples }),
      "samples twice": goCpu(1, 60, { sampleTypes: [count, count] }),
      "three columns": goCpu(1, 60, {
        sampleTypes: [count, cpu, ["x", "count"]],
        samples: [{ stack: ["a", "b"], values: [1, 2, 3] }],
      }),
      "no period": goCpu(1, 60, { periodType: null }),
      "another period": goCpu(1, 60, { periodType: ["wall", "nanoseconds"] }),
      "heap without samples": goCpu(0, 60, { sampleTypes: [["inuse_space", "bytes"]], periodType: ["space", "bytes"] }),
      garbage: Buffer.from("garbage"),
      nothing: new Uint8Array(0),
    };
    for (const [what, body] of Object.entries(refused)) {
      const answer = await submit(body);
      expect([what, ...of(answer)]).toEqual([what, 400, 0]);
      expect(answer.headers["profusion-reason"], what).toMatch(/\w/);
    }
    expect(await stored()).toHaveLength(1);
  });

  test("is refused by method, then by key, then by content, always with an empty body", async () => {
    submitKeys = keys("right\n");
    for (const method of ["GET", "PUT", "DELETE", "HEAD", "OPTIONS"]) {
      const answer = await fleet.ask(method, "/v1/submit");
      expect([method, ...of(answer)]).toEqual([method, 405, 0]);
      expect(answer.headers.allow).toBe("POST");
    }
    expect(of(await submit(Buffer.from("garbage"), "", bearer("wrong")))).toEqual([403, 0]);
    expect(of(await submit(Buffer.from("garbage")))).toEqual([403, 0]);
    expect(of(await submit(Buffer.from("garbage"), "", bearer("right")))).toEqual([400, 0]);
    expect(of(await submit(new Uint8Array(100_001), "", bearer("right")))).toEqual([413, 0]);
    expect(of(await submit(goCpu(1), "", bearer("right")))).toEqual([204, 0]);
    expect((await fleet.ask("POST", "/v1/submit/", goCpu(1))).text).toBe("404 page not found\n");
  });

  test("is chunked without a type or a length; one that stops half-way is not stored and harms nobody", async () => {
    using raw = await connectRaw(fleet.server.port);
    raw.send("POST /v1/submit HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nabc");
    raw.socket.end();
    await raw.closed;
    const answer = await fetch(`${fleet.server.url}/v1/submit`, {
      method: "POST",
      body: new Blob([new Uint8Array(goCpu(1))]).stream(),
      duplex: "half",
    });
    expect([answer.status, await answer.text()]).toEqual([204, ""]);
    expect(await stored()).toHaveLength(1);
  });
});

describe("merge", () => {
  test("is everything of its service, swapped columns too, gzipped; nothing to merge is 404 and an empty body", async () => {
    expect(of(await merge())).toEqual([404, 0]);
    await submit(goCpu(10, 60 * 24 * 300));
    await submit(swappedGoCpu(5));
    await submit(goCpu(99), "?service=other");
    const { status, headers, bytes } = await merge();
    expect([status, headers["content-type"]]).toEqual([200, "application/x-gzip"]);
    expect(totals(bytes)).toEqual(["samples=15", "cpu=150000000"]);
    expect(headers).toMatchObject({ "profusion-matched": "2", "profusion-merged": "2" });
    expect(totals((await merge("?service=other")).bytes)).toEqual(["samples=99", "cpu=990000000"]);
    expect(of(await fleet.ask("GET", "/v1/merge"))).toEqual([405, 0]);
  });

  test("combines where and_combine is exactly true: packs hold what was loose, and the sum and the ids stay", async () => {
    for (let nth = 0; nth < 5; nth++) await submit(goCpu(1 + nth, 60 + nth));
    const before = await merge();
    const ids = (await stored()).map(({ id }) => id);
    const { repository } = fleet.opened;
    for (const query of ["?and_combine=TRUE", "?and_combine=1", "?and_combine=", "?combine=true"]) {
      expect((await merge(query)).bytes).toEqual(before.bytes);
    }
    expect((await repository.status()).packs.profiles).toBe(0);
    expect((await merge("?and_combine=true")).bytes).toEqual(before.bytes);
    // Waits for the packing that was asked for.
    const { result } = await ended(repository);
    expect(result).toBeDefined();
    expect((await repository.status()).packs.profiles).toBe(5);
    expect((await merge()).bytes).toEqual(before.bytes);
    await submit(goCpu(100));
    expect(totals((await merge("?and_combine=true")).bytes)).toEqual(["samples=115", "cpu=1150000000"]);
    expect((await stored()).map(({ id }) => id)).toEqual(expect.arrayContaining(ids));
  });
});

async function ended(repository: CompatServer["opened"]["repository"]) {
  return repository.operation(repository.startPack().id, 60_000);
}

describe("keys", () => {
  test("are of a file for each, one a line; the scheme may be in lower case, and one space follows it", async () => {
    submitKeys = keys("  submitter  \r\n\n a key with spaces \nключ\n");
    mergeKeys = keys("merger\n", "pgo");
    const status = async (authorization: string) => (await submit(goCpu(1), "", { authorization })).status;
    expect(await status("Bearer submitter")).toBe(204);
    expect(await status("bearer submitter")).toBe(204);
    expect(await status("BEARER a key with spaces")).toBe(204);
    expect(await status(Buffer.from("Bearer ключ").toString("latin1"))).toBe(204);
    for (const wrong of [
      "Bearer  submitter",
      "Basic submitter",
      "Bearersubmitter",
      "submitter",
      "Bearer ",
      "Bearer merger",
    ]) {
      expect([wrong, await status(wrong)]).toEqual([wrong, 403]);
    }
    expect(of(await merge("", bearer("submitter")))).toEqual([403, 0]);
    expect(of(await merge())).toEqual([403, 0]);
    expect((await merge("", bearer("merger"))).status).toBe(200);
    submitKeys = keys("");
    expect(await status("Bearer submitter")).toBe(403);
  });

  test("may be bound to a service and labels, which no query changes; the query adds labels and narrows merges", async () => {
    submitKeys = keys("free\neu service=shop,region=eu\nus service=shop,region=us\n");
    mergeKeys = keys("all service=shop\nonly-eu service=shop,region=eu\nfree\n", "pgo");
    expect((await submit(goCpu(1), "", bearer("eu"))).status).toBe(204);
    expect((await submit(goCpu(10), "?service=shop&labels=version=2", bearer("us"))).status).toBe(204);
    expect(of(await submit(goCpu(1), "?service=bank", bearer("us")))).toEqual([403, 0]);
    expect((await submit(goCpu(100), "?service=bank&labels=region=eu", bearer("free"))).status).toBe(204);
    const seen = (await stored()).map(({ service, labels, submitter }) => [
      service,
      labels.map(({ name, value }) => `${name}=${value}`).join(),
      submitter,
    ]);
    const id = expect.stringMatching(/^pgo-fleet:[0-9a-f]{12}$/);
    expect(seen.sort()).toEqual([
      ["bank", "region=eu", id],
      ["shop", "region=eu", id],
      ["shop", "region=us,version=2", id],
    ]);
    expect(totals((await merge("", bearer("all"))).bytes)[0]).toBe("samples=11");
    expect(totals((await merge("?labels=version=2", bearer("all"))).bytes)[0]).toBe("samples=10");
    expect(totals((await merge("", bearer("only-eu"))).bytes)[0]).toBe("samples=1");
    expect(of(await merge("?service=bank", bearer("all")))).toEqual([403, 0]);
    expect(totals((await merge("?service=bank", bearer("free"))).bytes)[0]).toBe("samples=100");
    expect(of(await submit(goCpu(1), "?labels=%ff=1", bearer("free")))).toEqual([400, 0]);
  });

  test("a fault in a file names its line", () => {
    expect(() => keys("one\ntwo service=\n")).toThrow(/^keys:2: Cannot take a profile without a service/);
    expect(() => keys(`k region=${"x".repeat(5000)}`)).toThrow(/^keys:1: Cannot take label "region"/);
  });

  test("are read again when the file changes, and stay when it cannot be read", async () => {
    const folder = mkdtempSync(join(tmpdir(), "profusion-keys-"));
    try {
      const path = join(folder, "keys");
      const read = (each: string) => readFleetKeyFile(each, "write", DEFAULT_LIMITS);
      let told = Promise.withResolvers<string>();
      const logger = pino({ hooks: { logMethod: (line) => told.resolve(String(line[1])) } });
      expect(() => watchKeyFile(path, read, logger, () => {})).toThrow(/Cannot read the keys in/);
      writeFileSync(path, "first\n");
      using file = watchKeyFile(path, read, logger, () => {});
      submitKeys = file.current;
      expect((await submit(goCpu(1), "", bearer("first"))).status).toBe(204);
      const change = async (text: string) => {
        told = Promise.withResolvers<string>();
        writeFileSync(path, text);
        const message = await told.promise;
        submitKeys = file.current;
        return message;
      };
      expect(await change("second\nthird\n")).toContain("read again");
      expect((await submit(goCpu(1), "", bearer("first"))).status).toBe(403);
      expect((await submit(goCpu(1), "", bearer("second"))).status).toBe(204);
      expect(await change("second service=\n")).toContain("stay as they were");
      expect((await submit(goCpu(1), "", bearer("third"))).status).toBe(204);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("have a rate each: what is over it is 429 with Retry-After and an empty body, and another key is none the worse", async () => {
    submitKeys = keys("fast\nslow\n");
    limits.keyRequestsPerSecond = 1;
    const answers = await Promise.all(Array.from({ length: 30 }, () => submit(new Uint8Array(0), "", bearer("fast"))));
    const over = answers.filter(({ status }) => status === 429);
    expect(over.length).toBeGreaterThan(0);
    for (const { bytes, headers } of over) expect([bytes.length, headers["retry-after"]]).toEqual([0, "5"]);
    expect((await submit(goCpu(1), "", bearer("slow"))).status).toBe(204);
  });
});
