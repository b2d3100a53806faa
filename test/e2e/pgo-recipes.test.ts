// The shell blocks of docs/pgo.md against a server that has profiles, and its build recipes against one that has, one that has not, none at all,
// one that fails and one that is somebody else's: the build goes on, and an old default.pgo survives whatever is no profile. Needs Go, git, curl.

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { type CodeBlock, codeBlocks } from "../support/code-blocks.ts";
import { cpuProfile, pushCpu } from "../support/pgo-service.ts";
import { runServer, type ServerForTest } from "../support/run-server.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PAGE = readFileSync(join(ROOT, "docs/pgo.md"), "utf8");
const DOCUMENTED = "http://127.0.0.1:10100";
const EXAMPLE = "https://profusion.example";
const OLD = cpuProfile(9, "main.old");

const recipes = [...PAGE.matchAll(/^### ([^\n]+)\n\n<!-- recipe -->\n(```.*?^```$)/gms)].map(([, name, block]) => ({
  name: name!,
  block: codeBlocks(block!)[0]!,
}));
const shellBlocks = codeBlocks(PAGE).filter(
  (block) => block.language === "sh" && !recipes.some((recipe) => recipe.block.code === block.code),
);

let folder: string;
let server: ServerForTest;
let empty: ServerForTest;
let stranger: Server;
const urls: Record<string, string> = {};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "profusion-recipes-"));
  const command = `#!/bin/sh\nexec '${process.execPath}' '${join(ROOT, "src/cli/main.ts")}' "$@"\n`;
  mkdirSync(join(folder, "bin"));
  writeFileSync(join(folder, "bin/profusion"), command, { mode: 0o755 });
  [server, empty] = await Promise.all([runServer(), runServer()]);
  for (const instance of ["a", "b"]) await pushCpu(server.url, "app", cpuProfile(2000), `instance=${instance}`);
  stranger = createServer(({ url = "" }, response) => {
    const status = url.startsWith("/fails") ? 500 : 200;
    response.writeHead(status, { "content-type": "text/html" }).end("<!doctype html><title>Sign in</title>");
  });
  stranger.listen(0, "127.0.0.1");
  await once(stranger, "listening");
  const elsewhere = `http://127.0.0.1:${(stranger.address() as AddressInfo).port}`;
  const gone = createServer().listen(0, "127.0.0.1");
  await once(gone, "listening");
  urls.down = `http://127.0.0.1:${(gone.address() as AddressInfo).port}`;
  gone.close();
  await once(gone, "close");
  Object.assign(urls, { good: server.url, "404": empty.url, "500": `${elsewhere}/fails`, "sign-in page": elsewhere });
});
afterAll(async () => {
  stranger.close();
  await Promise.all([server[Symbol.asyncDispose](), empty[Symbol.asyncDispose]()]);
  rmSync(folder, { recursive: true });
});

/** A module with its main package in cmd/app, in a folder of its own. */
function checkout(old?: Uint8Array): string {
  const module = mkdtempSync(join(folder, "app-"));
  cpSync(join(ROOT, "bench/pgo/go.mod"), join(module, "go.mod"));
  mkdirSync(join(module, "cmd/app"), { recursive: true });
  for (const file of ["main.go", "reader.go", "sinks.go"]) {
    cpSync(join(ROOT, "bench/pgo", file), join(module, "cmd/app", file));
  }
  if (old) writeFileSync(join(module, "cmd/app/default.pgo"), old);
  return module;
}

interface Step {
  shell: string[];
  script: string;
  env?: Record<string, string>;
}

/** What the recipe's own machinery would run. */
function stepsOf({ language, code }: CodeBlock): Step[] {
  if (language === "sh") return [{ shell: ["sh", "-e", "-c"], script: code }];
  if (language === "dockerfile") return dockerSteps(code);
  const { steps, build } = parse(code) as {
    steps?: { run?: string; env?: Record<string, string> }[];
    build?: { script: string[]; variables: Record<string, string> };
  };
  if (build)
    return [{ shell: ["bash", "-eo", "pipefail", "-c"], script: build.script.join("\n"), env: build.variables }];
  return (steps ?? []).flatMap(({ run, env }) =>
    run === undefined ? [] : [{ shell: ["bash", "-e", "-c"], script: run, ...(env && { env }) }],
  );
}

