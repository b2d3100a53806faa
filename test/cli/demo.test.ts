// `profusion demo` as a process against a server: what is there afterwards, and that what it says to try works.

import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runCli } from "../support/run-cli.ts";
import { runServer, type ServerForTest } from "../support/run-server.ts";

let server: ServerForTest;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "profusion-demo-"));
  server = await runServer();
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

const cli = (...args: string[]) => runCli(args, { env: { PROFUSION_SERVER: server.url } });

async function list(selector: string): Promise<{ startTime: string }[]> {
  const { stdout } = await cli("list", selector, "--all", "--json");
  return JSON.parse(stdout.toString()).profiles;
}

const DAY = /^\S+/;
const daysOf = async () => (await cli("labels", "demo_day", "--quiet")).stdout.toString();

/** With a clock that stands there. */
async function demoAt(nowMs: number): Promise<unknown> {
  const clock = join(folder, "clock.mjs");
  writeFileSync(clock, `Date.now = () => ${nowMs};\n`);
  const env = { PROFUSION_SERVER: server.url, NODE_OPTIONS: `--import=${clock}` };
  const { code, stdout, stderr } = await runCli(["demo", "--json"], { env });
  expect([code, stderr]).toEqual([0, ""]);
  return JSON.parse(stdout.toString());
}

test("profusion demo loads the day before now: four services, several types, two versions", async () => {
  const before = Date.now();
  const { code, stdout, stderr } = await cli("demo", "--json");
  expect([code, stderr]).toEqual([0, ""]);
  const said = JSON.parse(stdout.toString());
  expect(said).toMatchObject({ profiles: 1008, alreadyThere: 0, services: ["api", "compiler", "web", "worker"] });

  const profiles = await list("{}");
  expect(profiles.length).toBe(1008);
  const times = profiles.map(({ startTime }) => Date.parse(startTime));
  expect(Math.max(...times)).toBeLessThanOrEqual(Date.now());
  expect(Math.min(...times)).toBeGreaterThan(before - 25 * 3_600_000);
  for (const type of ["heap", "goroutine", "mutex"]) expect((await list(`${type}{service="api"}`)).length).toBe(144);
  for (const version of ["1.0.0", "1.1.0"])
    expect((await list(`cpu{version="${version}"}`)).length).toBeGreaterThan(250);
});

test("a second run adds nothing: it is the same day, also when ten minutes have passed, and one that nobody loaded is another", async () => {
  const first = await list("{}");
  const later = [0, 11, 60 * 23].map((minutes) => Date.now() + minutes * 60_000);
  for (const nowMs of later) {
    const said = await demoAt(nowMs);
    expect(said).toMatchObject({ profiles: 1008, alreadyThere: 1008 });
    expect(await list("{}")).toEqual(first);
  }
  expect(await demoAt(Date.now() + 49 * 3_600_000)).toMatchObject({ profiles: 1008, alreadyThere: 0 });
  await cli("delete", `{demo_day!="${DAY.exec(await daysOf())![0]}"}`, "--yes");
  expect(await list("{}")).toEqual(first);
});

test("what it says to try works as it is written, but for Go", async () => {
  const { code, stdout } = await cli("demo");
  expect(code).toBe(0);
  const commands = stdout.toString().trim().split("\n");
  expect(commands.length).toBeGreaterThan(3);
  const shim = `profusion() { ${process.execPath} ${join(import.meta.dirname, "../../src/cli/main.ts")} "$@"; }`;
  for (const command of commands.filter((each) => !each.includes("profusion pprof"))) {
    await promisify(execFile)("bash", ["-euc", `${shim}; ${command}`], { cwd: folder });
  }
});
