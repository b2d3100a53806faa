// The shell blocks of the book's pages, run in order against a server that has the profiles of the tour; and that whatever block a page has,
// some test runs or reads it. Needs curl and Go.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { codeBlocks } from "../support/code-blocks.ts";
import { runServer, type ServerForTest } from "../support/run-server.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const DOCUMENTED = "http://127.0.0.1:10100";
const PAGES = ["docs/concepts.md", "docs/selectors.md", "docs/http-api.md"];
const read = (path: string) => readFileSync(join(ROOT, path), "utf8");
const shellOf = (path: string) => codeBlocks(read(path)).filter(({ language }) => language === "sh");

let folder: string;
let server: ServerForTest;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "profusion-book-"));
  symlinkSync(join(ROOT, "test"), join(folder, "test"));
  const command = join(folder, "profusion");
  writeFileSync(command, `#!/bin/sh\nexec '${process.execPath}' '${join(ROOT, "src/cli/main.ts")}' "$@"\n`);
  chmodSync(command, 0o755);
  server = await runServer();
  const pushes = shellOf("README.md").flatMap(({ code }) => code.match(/^npx profusion push .*$/gm) ?? []);
  expect(pushes.length).toBeGreaterThan(1);
  for (const push of pushes) await run(push.replace("npx ", ""));
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

async function run(script: string): Promise<string> {
  const child = spawn("bash", ["-euo", "pipefail", "-c", script.replaceAll(DOCUMENTED, server.url)], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, PATH: `${folder}:${process.env.PATH}`, PROFUSION_SERVER: server.url, PPROF_TMPDIR: folder },
  });
  const output: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => output.push(chunk));
  const [code] = await once(child, "close");
  const text = Buffer.concat(output).toString("latin1");
  expect(code, `${script}\n${text}`).toBe(0);
  return text;
}

describe.each(PAGES)("%s", (page) => {
  test.each(shellOf(page))("$code", async ({ code }) => {
    expect(await run(code)).not.toBe("");
  });
});

test("the contexts file of docs/command-line.md is taken as it is written", async () => {
  const [block] = codeBlocks(read("docs/command-line.md")).filter(({ language }) => language === "yaml");
  mkdirSync(join(folder, "home/profusion"), { recursive: true });
  writeFileSync(join(folder, "home/profusion/config.yaml"), block!.code);
  const said = await run(`XDG_CONFIG_HOME=home profusion context list --json`);
  expect(JSON.parse(said).contexts).toEqual([
    { name: "prod", server: "https://profusion.example", current: true, hasKey: true },
    { name: "laptop", server: DOCUMENTED, current: false, hasKey: false },
  ]);
});

test("the commands of docs/access.md make a key, check the file that it shows, and take keys out of it", async () => {
  const keys = join(folder, "keys");
  const [make, file, take] = codeBlocks(read("docs/access.md")).map(({ code }) =>
    code.replaceAll("/etc/profusion/keys", keys).replace("https://profusion.example", server.url),
  );
  const [first, serve] = make!.trim().split("\n");
  expect(await run(first!)).toMatch(/\nci sha256:[0-9a-f]{64} write,pgo service=auth\n/);
  // Its hashes are shortened.
  writeFileSync(
    keys,
    file!.replaceAll(/(sha256:)([0-9a-f]{8})…/g, (_, form, digits) => form + digits.repeat(8)),
  );
  const tls = " --tls-cert c --tls-key k --tls-client-ca a";
  expect(await run(serve!.replace("profusion serve", "profusion config check") + tls)).toBe("ok\n");
  await run(`ADMIN_KEY=any\n${take}`);
  const left = readFileSync(keys, "utf8").matchAll(/^(\w+) /gm);
  expect([...left].map(([, word]) => word)).toEqual([
    "analyst",
    "ops",
    "agents",
    "listener",
    "range",
    "range",
    "admit",
  ]);
});

describe("the indented commands of README.md", () => {
  const commands = [...read("README.md").matchAll(/^ {4}(\S.*?)(?: +#.*)?$/gm)].map(([, command]) => command!);
  const serving = commands.filter((command) => command.startsWith("profusion serve "));

  test("are the two that tour.test.ts and whoever runs this suite type, and ways to serve", () => {
    expect(commands).toEqual(["npm ci && npm start", "npm ci && npm test", ...serving]);
    expect(serving.length).toBeGreaterThan(0);
  });

  test.each(serving)("%s has settings that can be", async (command) => {
    expect(await run(command.replace("profusion serve", "profusion config check"))).toBe("ok\n");
  });
});

/** Who runs or reads the blocks of a language on a page; `text` is a drawing. */
const HANDLED_BY: Record<string, Record<string, string>> = {
  "README.md": { sh: "test/e2e/tour.test.ts", ts: "test/e2e/tour.test.ts" },
  "docs/access.md": { sh: "test/e2e/book.test.ts", keys: "test/e2e/book.test.ts" },
  "docs/architecture.md": { text: "test/docs.test.ts" },
  "docs/command-line.md": { yaml: "test/e2e/book.test.ts" },
  "docs/concepts.md": { sh: "test/e2e/book.test.ts" },
  "docs/configuration.md": { yaml: "test/cli/config/command.test.ts" },
  "docs/http-api.md": { sh: "test/e2e/book.test.ts" },
  "docs/operations.md": { sh: "test/e2e/operations.test.ts", ts: "test/e2e/package.test.ts" },
  "docs/pgo.md": {
    sh: "test/e2e/pgo-recipes.test.ts",
    yaml: "test/e2e/pgo-recipes.test.ts",
    dockerfile: "test/e2e/pgo-recipes.test.ts",
  },
  "docs/pgolib.md": {
    go: "test/e2e/compat-pgolib.test.ts",
    sh: "test/e2e/compat-pgolib.test.ts",
    dockerfile: "test/e2e/compat-pgolib.test.ts",
  },
  "docs/selectors.md": { sh: "test/e2e/book.test.ts" },
};

describe("every code block is run, or read by what its language is for", () => {
  const pages = ["README.md", ...globSync("docs/**/*.md", { cwd: ROOT })].sort();

  test.each(pages)("%s", (page) => {
    const languages = codeBlocks(read(page)).map(({ language }) => language);
    // No fence that codeBlocks() does not see.
    expect(read(page).match(/^\s*(```|~~~)/gm) ?? []).toHaveLength(2 * languages.length);
    expect([...new Set(languages)].sort()).toEqual(Object.keys(HANDLED_BY[page] ?? {}).sort());
  });

  test.each(Object.entries(HANDLED_BY))("%s is named by the tests that do", (page, handlers) => {
    for (const file of new Set(Object.values(handlers))) expect(read(file), file).toContain(page.split("/").at(-1));
  });

  test("of the shell blocks of docs/operations.md each is one that a test looks for", () => {
    const looked = ["npm install profusion\n", "go tool pprof", "docker buildx", "sudo systemctl"];
    const blocks = shellOf("docs/operations.md").map(({ code }) => code);
    expect(blocks.filter((code) => !looked.some((words) => code.includes(words)))).toEqual([]);
  });
});