function dockerSteps(code: string): Step[] {
  const lines = code.replace(/\\\n/g, " ").split("\n");
  const env = Object.fromEntries(
    lines.flatMap((line) => (/^ARG (\w+)=(.*)$/.exec(line) ? [line.slice(4).split("=")] : [])),
  );
  return lines.flatMap((line) =>
    line.startsWith("RUN ") ? [{ shell: ["sh", "-c"], script: line.slice("RUN ".length), env }] : [],
  );
}

async function run({ shell, script, env = {} }: Step, cwd: string, url: string): Promise<string> {
  const said = Object.entries(env).map(([name, value]) => [
    name,
    value.replace(EXAMPLE, url).replace(/\$\{\{.*\}\}/, ""),
  ]);
  const [program, ...args] = shell;
  const child = spawn(program!, [...args, script.replaceAll(DOCUMENTED, url)], {
    cwd,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...process.env,
      PATH: `${join(folder, "bin")}:${process.env.PATH}`,
      PROFUSION_SERVER: url,
      PROFUSION_KEY: "",
      ...Object.fromEntries(said),
    },
  });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  expect(code, `${script}\n${stdout}${stderr}`).toBe(0);
  return stdout + stderr;
}

async function follow(block: CodeBlock, module: string, url: string): Promise<void> {
  for (const step of stepsOf(block)) await run(step, module, url);
}

/** Whether the program that was built says that it was built with a profile. */
function isBuiltWithProfile(module: string): boolean {
  const told = execFileSync("go", ["version", "-m", join(module, "app")], { encoding: "utf8" });
  return /^\tbuild\t-pgo=.*default\.pgo$/m.test(told);
}

const inMain = (module: string) => readdirSync(join(module, "cmd/app")).filter((name) => !name.endsWith(".go"));
const profileIn = (module: string) => readFileSync(join(module, "cmd/app/default.pgo"));

test("there is a recipe for each of five ways to build", () => {
  expect(recipes.map(({ name }) => name)).toEqual([
    "Any shell",
    "With the command",
    "GitHub Actions",
    "GitLab CI",
    "Dockerfile",
  ]);
});

describe.each(recipes)("the recipe: $name", ({ block }) => {
  test("fetches what the server serves and builds with it", async () => {
    const module = checkout(OLD);
    await follow(block, module, urls.good!);
    const served = await fetch(`${server.url}/api/0/pgo/app`);
    expect(profileIn(module).equals(Buffer.from(await served.arrayBuffer()))).toBe(true);
    expect([inMain(module), isBuiltWithProfile(module)]).toEqual([["default.pgo"], true]);
  });

  test.each(["404", "down", "500", "sign-in page"])("%s: builds with the old file", async (what) => {
    const module = checkout(OLD);
    await follow(block, module, urls[what]!);
    expect(profileIn(module).equals(OLD)).toBe(true);
    expect([inMain(module), isBuiltWithProfile(module)]).toEqual([["default.pgo"], true]);
  });

  test("404: builds without, where there is no old file", async () => {
    const module = checkout();
    await follow(block, module, urls["404"]!);
    expect([inMain(module), isBuiltWithProfile(module)]).toEqual([[], false]);
  });
});

describe("every other block of the page", () => {
  test.each(shellBlocks)("$code", async ({ code }) => {
    const module = join(folder, "repository");
    await run(
      { shell: ["bash", "-euo", "pipefail", "-c"], script: code, env: { REPOSITORY: module } },
      folder,
      server.url,
    );
  });

  beforeAll(() => {
    const module = join(folder, "repository");
    cpSync(checkout(), module, { recursive: true });
    const git = (...args: string[]) => execFileSync("git", ["-C", module, ...args], { stdio: "ignore" });
    git("init", "--initial-branch=main");
    git("add", ".");
    git("-c", "user.name=test", "-c", "user.email=test@localhost", "commit", "-m", "first");
  });

  test("leaves a commit on the branch that it names", () => {
    const files = execFileSync("git", ["-C", join(folder, "repository"), "ls-tree", "--name-only", "pgo", "cmd/app/"]);
    expect(files.toString()).toContain("cmd/app/default.pgo\ncmd/app/default.pgo.json\n");
  });

  test("the policy is one that is taken", async () => {
    const [policy] = codeBlocks(PAGE).filter(({ code }) => code.startsWith("# policy.yaml"));
    writeFileSync(join(folder, "documented.yaml"), policy!.code);
    const script = "profusion pgo policy set --service other documented.yaml";
    expect(await run({ shell: ["sh", "-c"], script }, folder, server.url)).toContain(
      'policy "default" of "other" is set',
    );
  });
});
