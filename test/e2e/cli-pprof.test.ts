// `profusion pprof` runs the real `go tool pprof`: what it shows is what that shows of google/pprof's own merge. Needs Go.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildGo } from "../support/oracle.ts";
import { runCli } from "../support/run-cli.ts";
import { runServer, type ServerForTest } from "../support/run-server.ts";

const recorded = (round: number) =>
  fileURLToPath(new URL(`../testdata/recorded/go-cpu-${round}.pb.gz`, import.meta.url));

let server: ServerForTest;
let folder: string;
let oracle: string;
beforeAll(async () => {
  server = await runServer();
  folder = mkdtempSync(join(tmpdir(), "profusion-cli-pprof-"));
  oracle = buildGo("oracle");
  for (const round of [1, 2, 3]) {
    await cli("push", "--service", "rec", "--label", `version=1.${round}`, recorded(round));
  }
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

const cli = (...args: string[]) =>
  runCli(args, { env: { PROFUSION_SERVER: server.url, PPROF_TMPDIR: folder, TMPDIR: folder } });
const WINDOW = ["--last", "10000d"];

function merged(...rounds: number[]): string {
  const file = join(folder, `${rounds.join("-")}.pb.gz`);
  execFileSync(oracle, ["merge", "-o", file, ...rounds.map(recorded)]);
  return file;
}

function pprof(...args: string[]): string {
  return execFileSync("go", ["tool", "pprof", ...args], {
    encoding: "utf8",
    env: { ...process.env, PPROF_TMPDIR: folder },
  });
}

test("-top of a selection is -top of google/pprof's merge, and the summary is on stderr", async () => {
  const { code, stdout, stderr } = await cli("pprof", 'cpu{service="rec"}', ...WINDOW, "--", "-top");
  expect([code, stdout.toString()]).toEqual([0, pprof("-top", merged(1, 2, 3))]);
  expect(stderr).toContain("merged 3 of 3 profiles");
});

test("with the selection in options, everything behind -- goes to the tool", async () => {
  const selection = ["--service", "rec", "--label", "version=1.1", "--type", "cpu"];
  const { code, stdout, stderr } = await cli(
    "pprof",
    ...selection,
    ...WINDOW,
    "--quiet",
    "--",
    "-top",
    "-cum",
    "-nodecount=5",
  );
  expect([code, stdout.toString()]).toEqual([0, pprof("-top", "-cum", "-nodecount=5", merged(1))]);
  expect(stderr).not.toContain("merged");
});

test("--diff-base shows the difference of two selections", async () => {
  const base = ["--diff-base", 'cpu{service="rec",version="1.1"}'];
  const { code, stdout } = await cli("pprof", 'cpu{service="rec"}', ...WINDOW, ...base, "--", "-top");
  expect([code, stdout.toString()]).toEqual([0, pprof("-top", `-diff_base=${merged(1)}`, merged(1, 2, 3))]);
});

test("--diff-from and --diff-to show the difference of two windows", async () => {
  const { profiles } = JSON.parse((await cli("list", "--oldest", "--json")).stdout.toString());
  const [first, second] = profiles.map(({ startTime }: { startTime: string }) => startTime);
  const windows = ["--from", second, "--diff-from", first, "--diff-to", second];
  const { code, stdout } = await cli("pprof", 'cpu{service="rec"}', ...windows, "--", "-top");
  expect([code, stdout.toString()]).toEqual([0, pprof("-top", `-diff_base=${merged(1)}`, merged(2, 3))]);
});

test("the tool's exit code is passed on, and nothing stays behind", async () => {
  const { code } = await cli("pprof", 'cpu{service="rec"}', ...WINDOW, "--", "-no-such-flag");
  expect(code).not.toBe(0);
  expect(readdirSync(folder).filter((name) => name.startsWith("profusion-pprof-"))).toEqual([]);
});
