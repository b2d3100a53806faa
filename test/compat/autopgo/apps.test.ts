// Which apps are listed, how large and when they changed, and what DELETE takes: `autopgo clean` deletes whatever is listed.

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Access } from "../../../src/http/access.ts";
import { DEFAULT_PGO_POLICY, type PgoPolicy } from "../../../src/model/pgo-policy.ts";
import type { Repository } from "../../../src/repository/repository.ts";
import { stubRepository } from "../../support/stub-repository.ts";
import { type AutopgoServer, cpuProfile, serveAutopgo, startAutopgo } from "./autopgo-server.ts";

let autopgo: AutopgoServer;
let configured: Map<string, PgoPolicy[]>;
beforeEach(async () => {
  configured = new Map();
  autopgo = await startAutopgo({ pgoPolicies: () => configured });
});
afterEach(() => autopgo[Symbol.asyncDispose]());

interface Listed {
  key: string;
  size: number;
  lastModified: string;
}

async function list(server: Pick<AutopgoServer, "ask"> = autopgo): Promise<Listed[]> {
  const { status, text } = await server.ask("GET", "/api/profile");
  expect(status).toBe(200);
  return (JSON.parse(text) as { profiles: Listed[] }).profiles;
}

const keys = async (server?: Pick<AutopgoServer, "ask">) => (await list(server)).map(({ key }) => key);
const remove = async (app: string) => (await autopgo.ask("DELETE", `/api/profile/${app}`)).status;
const policy = (name: string, fields: Partial<PgoPolicy> = {}): PgoPolicy => ({
  ...DEFAULT_PGO_POLICY,
  name,
  ...fields,
});

/** Sent by another protocol. */
const push = (service: string, profile: Uint8Array, labels: Record<string, string> = {}) =>
  autopgo.opened.repository.push({
    service,
    type: "cpu",
    labels: Object.entries(labels).map(([name, value]) => ({ name, value })),
    bytes: profile,
  });

async function countOf(service: string): Promise<number> {
  const { repository } = autopgo.opened;
  const services = await repository.services({
    selector: { services: [], types: [], labels: [] },
    prefix: service,
    limit: 1,
  });
  return services[0]?.profiles ?? 0;
}

describe("the list", () => {
  test("has a number for the size, of all uploads, and the time when the newest came, to nine digits", async () => {
    const first = cpuProfile(100);
    const second = cpuProfile(200, 30);
    await autopgo.upload("web", first);
    autopgo.opened.clock.nowNs += 1_234_567_800n;
    await autopgo.upload("web", second);
    await autopgo.upload("api", first);
    const { text } = await autopgo.ask("GET", "/api/profile");
    expect(text).toBe(
      `{"profiles":[{"key":"api","size":${first.length},"lastModified":"2026-09-21T14:13:21.2345678Z"},` +
        `{"key":"web","size":${first.length + second.length},"lastModified":"2026-09-21T14:13:21.2345678Z"}]}\n`,
    );
  });

  test("merges nothing and reads no profile", async () => {
    await autopgo.upload("web", cpuProfile(100));
    const { repository } = autopgo.opened;
    const unread = stubRepository({
      usage: () => repository.usage(),
      services: (query) => repository.services(query),
      types: (query) => repository.types(query),
      list: (request) => repository.list(request),
      pgo: { policies: repository.pgo.policies } as Repository["pgo"],
    });
    await using server = await serveAutopgo(unread);
    const response = await fetch(`${server.url}/api/profile`);
    expect(((await response.json()) as { profiles: unknown[] }).profiles).toHaveLength(1);
  });

  test("goes on when profiles are packed, with the same sizes", async () => {
    for (let nth = 1; nth <= 20; nth++) await autopgo.upload("web", cpuProfile(100 + nth, 86_400 * 2 + nth));
    const before = await list();
    autopgo.opened.clock.nowNs += 3_600_000_000_000n;
    const { repository } = autopgo.opened;
    const { id } = repository.startPack();
    await repository.operation(id, 60_000);
    expect((await repository.status()).packs.profiles).toBe(20);
    expect(await list()).toEqual(before);
    expect([await remove("web"), await list(), await remove("web")]).toEqual([200, [], 404]);
  });

  test("has neither services of other protocols nor names that are none here, however many there are", async () => {
    await push("web", cpuProfile(100));
    await push("auth", cpuProfile(100));
    await push("Foo_1", cpuProfile(100), { via: "autopgo" });
    expect(await list()).toEqual([]);
    await autopgo.upload("web", cpuProfile(100));
    expect(await keys()).toEqual(["web"]);
  });

  test("is whole beyond a page, in the order of a bucket", async () => {
    await using small = await startAutopgo({ limits: { pageSizeMax: 2 } });
    const apps = ["e", "a", "d-1", "c", "b"];
    for (const app of apps) await small.upload(app, cpuProfile(100));
    expect(await keys(small)).toEqual([...apps].sort());
  });
});

