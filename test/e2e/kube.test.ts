// `profusion kube` by the real kubectl, against an API server of ours (test/go/cmd/kubeapi: TLS, a token, port forwards over SPDY) in front
// of a Go program and of servers here. Needs Go and kubectl.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { EXIT } from "../../src/cli/exit-code.ts";
import { buildGo } from "../support/oracle.ts";
import { type CliResult, runCli } from "../support/run-cli.ts";
import { runServer, type ServerForTest } from "../support/run-server.ts";
import { TLS_FILES } from "../support/test-certificate.ts";

const TOKEN = "of-the-cluster";
const TYPES = ["allocs", "block", "cpu", "goroutine", "heap", "mutex", "threadcreate"];
const recorded = (name: string) => readFileSync(new URL(`../testdata/recorded/${name}.pb.gz`, import.meta.url));

let folder: string;
let server: ServerForTest;
let cluster: string;
let children: ChildProcess[];
/** The pod whose profiles are below a path of its own, and what it was asked. */
let pod: Server;
let asked: string[];

beforeAll(async () => {
  try {
    execFileSync("kubectl", ["version", "--client"], { stdio: "ignore" });
  } catch (error) {
    throw new Error("kubectl cannot be run (apt-get install kubernetes-client)", { cause: error });
  }
  folder = mkdtempSync(join(tmpdir(), "profusion-kube-"));
  children = [];
  pod = createServer(({ url }, response) => {
    asked.push(url!);
    const answers: Record<string, Buffer> = {
      "/admin/pprof/heap": recorded("go-heap-1"),
      "/admin/pprof/profile?seconds=1": recorded("go-cpu-1"),
      "/admin/pprof/goroutine": Buffer.from("no profile"),
    };
    response.writeHead(answers[url!] ? 200 : 404).end(answers[url!] ?? "not here");
  }).listen(0, "127.0.0.1");
  await once(pod, "listening");
  const program = await started("pprofserver", []);
  const own = `127.0.0.1:${(pod.address() as AddressInfo).port}`;
  const enabled = { "profefe.com/enable": "true" };
  const running = { phase: "Running", podIP: "10.1.2.3", hostIP: "10.0.0.7" };
  const pods = [
    {
      namespace: "shop",
      name: "web-1",
      labels: { app: "web" },
      annotations: { ...enabled, "profefe.com/service": "web" },
      ...running,
      forwards: { 6060: program },
    },
    {
      namespace: "shop",
      name: "job-1",
      labels: { app: "job" },
      annotations: { ...enabled, "profefe.com/port": "8081", "profefe.com/path": "/admin/pprof/" },
      ...running,
      forwards: { 8081: own },
    },
    {
      namespace: "bank",
      name: "dead-1",
      labels: { app: "dead" },
      annotations: enabled,
      ...running,
      forwards: { 6060: "127.0.0.1:1" },
    },
    {
      namespace: "bank",
      name: "odd-1",
      labels: { app: "dead" },
      annotations: { ...enabled, "profefe.com/port": "http" },
      ...running,
    },
    { namespace: "bank", name: "ended-1", labels: {}, annotations: enabled, phase: "Succeeded" },
    { namespace: "shop", name: "plain-1", labels: { app: "web" }, ...running, forwards: { 6060: program } },
  ];
  writeFileSync(join(folder, "pods.json"), JSON.stringify(pods));
  const { certificate, key } = TLS_FILES;
  const flags = ["-certificate", certificate, "-key", key, "-token", TOKEN, "-pods", join(folder, "pods.json")];
  cluster = await started("kubeapi", flags);
  writeFileSync(join(folder, "config"), kubeconfig({ token: TOKEN }));
});
afterAll(async () => {
  for (const child of children) child.kill();
  pod.close();
  rmSync(folder, { recursive: true });
});
beforeEach(async () => {
  asked = [];
  server = await runServer();
  return () => server[Symbol.asyncDispose]();
});

/** Its first line: where it listens. */
async function started(name: string, args: readonly string[]): Promise<string> {
  const child = spawn(buildGo(name), args, { stdio: ["pipe", "pipe", "inherit"] });
  children.push(child);
  const [address] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  return address;
}

function kubeconfig(user: unknown): string {
  const named = (name: string, value: object) => [{ name, ...value }];
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "test",
    clusters: named("here", {
      cluster: { server: `https://${cluster}`, "certificate-authority": TLS_FILES.certificate },
    }),
    users: named("me", { user }),
    contexts: named("test", { context: { cluster: "here", user: "me", namespace: "shop" } }),
  });
}

