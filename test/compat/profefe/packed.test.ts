// profefe's API over packed profiles: the same answers as over loose ones, but for the gzip around them and the etag that names it; and what
// clients see of a pack that is damaged.

import { readdir, readFile, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../../../src/model/limits.ts";
import { summarize } from "../../../src/pprof/summary.ts";
import { openHttp2 } from "../../http/http2-client.ts";
import {
  askServer,
  cpuProfile,
  heapProfile,
  type ProfefeServer,
  serveProfefe,
  startProfefe,
  WINDOW,
} from "./profefe-server.ts";

/** Three cpu profiles of 11, 21 and 31 samples, and a heap profile. */
let profefe: ProfefeServer;
let cpu: string[];
let heap: string;
let looseTags: (string | undefined)[];
let looseList: string;
let looseMerge: Buffer;

const get = (path: string, headers?: Record<string, string>, method = "GET") =>
  profefe.ask(method, `/api/0/profiles${path}`, undefined, headers);
const samplesOf = (bytes: Uint8Array) => summarize(gunzipSync(bytes), DEFAULT_LIMITS).sampleTypes[0]!.total;

beforeAll(async () => {
  profefe = await startProfefe();
  cpu = [];
  for (const [nth, value] of [10, 20, 30].entries())
    cpu.push(await profefe.post(`service=svc&type=cpu&labels=v=${nth}`, cpuProfile(nth * 60, value)));
  heap = await profefe.post("service=svc&type=heap", heapProfile());
  looseTags = await Promise.all(cpu.map(async (id) => (await get(`/${id}`)).headers.etag));
  looseList = (await get(`?service=svc&${WINDOW}`)).text;
  looseMerge = (await get(`/${cpu.join("+")}`)).bytes;
  const { repository, catalog } = profefe.opened;
  const { id } = repository.startPack();
  await repository.operation(id, 60_000);
  expect(await catalog.segments()).toEqual([]);
});
afterAll(() => profefe[Symbol.asyncDispose]());

describe("packed profiles", () => {
  test("are found and listed as before", async () => {
    expect((await get(`?service=svc&${WINDOW}`)).text).toBe(looseList);
  });

  test("one id is a file of the inflated bytes that were sent, under another etag, for good", async () => {
    for (const [nth, id] of cpu.entries()) {
      const { status, headers, bytes } = await get(`/${id}`);
      expect(status).toBe(200);
      expect(gunzipSync(bytes).equals(gunzipSync(cpuProfile(nth * 60, (nth + 1) * 10)))).toBe(true);
      expect(headers).toMatchObject({
        "content-type": "application/octet-stream",
        "content-disposition": `attachment; filename="${id}"`,
        "content-length": String(bytes.length),
        "cache-control": "private, max-age=31536000, immutable",
        "accept-ranges": "bytes",
      });
      expect(headers.etag).not.toBe(looseTags[nth]);
      expect((await get(`/${id}`)).headers.etag).toBe(headers.etag);
    }
  });

  test("HEAD tells what GET does, over HTTP/2 as well", async () => {
    const whole = await get(`/${cpu[0]}`);
    const head = await get(`/${cpu[0]}`, {}, "HEAD");
    expect([head.status, head.bytes.length]).toEqual([200, 0]);
    const { date: _, ...same } = whole.headers;
    expect(head.headers).toMatchObject(same);
    using client = openHttp2(profefe.server.url);
    const second = await client.request({ ":method": "HEAD", ":path": `/api/0/profiles/${cpu[0]}` });
    expect([second.status, second.headers["content-length"]]).toEqual([200, String(whole.bytes.length)]);
  });

  test("If-None-Match saves the bytes; that of the loose profile does not", async () => {
    const { headers } = await get(`/${cpu[0]}`);
    const same = await get(`/${cpu[0]}`, { "if-none-match": headers.etag! });
    expect([same.status, same.bytes.length]).toEqual([304, 0]);
    expect((await get(`/${cpu[0]}`, { "if-none-match": looseTags[0]! })).status).toBe(200);
  });

  test("a range of the bytes is theirs; one begun before packing starts anew, whole", async () => {
    const { headers, bytes } = await get(`/${cpu[1]}`);
    const part = await get(`/${cpu[1]}`, { range: "bytes=10-19" });
    expect([part.status, part.bytes.equals(bytes.subarray(10, 20))]).toEqual([206, true]);
    expect(part.headers["content-range"]).toBe(`bytes 10-19/${bytes.length}`);
    const on = await get(`/${cpu[1]}`, { range: "bytes=10-", "if-range": headers.etag! });
    expect([on.status, on.bytes.equals(bytes.subarray(10))]).toEqual([206, true]);
    const anew = await get(`/${cpu[1]}`, { range: "bytes=10-19", "if-range": looseTags[1]! });
    expect([anew.status, anew.bytes.equals(bytes)]).toEqual([200, true]);
    expect((await get(`/${cpu[1]}`, { range: "bytes=99999-" })).status).toBe(416);
  });

  test("a list of ids and a selector are summed as before", async () => {
    expect((await get(`/${cpu.join("+")}`)).bytes.equals(looseMerge)).toBe(true);
    const merged = await get(`/merge?service=svc&type=cpu&${WINDOW}`);
    expect([merged.status, samplesOf(merged.bytes)]).toEqual([200, 63n]);
    expect(merged.headers).toMatchObject({ "profusion-matched": "3", "profusion-merged": "3" });
    expect((await get(`/${cpu[0]}+${heap}`)).status).toBe(409);
  });

  test("a single match is what the download of its id is", async () => {
    const one = await get(`/merge?service=svc&type=cpu&labels=v=2&${WINDOW}`);
    const download = await get(`/${cpu[2]}`);
    expect([one.status, one.bytes.equals(download.bytes)]).toEqual([200, true]);
    expect(one.headers).toMatchObject({ etag: download.headers.etag, "profusion-merged": "1" });
  });
});

describe("of a pack that cannot be read", () => {
  const FATES: [what: string, says: RegExp, change: (bytes: Buffer) => Uint8Array | undefined][] = [
    ["it is of a newer version", /Pack \d+: .*version 2, this program reads version 1/, (bytes) => bytes.with(8, 2)],
    ["it is empty", /Pack \d+: .*does not begin as packs do/, () => new Uint8Array(0)],
    ["it is gone", /Pack \d+: There is no object/, () => undefined],
  ];

  test("downloads are 503 and say why, HEAD too; merges leave its profiles out and count them", async () => {
    const folder = join(profefe.opened.folder, "objects");
    const files = await Promise.all(
      (await readdir(folder)).map(async (file) => [join(folder, file), await readFile(join(folder, file))] as const),
    );
    const [path, bytes] = files.find(([, content]) => content.includes('"cpu",'))!;
    await profefe.post("service=svc&type=cpu&labels=v=late", cpuProfile(300, 40));
    for (const [what, says, change] of FATES) {
      const changed = change(bytes);
      if (changed) await writeFile(path, changed);
      else await unlink(path);
      await profefe.opened.reopen();
      await using server = await serveProfefe(profefe.opened.repository);
      const ask = (target: string, method = "GET") => askServer(server, method, `/api/0/profiles${target}`);
      const refused = { code: 503, error: expect.stringMatching(says) };
      for (const target of [`/${cpu[0]}`, `/${cpu.join("+")}`, `/merge?service=svc&type=cpu&labels=v=0&${WINDOW}`]) {
        const { status, headers, json } = await ask(target);
        expect([status, json(), headers["retry-after"]], what).toEqual([503, refused, "5"]);
      }
      expect((await ask(`/${cpu[0]}`, "HEAD")).status, what).toBe(503);
      const healthy = await ask(`/${heap}`);
      expect([healthy.status, samplesOf(healthy.bytes)], what).toEqual([200, 3n]);
      const rest = await ask(`/merge?service=svc&type=cpu&${WINDOW}`);
      expect([rest.status, samplesOf(rest.bytes)], what).toEqual([200, 41n]);
      expect(rest.headers, what).toMatchObject({
        "profusion-matched": "4",
        "profusion-merged": "1",
        "profusion-skipped": "damaged=3",
        "profusion-warning": expect.stringMatching(says),
      });
    }
  });
});
