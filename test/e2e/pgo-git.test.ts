// `profusion pgo git` with real git and a bare repository: what is committed, when it is not, and that nothing is ever forced. Needs git.

import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { cpuProfile, pushCpu } from "../support/pgo-service.ts";
import { runCli } from "../support/run-cli.ts";
import { runServer, type ServerForTest } from "../support/run-server.ts";

const DAY_MS = 86_400_000;

let server: ServerForTest;
let folder: string;
let bare: string;
let service: string;
let services = 0;
beforeAll(async () => {
  server = await runServer();
});
afterAll(() => server[Symbol.asyncDispose]());
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "profusion-pgo-git-"));
  bare = join(folder, "origin.git");
  service = `app-${++services}`;
  await pushCpu(server.url, service, cpuProfile(2000), "instance=a");
  git(folder, "init", "--bare", "--initial-branch=main", bare);
  await inClone("main", (work) => {
    mkdirSync(join(work, "cmd/app"), { recursive: true });
    mkdirSync(join(work, "lib"));
    symlinkSync("/", join(work, "root"));
    writeFileSync(join(work, "cmd/app/main.go"), "// The program.\npackage main\n\nfunc main() {}\n");
    writeFileSync(join(work, "lib/lib.go"), "package lib\n");
    writeFileSync(join(work, ".gitignore"), "*.pgo\n");
  });
});
afterEach(() => rmSync(folder, { recursive: true }));

/** As in a container where nobody has said who commits. */
const env = () => ({
  PROFUSION_SERVER: server.url,
  HOME: folder,
  XDG_CONFIG_HOME: folder,
  GIT_CONFIG_NOSYSTEM: "1",
  TMPDIR: folder,
});

