// What goes wrong in the first five minutes, made to go wrong: each time the command says in one line what to do.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freePort } from "../support/free-port.ts";
import { runServe } from "../support/run-cli.ts";

const COMMAND = join(import.meta.dirname, "../../src/cli/profusion.js");
const CPU = join(import.meta.dirname, "../testdata/recorded/go-cpu-1.pb.gz");
/** Of Debian, and of Linux in general. */
const NOBODY = 65534;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "profusion-newcomer-"));
  chmodSync(folder, 0o755);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Said {
  code: number | null;
  stderr: string;
}

async function run(
  args: readonly string[],
  options: { env?: NodeJS.ProcessEnv; uid?: number; node?: string[] } = {},
): Promise<Said> {
  const { env, uid, node = [] } = options;
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("PROFUSION_"));
  const child = spawn(process.execPath, [...node, COMMAND, ...args], {
    cwd: folder,
    env: { ...Object.fromEntries(inherited), XDG_CONFIG_HOME: folder, ...env },
    stdio: ["ignore", "ignore", "pipe"],
    ...(uid !== undefined && { uid, gid: uid }),
  });
  const [stderr, [code]] = await Promise.all([text(child.stderr!), once(child, "close") as Promise<[number | null]>]);
  return { code, stderr };
}

/** One line, which is no stack trace. */
function expectAdvice({ code, stderr }: Said, ...parts: string[]): void {
  expect(code).not.toBe(0);
  expect(stderr).toMatch(/^profusion: [^\n]+\n$/);
  for (const part of parts) expect(stderr).toContain(part);
}

describe("profusion serve", () => {
  test("where the port is taken: stop the other one, or take another port", async () => {
    await using server = await runServe(join(folder, "first"));
    const taken = new URL(server.url).host;
    const said = await run(["serve", "--listen", taken, "--data", join(folder, "second")]);
    expectAdvice(said, `Cannot listen on ${taken}`, "another process has this port", "listen on another port");
  });

  test("where the address is no address of this machine: which ones there are", async () => {
    const said = await run(["serve", "--listen", "203.0.113.1:10100", "--data", join(folder, "elsewhere")]);
    expectAdvice(said, "Cannot listen on 203.0.113.1:10100", "this machine has no such address");
  });

  test("where another server has the data: which process that is", async () => {
    const data = join(folder, "held");
    await using server = await runServe(data);
    const said = await run(["serve", "--listen", "127.0.0.1:0", "--data", data]);
    expectAdvice(said, `process ${server.child.pid} has it open`, "stop that one or name another folder");
  });

  describe("where it may not write", () => {
    // Root may write everywhere.
    const user = process.getuid?.() === 0 ? { uid: NOBODY } : {};
    const WHAT_TO_DO = "give it the folder, or name another with --data";

    test("into the folder above: give it the folder, or name another", async () => {
      const above = join(folder, "above");
      mkdirSync(above, { mode: 0o555 });
      const said = await run(["serve", "--listen", "127.0.0.1:0", "--data", join(above, "data")], user);
      expectAdvice(said, `Cannot use the data folder ${join(above, "data")}`, WHAT_TO_DO);
      expect(existsSync(join(above, "data"))).toBe(false);
    });

    test("into the folder itself: give it the folder, or name another", async () => {
      const data = join(folder, "foreign");
      mkdirSync(data, { mode: 0o555 });
      const said = await run(["serve", "--listen", "127.0.0.1:0", "--data", data], user);
      expectAdvice(said, `Cannot use the data folder ${data}`, WHAT_TO_DO);
    });
  });

  test("on an old Node: which one is needed, and where there is one", async () => {
    const old = "Object.defineProperty(process, 'version', { value: 'v20.19.0' })";
    const said = await run(["serve"], { node: ["--import", `data:text/javascript,${encodeURIComponent(old)}`] });
    expectAdvice(said, "needs Node 24 or newer, and this is v20.19.0", "install Node 24");
  });
});

describe("a verb that asks a server", () => {
  test("where none is running: how to start one, and how to name another", async () => {
    const server = `http://127.0.0.1:${await freePort()}`;
    const said = await run(["services", "--server", server]);
    expectAdvice(said, `Cannot reach ${server}`, '"profusion serve" starts a server', "--server");
  });

  test("in a time zone that there is not: what a zone is written like", async () => {
    const said = await run(["list", "--last", "2h"], { env: { TZ: "Europe/Atlantis" } });
    expectAdvice(said, "Europe/Atlantis", "TZ");
  });

  test("without Go, for pprof: where to get it, and what works without it", async () => {
    await using server = await runServe(join(folder, "without-go"));
    expect((await run(["push", "--service", "a", "--server", server.url, CPU])).code).toBe(0);
    const pprof = ["pprof", 'cpu{service="a"}', "--last", "9999d", "--server", server.url, "--quiet", "--", "-top"];
    expectAdvice(await run(pprof, { env: { PATH: folder } }), "Go", "profusion merge");
  });
});
