// The command line at a real terminal: widths, colours, the question before a deletion. Needs util-linux's `script`.

import { fileURLToPath } from "node:url";
import { stripVTControlCharacters, styleText } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCli } from "../support/run-cli.ts";
import { runServer, type ServerForTest } from "../support/run-server.ts";
import { openTerminal } from "../support/terminal.ts";

const COMMAND = `'${process.execPath}' '${fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url))}'`;
const recorded = (name: string) => fileURLToPath(new URL(`../testdata/recorded/${name}`, import.meta.url));

let server: ServerForTest;
let env: Record<string, string>;
beforeAll(async () => {
  server = await runServer();
  env = { PROFUSION_SERVER: server.url, LANG: "C.UTF-8", LC_ALL: "C.UTF-8", TZ: "UTC" };
});
afterAll(() => server[Symbol.asyncDispose]());

const push = (service: string, ...labels: string[]) =>
  runCli(["push", "--service", service, ...labels.flatMap((each) => ["--label", each]), recorded("go-cpu-1.pb.gz")], {
    env,
  });
const count = async (service: string) =>
  JSON.parse((await runCli(["list", "--service", service, "--json"], { env })).stdout.toString()).profiles.length;

test("a table is cut at the width of the terminal, and its heading is bold", async () => {
  await push("検索サービス", `note=${"long ".repeat(40)}`);
  await using narrow = openTerminal(`${COMMAND} list`, { env, columns: 70 });
  const { code, text } = await narrow.ended();
  const [heading, row] = text.trimEnd().split("\n");
  expect(code).toBe(0);
  expect(heading).toBe(styleText("bold", stripVTControlCharacters(heading!), { validateStream: false }));
  expect(heading).not.toBe(stripVTControlCharacters(heading!));
  expect(stripVTControlCharacters(row!)).toMatch(/検索サービス {2}cpu .*…$/);
  // Six of its characters are two columns wide.
  expect(stripVTControlCharacters(row!).length).toBeLessThanOrEqual(70 - 6);
  await using wide = openTerminal(`${COMMAND} list`, { env, columns: 400 });
  expect((await wide.ended()).text).toContain(`note=${"long ".repeat(40).trim()}`);
});

test.each([
  ["NO_COLOR", { NO_COLOR: "1" }],
  ["a dumb terminal", { TERM: "dumb" }],
])("%s gets no colours", async (_, quiet) => {
  await using terminal = openTerminal(`${COMMAND} services; ${COMMAND} merge`, { env: { ...env, ...quiet } });
  const { text } = await terminal.ended();
  expect(text).toContain("NAME");
  expect(text).not.toContain("\x1b[");
});

test("a terminal without UTF-8 gets ASCII, cut with three dots", async () => {
  await push("größe", "note=ä long one that is cut somewhere");
  const ascii = { ...env, LANG: "C", LC_ALL: "C" };
  await using terminal = openTerminal(`${COMMAND} list`, { env: ascii, columns: 90 });
  const { text } = await terminal.ended();
  expect(stripVTControlCharacters(text)).toMatch(/^[\x20-\x7e\n]+$/);
  expect(text).toMatch(/gr\\u\{f6\}\\u\{df\}e .*\.\.\.\n/);
});

describe("profusion delete asks", () => {
  test.each([
    ["y\r", 0, 0],
    ["YES\r", 0, 0],
    ["n\r", 1, 1],
    ["\r", 1, 1],
    ["\x04", 1, 1],
  ])("and does what %j says", async (keys, code, left) => {
    await push("asked");
    await using terminal = openTerminal(`${COMMAND} delete '{service="asked"}'`, { env });
    const asked = await terminal.press(keys, "Delete 1 profile? [y/N] ");
    expect(asked).toContain("1 of service asked");
    const ended = await terminal.ended();
    expect([ended.code, await count("asked")]).toEqual([code, left]);
    expect(ended.text).toContain(left === 0 ? "deleted 1 profile" : "nothing was deleted");
  });

  test("and Ctrl-C deletes nothing", async () => {
    await push("kept");
    await using terminal = openTerminal(`${COMMAND} delete '{service="kept"}'`, { env });
    await terminal.press("\x03", "[y/N] ");
    expect((await terminal.ended()).code).not.toBe(0);
    expect(await count("kept")).toBe(1);
  });
});

test("a profile is not written to a terminal", async () => {
  await using terminal = openTerminal(`${COMMAND} merge cpu --last 1h`, { env });
  const { code, text } = await terminal.ended();
  expect([code, text]).toEqual([
    2,
    expect.stringContaining("Cannot write a profile to a terminal: name a file with -o"),
  ]);
});