function kube(...args: string[]): Promise<CliResult> {
  const env = { KUBECONFIG: join(folder, "config"), PROFUSION_SERVER: server.url, HOME: folder };
  return runCli(["kube", ...args], { env });
}

const lines = (text: Buffer | string) => text.toString().split("\n").filter(Boolean);

interface Listed {
  type: string;
  service: string;
  labels: { key: string; value: string }[];
}

async function stored(): Promise<Listed[]> {
  const answer = await fetch(`${server.url}/api/0/profiles?query=${encodeURIComponent("{}")}&last=9999d`);
  return answer.status === 404 ? [] : ((await answer.json()) as { body: Listed[] }).body;
}

describe("capture", () => {
  test("sends every type of a pod, under kube-profefe's names", async () => {
    const { code, stdout, stderr } = await kube("capture", "-n", "shop", "-l", "app=web", "--seconds", "1");
    expect(stderr).toBe("");
    expect(code).toBe(EXIT.done);
    expect(lines(stdout)).toHaveLength(TYPES.length);
    const found = await stored();
    expect(found.map(({ type }) => type).sort()).toEqual(TYPES);
    for (const { service, labels } of found) {
      expect([service, labels]).toEqual([
        "web",
        [
          { key: "from", value: "kube-profefe" },
          { key: "namespace", value: "shop" },
          { key: "pod", value: "web-1" },
        ],
      ]);
    }
  });

  test("goes to the port and below the path of the annotations; without a service the pod is one", async () => {
    const types = ["--type", "heap", "--type", "cpu", "--type", "goroutine", "--type", "mutex"];
    const { code, stdout, stderr } = await kube("capture", "job-1", ...types, "--seconds", "1", "--label", "team=a");
    expect(asked.sort()).toEqual([
      "/admin/pprof/goroutine",
      "/admin/pprof/heap",
      "/admin/pprof/mutex",
      "/admin/pprof/profile?seconds=1",
    ]);
    expect(code).toBe(EXIT.partial);
    expect(lines(stdout)).toHaveLength(2);
    expect(lines(stderr).sort()).toEqual([
      expect.stringMatching(/shop\/job-1 goroutine: This is no profile: it is text/),
      expect.stringMatching(/shop\/job-1 mutex: It answers 404 Not Found: not here/),
    ]);
    for (const { service, labels } of await stored()) {
      expect(service).toBe("job-1");
      expect(labels).toContainEqual({ key: "team", value: "a" });
    }
  });

  test("reports each pod that fails, and harms no other; files of several namespaces lie apart", async () => {
    const output = join(folder, "all");
    const args = ["--type", "heap", "--output-dir", output, "-A", "--json"];
    const { code, stdout, stderr } = await kube("capture", ...args);
    expect(code).toBe(EXIT.partial);
    const { captured } = JSON.parse(stdout.toString()) as { captured: Record<string, unknown>[] };
    const byPod = new Map(captured.map((each) => [each.pod, each]));
    expect([...byPod.keys()].sort()).toEqual(["bank/dead-1", "bank/odd-1", "shop/job-1", "shop/web-1"]);
    expect(byPod.get("bank/dead-1")).toMatchObject({
      profileType: "heap",
      stored: null,
      error: { kind: "unavailable" },
    });
    expect(byPod.get("bank/odd-1")).toMatchObject({ profileType: null, stored: null, error: { kind: "invalid" } });
    expect(stderr).toMatch(/bank\/dead-1 heap: Cannot fetch it: .*connection refused/);
    expect(stderr).toMatch(/bank\/odd-1: Cannot profile it: its annotation profefe.com\/port is "http"/);
    expect(readdirSync(output)).toEqual(["shop"]);
    const files = readdirSync(join(output, "shop")).sort();
    expect(files).toEqual([
      expect.stringMatching(/^profile-heap-job-1-\d{10}\.pb\.gz$/),
      expect.stringMatching(/^profile-heap-web-1-\d{10}\.pb\.gz$/),
    ]);
    expect(readFileSync(join(output, "shop", files[0]!))).toEqual(recorded("go-heap-1"));
    expect(await stored()).toEqual([]);
  });

  test("says of pods that were named why they are left out", async () => {
    const { code, stderr } = await kube("capture", "-n", "shop", "plain-1", "none-1");
    expect(code).toBe(EXIT.notFound);
    expect(lines(stderr)).toEqual([
      "profusion: none-1: There is no such pod",
      `profusion: shop/plain-1: Cannot profile it: it lacks the annotation profefe.com/enable: "true"`,
    ]);
    const ended = await kube("capture", "-n", "bank", "ended-1");
    expect([ended.code, ended.stderr]).toEqual([
      EXIT.conflict,
      "profusion: bank/ended-1: Cannot profile it: it is Succeeded\n",
    ]);
    const nobody = await kube("capture", "-l", "app=none");
    expect([nobody.code, nobody.stderr]).toEqual([
      EXIT.notFound,
      `profusion: No pod is running there with the annotation profefe.com/enable: "true"\n`,
    ]);
  });

  test("lets kubectl say who asks: a plugin's token is taken, a wrong one told", async () => {
    const credential = {
      apiVersion: "client.authentication.k8s.io/v1beta1",
      kind: "ExecCredential",
      status: { token: TOKEN },
    };
    const args = ["-c", `echo '${JSON.stringify(credential)}'`];
    const exec = { apiVersion: credential.apiVersion, command: "sh", args, interactiveMode: "Never" };
    writeFileSync(join(folder, "plugin"), kubeconfig({ exec }));
    writeFileSync(join(folder, "wrong"), kubeconfig({ token: "wrong" }));
    const capture = (config: string, ...more: string[]) =>
      kube("capture", "job-1", "--type", "heap", "--kubeconfig", join(folder, config), ...more);
    expect(await capture("plugin", "--kube-context", "test")).toMatchObject({ code: EXIT.done, stderr: "" });
    const wrong = await capture("wrong");
    expect(wrong.code).toBe(EXIT.unavailable);
    expect(wrong.stderr).toMatch(/^profusion: kubectl failed: .*(Unauthorized|logged in)/);
    const none = await capture("plugin", "--kube-context", "none");
    expect(none.stderr).toMatch(/^profusion: kubectl failed: .*context .*none/);
  });

  test("a signal ends it, and the forwards with it", async () => {
    const config = join(folder, "config");
    const forwards = () => lines(execFileSync("ps", ["-eo", "args"])).filter((line) => line.includes(config));
    const env = { PROFUSION_SERVER: server.url, HOME: folder };
    const args = ["kube", "capture", "web-1", "--type", "heap", "--type", "cpu", "--seconds", "60"];
    let during: string[] = [];
    const { code, stdout, stderr } = await runCli([...args, "--kubeconfig", config], {
      env,
      started: (child) =>
        child.stdout!.once("data", () => {
          during = forwards().filter((line) => line.includes("port-forward"));
          child.kill("SIGTERM");
        }),
    });
    expect(during.length).toBeGreaterThan(0);
    expect(forwards()).toEqual([]);
    expect(code).toBeNull();
    expect(lines(stdout)).toHaveLength(1);
    expect(stderr).toMatch(/shop\/web-1 cpu: /);
    expect((await stored()).map(({ type }) => type)).toEqual(["heap"]);
  });
});

