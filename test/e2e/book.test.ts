// The shell blocks of the book's pages, run in order against a server that has the profiles of the tour. Needs curl and Go.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
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

test("every shell block of the book is in one of these pages or in the tour", () => {
  const others = ["docs/coming-from.md", "docs/metrics.md", "docs/command-line.md", "docs/README.md"].flatMap(shellOf);
  expect(others).toEqual([]);
});
