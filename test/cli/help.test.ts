// The help: every verb has examples that the command line takes as they stand, and asking for help loads next to nothing.

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { describe, expect, test } from "vitest";
import { EXIT } from "../../src/cli/exit-code.ts";
import { createProgram } from "../../src/cli/program.ts";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const GUIDE = readFileSync(new URL("../../docs/command-line.md", import.meta.url), "utf8");

/** Those that do something themselves, by their whole names. */
function leavesOf(command: Command, name = ""): [name: string, command: Command][] {
  const below = command.commands.filter((each) => !(each as { _hidden?: boolean })._hidden);
  if (below.length === 0) return [[name.trim(), command]];
  return below.flatMap((each) => leavesOf(each, `${name} ${each.name()}`));
}

function helpOf(command: Command): string {
  const parts: string[] = [];
  command.configureOutput({ writeOut: (part) => parts.push(part) }).outputHelp();
  return parts.join("");
}

function examplesOf(help: string): string[] {
  const [, after = ""] = help.split(/^Examples?:\n/m);
  return after.split("\n").flatMap((line) => /^ {2}(\S.*)/.exec(line)?.[1] ?? []);
}

/** As bash splits it; what stands around the command is left out. */
function wordsOf(example: string): string[] {
  const script = `exec 3>&1; profusion() { printf '%s\\0' "$@" >&3; }; ${example}`;
  return spawnSync("bash", ["-c", script], { encoding: "utf8", cwd: tmpdir() }).stdout.split("\0").slice(0, -1);
}

const verbs = leavesOf(await createProgram());

test("profusion --help has a line for each verb, without loading any", async () => {
  const names = (program: Command) =>
    program.commands.filter((each) => each.name() !== "__complete").map((each) => each.name());
  const light = await createProgram([]);
  expect(names(light)).toEqual(names(await createProgram()));
  expect(leavesOf(light).every(([, { options }]) => options.length === 0)).toBe(true);
});

test("the guide has a line for each verb", () => {
  expect(verbs.length).toBeGreaterThan(15);
  const described = [...GUIDE.matchAll(/^\| `profusion ([a-z0-9-]+(?: [a-z0-9-]+)*)/gm)].map(([, name]) => name);
  expect(described.sort()).toEqual(verbs.map(([name]) => name).sort());
});

test("the guide has a line for each exit code", () => {
  const codes = [...GUIDE.matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code));
  expect(codes).toEqual(Object.values(EXIT));
});

describe.each(verbs.map(([name]) => name))("profusion %s --help", (name) => {
  const [, verb] = verbs.find(([each]) => each === name)!;

  test("describes the verb and every option, and has an example that is taken as it stands", async () => {
    expect(verb.description()).not.toBe("");
    for (const { long, description } of verb.options) expect(`${long}: ${description}`).toMatch(/: .{4}/);
    const examples = examplesOf(helpOf(verb));
    expect(examples.length).toBeGreaterThan(0);
    for (const example of examples) {
      const program = await createProgram();
      let ran = "";
      for (const [each, leaf] of leavesOf(program)) {
        leaf.action(() => {
          ran = each;
        });
      }
      await program.parseAsync(wordsOf(example), { from: "user" });
      expect(ran, example).toBe(name);
    }
  });
});

test.each(["--help", "list --help", "--version"])(
  "profusion %s loads no package but the parser, and no profile code",
  (words) => {
    const hook = `import { registerHooks } from "node:module";
    registerHooks({ load: (url, context, next) => (url.startsWith("file:") && console.error(url), next(url, context)) });`;
    const args = ["--import", `data:text/javascript,${encodeURIComponent(hook)}`, MAIN, ...words.split(" ")];
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
    const loaded = stderr
      .trim()
      .split("\n")
      .map((url) => url.replace(/^.*?\/(node_modules|src|gen)\//, "$1/"));
    expect([status, loaded.length > 10]).toEqual([0, true]);
    const allowed =
      /^src\/(cli|model)\/|^src\/storage\/disk\/make-folder|^node_modules\/(commander|fast-string-truncated-width)\//;
    expect(loaded.filter((path) => !allowed.test(path) || path.includes("regexp"))).toEqual([]);
  },
);
