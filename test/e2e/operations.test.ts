// The shell blocks of docs/operations.md that need what a test has not: Docker, systemd, a superuser. Stand-ins take the commands to the letter,
// and what they were told is compared with deploy/ and the package. The block that asks a server of its own profiles runs against one. Its
// blocks for npm and the client run in package.test.ts. Needs Go.

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createProfusionClient } from "../../src/client/client.ts";
import { inflate } from "../../src/pprof/gzip.ts";
import { codeBlocks } from "../support/code-blocks.ts";
import { runServer } from "../support/run-server.ts";
import { withTime } from "../support/with-time.ts";

const ROOT = join(import.meta.dirname, "../..");
const read = (path: string) => readFileSync(join(ROOT, path), "utf8");
const blockWith = (command: string) =>
  codeBlocks(read("docs/operations.md")).find(({ language, code }) => language === "sh" && code.includes(command))!
    .code;

let folder: string;
let told: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "profusion-operations-"));
  told = join(folder, "told");
  for (const name of ["docker", "sudo", "journalctl"]) {
    const script = join(folder, name);
    // One line for each command, its words apart by a character that is in none of them.
    writeFileSync(script, `#!/bin/sh\n{ printf '%s\\037' ${name} "$@"; echo; } >> '${told}'\n`);
    chmodSync(script, 0o755);
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The commands that the stand-ins were told, each as its words. */
function commandsOf(block: string): string[][] {
  rmSync(told, { force: true });
  const { status, stderr } = spawnSync("bash", ["-euo", "pipefail", "-c", block], {
    cwd: folder,
    env: { ...process.env, PATH: `${folder}:${process.env.PATH}` },
    stdio: ["ignore", "pipe", "pipe"],
    encoding: "utf8",
  });
  expect([status, stderr]).toEqual([0, ""]);
  return readFileSync(told, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => line.split("\u001f").slice(0, -1));
}

const valueAfter = (words: readonly string[], option: string) => words[words.indexOf(option) + 1]!;

describe("the block for Docker", () => {
  const instructions = read("deploy/Dockerfile").split("\n");
  const lastOf = (name: string) => instructions.findLast((line) => line.startsWith(`${name} `))!.slice(name.length + 1);

  test("builds the file that there is, for both platforms, from the clone", () => {
    const [build] = commandsOf(blockWith("docker"));
    expect(build!.slice(0, 3)).toEqual(["docker", "buildx", "build"]);
    expect(valueAfter(build!, "--platform").split(",")).toEqual(["linux/amd64", "linux/arm64"]);
    expect(existsSync(join(ROOT, valueAfter(build!, "-f")))).toBe(true);
    expect(build!.at(-1)).toBe(".");
  });

  test("runs what it built, with nothing to write to but what the file says, on the port that the file opens", () => {
    const [build, run] = commandsOf(blockWith("docker"));
    expect(run!.slice(0, 2)).toEqual(["docker", "run"]);
    expect(run!.at(-1)).toBe(valueAfter(build!, "-t"));
    expect(run).toContain("--read-only");
    const volume = valueAfter(run!, "-v").split(":")[1]!;
    expect([volume, valueAfter(run!, "--tmpfs")]).toEqual(JSON.parse(lastOf("VOLUME")));
    const [host, , port] = valueAfter(run!, "-p").split(":");
    expect([host, port]).toEqual(["127.0.0.1", lastOf("EXPOSE")]);
    expect(lastOf("ENV")).toContain(`PROFUSION_LISTEN=0.0.0.0:${port} PROFUSION_DATA=${volume} `);
  });
});

describe("the block for systemd", () => {
  test("installs where the unit starts it, copies the unit out of the package, and names it", () => {
    const unit = read("deploy/profusion.service");
    const [install, copy, enable, log] = commandsOf(blockWith("systemctl"));
    const prefix = valueAfter(install!, "--prefix");
    expect(install).toEqual(["sudo", "npm", "install", "--prefix", prefix, "profusion"]);
    expect(unit).toMatch(new RegExp(`^ExecStart=\\S+ ${prefix}/node_modules/profusion/`, "m"));
    const [, , source, target] = copy!;
    const inPackage = source!.replace(`${prefix}/node_modules/profusion/`, "");
    expect(JSON.parse(read("package.json")).files).toContain(inPackage);
    expect(existsSync(join(ROOT, inPackage))).toBe(true);
    expect(target).toBe("/etc/systemd/system/");
    expect(enable).toEqual(["sudo", "systemctl", "enable", "--now", "profusion"]);
    expect(log!.slice(0, 3)).toEqual(["journalctl", "-u", "profusion"]);
  });

  test("and the file of settings that the page names is the one that the unit reads", () => {
    const [, file] = /^EnvironmentFile=-?(\S+)$/m.exec(read("deploy/profusion.service"))!;
    expect(read("docs/operations.md")).toContain(`Settings go into \`${file}\``);
  });
});

test("the block for the server's own profiles ranks what the service profusion sent", async () => {
  await using server = await runServer();
  const recorded = inflate(readFileSync(join(ROOT, "test/testdata/recorded/go-cpu-1.pb.gz")), 1e8);
  const profileBytes = gzipSync(withTime(recorded, BigInt(Date.now() - 60_000) * 1_000_000n));
  await createProfusionClient(server.url).profiles.createProfile({
    metadata: { service: "profusion", profileType: "cpu" },
    profileBytes,
  });
  const block = blockWith("go tool pprof").replace("http://127.0.0.1:10100", server.url);
  const child = spawn("bash", ["-euc", block], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, PPROF_TMPDIR: folder },
  });
  const said = text(child.stdout);
  expect(await once(child, "close")).toEqual([0, null]);
  expect(await said).toMatch(/flat%.*cum%/);
});
