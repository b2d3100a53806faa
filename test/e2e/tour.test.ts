// The README's tour, by the README's own text: every fenced shell block runs in order in a fresh copy of the repository, as a newcomer
// with a clone would run it. Only the port is another one. Needs npm's registry, curl and Go.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decodeProfile } from "../../src/pprof/decode.ts";
import { inflate } from "../../src/pprof/gzip.ts";
import { codeBlocks } from "../support/code-blocks.ts";
import { freePort } from "../support/free-port.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const README = readFileSync(join(ROOT, "README.md"), "utf8");
const DOCUMENTED_PORT = "10100";
const blocks = codeBlocks(README);
const [start, ...commands] = blocks.filter(({ language }) => language === "sh").map(({ code }) => code.trim());

/** Where packages and modules come from on this machine; nothing that npm sets for the scripts of this repository. */
const PASSED_ON =
  /^(npm_config_(registry|cafile|cache|userconfig|globalconfig|proxy|https_proxy|noproxy)|(https?|no)_proxy|GO\w*|TMPDIR|LANG)$/i;

let folder: string;
let clone: string;
let port: string;
let server: ChildProcess | undefined;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "profusion-tour-"));
  clone = join(folder, "clone");
  copyRepository();
  port = String(await freePort());
  const script = join(clone, "examples/merge.ts");
  writeFileSync(script, readFileSync(script, "utf8").replaceAll(DOCUMENTED_PORT, port));
});
afterAll(async () => {
  if (server?.exitCode === null && server.signalCode === null) {
    const ended = once(server, "close");
    process.kill(-server.pid!, "SIGTERM");
    await ended;
  }
  rmSync(folder, { recursive: true, force: true });
});

/** What a clone would hold, and what is about to be committed. */
function copyRepository(): void {
  const listed = execFileSync("git", ["ls-files", "-co", "--exclude-standard", "-z"], { cwd: ROOT, encoding: "utf8" });
  for (const path of listed.split("\0").filter(Boolean)) {
    mkdirSync(join(clone, dirname(path)), { recursive: true });
    cpSync(join(ROOT, path), join(clone, path), { force: true });
  }
}

/** A shell in the clone, with nothing of this test's own Node in its path. */
function shell(script: string): ChildProcess {
  const path = process.env.PATH!.split(":").filter((part) => !part.includes("node_modules"));
  return spawn("bash", ["-euo", "pipefail", "-c", script.replaceAll(DOCUMENTED_PORT, port)], {
    cwd: clone,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      HOME: process.env.HOME!,
      PATH: path.join(":"),
      PPROF_TMPDIR: folder,
      PROFUSION_LISTEN: `127.0.0.1:${port}`,
      PROFUSION_SERVER: `http://127.0.0.1:${port}`,
      ...Object.fromEntries(Object.entries(process.env).filter(([name]) => PASSED_ON.test(name))),
    },
  });
}

async function run(script: string): Promise<string> {
  const child = shell(script);
  const output: Buffer[] = [];
  for (const stream of [child.stdout!, child.stderr!]) stream.on("data", (chunk: Buffer) => output.push(chunk));
  const [code] = await once(child, "close");
  const text = Buffer.concat(output).toString();
  expect(code, `${script}\n${text}`).toBe(0);
  return text;
}

const merged = (name: string) => decodeProfile(inflate(readFileSync(join(clone, name)), 1e8));

test("the tour's script is examples/merge.ts", () => {
  const scripts = blocks.filter(({ language }) => language === "ts").map(({ code }) => code);
  expect(scripts).toEqual([readFileSync(join(ROOT, "examples/merge.ts"), "utf8")]);
});

describe("the tour", () => {
  test("begins with the first of the two commands, which serves", async () => {
    expect(start).toBe("npm ci && npm start");
    expect(README).toContain("\n    npm ci && npm test ");
    server = shell(start!);
    server.stderr!.resume();
    const serving = Promise.withResolvers<void>();
    createInterface({ input: server.stdout! }).on("line", (line) => {
      if (line.includes('"msg":"serving"')) serving.resolve();
    });
    server.once("close", (code) => serving.reject(new Error(`it ended with ${code} before it served`)));
    await serving.promise;
  });

  test.each(commands.map((code, at) => ({ at, code })))("$code", async ({ code }) => {
    const output = await run(code);
    const expected = EXPECTED.find(([part]) => code.includes(part));
    if (expected) expect(output).toMatch(expected[1]);
  });

  test("leaves three merges of the same three profiles and of two", () => {
    const all = merged("merged.pb.gz");
    expect(merged("merged-by-script.pb.gz")).toEqual(all);
    const total = (name: string) => merged(name).samples.reduce((sum, { values }) => sum + values[1]!, 0n);
    expect(total("merged-1.0.0.pb.gz")).toBeLessThan(total("merged.pb.gz"));
  });

  test("ends with the server stopping when it is told to", async () => {
    const ended = once(server!, "close");
    process.kill(-server!.pid!, "SIGINT");
    await ended;
  });
});

/** What the output of a block shows, by a part of its text; the first that fits. */
const EXPECTED: [part: string, output: RegExp][] = [
  ["profusion demo", /1008 profiles of api, compiler, web, worker/],
  ["profusion push", /(?:^[0-7][0-9a-z]{25}$\n?)+/m],
  ["--data-binary", /"id": ?"[0-7][0-9a-z]{25}"/],
  ["-o merged.pb.gz", /merged 2 of 2 profiles/],
  ["ListProfiles", /"profiles":/],
  ["profusion top", /FLAT%[\s\S]*bytes\.[\s\S]*CUM%[\s\S]*compress\/flate[\s\S]*SERVICE +TYPE/],
  ["go tool pprof", /flat%.*cum%/],
  ["examples/merge.ts", /3 profiles .*cpu \d+ nanoseconds/s],
];
