// pcapture, as a Go sender of ours has it, and builds that fetch a tag's profile with curl, by the example's Dockerfile. Needs Go and curl.

import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildGo } from "../support/oracle.ts";
import { runRelay, runServe, type ServeProcess } from "../support/run-cli.ts";

const run = promisify(execFile);
const EXAMPLE = fileURLToPath(new URL("../../examples/pcapture", import.meta.url));

let folder: string;
let senders: string;
let server: ServeProcess;
/** A second listener, as 127.0.0.1:8080 is one. */
let second: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "profusion-pcapture-"));
  senders = buildGo("senders");
  server = await runServe(join(folder, "data"), ["--listen", "127.0.0.1:0"]);
  const [, { port }] = server.log.find(({ msg }) => msg === "serving")!.addresses as [unknown, { port: number }];
  second = `http://localhost:${port}`;
  // Long enough for the hundred samples that a policy asks for.
  for (let nth = 0; nth < 2; nth++) expect(await capture(second, "example", "-for", "1500ms")).toBe("200");
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

/** Status and body of what came back. */
async function capture(url: string, tag: string, ...options: string[]): Promise<string> {
  const { stdout } = await run(senders, ["pcapture", "-server", `${url}/profile`, "-tag", tag, ...options]);
  return stdout.trim();
}

describe("the library", () => {
  test("posts the profile of its life to a tag, with slashes too; every one is kept", async () => {
    expect(await capture(second, "shop/eu/batch")).toBe("200");
    const services = await fetch(`${server.url}/api/0/services`);
    expect(((await services.json()) as { body: string[] }).body).toEqual(["example", "shop/eu/batch"]);
    const { headers } = await fetch(`${second}/profile/example`);
    expect(headers.get("profusion-merged")).toBe("2");
  });

  test("is told 400 of a part that is none of its own, and nothing is stored", async () => {
    expect(await capture(second, "stranger", "-field", "heap_profile")).toMatch(
      /^400 Unrecognized file: "heap_profile"/,
    );
    expect((await fetch(`${second}/profile/stranger?policy=plain`)).status).toBe(404);
  });

  test("posts to a relay as to the server", async () => {
    await using relay = await runRelay(server.url, join(folder, "spool"), ["--log-level", "debug"]);
    expect(await capture(relay.url, "relayed")).toBe("200");
    while (!relay.log.some(({ msg }) => msg === "an upload was delivered")) {
      await new Promise((resolve) => relay.child.stdout!.once("data", resolve));
    }
    expect((await fetch(`${server.url}/profile/relayed?policy=plain`)).status).toBe(200);
  });
});

describe("a build by the example's Dockerfile", () => {
  const dockerfile = readFileSync(join(EXAMPLE, "Dockerfile"), "utf8");
  const commands = [...dockerfile.matchAll(/^RUN (.*)$/gm)].map(([, command]) => command!);
  const defaults = Object.fromEntries(
    [...dockerfile.matchAll(/^ARG (\w+)=(.*)$/gm)].map(([, name, value]) => [name, value]),
  );

  /** Its RUN lines, one shell each, as an engine would run them; answers the size of the profile that the build saw. */
  async function build(name: string, given: Record<string, string>): Promise<number | undefined> {
    const app = join(folder, name);
    cpSync(EXAMPLE, app, { recursive: true });
    const env = { ...process.env, ...defaults, ...given };
    for (const command of commands) await run("sh", ["-euc", command], { cwd: app, env });
    const { stderr } = await run(join(app, "main"), []);
    expect(stderr.trim()).toBe("196418");
    const { stdout } = await run("go", ["version", "-m", join(app, "main")]);
    const profile = join(app, "cmd/app/default.pgo");
    const size = existsSync(profile) ? statSync(profile).size : undefined;
    expect(/-pgo=\S*default.pgo/.test(stdout), stdout).toBe(given.PGO !== "off" && size !== undefined);
    return size;
  }

  test("has two commands, and curl's failure is no failure of the build", () => {
    expect(commands).toHaveLength(2);
    expect(commands[0]).toMatch(/^curl -o .* \|\| true$/);
    expect(defaults).toMatchObject({ PGO: "auto", SERVICE_TAG: "example" });
  });

  test("takes the tag's profile", async () => {
    expect(await build("with", { PROFUSION: second })).toBeGreaterThan(0);
  });

  test("goes on with an empty file where the tag has none, and without one where no server is", async () => {
    expect(await build("without", { PROFUSION: second, SERVICE_TAG: "none" })).toBe(0);
    expect(await build("alone", { PROFUSION: "http://127.0.0.1:1" })).toBeUndefined();
  });

  test("goes on without a profile when it is told to", async () => {
    expect(await build("off", { PROFUSION: second, PGO: "off" })).toBeGreaterThan(0);
  });
});
