// The package as its users get it: packed by npm, installed into an empty folder, run and imported there. Needs npm's registry.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { codeBlocks } from "../support/code-blocks.ts";

const ROOT = join(import.meta.dirname, "../..");
const TSC = join(ROOT, "node_modules/.bin/tsc");
const CPU = join(ROOT, "test/testdata/recorded/go-cpu-1.pb.gz");
/** What a release may weigh, unpacked, without its dependencies: docs/operations.md says so too. */
const UNPACKED_BYTES_MAX = 4_000_000;

interface Packed {
  filename: string;
  unpackedSize: number;
  files: { path: string }[];
}

let folder: string;
let installed: string;
let packed: Packed;
let server: ChildProcess | undefined;
let url: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "profusion-package-"));
  installed = join(folder, "installed");
  const clone = join(folder, "clone");
  copyRepository(clone);
  const report = runInNode24("npm", ["pack", "--json", "--pack-destination", folder], clone);
  // Lines of the scripts that run before it come first.
  [packed] = JSON.parse(report.slice(report.indexOf("[\n"))) as [Packed];
  mkdirSync(installed);
  writeFileSync(join(installed, "package.json"), '{ "private": true, "type": "module" }\n');
  runInNode24("npm", ["install", "--no-audit", "--no-fund", join(folder, packed.filename)], installed);
});
afterAll(async () => {
  if (server?.exitCode === null && server.signalCode === null) {
    const ended = once(server, "close");
    process.kill(-server.pid!, "SIGKILL");
    await ended;
  }
  rmSync(folder, { recursive: true, force: true });
});

/** What a clone would hold, and what is about to be committed; its packages are those of this one. */
function copyRepository(clone: string): void {
  const listed = execFileSync("git", ["ls-files", "-co", "--exclude-standard", "-z"], { cwd: ROOT, encoding: "utf8" });
  for (const path of listed.split("\0").filter(Boolean)) {
    mkdirSync(join(clone, dirname(path)), { recursive: true });
    cpSync(join(ROOT, path), join(clone, path), { force: true });
  }
  // What the test runner writes there comes and goes meanwhile.
  const filter = (path: string) => !basename(path).startsWith(".vite");
  cpSync(join(ROOT, "node_modules"), join(clone, "node_modules"), { recursive: true, verbatimSymlinks: true, filter });
}

/** The environment of a user with Node 24 and nothing of what npm sets for the scripts of this repository. */
function environment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(PROFUSION_|npm_(?!config_)|NODE_(ENV|OPTIONS)$)/.test(name),
  );
  const path = process.env.PATH!.split(":").filter((part) => !part.includes("node_modules"));
  return { ...Object.fromEntries(kept), PATH: [dirname(process.execPath), ...path].join(":") };
}

function runInNode24(command: string, args: readonly string[], cwd: string): string {
  const options = { cwd, env: environment(), encoding: "utf8", timeout: 300_000 } as const;
  return execFileSync(command, args, { ...options, stdio: ["ignore", "pipe", "inherit"] });
}

const profusion = (...args: string[]) => runInNode24("npx", ["--no", "--", "profusion", ...args], installed);

describe("the packed files", () => {
  test("are compiled code, the client's types and the contract, and nothing that only developers need", () => {
    const paths = packed.files.map(({ path }) => path);
    expect(paths).toEqual(
      expect.arrayContaining([
        "LICENSE",
        "README.md",
        "package.json",
        "proto/profusion/v1/profile_service.proto",
        "dist/src/cli/main.js",
        "docs/profusion.1",
        "dist/src/client/client.d.ts",
        "dist/gen/profusion/v1/profile_service_pb.d.ts",
      ]),
    );
    const strangers = paths.filter((path) =>
      /^(test|bench(?!\/testdata\/seed\/)|src(?!\/cli\/profusion\.js$)|scripts|\.ci)\b/.test(path),
    );
    expect(strangers).toEqual([]);
    expect(paths.filter((path) => /(?<!\.d)\.ts$/.test(path))).toEqual([]);
  });

  test("do not name TypeScript files that are not there", () => {
    const named = packed.files
      .filter(({ path }) => path.startsWith("dist/src") && path.endsWith(".js"))
      .filter(({ path }) => /["']\.[^"'\s]*\.ts["']/.test(readFileSync(join(installedPackage(), path), "utf8")));
    expect(named).toEqual([]);
  });

  test(`take at most ${UNPACKED_BYTES_MAX / 1e6} MB, as docs/operations.md says`, () => {
    expect(packed.unpackedSize).toBeLessThanOrEqual(UNPACKED_BYTES_MAX);
    expect(readFileSync(join(ROOT, "docs/operations.md"), "utf8")).toContain(`at most ${UNPACKED_BYTES_MAX / 1e6} MB`);
  });
});

function installedPackage(): string {
  return join(installed, "node_modules/profusion");
}

test("npm installs the dependencies alone, and none for development", () => {
  const { devDependencies } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  const there = Object.keys(devDependencies).filter((name) => existsSync(join(installed, "node_modules", name)));
  expect(there).toEqual([]);
});

