// `push` of URLs: how a running program is asked. A real one of Go is in test/e2e/push-live.test.ts.

import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { EXIT } from "../../../src/cli/exit-code.ts";
import { buildGzip } from "../../support/profile-builder.ts";
import { runCli } from "../../support/run-cli.ts";
import { runServer, type ServerForTest } from "../../support/run-server.ts";
import { listProfiles } from "./list-profiles.ts";

const recorded = (name: string) => readFileSync(new URL(`../../testdata/recorded/${name}`, import.meta.url));
const custom = buildGzip({
  sampleTypes: [["requests", "count"]],
  periodType: null,
  samples: [{ stack: ["main"], values: [1] }],
});

const ANSWERS: Record<string, Uint8Array> = {
  "/debug/pprof/profile": recorded("go-cpu-1.pb.gz"),
  "/debug/pprof/heap": recorded("go-heap-1.pb.gz"),
  "/debug/pprof/mutex": recorded("go-mutex-1.pb.gz"),
  "/debug/pprof/requests": custom,
  "/debug/pprof/": Buffer.from("<html>Types of profiles available:</html>"),
};

let server: ServerForTest;
let folder: string;
let program: Server;
let base: string;
/** Of every request: its URL and who asks. */
let asked: string[] = [];
let interrupt = () => {};

beforeAll(async () => {
  server = await runServer();
  folder = mkdtempSync(join(tmpdir(), "profusion-live-"));
  program = createServer(({ url, headers }, response) => {
    asked.push([url, headers.authorization].filter(Boolean).join(" "));
    const body = ANSWERS[new URL(url!, "http://a").pathname];
    if (url === "/debug/pprof/slow") interrupt();
    else if (url === "/debug/pprof/slower") response.write("begun", interrupt);
    else if (body) response.end(body);
    else response.writeHead(404).end("Unknown profile\n");
  });
  program.listen(0, "127.0.0.1");
  await once(program, "listening");
  base = `127.0.0.1:${(program.address() as AddressInfo).port}/debug/pprof`;
});
afterAll(async () => {
  program.close();
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

function push(...args: string[]) {
  asked = [];
  return runCli(["push", ...args], { env: { PROFUSION_SERVER: server.url, XDG_STATE_HOME: folder } });
}
const types = async (service: string) =>
  (await listProfiles(server.url, `{service="${service}"}`)).map(({ profileType }) => profileType).sort();

test("the type is told by the columns, and by the path where they leave it open", async () => {
  const urls = ["profile", "heap", "mutex", "requests"].map((endpoint) => `http://${base}/${endpoint}`);
  const result = await push("--service", "typed", ...urls);
  expect(result.code).toBe(0);
  expect(await types("typed")).toEqual(["cpu", "heap", "mutex", "requests"]);
});

test("--seconds is asked of what takes its time; of snapshots Go would make a difference", async () => {
  const urls = ["profile", "heap?gc=1"].map((endpoint) => `http://${base}/${endpoint}`);
  expect((await push("--service", "seconds", "--seconds", "7", ...urls)).code).toBe(0);
  expect(asked.toSorted()).toEqual(["/debug/pprof/heap?gc=1", "/debug/pprof/profile?seconds=7"]);
});

test("user and password in the URL go to the program, and into no output", async () => {
  const result = await push(
    "--service",
    "secret",
    "--json",
    `http://me:pass%20word@${base}/heap`,
    `http://me:pass@${base}/x`,
  );
  expect(result.code).toBe(EXIT.partial);
  const credentials = (text: string) => `Basic ${Buffer.from(text).toString("base64")}`;
  expect(asked).toContain(`/debug/pprof/heap ${credentials("me:pass word")}`);
  expect(`${result.stdout}${result.stderr}`).not.toContain("pass");
});

test("what answers no profile is refused, and says why", async () => {
  const gone = "http://127.0.0.1:9/debug/pprof/heap";
  const result = await push(
    "--service",
    "bad",
    `http://${base}/nothing`,
    `http://${base}/`,
    gone,
    `http://${base}/heap`,
  );
  expect(result.code).toBe(EXIT.partial);
  expect(result.stderr.split("\n").slice(0, 3)).toEqual([
    expect.stringMatching(/\/nothing: It answers 404 Not Found: Unknown profile$/),
    expect.stringMatching(/pprof\/: This is no profile/),
    expect.stringMatching(/:9\/debug\/pprof\/heap: Cannot fetch it: nothing listens there/),
  ]);
  expect(await types("bad")).toEqual(["heap"]);
});

test.each(["slow", "slower"])("a signal ends the wait for a program that is %s", async (endpoint) => {
  const args = ["push", "--service", "ended", `http://${base}/${endpoint}`];
  const env = { PROFUSION_SERVER: server.url, XDG_STATE_HOME: folder };
  const started = (child: ChildProcess) => {
    interrupt = () => child.kill("SIGTERM");
  };
  const result = await runCli(args, { env, started });
  expect(result.code).toBe(null);
  expect(result.stderr.split("\n")).toEqual([
    "profusion: Interrupted by SIGTERM",
    expect.stringContaining(`${endpoint}: not sent`),
    "0 of 1 are stored",
    "",
  ]);
});
