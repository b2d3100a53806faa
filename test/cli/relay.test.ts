// `profusion relay` as a process between senders and a server: what is acknowledged arrives, once, whatever ends or is away meanwhile.

import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { EXIT } from "../../src/cli/exit-code.ts";
import { EVERYTHING } from "../../src/model/selector.ts";
import { goCpu } from "../support/compat-server.ts";
import { runCli, runRelay, runServe, type ServeProcess } from "../support/run-cli.ts";
import { type Fate, type ProxyForTest, runProxy } from "../support/run-proxy.ts";
import { runServer, type ServerForTest } from "../support/run-server.ts";

let folder: string;
let server: ServerForTest;
let proxy: ProxyForTest;
let fate: (nth: number) => Fate;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "profusion-relay-"));
  server = await runServer();
  fate = () => "pass";
  proxy = await runProxy(
    () => server.url,
    (nth) => fate(nth),
  );
});
afterEach(async () => {
  await proxy[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

const spool = () => join(folder, "spool");
const relayTo = (url: string, ...args: string[]) => runRelay(url, spool(), ["--log-level", "debug", ...args]);
const post = (
  { url }: ServeProcess,
  target: string,
  body: Uint8Array | FormData,
  headers: Record<string, string> = {},
) =>
  fetch(`${url}${target}`, { method: "POST", body: body instanceof FormData ? body : new Uint8Array(body), headers });
const stored = async () =>
  (await server.server.repository.list({ selector: EVERYTHING, order: "oldest", limit: 100 })).records;
const described = async () =>
  (await stored())
    .map(({ service, type, labels }) => `${type}{${[service, ...labels.map(({ name, value }) => `${name}=${value}`)]}}`)
    .sort();
const waiting = () => readdirSync(spool()).filter((name) => name.endsWith(".upload"));

/** When so many lines of the log say this. */
async function saidTimes(relay: ServeProcess, said: string, times: number): Promise<void> {
  while (relay.log.filter(({ msg }) => msg === said).length < times) {
    const ended = relay.ended.then((code) => Promise.reject(new Error(`relay ended with ${code}`)));
    await Promise.race([once(relay.child.stdout!, "data"), ended]);
  }
}
const delivered = (relay: ServeProcess, times: number) => saidTimes(relay, "an upload was delivered", times);

function form(bytes: Uint8Array): FormData {
  const made = new FormData();
  made.append("cpu_profile", new Blob([new Uint8Array(bytes)]), "cpu_profile");
  return made;
}

describe("while the server is away", () => {
  test("each sender gets the success that it waits for, and the server gets what each sent, as it came", async () => {
    fate = () => "drop";
    await using relay = await relayTo(proxy.url);
    const created = await post(relay, "/api/0/profiles?service=a%20b&type=cpu&labels=,x=1%2Cy=%252C", goCpu(1));
    expect([created.status, await created.json()]).toEqual([
      200,
      { code: 200, body: { id: "", type: "cpu", service: "a b", created_at: expect.stringMatching(/^2\d{3}-.*Z$/) } },
    ]);
    const submitted = await post(relay, "/v1/submit?service=fleet", goCpu(2), { authorization: "Bearer k" });
    expect([submitted.status, await submitted.text()]).toEqual([204, ""]);
    const emitted = await post(relay, "/profile/shop/eu", form(goCpu(3)));
    expect([emitted.status, await emitted.text()]).toEqual([200, ""]);
    const uploaded = await post(relay, "/api/profile/my-app", goCpu(4));
    expect([uploaded.status, await uploaded.json()]).toEqual([
      201,
      { key: expect.stringMatching(/^my-app\/staging\/\d{19}$/) },
    ]);
    await saidTimes(relay, "the server does not take uploads now", 1);
    expect(waiting()).toHaveLength(4);
    expect(await described()).toEqual([]);

    const before = proxy.requests.length;
    fate = () => "pass";
    await delivered(relay, 4);
    const paths = new Set(proxy.requests.slice(before).map(({ path }) => path));
    expect(paths).toEqual(
      new Set([
        "/api/0/profiles?service=a%20b&type=cpu&labels=,x=1%2Cy=%252C",
        "/v1/submit?service=fleet",
        "/profile/shop/eu",
        "/api/profile/my-app",
      ]),
    );
    expect(proxy.requests.some(({ body }) => body.equals(goCpu(4)))).toBe(true);
    expect(await described()).toEqual(["cpu{a b,x=1,y=,}", "cpu{fleet}", "cpu{my-app,via=autopgo}", "cpu{shop/eu}"]);
  });

  test("kill -9 loses nothing: the next process sends what was acknowledged, each once", async () => {
    fate = () => "drop";
    {
      await using relay = await relayTo(proxy.url);
      const answers = await Promise.all(
        Array.from({ length: 30 }, (_, nth) => post(relay, "/v1/submit", goCpu(1, 60 + nth))),
      );
      expect(answers.map(({ status }) => status)).toEqual(Array(30).fill(204));
      relay.child.kill("SIGKILL");
      expect(await relay.ended).toBe("SIGKILL");
    }
    writeFileSync(join(spool(), "000-half.upload.tmp"), "{");
    writeFileSync(join(spool(), "000-bad.upload"), "{no JSON");
    // The first answers are lost on their way, so that some come twice.
    fate = (nth) => (nth % 3 === 0 ? "lose" : "pass");
    await using relay = await relayTo(proxy.url);
    await delivered(relay, 30);
    expect(await stored()).toHaveLength(30);
    expect(readdirSync(spool()).filter((name) => !name.startsWith("lock."))).toEqual(["000-bad.upload.damaged"]);
  });

  test("no more waits than is allowed; senders are refused as they know it, and taken again when there is room", async () => {
    fate = () => "busy";
    await using relay = await relayTo(proxy.url, "--spool-bytes", String(3 * goCpu(1).length));
    const submit = () => post(relay, "/v1/submit", goCpu(1));
    expect((await submit()).status).toBe(204);
    expect((await submit()).status).toBe(204);
    const refused = await submit();
    expect([refused.status, await refused.text(), refused.headers.get("retry-after")]).toEqual([503, "", "5"]);
    const profefe = await post(relay, "/api/0/profiles?service=a&type=cpu", goCpu(1));
    expect([profefe.status, await profefe.json()]).toEqual([
      503,
      { code: 503, error: expect.stringContaining("--spool-bytes") },
    ]);
    const autopgo = await post(relay, "/api/profile/app", goCpu(1));
    expect([autopgo.status, await autopgo.json()]).toEqual([
      503,
      { code: 503, message: expect.stringContaining("--spool-bytes") },
    ]);
    expect((await post(relay, "/profile/tag", goCpu(1))).status).toBe(503);
    expect(waiting()).toHaveLength(2);
    fate = () => "pass";
    await delivered(relay, 2);
    expect((await submit()).status).toBe(204);
  });
});

test("what the server refuses for good goes, and is told; what it does not let in waits, and stops nobody", async () => {
  const keys = join(folder, "keys");
  writeFileSync(keys, "right\n");
  await using keyed = await runServe(join(folder, "data"), ["--pgo-fleet-submit-keys", keys]);
  await using relay = await relayTo(keyed.url);
  await post(relay, "/v1/submit", goCpu(1), { authorization: "Bearer later" });
  await post(relay, "/api/0/profiles?service=a&type=cpu", Buffer.from("garbage"));
  await post(relay, "/v1/submit", goCpu(2), { authorization: "Bearer right" });
  await saidTimes(relay, "the server refuses an upload for good", 1);
  await delivered(relay, 1);
  await saidTimes(relay, "the server does not take an upload now", 1);
  const told = relay.log.filter(({ level }) => level === 40);
  expect(told.find(({ bytes }) => bytes === 7)).toMatchObject({
    path: "/api/0/profiles",
    reason: expect.stringContaining("400"),
  });
  const [held] = waiting();
  expect(told.find(({ name }) => name === held)).toMatchObject({ reason: expect.stringContaining("403") });
  // However long that one waits by now, what comes is sent at once.
  await saidTimes(relay, "the server does not take an upload now", 5);
  await post(relay, "/v1/submit?token=right", goCpu(3));
  await delivered(relay, 2);
  expect(waiting()).toEqual([held]);
  expect(relay.log.some((line) => JSON.stringify(line).includes("token="))).toBe(false);
  writeFileSync(keys, "right\nlater\n");
  await delivered(relay, 3);
  expect(waiting()).toEqual([]);
});

test("what stands in the spool and is no upload, or is gone, stops nobody; what cannot be read now stays", async () => {
  mkdirSync(spool());
  const rubbish = [
    '{"target":"/v1/submit?service=x y","headers":{}}\nabc',
    "no head",
    '{"target":"/","headers":{"a b":"c"}}\n',
  ];
  for (const [nth, text] of rubbish.entries()) writeFileSync(join(spool(), `00000000000000${nth}-a.upload`), text);
  fate = () => "busy";
  await using relay = await relayTo(proxy.url);
  for (let nth = 1; nth <= 3; nth++) await post(relay, "/v1/submit", goCpu(nth));
  const [gone, unreadable] = waiting().filter((name) => !name.endsWith("-a.upload"));
  rmSync(join(spool(), gone!));
  // No permission would do for root: a folder in the place of a file fails to be read, and is no damage.
  renameSync(join(spool(), unreadable!), join(folder, "kept"));
  mkdirSync(join(spool(), unreadable!));
  fate = () => "pass";
  await delivered(relay, 1);
  await saidTimes(relay, "the server does not take an upload now", 1);
  rmSync(join(spool(), unreadable!), { recursive: true });
  renameSync(join(folder, "kept"), join(spool(), unreadable!));
  await delivered(relay, 2);
  expect(readdirSync(spool()).filter((name) => name.endsWith(".damaged"))).toHaveLength(3);
  expect((await stored()).map(({ totals }) => totals[0]).sort()).toEqual([2n, 3n]);
});

test("a key over its rate holds back its own uploads alone, and is not tried before the server said", async () => {
  const asked: string[] = [];
  const limiting = createServer((request, response) => {
    const { authorization = "" } = request.headers;
    asked.push(authorization);
    if (authorization === "Bearer busy") response.writeHead(429, { "retry-after": "3600" });
    else response.writeHead(204);
    request.resume().once("end", () => response.end());
  });
  limiting.listen(0, "127.0.0.1");
  await once(limiting, "listening");
  await using relay = await relayTo(`http://127.0.0.1:${(limiting.address() as AddressInfo).port}`);
  for (let nth = 1; nth <= 9; nth++) await post(relay, "/v1/submit", goCpu(nth), { authorization: "Bearer busy" });
  await post(relay, "/v1/submit", goCpu(10), { authorization: "Bearer idle" });
  await delivered(relay, 1);
  limiting.closeAllConnections();
  limiting.close();
  expect(asked.filter((key) => key === "Bearer busy").length).toBeLessThanOrEqual(9);
  expect(waiting()).toHaveLength(9);
});

test("what no server would take is refused, not kept", async () => {
  await using relay = await relayTo(server.url);
  for (const path of ["/api/profile/a/b", "/api/profile/Foo_1", "/profile/"]) {
    expect((await post(relay, path, goCpu(1))).status).toBe(400);
  }
  expect(waiting()).toEqual([]);
});

test("adds a service where none is named, labels beside those that are, and its key where the sender brings none", async () => {
  const [keys, key] = [join(folder, "keys"), join(folder, "key")];
  writeFileSync(keys, "relay-key region=eu\nown-key region=us\n");
  writeFileSync(key, "relay-key\n");
  const data = join(folder, "data");
  await using keyed = await runServe(data, ["--pgo-fleet-submit-keys", keys]);
  await using relay = await relayTo(
    keyed.url,
    "--key-file",
    key,
    "--service",
    "fallback",
    "--label",
    "zone=a,b",
    "--label",
    "n=ü",
  );
  await post(relay, "/v1/submit", goCpu(1));
  await post(relay, "/v1/submit?service=named", goCpu(2), { authorization: "Bearer own-key" });
  await post(relay, "/profile/tag", goCpu(3));
  await post(relay, "/api/0/profiles?service=s&labels=k=v&type=cpu", goCpu(4));
  await delivered(relay, 4);
  const list = await runCli(["list", "{}", "--json", "--last", "9999d"], { env: { PROFUSION_SERVER: keyed.url } });
  const found = list.stdout.toString();
  const of = (service: string) => new RegExp(`"${service}"`).test(found);
  expect(["fallback", "named", "tag", "s"].map(of)).toEqual([true, true, true, true]);
  const labels = async (service: string) => {
    const answer = await fetch(`${keyed.url}/api/0/profiles?service=${service}&last=9999d`);
    const { body } = (await answer.json()) as { body: { labels: { key: string; value: string }[] }[] };
    return body[0]!.labels.map((label) => `${label.key}=${label.value}`).sort();
  };
  expect(await labels("fallback")).toEqual(["n=ü", "region=eu", "zone=a,b"]);
  expect(await labels("named")).toEqual(["n=ü", "region=us", "zone=a,b"]);
  expect(await labels("tag")).toEqual(["n=ü", "zone=a,b"]);
  expect(await labels("s")).toEqual(["k=v", "n=ü", "zone=a,b"]);
});

test("takes no other requests, keeps its spool to itself, and stops at a signal with what waits kept", async () => {
  fate = () => "drop";
  await using relay = await relayTo(proxy.url);
  expect((await fetch(`${relay.url}/healthz`)).status).toBe(200);
  expect((await fetch(`${relay.url}/profile/tag`)).status).toBe(405);
  expect((await post(relay, "/v1/merge", goCpu(1))).status).toBe(404);
  const second = await runCli(["relay", "--listen", "127.0.0.1:0", "--server", proxy.url, "--spool", spool()]);
  expect(second.code).toBe(EXIT.unavailable);
  expect(second.stderr).toMatch(/^profusion: Cannot open .*has it open/);
  expect((await post(relay, "/v1/submit", goCpu(1))).status).toBe(204);
  relay.child.kill("SIGTERM");
  expect(await relay.ended).toBe(0);
  expect(relay.log.at(-1)).toMatchObject({ msg: "stopped" });
  expect(relay.log.at(-2)).toMatchObject({ received: 1, delivered: 0, waiting: 1 });
  expect(waiting()).toHaveLength(1);
});
