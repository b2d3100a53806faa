// profefe's agent, kube-profefe's client and a loop of curl against a running server: what they send, what they take for success, and that
// it is there, under its names, for `go tool pprof`. The agent and the client are Go senders of ours. Needs Go and curl.

import { execFile } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { codeBlocks } from "../support/code-blocks.ts";
import { buildGo } from "../support/oracle.ts";
import { runServe, type ServeProcess } from "../support/run-cli.ts";

const run = promisify(execFile);
const RECORDED = fileURLToPath(new URL("../testdata/recorded", import.meta.url));
const LEGACY = fileURLToPath(new URL("../testdata/legacy", import.meta.url));
const AGENT_TYPES = ["cpu", "heap", "block", "mutex", "goroutine", "threadcreate"];
const recorded = (name: string) => join(RECORDED, `${name}.pb.gz`);

let folder: string;
let senders: string;
let server: ServeProcess;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "profusion-profefe-"));
  senders = buildGo("senders");
  server = await runServe(join(folder, "data"));
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

async function send(client: string, ...args: string[]): Promise<string[]> {
  const { stdout } = await run(senders, [client, ...args], { cwd: folder });
  return stdout.trim().split("\n");
}

const agent = (service: string, ...args: string[]) =>
  send("profefe", "-server", server.url, "-service", service, ...args);
const kube = (verb: string, ...args: string[]) => send("kubeprofefe", verb, "-profefe-hostport", server.url, ...args);

interface Found {
  id: string;
  type: string;
  service: string;
  labels?: { key: string; value: string }[];
}

async function find(service: string): Promise<Found[]> {
  const answer = await fetch(`${server.url}/api/0/profiles?service=${encodeURIComponent(service)}&last=9999d`);
  return answer.status === 404 ? [] : ((await answer.json()) as { body: Found[] }).body;
}

async function top(path: string): Promise<string> {
  const env = { ...process.env, PPROF_TMPDIR: folder };
  return (await run("go", ["tool", "pprof", "-top", `${server.url}${path}`], { env })).stdout;
}

interface Recorded {
  request: IncomingMessage;
  body: Buffer;
}

/** Answers with each of `statuses` in turn, the last one for ever, and keeps what was asked. */
async function recorder(...statuses: number[]) {
  const requests: Recorded[] = [];
  const listening = createServer((request, response) => {
    void buffer(request).then((body) => {
      requests.push({ request, body });
      const status = statuses.length > 1 ? statuses.shift()! : statuses[0]!;
      response.writeHead(status).end(`{"code":${status},"error":"so it is","body":{}}\n`);
    });
  }).listen(0, "127.0.0.1");
  await once(listening, "listening");
  const url = `http://127.0.0.1:${(listening.address() as AddressInfo).port}`;
  return { url, requests, [Symbol.dispose]: () => listening.close() };
}

