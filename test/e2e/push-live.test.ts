// `push` of a real program's URLs: each profile that net/http/pprof serves arrives under its type, as `go tool pprof` reads it. Needs Go.

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { listProfiles } from "../cli/push/list-profiles.ts";
import { buildGo } from "../support/oracle.ts";
import { runCli } from "../support/run-cli.ts";
import { runServer, type ServerForTest } from "../support/run-server.ts";

let server: ServerForTest;
let folder: string;
beforeAll(async () => {
  server = await runServer();
  folder = mkdtempSync(join(tmpdir(), "profusion-live-"));
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

test("profiles of a running Go program are pushed by their URLs", async () => {
  const program = spawn(buildGo("pprofserver"), { stdio: ["pipe", "pipe", "inherit"] });
  const ended = once(program, "close");
  const [address] = (await once(createInterface({ input: program.stdout }), "line")) as [string];
  const endpoints = ["profile", "heap", "allocs", "goroutine", "mutex", "block", "threadcreate", "trace"];
  const urls = endpoints.map((endpoint) => `http://${address}/debug/pprof/${endpoint}`);
  const env = { PROFUSION_SERVER: server.url, XDG_STATE_HOME: folder };
  const result = await runCli(["push", "--service", "live", "--seconds", "1", ...urls], { env });
  program.stdin.end();
  await ended;

  expect(result.stderr).toContain("1 of 8 have no time of their own"); // the trace
  expect(result.code).toBe(0);
  const stored = await listProfiles(server.url, '{service="live"}');
  expect(stored.map(({ profileType }) => profileType).sort()).toEqual([
    "allocs",
    "block",
    "cpu",
    "goroutine",
    "heap",
    "mutex",
    "threadcreate",
    "trace",
  ]);
  const cpu = stored.find(({ profileType }) => profileType === "cpu")!;
  const top = ["tool", "pprof", "-top", `${server.url}/api/0/profiles/${cpu.id}`];
  const { stdout } = await promisify(execFile)("go", top, { env: { ...process.env, PPROF_TMPDIR: folder } });
  expect(stdout).toMatch(/Duration: (9\d\d\.\d+ms|1\.\d*s|1s)/);
  expect(stdout).toContain("main.busy");
});