describe("get and load", () => {
  test("a duration is so long ago, with a minus or without; what is found can be fetched", async () => {
    expect((await kube("capture", "web-1", "--type", "heap", "--type", "goroutine")).code).toBe(EXIT.done);
    const ids = async (...args: string[]) => lines((await kube("get", "profiles", "-q", ...args)).stdout);
    expect(await ids("--service", "web")).toHaveLength(2);
    expect(await ids("--from", "24h", "--to", "0m")).toHaveLength(2);
    expect(await ids("--from", "-24h", "--to", "-0m", "--type", "heap", "-n", "shop")).toHaveLength(1);
    expect(await ids("--from", "48h", "--to", "24h")).toEqual([]);
    expect(await ids("--pod", "web-2")).toEqual([]);
    const output = join(folder, "got");
    const { stdout } = await kube("get", "profiles", "--pod", "web-1", "--type", "heap", "--output-dir", output);
    const [id] = await ids("--type", "heap");
    expect(lines(stdout)).toEqual([join(output, `profile-heap-web-1-${id}.pb.gz`)]);
    expect((await kube("get", "services", "-q")).stdout.toString()).toBe("web\n");
    expect((await kube("get", "profile-types", "-q")).stdout.toString()).toBe("goroutine\nheap\n");
  });

  test("files that were captured can be loaded, each as its type", async () => {
    const output = join(folder, "loaded");
    expect((await kube("capture", "web-1", "--seconds", "1", "--output-dir", output)).code).toBe(EXIT.done);
    const files = readdirSync(output).map((name) => join(output, name));
    expect(files).toHaveLength(TYPES.length);
    const { code, stdout } = await kube("load", "--service", "by-hand", ...files);
    expect([code, lines(stdout).length]).toEqual([EXIT.done, TYPES.length]);
    const found = await stored();
    expect(found.map(({ type }) => type).sort()).toEqual(TYPES);
    expect(new Set(found.map(({ service }) => service))).toEqual(new Set(["by-hand"]));
  });
});