describe("profefe's agent", () => {
  test("every type it can send arrives with its labels, and go tool pprof reads it", async () => {
    const labels = ["k,1", "v=1+ &", "region", "eu", "b", ""];
    expect(await agent("shop/cart", ...labels)).toEqual(AGENT_TYPES.map((type) => `sent ${type}`));
    const found = await find("shop/cart");
    expect(found.map(({ type }) => type).sort()).toEqual([...AGENT_TYPES].sort());
    for (const { labels } of found) {
      expect(labels).toEqual([
        { key: "b", value: "" },
        { key: "k,1", value: "v=1+ &" },
        { key: "region", value: "eu" },
      ]);
    }
    const shown = Object.fromEntries(
      await Promise.all(found.map(async ({ type, id }) => [type, await top(`/api/0/profiles/${id}`)])),
    );
    expect(shown.cpu).toMatch(/Type: cpu\n(.*\n)*.*senders\.work/);
    expect(shown.heap).toContain("Type: inuse_space");
    for (const type of ["block", "mutex"]) expect(shown[type]).toContain("Type: delay");
    for (const type of ["goroutine", "threadcreate"]) expect(shown[type]).toContain(`Type: ${type}`);
  });

  test("encodes labels twice, always has them, and names no type of content", async () => {
    using collector = await recorder(200);
    const args = ["profefe", "-server", collector.url, "-service", "svc 1", "-types", "heap"];
    await send(args[0]!, ...args.slice(1), "k,1", "v=1+&", "b", "");
    await send(args[0]!, ...args.slice(1));
    expect(collector.requests.map(({ request: { method, url } }) => [method, url])).toEqual([
      ["POST", "/api/0/profiles?labels=k%252C1%3Dv%253D1%252B%2526%2Cb%3D&service=svc+1&type=heap"],
      ["POST", "/api/0/profiles?labels=&service=svc+1&type=heap"],
    ]);
    const [{ request, body }] = collector.requests as [Recorded];
    expect(request.headers).toEqual({
      host: new URL(collector.url).host,
      "user-agent": "Go-http-client/1.1",
      "content-length": `${body.length}`,
      "accept-encoding": "gzip",
    });
  });

  test("comes again, with the whole profile, after what is no fault of its own, and never after a 4xx", async () => {
    const args = ["-service", "patient", "-types", "heap", "-min-delay", "10ms", "-file", recorded("go-heap-1")];
    using failing = await recorder(503, 500, 200);
    expect((await send("profefe", "-server", failing.url, ...args)).at(-1)).toBe("sent heap");
    for (const { body } of failing.requests) expect(body.equals(readFileSync(recorded("go-heap-1")))).toBe(true);
    expect(failing.requests).toHaveLength(3);
    using refusing = await recorder(429);
    expect(await send("profefe", "-server", refusing.url, ...args)).toEqual([
      expect.stringContaining("bad request: collector responded with 429"),
    ]);
    expect(refusing.requests).toHaveLength(1);
  });

  test("is told 503 over its rate, so that all of its profiles come, later", async () => {
    const keys = join(folder, "places");
    writeFileSync(keys, "range 127.0.0.0/8 write,read\n");
    const limits = ["--keys", keys, "--limit", "keyRequestsPerSecond=2"];
    await using slow = await runServe(join(folder, "slow"), limits);
    const lines = await send("profefe", "-server", slow.url, "-service", "busy", "-cpu", "50ms", "-min-delay", "200ms");
    expect(lines.filter((line) => line.startsWith("sent "))).toEqual(AGENT_TYPES.map((type) => `sent ${type}`));
    expect(lines.filter((line) => line.includes("503 Service Unavailable")).length).toBeGreaterThan(0);
  });

  test("is told 400 of a profile without samples, and loses that one alone", async () => {
    const empty = join(folder, "empty");
    writeFileSync(empty, "--- contention:\ncycles/second=1000000\n");
    expect(await agent("idle", "-types", "mutex", "-file", empty)).toEqual([
      expect.stringMatching(/^\[FAIL\] unable to send profiles: bad request: .*400 Bad Request/),
    ]);
    expect(await agent("idle", "-types", "goroutine")).toEqual(["sent goroutine"]);
  });
});

test("legacy formats, raw protobuf, traces and types of one's own are taken by the same route", async () => {
  const raw = join(folder, "raw");
  writeFileSync(raw, gunzipSync(readFileSync(recorded("go-block-1"))));
  const formats = [
    ["block", raw],
    ["heap", join(RECORDED, "go-heap-debug1.txt")],
    ["goroutine", join(RECORDED, "go-goroutine-debug1.txt")],
    ["cpu", join(LEGACY, "gperftools-cpu-64-little.prof")],
    ["trace", join(RECORDED, "go-runtime.trace")],
    ["allocs", recorded("go-allocs-1")],
    ["other", recorded("go-heap-1")],
  ];
  for (const [type, file] of formats) {
    expect(await agent("formats", "-types", type!, "-file", file!), file).toEqual([`sent ${type}`]);
  }
  const found = await find("formats");
  expect(found.map(({ type }) => type).sort()).toEqual(formats.map(([type]) => type!).sort());
  for (const { type, id } of found) {
    const bytes = Buffer.from(await (await fetch(`${server.url}/api/0/profiles/${id}`)).arrayBuffer());
    expect(bytes.equals(readFileSync(formats.find(([each]) => each === type)![1]!)), type).toBe(true);
  }
});

