// The whole way of a PGO profile: a program of ours is profiled while it works, its instances' profiles are pushed, the file is fetched, and the
// compiler takes it: it inlines and devirtualises what it otherwise does not. Needs Go.

import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runCli } from "../support/run-cli.ts";
import { runServer, type ServerForTest } from "../support/run-server.ts";

const PROGRAM = fileURLToPath(new URL("../../bench/pgo", import.meta.url));
/** What each instance is asked for; of some seconds of work in all. */
const INSTANCES = [
  ["totals", 1500],
  ["all", 400],
  ["all", 400],
] as const;

let folder: string;
let server: ServerForTest;
let plain: Built;
let served: Built;

interface Built {
  /** What the compiler says that it does, by the text of the line where. */
  says: (source: string, line: string) => string;
  program: string;
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "profusion-pgo-build-"));
  cpSync(PROGRAM, folder, { recursive: true });
  server = await runServer();
  plain = build("plain");
  const env = { PROFUSION_SERVER: server.url };
  for (const [at, [mix, rounds]] of INSTANCES.entries()) {
    const file = join(folder, `cpu-${at}.pb.gz`);
    execFileSync(plain.program, ["-mix", mix, "-rounds", String(rounds), "-cpuprofile", file]);
    const labels = ["--label", `instance=${at}`, "--label", "version=1.0"];
    expect(await runCli(["push", "--service", "records", ...labels, file], { env })).toMatchObject({ code: 0 });
  }
  const output = join(folder, "default.pgo");
  // Until now: these profiles are of the hour that is not over.
  const fetched = await runCli(["pgo", "fetch", "--service", "records", "--until-now", "-o", output], { env });
  expect([fetched.code, fetched.stderr]).toEqual([0, ""]);
  expect(fetched.stdout.toString()).toContain("3 profiles");
  served = build("served");
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

/** With `default.pgo` where there is one, as -pgo=auto takes it. */
function build(name: string): Built {
  const program = join(folder, name);
  const { status, stderr } = spawnSync("go", ["build", "-gcflags=-m=2", "-o", program, "."], {
    cwd: folder,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  expect(status, stderr).toBe(0);
  return {
    program,
    says: (source, line) => {
      const at = readFileSync(join(folder, source), "utf8").split("\n").indexOf(line) + 1;
      expect(at, `${source} has the line ${line}`).toBeGreaterThan(0);
      const said = stderr.split("\n").filter((each) => each.startsWith(`./${source}:${at}:`));
      return said.map((each) => each.replace(/^\S+ /, "")).join("\n");
    },
  };
}

test("a function over the budget of 80 is inlined at its hot calls, with the served profile alone", () => {
  expect(plain.says("reader.go", "func uvarint(bytes []byte, at int) (value uint64, next int) {")).toMatch(
    /cannot inline uvarint: function too complex: cost \d+ exceeds budget 80/,
  );
  const call = "\tnumber, valueAt := uvarint(p.bytes, p.at)";
  expect(plain.says("reader.go", call)).not.toContain("inlining call to uvarint");
  expect(served.says("reader.go", call)).toContain("inlining call to uvarint");
});

test("a hot call through an interface is made directly, and inlined, with the served profile alone", () => {
  const call = "\t\tnumber, value, ok := source.Next()";
  expect(plain.says("reader.go", call)).not.toContain("devirtualizing");
  expect(served.says("reader.go", call)).toContain("PGO devirtualizing interface call source.Next to (*packed).Next");
  expect(served.says("reader.go", call)).toContain("inlining call to (*packed).Next");
});

test("the program that was built with it says so, and does the same", () => {
  const settings = (program: string) => execFileSync("go", ["version", "-m", program], { encoding: "utf8" });
  expect(settings(served.program)).toMatch(/^\tbuild\t-pgo=.*default\.pgo$/m);
  expect(settings(plain.program)).not.toContain("-pgo=");
  const sum = (program: string) => execFileSync(program, ["-rounds", "3"], { encoding: "utf8" }).split(" ")[1];
  expect(sum(served.program)).toBe(sum(plain.program));
});
