// docs/pgolib.md: its storage, driven as pgolib's Profiler drives one, and its build, by the commands that are written there; no container engine,
// whose part for the Dockerfile is played here. Needs Go.

import { execFile } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decodeProfile } from "../../src/pprof/decode.ts";
import { codeBlocks } from "../support/code-blocks.ts";
import { goCpu } from "../support/compat-server.ts";
import { buildGo } from "../support/oracle.ts";
import { runServe, type ServeProcess } from "../support/run-cli.ts";

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PAGE = readFileSync(join(ROOT, "docs/pgolib.md"), "utf8");
const blockOf = (language: string) => codeBlocks(PAGE).find((block) => block.language === language)!.code;
const KEYS = "lib storage-key-0123456789 write,read,delete,pgo\n";
const START_MS = 1_700_000_000_000;

let folder: string;
let senders: string;
let server: ServeProcess;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "profusion-pgolib-"));
  writeFileSync(join(folder, "keys"), KEYS);
  senders = buildGo("senders");
  server = await runServe(join(folder, "data"), ["--keys", join(folder, "keys")]);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

async function pgolib(service: string, ...options: string[]): Promise<string[]> {
  const common = ["pgolib", "-server", server.url, "-key", "storage-key-0123456789", "-service", service];
  const { stdout } = await run(senders, [...common, ...options]);
  return stdout.trim().split("\n");
}

/** The first column of what the storage answers for a range, or for one time. */
async function samples(service: string, from: number, to?: number): Promise<bigint> {
  const file = join(folder, "fetched.pprof");
  await pgolib(service, "-from", `${from}`, ...(to === undefined ? [] : ["-to", `${to}`]), "-output", file);
  const { samples: all } = decodeProfile(gunzipSync(readFileSync(file)), { encoding: "latin1" });
  return all.reduce((sum, { values }) => sum + values[0]!, 0n);
}

async function save(service: string, ms: number, count: number): Promise<void> {
  const file = join(folder, "saved.pprof");
  writeFileSync(file, goCpu(count));
  await pgolib(service, "-file", file, "-from", `${ms}`);
}

describe("the storage", () => {
  test("is on the page as it is compiled here", () => {
    expect(blockOf("go")).toBe(readFileSync(join(ROOT, "test/go/internal/pgolibstorage/storage.go"), "utf8"));
  });

  test("keeps what the profiler takes, under its time to the millisecond, and answers the merge", async () => {
    const times = (await pgolib("profiled", "-times", "3")).map(Number);
    expect(times).toHaveLength(3);
    const [first, last] = [Math.min(...times), Math.max(...times)];
    const each = [];
    for (const ms of times) each.push(await samples("profiled", ms));
    expect(Math.min(...each.map(Number))).toBeGreaterThan(0);
    expect(await samples("profiled", first, last)).toBe(each.reduce((sum, count) => sum + count, 0n));
    const { stdout } = await run("go", ["tool", "pprof", "-top", join(folder, "fetched.pprof")], {
      env: { ...process.env, PPROF_TMPDIR: folder },
    });
    expect(stdout).toContain("senders.work");
  });

  test("has both ends of a range in it, whatever time the profiles say themselves, and each profile once", async () => {
    for (const [nth, count] of [1, 10, 100].entries()) await save("ranges", START_MS + nth, count);
    await save("ranges", START_MS, 1);
    await save("others", START_MS + 1, 5000);
    expect(await samples("ranges", START_MS, START_MS + 2)).toBe(111n);
    expect(await samples("ranges", START_MS, START_MS + 1)).toBe(11n);
    expect(await samples("ranges", START_MS + 1, START_MS + 1)).toBe(10n);
    expect(await samples("ranges", START_MS + 2)).toBe(100n);
  });

  test("deletes one, or a range, and nothing of another service", async () => {
    for (const [nth, count] of [1, 10, 100, 1000].entries()) await save('quo"ted', START_MS + nth, count);
    await save("kept", START_MS + 1, 7);
    await pgolib('quo"ted', "-delete", "-from", `${START_MS + 3}`);
    expect(await samples('quo"ted', START_MS, START_MS + 3)).toBe(111n);
    await pgolib('quo"ted', "-delete", "-from", `${START_MS + 1}`, "-to", `${START_MS + 2}`);
    expect(await samples('quo"ted', START_MS, START_MS + 3)).toBe(1n);
    expect(await samples("kept", START_MS, START_MS + 3)).toBe(7n);
  });

  test("fails with the server's words where nothing is, and without a key", async () => {
    await expect(samples("nothing", START_MS, START_MS + 1)).rejects.toThrow(/profusion answers 404 /);
    const denied = ["pgolib", "-server", server.url, "-key", "wrong", "-service", "a", "-delete", "-from", "1"];
    await expect(run(senders, denied)).rejects.toThrow(/profusion answers 401 /);
  });
});

describe("the build", () => {
  const lines = blockOf("dockerfile").split("\n");

  /** The page's commands in a checkout, with an engine that does of the Dockerfile what touches the program: ARG and RUN. */
  async function build(name: string, url: string): Promise<{ app: string; told: string }> {
    const app = join(folder, name);
    cpSync(join(ROOT, "examples/pcapture"), app, { recursive: true });
    const script = (file: string, text: string) => {
      writeFileSync(join(app, file), `#!/bin/bash\n${text}\n`);
      chmodSync(join(app, file), 0o755);
    };
    script("profusion", `exec '${process.execPath}' '${join(ROOT, "src/cli/main.ts")}' "$@"`);
    const [, argument, value] = lines.map((line) => /^ARG (\w+)=(.*)$/.exec(line)).find(Boolean)!;
    const runs = lines.flatMap((line) => /^RUN (.*)$/.exec(line)?.[1] ?? []);
    expect([argument, runs.length]).toEqual(["PGO", 1]);
    const checks = "[[ $1 == build && $2 == --build-arg && $3 == PGO=* && $6 == . ]] || exit 2";
    script("docker", `set -e\n${checks}\nexport ${argument}=${value}\nexport "$3"\n${runs[0]}`);
    const env = { ...process.env, PATH: `${app}:${process.env.PATH}`, PROFUSION_SERVER: url };
    const { stderr } = await run("bash", ["-euc", blockOf("sh")], {
      cwd: app,
      env: { ...env, PROFUSION_KEY: "storage-key-0123456789" },
    });
    const { stdout } = await run("go", ["version", "-m", join(app, "build/app")]);
    return { app, told: `${stdout}${stderr}` };
  }

  test("takes the service's profile", async () => {
    await pgolib("shop", "-times", "5");
    const { app, told } = await build("with", server.url);
    expect(told).toMatch(/-pgo=\S*default\.pgo/);
    expect((await run(join(app, "build/app"), [])).stderr.trim()).toBe("196418");
  });

  test("goes on without one where no server is", async () => {
    const { app, told } = await build("alone", "http://127.0.0.1:9");
    expect(told).not.toContain("-pgo=");
    expect(existsSync(join(app, "default.pgo"))).toBe(false);
  });
});