describe("kube-profefe", () => {
  test("posts with a leading comma, one encoding, the host as instance and a trace", async () => {
    using collector = await recorder(200);
    const args = [
      "-type",
      "heap",
      "-pod",
      "web-1",
      "-service",
      "web & co",
      "-namespace",
      "shop",
      recorded("go-heap-1"),
    ];
    await send("kubeprofefe", "save", "-profefe-hostport", collector.url, ...args);
    const [{ request, body }] = collector.requests as [Recorded];
    expect(request.url).toMatch(
      /^\/api\/0\/profiles\?instance_id=10\.0\.0\.7&labels=(%2C(namespace%3Dshop|from%3Dkube-profefe|pod%3Dweb-1)){3}&service=web\+%26\+co&type=heap$/,
    );
    expect(request.headers).toEqual({
      host: new URL(collector.url).host,
      "user-agent": "Go-http-client/1.1",
      useragent: "kubectl-profefe",
      "content-type": "application/octet-stream",
      traceparent: expect.stringMatching(/^00-[\da-f]{32}-[\da-f]{16}-01$/),
      "content-length": `${body.length}`,
      "accept-encoding": "gzip",
    });
  });

  test("gets 200 with a time it can read, and finds service, pod and namespace again", async () => {
    for (const [type, file] of [
      ["cpu", "go-cpu-1"],
      ["heap", "go-heap-1"],
      ["goroutine", "go-goroutine-1"],
    ] as const) {
      const [line] = await kube(
        "save",
        "-type",
        type,
        "-pod",
        "web-1",
        "-service",
        "kube-web",
        "-namespace",
        "shop",
        recorded(file),
      );
      expect(line).toMatch(new RegExp(`^${server.url}/api/0/profiles/[0-9a-z]{26} type=${type}$`));
    }
    await kube("save", "-type", "heap", "-pod", "web-2", recorded("go-heap-2"));
    for (const { labels } of await find("kube-web")) {
      expect(labels).toEqual([
        { key: "from", value: "kube-profefe" },
        { key: "namespace", value: "shop" },
        { key: "pod", value: "web-1" },
      ]);
    }
    const [{ labels }] = (await find("web-2")) as [Found];
    expect(labels).toEqual([
      { key: "from", value: "kube-profefe" },
      { key: "namespace", value: "default" },
    ]);
    expect(await kube("services")).toEqual(expect.arrayContaining(["kube-web", "web-2"]));
    const listed = await kube("find", "-service", "kube-web", "-profile-type", "unknown", "-from", "-200000h");
    expect(listed).toHaveLength(3);
    for (const line of listed) {
      expect(line).toMatch(
        /^ID: [0-9a-z]{26} Type: (cpu|heap|goroutine) Service: kube-web CreateAt: \w{3}, \d\d \w{3} \d{4} /,
      );
    }
  });

  test("is told in its own words what it cannot have", async () => {
    await expect(kube("find", "-service", "none")).rejects.toMatchObject({ stderr: "nothing found\n" });
    await expect(kube("save", "-type", "unknown", "-pod", "web-1", recorded("go-heap-1"))).rejects.toMatchObject({
      stderr: "bad request: unknown profile type\n",
    });
  });
});

test("a shell loop with curl over a folder sends all of it", async () => {
  const profiles = join(folder, "profiles");
  mkdirSync(profiles);
  for (const nth of [1, 2, 3]) cpSync(recorded(`go-cpu-${nth}`), join(profiles, `cpu ${nth}.pb.gz`));
  const loop = `for file in "$1"/*; do
    curl -sSf -XPOST "$2/api/0/profiles?service=looped&type=cpu&labels=version=1.0.0,region=eu" --data-binary "@$file" >>answers
  done`;
  await run("bash", ["-euc", loop, "loop", profiles, server.url], { cwd: folder });
  expect(readFileSync(join(folder, "answers"), "utf8").trim().split("\n")).toHaveLength(3);
  const found = await find("looped");
  expect(found).toHaveLength(3);
  const window = "from=2000-01-01T00:00:00&to=2099-01-01T00:00:00";
  const shown = await top(`/api/0/profiles/merge?service=looped&type=cpu&${window}&labels=version=1.0.0`);
  expect(shown).toContain("Type: cpu");
  const answer = await fetch(`${server.url}/api/0/profiles/merge?service=looped&type=cpu&${window}`);
  expect(answer.headers.get("profusion-merged")).toBe("3");
});

test("examples/profefe: the merge URL of a version and a window, and what the next version added", async () => {
  const app = join(folder, "example");
  cpSync(fileURLToPath(new URL("../../examples/profefe", import.meta.url)), app, { recursive: true });
  const blocks = codeBlocks(readFileSync(join(app, "README.md"), "utf8")).filter(({ language }) => language === "sh");
  const [serve, build, merge, difference] = blocks.map(({ code }) =>
    code.replaceAll("http://127.0.0.1:10100", server.url),
  );
  expect(blocks).toHaveLength(4);
  expect(serve).toBe("profusion serve --listen 127.0.0.1:10100 --data data\n");
  const env = { ...process.env, PPROF_TMPDIR: folder };
  const shell = async (code: string) => (await run("bash", ["-euo", "pipefail", "-c", code], { cwd: app, env })).stdout;
  await shell(build!.replaceAll("./hotapp ", `./hotapp -collector ${server.url} `));
  const found = await find("hotapp");
  expect(found.map(({ labels }) => labels![0]!.value).sort()).toEqual([...Array(4).fill("1.0.0"), "1.1.0", "1.1.0"]);
  const shown = await shell(merge!);
  expect(shown).toContain("main.fibonacci");
  expect(shown).not.toContain("main.logEverything");
  expect(await shell(difference!)).toMatch(/^ .*main\.logEverything/m);
});