function git(cwd: string, ...args: string[]): string {
  const identity = ["-c", "user.name=someone", "-c", "user.email=someone@localhost"];
  return execFileSync("git", [...identity, ...args], { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

/** A commit of somebody else. */
async function inClone(branch: string, change: (work: string) => void): Promise<void> {
  const work = mkdtempSync(join(folder, "work-"));
  git(folder, "clone", "--quiet", bare, work);
  const isThere = git(work, "branch", "--remotes").includes(`origin/${branch}\n`);
  git(work, "checkout", "--quiet", ...(isThere ? [branch] : ["-B", branch]));
  change(work);
  git(work, "add", ".");
  git(work, "commit", "--quiet", "--message", "by somebody");
  git(work, "push", "--quiet", "origin", `HEAD:${branch}`);
}

const run = (...args: string[]) => {
  const where = ["--service", service, "--repository", bare, "--branch", "pgo", "--main", "cmd/app"];
  return runCli(["pgo", "git", ...where, ...args], { env: env() });
};
const said = async (...args: string[]) => {
  const { code, stdout, stderr } = await run(...args);
  expect([code, stderr]).toEqual([0, ""]);
  return stdout.toString();
};
const commits = (branch = "pgo") => git(bare, "log", "--format=%an %s", branch).trim().split("\n");
const show = (path: string) => execFileSync("git", ["show", `pgo:${path}`], { cwd: bare });

describe("the first time", () => {
  test("the release's file and its manifest are committed beside the main package, to a branch that is made for it", async () => {
    expect(await said()).toMatch(
      new RegExp(`^pushed [0-9a-f]{40} to pgo: ${service}@\\d{4}-\\d\\d-\\d\\d, since there is none yet\\n$`),
    );
    expect(commits()).toEqual([
      expect.stringMatching(/^Profusion pgo: app-\d+ \d{4}-\d\d-\d\d, usable: there is none yet$/),
      "someone by somebody",
    ]);
    expect(git(bare, "show", "--name-status", "--format=", "pgo")).toBe(
      "A\tcmd/app/default.pgo\nA\tcmd/app/default.pgo.json\n",
    );
    const manifest = JSON.parse(show("cmd/app/default.pgo.json").toString());
    const served = await fetch(`${server.url}/api/0/pgo/${service}@${manifest.release}`);
    expect(show("cmd/app/default.pgo").equals(Buffer.from(await served.arrayBuffer()))).toBe(true);
    expect(manifest).toMatchObject({ service, inputs: [{ labels: [{ name: "instance", value: "a" }] }] });
    expect(commits("main")).toEqual(["someone by somebody"]);
    expect(readdirSync(folder).filter((name) => name.startsWith("profusion-"))).toEqual([]);
  });

  test("--dry-run says what would be done, and publishes and pushes nothing", async () => {
    expect(await said("--dry-run")).toBe("would publish, commit and push: there is none yet\n");
    expect(git(bare, "branch", "--list", "pgo")).toBe("");
    const { stdout } = await runCli(["pgo", "releases", "--service", service, "-q"], { env: env() });
    expect(stdout.toString()).toBe("");
  });

  test("a release that is there is committed as it is, with the message that was given", async () => {
    await runCli(["pgo", "publish", "--service", service, "--name", "first", "--channel", "stable"], { env: env() });
    await pushCpu(server.url, service, cpuProfile(5000, "main.other"), "instance=b");
    expect(await said("--release", "stable", "--message", "profiles of first")).toContain(`${service}@first`);
    expect(commits()[0]).toBe("Profusion profiles of first");
    expect(JSON.parse(show("cmd/app/default.pgo.json").toString()).inputs.length).toBe(1);
  });
});

describe("once there is one", () => {
  beforeEach(async () => {
    await said();
  });

  test("nothing is pushed where nothing has changed", async () => {
    expect(await said()).toBe("nothing to push: nothing has changed\n");
    expect(commits().length).toBe(2);
  });

  test("a small drift is pushed only past the bound", async () => {
    await pushCpu(server.url, service, cpuProfile(100, "main.other"), "instance=a");
    expect(await said()).toMatch(
      /^nothing to push: the drift is 4\.8 %, not more than 20\.0 %; it is 0\.0 d old, and is renewed after 7\.0 d\n$/,
    );
    const { stdout } = await run("--max-drift", "0.01", "--json");
    expect(JSON.parse(stdout.toString())).toEqual({
      commits: true,
      reason: "the drift is 4.8 %, more than 1.0 %",
      drift: expect.closeTo(1 / 21, 3),
      release: expect.stringMatching(/^\d{4}-\d\d-\d\d(-2)?$/),
      commit: git(bare, "rev-parse", "pgo").trim(),
    });
  });

  test("an old one is renewed, however little has changed", async () => {
    await pushCpu(server.url, service, cpuProfile(100, "main.other"), "instance=a");
    await inClone("pgo", (work) => {
      const createTime = new Date(Date.now() - 8 * DAY_MS).toISOString();
      writeFileSync(join(work, "cmd/app/default.pgo.json"), JSON.stringify({ createTime }));
    });
    expect(await said("--every", "9d")).toContain("nothing to push");
    expect(await said()).toContain("since it is 8.0 d old, and is renewed after 7.0 d");
  });

  test("what is no profile is replaced", async () => {
    await inClone("pgo", (work) => writeFileSync(join(work, "cmd/app/default.pgo"), "<html>"));
    expect(await said()).toContain("since what is there is no profile");
  });

  test("a push that is rejected is told with what to do, and forces nothing", async () => {
    const hook = join(bare, "hooks/pre-receive");
    writeFileSync(hook, "#!/bin/sh\necho 'the branch is protected' >&2\nexit 1\n");
    chmodSync(hook, 0o755);
    await pushCpu(server.url, service, cpuProfile(5000, "main.other"), "instance=b");
    const before = commits();
    const { code, stderr } = await run();
    expect(code).toBe(4);
    expect(stderr).toMatch(
      /the branch is protected[\s\S]*Nothing is ever forced: .* run it again; .* open a merge request/,
    );
    expect(commits()).toEqual(before);
  });

  test("a branch that moves meanwhile is not overwritten", async () => {
    await pushCpu(server.url, service, cpuProfile(5000, "main.other"), "instance=b");
    // Between clone and push: git runs this in the clone, before it sends anything.
    const hooks = join(folder, "hooks");
    mkdirSync(hooks);
    const other = join(folder, "other");
    git(folder, "clone", "--quiet", "--branch", "pgo", bare, other);
    git(other, "commit", "--quiet", "--allow-empty", "--message", "by somebody else");
    writeFileSync(
      join(hooks, "pre-commit"),
      `#!/bin/sh\nunset GIT_DIR GIT_INDEX_FILE\ncd ${other} && git push --quiet origin pgo\n`,
      { mode: 0o755 },
    );
    writeFileSync(join(folder, ".gitconfig"), `[core]\n\thooksPath = ${hooks}\n`);
    const { code, stderr } = await run();
    expect([code, stderr]).toEqual([4, expect.stringMatching(/\[rejected\][\s\S]*run it again/)]);
    expect(commits()[0]).toBe("someone by somebody else");
  });
});

describe("says what is wrong", () => {
  test.each([
    [["--main", "cmd/absent"], 2, "the repository has no such folder"],
    [["--main", "lib"], 2, "there is no package main in it"],
    [["--main", "../.."], 2, "it leads out of the repository"],
    [["--main", "root"], 2, "it leads out of the repository"],
    [["--branch", "a..b"], 2, "git has no such names"],
    [["--max-drift", "2"], 2, "it is a share from 0 to 1"],
    [["--every", "often"], 2, "often"],
    [["--repository", "/absent/repository"], 6, "git ls-remote failed: "],
    [["--require", "good"], 4, "The PGO profile is usable"],
    [["--service", "nobody"], 3, "No profile"],
    [["--release", "absent"], 3, "absent"],
  ])("%j", async (args, code, message) => {
    expect(await run(...args)).toMatchObject({ code, stderr: expect.stringContaining(message) });
    expect(git(bare, "branch", "--list", "pgo")).toBe("");
  });

  test("without the password that git would show", async () => {
    const repository = "git://user:sekrit@127.0.0.1:9/repository";
    const { code, stderr } = await run("--repository", repository, "--branch", "pgo", "--main", "cmd/app");
    expect([code, stderr]).toEqual([6, expect.stringContaining("git ls-remote failed: ")]);
    expect(stderr).not.toContain("sekrit");
  });

  test("where there is no git", async () => {
    const where = ["--service", service, "--repository", bare, "--branch", "pgo", "--main", "cmd/app"];
    const result = await runCli(["pgo", "git", ...where], { env: { ...env(), PATH: folder } });
    expect(result).toMatchObject({ code: 6, stderr: expect.stringContaining("there is none on the PATH") });
  });
});