describe("DELETE", () => {
  test("is 200 {} once and 404 then, and what was uploaded is gone for good", async () => {
    await autopgo.upload("web", cpuProfile(200));
    await autopgo.upload("api", cpuProfile(200));
    const { status, text, headers } = await autopgo.ask("DELETE", "/api/profile/web");
    expect([status, text, headers["content-type"]]).toEqual([200, "{}\n", "application/json"]);
    expect([await remove("web"), await keys(), await countOf("web")]).toEqual([404, ["api"], 0]);
    expect((await autopgo.ask("GET", "/api/profile/web")).status).toBe(404);
  });

  test("takes what came by this protocol alone, and HEAD nothing", async () => {
    await push("web", cpuProfile(200), { instance: "a" });
    await push("web", cpuProfile(200), { via: "relay" });
    expect(await remove("web")).toBe(404);
    await autopgo.upload("web", cpuProfile(300));
    await autopgo.ask("HEAD", "/api/profile/web");
    expect([await countOf("web"), await remove("web"), await countOf("web"), await remove("web")]).toEqual([
      3, 200, 2, 404,
    ]);
  });
});

describe("a service that has a policy named autopgo", () => {
  test("is listed and deleted with what the policy selects, and served by it", async () => {
    await push("web", cpuProfile(500, 60, ["prod", "main.main"]), { env: "prod" });
    await push("web", cpuProfile(500, 60, ["test", "main.main"]), { env: "test" });
    await push("auth", cpuProfile(500));
    const { policies } = autopgo.opened.repository.pgo;
    await policies.put("web", policy("autopgo", { selector: 'cpu{env="prod"}' }), undefined);
    expect(await keys()).toEqual(["web"]);
    const { headers } = await autopgo.ask("GET", "/api/profile/web");
    expect(headers["profusion-matched"]).toBe("1");
    await autopgo.upload("web", cpuProfile(300));
    expect([await countOf("web"), await remove("web"), await countOf("web")]).toEqual([3, 200, 1]);
    expect([await keys(), await remove("web")]).toEqual([[], 404]);
  });

  test("may be so by the file of policies, also all services at once", async () => {
    await push("web", cpuProfile(500));
    await push("auth", cpuProfile(500));
    await push("Not_here", cpuProfile(500));
    configured.set("web", [policy("autopgo")]);
    expect(await keys()).toEqual(["web"]);
    configured.set("*", [policy("autopgo")]);
    expect(await keys()).toEqual(["auth", "web"]);
    expect([await remove("web"), await remove("Not_here"), await countOf("Not_here")]).toEqual([200, 400, 1]);
  });

  test("has the size of its share where not all of its profiles are listed", async () => {
    const profile = cpuProfile(500);
    for (const env of ["a", "b", "c", "d"]) await push("web", profile, { env });
    configured.set("web", [policy("autopgo", { selector: 'cpu{env=~"a|b"}' })]);
    expect((await list())[0]!.size).toBe(2 * profile.length);
  });
});

test("a policy is named by the query, and plain is all of history as it is", async () => {
  await autopgo.upload("web", cpuProfile(500, 60, ["new", "main.main"]));
  await autopgo.upload("web", cpuProfile(500, 100 * 86_400, ["old", "main.main"]));
  const merged = async (query: string) =>
    (await autopgo.ask("GET", `/api/profile/web${query}`)).headers["profusion-merged"];
  expect([await merged(""), await merged("?policy=plain"), await merged("?policy=default")]).toEqual(["1", "2", "1"]);
  expect((await autopgo.ask("GET", "/api/profile/web?policy=none")).status).toBe(404);
});

test("a key's service is the only app that it may ask, and its labels are on what it sends and on all that it sees", async () => {
  const asked: string[] = [];
  const access: Access = {
    admit(_exchange, scope, protocol) {
      asked.push(`${protocol} ${scope}`);
      return { submitter: "key-1", service: "web", labels: [{ name: "region", value: "eu" }] };
    },
  };
  await push("web", cpuProfile(500), { via: "autopgo", region: "us" });
  await using server = await serveAutopgo(autopgo.opened.repository, { access });
  const send = (method: string, path: string, body?: Uint8Array) =>
    fetch(`${server.url}/api/profile${path}`, { method, ...(body && { body: new Uint8Array(body) }) });
  expect((await send("POST", "/api", cpuProfile(300))).status).toBe(403);
  const { key } = (await (await send("POST", "/web", cpuProfile(300))).json()) as { key: string };
  const record = await autopgo.opened.repository.get(key.split("/")[2]!);
  expect([record.submitter, record.labels]).toEqual([
    "key-1",
    [
      { name: "region", value: "eu" },
      { name: "via", value: "autopgo" },
    ],
  ]);
  expect((await send("GET", "/web")).headers.get("profusion-matched")).toBe("1");
  const { profiles } = (await (await send("GET", "")).json()) as { profiles: unknown[] };
  expect(profiles).toHaveLength(1);
  expect([(await send("DELETE", "/web")).status, (await send("DELETE", "/web")).status, await countOf("web")]).toEqual([
    200, 404, 1,
  ]);
  expect(new Set(asked)).toEqual(new Set(["autopgo write", "autopgo pgo", "autopgo delete"]));
});