describe("npx profusion", () => {
  test("says its version", () => {
    const { version } = JSON.parse(readFileSync(join(installedPackage(), "package.json"), "utf8"));
    expect(profusion("--version").trim()).toBe(version);
  });

  test("serves", async () => {
    server = spawn("npx", ["--no", "--", "profusion", "serve", "--listen", "127.0.0.1:0"], {
      cwd: installed,
      env: environment(),
      detached: true,
      stdio: ["ignore", "pipe", "inherit"],
    });
    const serving = Promise.withResolvers<number>();
    createInterface({ input: server.stdout! }).on("line", (line) => {
      const found = /"addresses":\[\{[^\]]*"port":(\d+)/.exec(line);
      if (found) serving.resolve(Number(found[1]));
    });
    server.once("close", (code) => serving.reject(new Error(`it ended with ${code} before it served`)));
    url = `http://127.0.0.1:${await serving.promise}`;
    expect(readdirSync(join(installed, "data"))).toContain("catalog.db");
  });

  test("pushes and merges", () => {
    const id = profusion("push", "--server", url, "--service", "packed", CPU).trim();
    expect(id).toMatch(/^[0-7][0-9a-z]{25}$/);
    profusion("merge", "--server", url, 'cpu{service="packed"}', "--last", "9999d", "-o", "merged.pb.gz");
    expect(readFileSync(join(installed, "merged.pb.gz")).length).toBeGreaterThan(1000);
  });

  test("packs, so that its threads run compiled too", () => {
    expect(profusion("pack", "now", "--server", url)).toContain("1");
  });
});

const CONSUMER = `
import { createProfusionClient, type ProfusionClient, ProfileService } from "profusion/client";
import type { Profile } from "profusion/v1/profile";

const client: ProfusionClient = createProfusionClient(process.argv[2]!, { key: "unused-yet" });
const { profiles } = await client.profiles.listProfiles({ selector: '{service="packed"}' });
const first: Profile = profiles[0]!;
const size: bigint = first.sizeBytes;
const { summary } = await client.queries.mergeProfiles({
  selection: { selector: 'cpu{service="packed"}', interval: { startTime: { seconds: 0n } } },
});
console.log(JSON.stringify({ service: first.service, isSized: size > 0n, merged: Number(summary?.merged), name: ProfileService.typeName }));

// @ts-expect-error: no such field
await client.profiles.listProfiles({ selecter: "{}" }).catch(() => {});
`;

describe("profusion/client", () => {
  test("is typed: a consumer in TypeScript is checked against it", () => {
    writeFileSync(join(installed, "consumer.ts"), CONSUMER);
    writeFileSync(join(installed, "globals.d.ts"), "declare const process: { argv: string[] };\n");
    const options = ["--noEmit", "--strict", "--module", "nodenext", "--target", "es2024", "--types", ""];
    runInNode24(TSC, [...options, "--ignoreConfig", "consumer.ts", "globals.d.ts"], installed);
  });

  test("lists and merges from a script", () => {
    const said = runInNode24("node", ["consumer.ts", url], installed);
    expect(JSON.parse(said)).toEqual({
      service: "packed",
      isSized: true,
      merged: 1,
      name: "profusion.v1.ProfileService",
    });
  });
});

describe("docs/operations.md", () => {
  const blocks = codeBlocks(readFileSync(join(ROOT, "docs/operations.md"), "utf8"));

  test("its program is typed, and runs", () => {
    const { code } = blocks.find(({ language }) => language === "ts")!;
    writeFileSync(join(installed, "operations.ts"), code.replace("http://127.0.0.1:10100", url));
    const options = ["--noEmit", "--strict", "--module", "nodenext", "--target", "es2024", "--types", ""];
    runInNode24(TSC, [...options, "--ignoreConfig", "operations.ts"], installed);
    runInNode24("node", ["operations.ts"], installed);
  });

  test("its commands install, serve and load the demo, with this package in place of the registry's", async () => {
    const { code } = blocks.find((block) => block.code.includes("npm install profusion"))!;
    const [install, serve, demo, ...others] = code.trim().split("\n");
    expect(others).toEqual([]);
    const empty = join(folder, "empty");
    mkdirSync(empty);
    const shell = (command: string, variables: NodeJS.ProcessEnv) =>
      spawn("bash", ["-euc", command], {
        cwd: empty,
        env: { ...environment(), ...variables },
        detached: true,
        stdio: ["ignore", "pipe", "inherit"],
      });
    const inPlace = install!.replace(/\bprofusion$/, join(folder, packed.filename));
    expect(await once(shell(inPlace, {}).on("error", expect.unreachable), "exit")).toEqual([0, null]);
    const serving = shell(serve!, { PROFUSION_LISTEN: "127.0.0.1:0" });
    const ended = once(serving, "close");
    const port = Promise.withResolvers<string>();
    createInterface({ input: serving.stdout! }).on("line", (line) => {
      const found = /"addresses":\[\{[^\]]*"port":(\d+)/.exec(line);
      if (found) port.resolve(found[1]!);
    });
    void ended.then(([status]) => port.reject(new Error(`it ended with ${status} before it served`)));
    try {
      const loading = shell(demo!, { PROFUSION_SERVER: `http://127.0.0.1:${await port.promise}` });
      const said = text(loading.stdout!);
      expect(await once(loading, "close")).toEqual([0, null]);
      expect(await said).toContain("profusion top");
    } finally {
      process.kill(-serving.pid!, "SIGTERM");
      await ended;
    }
  });
});

test("the server stops when it is told to", async () => {
  const ended = once(server!, "close");
  process.kill(-server!.pid!, "SIGTERM");
  await ended;
});
