// `push` and `import` on a terminal: the progress bar is there while it runs and gone when it has ended. Needs script(1), which makes the terminal.

import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildGzip } from "../support/profile-builder.ts";
import { runServer, type ServerForTest } from "../support/run-server.ts";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
/** To the start of the line, and all of it erased. */
const ERASED = "\u001b[1G\u001b[2K";

let server: ServerForTest;
let folder: string;
beforeAll(async () => {
  server = await runServer();
  folder = mkdtempSync(join(tmpdir(), "profusion-terminal-"));
  mkdirSync(join(folder, "files"));
  mkdirSync(join(folder, "stored"));
  for (let number = 0; number < 200; number++) {
    const samples = [{ stack: [`f${number}`], values: [1, number] }];
    const bytes = buildGzip({ timeNs: 1_700_000_000_000_000_000n, samples });
    writeFileSync(join(folder, "files", `${number}`), bytes);
    writeFileSync(join(folder, "stored", `app-${1_700_000_000_000 + number}.pprof`), bytes);
  }
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

/** What the terminal got, by the shell. */
async function onTerminal(more: string, words = `push --service terminal ${join(folder, "files")}`): Promise<string> {
  const command = `${process.execPath} ${MAIN} ${words} ${more}`;
  const env = { ...process.env, PROFUSION_SERVER: server.url, XDG_STATE_HOME: folder, TERM: "xterm" };
  const { stdout } = await promisify(execFile)("script", ["-qec", command, "/dev/null"], { env });
  return stdout.replaceAll("\r\n", "\n");
}

/** What stands on the terminal at the end. */
function remains(text: string): string[] {
  const shown = text.split("\n").map((line) => line.split(ERASED).at(-1)!);
  return shown.filter((line) => line !== "");
}

test("the bar is drawn from the start, leaves the lines of ids alone, and is gone in the end", async () => {
  const text = await onTerminal("");
  expect(text).toContain(`[>${" ".repeat(23)}] 0% 0 of 200${ERASED}`);
  const lines = remains(text);
  const isId = (line: string) => /^[0-9a-z]{26}$/.test(line);
  expect(lines.filter((line) => !isId(line))).toEqual(["200 of 200 are stored"]);
  expect(lines.filter(isId).length).toBe(200);
});

test("an import has one, over all that is to be imported, and leaves its table", async () => {
  const text = await onTerminal("", `import dir ${join(folder, "stored")}`);
  expect(text).toContain(`[>${" ".repeat(23)}] 0% 0 of 200${ERASED}`);
  const lines = remains(text);
  expect(lines.map((line) => line.split(/ +/).slice(0, 4).join(" "))).toEqual([
    expect.stringMatching("LAYOUT SERVICE TYPE IMPORTED"),
    "pgolib app cpu 200",
    "200 of 200 imported,",
  ]);
});

test("there is none with --quiet, nor where errors do not go to the terminal", async () => {
  expect(await onTerminal("--quiet")).not.toContain("[");
  expect(await onTerminal("2>&1 | cat")).not.toContain("] 0%");
});
