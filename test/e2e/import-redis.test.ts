// `import redis` from a real Redis, with what pgolib stores there. Needs redis-server (Debian: redis-server).

import { once } from "node:events";
import { createClient } from "@redis/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EXIT } from "../../src/cli/exit-code.ts";
import { goCpu } from "../support/compat-server.ts";
import { type ImportForTest, importForTest } from "../support/import-process.ts";
import { runRedis, type StoreForTest } from "../support/run-store.ts";
import { CERTIFICATE, TLS_FILES } from "../support/test-certificate.ts";

const MS = 1_700_000_000_000;
const PASSWORD = "a-password";

let redis: StoreForTest;
let imports: ImportForTest;
let url: string;
let secretUrl: string;
beforeAll(async () => {
  redis = await runRedis(["--requirepass", PASSWORD]);
  imports = await importForTest();
  url = `redis://127.0.0.1:${redis.port}`;
  secretUrl = `redis://:${PASSWORD}@127.0.0.1:${redis.port}`;
  const client = createClient({ url: secretUrl });
  await client.connect();
  const set = (key: string, bytes: Uint8Array | string) => client.set(key, Buffer.from(bytes), { EX: 3600 });
  await set(`prod:shop:${MS}`, goCpu(1));
  await set(`prod:shop:${MS + 1}`, goCpu(2));
  await set(`dev:shop:${MS}`, goCpu(1));
  await set("session:of:somebody", "else");
  await set(`user:login:${MS}`, "else");
  await client.lPush(`some:list:${MS}`, "else");
  for (let nth = 0; nth < 1200; nth++) await set(`load:many:${MS + nth}`, goCpu(1 + (nth % 50), nth));
  client.destroy();
});
afterAll(async () => {
  await imports[Symbol.asyncDispose]();
  await redis[Symbol.asyncDispose]();
});

const env = () => ({ REDIS_URL: secretUrl });

describe("pgolib's keys", () => {
  test("tell service, namespace and time; a second run imports nothing", async () => {
    const first = await imports.run(["redis", "--match", "*:shop:*"], env());
    expect(first, first.stderr).toMatchObject({ code: 0, report: { counts: { total: 3, imported: 3 } } });
    expect((await imports.stored("shop")).sort()).toEqual([
      "cpu{namespace=dev} 2023-11-14T22:13:20Z",
      "cpu{namespace=prod} 2023-11-14T22:13:20.001Z",
      "cpu{namespace=prod} 2023-11-14T22:13:20Z",
    ]);
    const second = await imports.run(["redis", "--match", "*:shop:*"], env());
    expect(second).toMatchObject({ code: 0, report: { counts: { total: 3, imported: 0, thereBefore: 3 } } });
  });

  test("that are not its own are refused, and harm nothing", async () => {
    const { code, stderr, report } = await imports.run(["redis", "--match", "[us]*"], env());
    expect(code).toBe(EXIT.invalid);
    expect(report!.counts).toMatchObject({ total: 2, imported: 0, refused: 2, strange: 1 });
    expect(stderr).toContain(`some:list:${MS}: Cannot read redis://xxxxx@127.0.0.1:${redis.port}: WRONGTYPE`);
    expect(stderr).toContain(`user:login:${MS}: This is no profile`);
    expect(JSON.stringify(report) + stderr).not.toContain(PASSWORD);
  });
});

test("an import that is killed goes on where it was, and each profile is there once", async () => {
  const args = ["redis", "--match", "load:*"];
  const killed = await imports.runKilled(args, 10, env());
  expect(killed).toMatchObject({ code: null, report: undefined });
  const { code, report } = await imports.run(args, env());
  expect([code, report!.counts]).toMatchObject([0, { total: 1200, resumed: 320, imported: 880, thereBefore: 0 }]);
  const times = (await imports.stored("many")).map((line) => Date.parse(line.split(" ")[1]!));
  expect(times).toEqual(Array.from({ length: 1000 }, (_, nth) => MS + 200 + nth)); // the newest thousand, in order
  expect((await imports.run(args, env())).report!.counts).toMatchObject({ imported: 0, thereBefore: 1200 });
});

test("a Redis that ends meanwhile ends the import, and what was acknowledged is told", async () => {
  await using ending = await runRedis();
  const client = createClient({ url: `redis://127.0.0.1:${ending.port}` });
  await client.connect();
  for (let nth = 0; nth < 200; nth++) await client.set(`ends:early:${MS + nth}`, Buffer.from(goCpu(1 + nth)));
  client.destroy();
  const end = async () => {
    ending.child.kill("SIGKILL");
    await once(ending.child, "exit");
  };
  const result = await imports.runWhile(["redis", `redis://127.0.0.1:${ending.port}`], 2, end);
  expect(result.code, result.stderr).toBe(EXIT.unavailable);
  expect(result.report!.counts).toMatchObject({ total: 200, imported: 96, refused: 0 });
  expect(result.stderr).toMatch(/Cannot read redis:.*\n.*the same command goes on from here/);
  expect(await imports.stored("early")).toHaveLength(96);
});

test("over TLS, by an authority of one's own", async () => {
  const { certificate, key } = TLS_FILES;
  const files = ["--tls-cert-file", certificate, "--tls-key-file", key, "--tls-auth-clients", "no"];
  await using secure = await runRedis(files);
  const secureUrl = `rediss://127.0.0.1:${secure.port}`;
  const client = createClient({ url: secureUrl, socket: { tls: true, ca: CERTIFICATE } });
  await client.connect();
  await client.set(`tls:secured:${MS}`, Buffer.from(goCpu(1)));
  client.destroy();
  const trusting = await imports.run(["redis", secureUrl], { NODE_EXTRA_CA_CERTS: certificate });
  expect(trusting, trusting.stderr).toMatchObject({ code: 0, report: { counts: { imported: 1 } } });
  const wary = await imports.run(["redis", secureUrl]);
  expect(wary).toMatchObject({ code: EXIT.unavailable, stderr: expect.stringMatching(/certificate/) });
});

describe("is told in a line, without the password", () => {
  test.each([
    [
      "a password in an argument",
      () => [secretUrl],
      {},
      EXIT.invalid,
      /leave the password out, and put the URL into REDIS_URL/,
    ],
    ["no password", () => [url], {}, EXIT.forbidden, /NOAUTH/],
    ["a wrong one", () => [], { REDIS_URL: "redis://:wrong@127.0.0.1:PORT" }, EXIT.forbidden, /WRONGPASS/],
    ["a Redis that is not there", () => ["redis://127.0.0.1:9"], {}, EXIT.unavailable, /ECONNREFUSED/],
    ["another protocol", () => ["http://127.0.0.1"], {}, EXIT.invalid, /write a URL such as redis:/],
    [
      "TLS where there is none",
      () => [`rediss://127.0.0.1:${redis.port}`],
      {},
      EXIT.unavailable,
      /Cannot read rediss:/,
    ],
  ])("%s", async (_, args, given: Record<string, string>, code, said) => {
    const { REDIS_URL } = given;
    const result = await imports.run(
      ["redis", ...args()],
      REDIS_URL ? { REDIS_URL: REDIS_URL.replace("PORT", `${redis.port}`) } : {},
    );
    expect(result).toMatchObject({ code, stderr: expect.stringMatching(said) });
    expect(result.stderr).not.toContain(PASSWORD);
  });
});
