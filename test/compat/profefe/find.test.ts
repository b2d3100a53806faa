// GET /api/0/profiles and /api/0/services, row by row of profefe's behaviour.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EVERYTHING } from "../../../src/model/selector.ts";
import { openHttp2 } from "../../http/http2-client.ts";
import { profileRecord, stubRepository } from "../../support/stub-repository.ts";
import {
  askServer,
  cpuProfile,
  heapProfile,
  type ProfefeServer,
  serveProfefe,
  startProfefe,
  WINDOW,
} from "./profefe-server.ts";

interface Found {
  id: string;
  type: string;
  labels?: { key: string; value: string }[];
  created_at: string;
}

let profefe: ProfefeServer;
const ids: string[] = [];
beforeAll(async () => {
  profefe = await startProfefe();
  // Backwards in time, labels x, y, x, y, x: profefe itself finds one of three of those labelled x, and none labelled y.
  for (let nth = 4; nth >= 0; nth--) {
    const label = nth % 2 === 0 ? "x" : "y";
    ids[nth] = await profefe.post(`service=svc&type=cpu&labels=l=${label},nth=${nth}`, cpuProfile(nth * 60));
  }
  ids[5] = await profefe.post("service=svc&type=heap&labels=l=z,l=w", heapProfile(300));
  ids[6] = await profefe.post("service=svc2&type=cpu", cpuProfile());
  ids[7] = await profefe.post("service=svc&type=trace&created_at=2019-05-30T21:16:00", Buffer.from("trace"));
});
afterAll(() => profefe[Symbol.asyncDispose]());

async function find(query: string): Promise<number[]> {
  const answer = await profefe.ask("GET", `/api/0/profiles?${query}`);
  if (answer.status === 404) return [];
  if (answer.status !== 200) throw new Error(answer.text);
  return (answer.json().body as Found[]).map(({ id }) => ids.indexOf(id));
}

describe("find", () => {
  test("answers the envelope with profile objects, oldest first", async () => {
    const answer = await profefe.ask("GET", `/api/0/profiles?service=svc&type=cpu&${WINDOW}`);
    expect([answer.status, answer.headers["content-type"]]).toEqual([200, "application/json"]);
    expect(answer.text).toMatch(/^\{"code":200,"body":\[\{"id":.*\}\]\}\n$/);
    const found = answer.json().body as Found[];
    expect(found.map(({ id }) => id)).toEqual(ids.slice(0, 5));
    expect(found[0]).toEqual({
      id: ids[0],
      type: "cpu",
      service: "svc",
      labels: [
        { key: "l", value: "x" },
        { key: "nth", value: "0" },
      ],
      created_at: "2019-05-30T21:10:05Z",
    });
  });

  test.each([
    ["service=svc&type=cpu", [0, 1, 2, 3, 4]],
    ["service=svc&type=heap", [5]],
    // Any type, traces included; another service that begins alike is not meant.
    ["service=svc", [0, 1, 2, 3, 4, 5, 7]],
    ["service=svc&type=unknown", [0, 1, 2, 3, 4, 5, 7]],
    ["service=svc&type=no-such", [0, 1, 2, 3, 4, 5, 7]],
    // A valid type that nobody sent is not "any".
    ["service=svc&type=wall", []],
    ["service=svc&type=CPU", []],
    ["service=sv", []],
    ["service=svc&labels=l=x", [0, 2, 4]],
    ["service=svc&labels=l=y", [1, 3]],
    ["service=svc&labels=,l=x,nth=2", [2]],
    ["service=svc&labels=l=x,nth=1", []],
    // The same name twice: both must be there.
    ["service=svc&labels=l=z,l=w", [5]],
    ["service=svc&labels=l=z,l=x", []],
    // A label that is absent has not the value "".
    ["service=svc&labels=nosuch=", []],
    ["service=svc&limit=0", [0, 1, 2, 3, 4, 5, 7]],
    // The newest, oldest first.
    ["service=svc&limit=2", [5, 7]],
    ["service=svc&type=cpu&limit=2", [3, 4]],
    ["service=svc&type=cpu&limit=99", [0, 1, 2, 3, 4]],
    [`query=${encodeURIComponent('{service=~"svc.*"}')}&type=cpu&limit=3`, [2, 3, 4]],
    [`query=${encodeURIComponent('cpu{service="svc2"}')}`, [6]],
    [`query=${encodeURIComponent('{l!="x",nth!=""}')}&service=svc`, [1, 3]],
  ])("%s finds %j", async (query, expected) => {
    expect(await find(`${query}&${WINDOW}`)).toEqual(expected);
  });

  test("the window is inclusive: a shown second finds its profile", async () => {
    expect(await find("service=svc&type=cpu&from=2019-05-30T21:11:05&to=2019-05-30T21:11:05")).toEqual([1]);
    expect(await find("service=svc&type=cpu&from=2019-05-30T21:11:05&to=2019-05-30T21:13:05")).toEqual([1, 2, 3]);
    expect(await find("service=svc&type=cpu&from=2019-05-30T21:11:05.5&to=2019-05-30T21:11:05.5")).toEqual([1]);
    expect(await find("service=svc&type=cpu&from=2019-05-30T21:11:06&to=2019-05-30T21:12:04")).toEqual([]);
    // With a zone the end is exclusive.
    expect(await find("service=svc&type=cpu&from=2019-05-30T21:11:05Z&to=2019-05-30T21:13:05Z")).toEqual([1, 2]);
    expect(await find("service=svc&type=cpu&from=2019-05-30T23:11:05%2B02:00&to=1559250785")).toEqual([1, 2]);
    expect(await find("service=svc&type=cpu&from=2019-05-30T21:11:05Z&to=2019-05-30T21:11:05Z")).toEqual([]);
  });

  test("nothing found is 404 in the envelope", async () => {
    const answer = await profefe.ask("GET", `/api/0/profiles?service=nobody&${WINDOW}`);
    expect([answer.status, answer.text]).toEqual([404, '{"code":404,"error":"nothing found"}\n']);
  });

  test("a bad parameter is 400 in the envelope", async () => {
    const answer = await profefe.ask("GET", "/api/0/profiles?service=svc&from=2019-05-30T21:11:05");
    expect([answer.status, answer.json()]).toEqual([400, { code: 400, error: 'bad request: missing "to"' }]);
  });

  test("over HTTP/2 it is the same, and HEAD has no body", async () => {
    using client = openHttp2(profefe.server.url);
    const path = `/api/0/profiles?service=svc&type=cpu&${WINDOW}`;
    const got = await client.request({ ":path": path });
    const one = await profefe.ask("GET", path);
    expect(got.body.equals(one.bytes)).toBe(true);
    const head = await client.request({ ":method": "HEAD", ":path": path });
    expect([head.status, head.body.length]).toEqual([200, 0]);
    const headOne = await profefe.ask("HEAD", path);
    expect([headOne.status, headOne.bytes.length]).toEqual([200, 0]);
    expect((await profefe.ask("HEAD", `/api/0/profiles?service=nobody&${WINDOW}`)).status).toBe(404);
  });
});

