// What can be run of deploy/ without a container engine and without systemd as the first process: hadolint over the Dockerfile, its commands
// in a folder, its health check against the server of it; and systemd's own judgement of the unit. docs/operations.md says what is not run.
// Needs npm's registry, hadolint, and systemd-analyze.

import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
const DOCKERFILE = join(ROOT, "deploy/Dockerfile");
const UNIT = join(ROOT, "deploy/profusion.service");
const instructions = readFileSync(DOCKERFILE, "utf8")
  .replace(/\\\n/g, " ")
  .split("\n")
  .filter((line) => /^[A-Z]/.test(line))
  .map((line) => {
    const [, name, rest] = /^(\w+)\s+(.*)$/.exec(line)!;
    return { name: name!, rest: rest!.trim() };
  });

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "profusion-deploy-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function lastOf(name: string): string {
  return instructions.findLast((each) => each.name === name)!.rest;
}

describe("deploy/Dockerfile", () => {
  test("has nothing that hadolint objects to", () => {
    const { status, stdout, error } = spawnSync("hadolint", [DOCKERFILE], { encoding: "utf8" });
    expect([error, status, stdout]).toEqual([undefined, 0, ""]);
  });

  test("ends as a user that is not root, with its data in a volume", () => {
    expect(lastOf("USER")).toMatch(/^[1-9]\d*:[1-9]\d*$/);
    expect(JSON.parse(lastOf("VOLUME"))).toContain("/data");
  });

  test("builds and serves, step by step in a folder, and its health check tells well from stopped", async () => {
    const build = join(folder, "build");
    copyRepository(build);
    const inFolder = (text: string) => text.replace(/(?<![\w.:/])\/(build|app|data|tmp)\b/g, `${folder}/$1`);
    const environment: NodeJS.ProcessEnv = { ...process.env, PATH: pathWithNode24() };
    for (const { name, rest } of instructions.filter((each) => each.name === "RUN")) {
      // Users and their folders belong to the image.
      if (rest.includes("chown")) continue;
      execFileSync("bash", ["-euc", inFolder(rest)], {
        cwd: build,
        env: environment,
        stdio: ["ignore", "ignore", "inherit"],
      });
      expect(name).toBe("RUN");
    }
    mkdirSync(join(folder, "data"));
    const settings = Object.fromEntries(
      inFolder(lastOf("ENV"))
        .split(/\s+/)
        .map((each) => each.split("=", 2)),
    );
    const [command, ...args] = JSON.parse(inFolder(lastOf("ENTRYPOINT"))).concat(JSON.parse(lastOf("CMD")));
    const server = spawn(command, args, {
      cwd: join(folder, "data"),
      env: { ...environment, ...settings, PROFUSION_LISTEN: "127.0.0.1:0" },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const ended = once(server, "close");
    const serving = Promise.withResolvers<string>();
    createInterface({ input: server.stdout! }).on("line", (line) => {
      const found = /"addresses":\[\{[^\]]*"port":(\d+)/.exec(line);
      if (found) serving.resolve(found[1]!);
    });
    void ended.then(([code]) => serving.reject(new Error(`it ended with ${code} before it served`)));
    const port = await serving.promise;
    const check = JSON.parse(/CMD (\[.*\])$/.exec(lastOf("HEALTHCHECK"))![1]!.replace("10100", port)) as string[];
    const health = async () => {
      const asking = spawn(check[0]!, check.slice(1), { env: environment, stdio: "inherit" });
      return ((await once(asking, "close")) as [number])[0];
    };
    expect(await health()).toBe(0);
    server.kill("SIGTERM");
    expect(await ended).toEqual([0, null]);
    expect(await health()).toBe(1);
  });
});

function copyRepository(target: string): void {
  const listed = execFileSync("git", ["ls-files", "-co", "--exclude-standard", "-z"], { cwd: ROOT, encoding: "utf8" });
  for (const path of listed.split("\0").filter(Boolean)) {
    mkdirSync(join(target, dirname(path)), { recursive: true });
    cpSync(join(ROOT, path), join(target, path), { force: true });
  }
}

/** As in the image: the Node of this test, and no other of this repository's commands. */
function pathWithNode24(): string {
  const path = process.env.PATH!.split(":").filter((part) => !part.includes("node_modules"));
  return [dirname(process.execPath), ...path].join(":");
}

describe("deploy/profusion.service", () => {
  test("has no fault that systemd knows of", () => {
    // Where it runs, /usr/bin/node is there.
    const unit = join(folder, "profusion.service");
    execFileSync("sed", ["-n", `s#/usr/bin/node#${process.execPath}#;w ${unit}`, UNIT]);
    const { status, stderr } = spawnSync("systemd-analyze", ["verify", unit], { encoding: "utf8" });
    expect([status, stderr.split("\n").filter((line) => line.includes("profusion.service"))]).toEqual([0, []]);
  });

  test("is exposed no more than 2.0 by systemd's count", () => {
    const said = execFileSync("systemd-analyze", ["security", "--offline=true", "--threshold=20", UNIT], {
      encoding: "utf8",
    });
    expect(said).toMatch(/Overall exposure level for profusion\.service: [01]\.\d|2\.0/);
  });
});