describe("long lists", () => {
  const records = Array.from({ length: 25 }, (_, nth) =>
    profileRecord({
      id: `01ks0000000000000000000${String(nth).padStart(3, "0")}`,
      timeNs: BigInt(nth) * 1_000_000_000n,
    }),
  );
  const asked: { order: string; limit: number }[] = [];
  const repository = stubRepository({
    async list({ order, limit, afterId, selector }) {
      asked.push({ order, limit });
      expect(selector).not.toBe(EVERYTHING);
      const ordered = order === "oldest" ? records : records.toReversed();
      const behind = ordered.filter(
        ({ id }) => afterId === undefined || (order === "oldest" ? id > afterId : id < afterId),
      );
      const page = behind.slice(0, limit);
      const last = page.at(-1);
      return { records: page, ...(behind.length > limit && last && { nextAfterId: last.id }) };
    },
  });

  test.each([
    [undefined, 25],
    [1, 1],
    [10, 10],
    [11, 11],
    [24, 24],
    [25, 25],
    [1000, 25],
  ])("limit %s answers the newest %i, oldest first, never asking for more than a page", async (limit, count) => {
    await using server = await serveProfefe(repository, { pageSizeMax: 10 });
    const limited = limit === undefined ? "" : `&limit=${limit}`;
    const answer = await askServer(server, "GET", `/api/0/profiles?service=auth&last=1h${limited}`);
    const found = answer.json().body as Found[];
    expect(found.map(({ id }) => id)).toEqual(records.slice(25 - count).map(({ id }) => id));
    expect(asked.every((page) => page.limit <= 10)).toBe(true);
  });

  test("a failure after the first page cuts the answer short instead of ending it well", async () => {
    const failing = stubRepository({
      async list({ afterId }) {
        if (afterId !== undefined) throw new Error("the second page fails");
        return { records: records.slice(0, 10), nextAfterId: records[9]!.id };
      },
    });
    await using server = await serveProfefe(failing, { pageSizeMax: 10 });
    await expect(askServer(server, "GET", "/api/0/profiles?service=auth&last=1h")).rejects.toThrow();
  });
});

describe("services", () => {
  test("are listed in order", async () => {
    const answer = await profefe.ask("GET", "/api/0/services");
    expect([answer.status, answer.text]).toEqual([200, '{"code":200,"body":["svc","svc2"]}\n']);
  });

  test("an empty store has nothing", async () => {
    await using empty = await startProfefe();
    const answer = await empty.ask("GET", "/api/0/services");
    expect([answer.status, answer.text]).toEqual([404, '{"code":404,"error":"nothing found"}\n']);
  });

  test("are read a page at a time", async () => {
    const names = ["a", "b", "c", "d", "e"];
    const repository = stubRepository({
      services: async ({ after = "", limit }) =>
        names
          .filter((name) => name > after)
          .slice(0, limit)
          .map((name) => ({ name, profiles: 1 })),
    });
    for (const pageSizeMax of [1, 2, 5, 10]) {
      await using server = await serveProfefe(repository, { pageSizeMax });
      expect((await askServer(server, "GET", "/api/0/services")).json().body).toEqual(names);
    }
  });
});
