// Completion in real shells: bash and zsh at a terminal with Tab, fish by its own `complete -C`. Needs bash, zsh, fish and `script`.

import { execFile } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cpuProfile, pushCpu } from "../support/pgo-service.ts";
import { runCli } from "../support/run-cli.ts";
import { runServer, type ServerForTest } from "../support/run-server.ts";
import { openTerminal, type Terminal } from "../support/terminal.ts";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const recorded = (name: string) => fileURLToPath(new URL(`../testdata/recorded/${name}`, import.meta.url));

let server: ServerForTest;
let folder: string;
let env: Record<string, string>;
beforeAll(async () => {
  server = await runServer();
  folder = mkdtempSync(join(tmpdir(), "profusion-completion-"));
  mkdirSync(join(folder, "bin"));
  const command = join(folder, "bin", "profusion");
  writeFileSync(command, `#!/bin/sh\nexec '${process.execPath}' '${MAIN}' "$@"\n`);
  chmodSync(command, 0o755);
  env = {
    PROFUSION_SERVER: server.url,
    XDG_CONFIG_HOME: folder,
    HOME: folder,
    PATH: `${join(folder, "bin")}:${process.env.PATH}`,
    LANG: "C.UTF-8",
    LC_ALL: "C.UTF-8",
  };
  const push = (service: string, label: string, file: string) =>
    runCli(["push", "--service", service, "--label", label, recorded(file)], { env });
  await pushCpu(server.url, "payments", cpuProfile(2000));
  for (const pushed of [
    await runCli(["pgo", "publish", "--service", "payments", "--name", "r-17", "--channel", "stable"], { env }),
    await push("checkout", "version=1.0.0", "go-cpu-1.pb.gz"),
    await push("checkout", "version=1.0.7", "go-cpu-2.pb.gz"),
    await push("bill desk", "url=http://a:80/x", "go-heap-1.pb.gz"),
    await runCli(["context", "add", "production", "--server", "http://127.0.0.1:1"], { env }),
    await runCli(["context", "add", "staging", "--server", "http://127.0.0.1:2"], { env }),
  ]) {
    expect(pushed.code, pushed.stderr).toBe(0);
  }
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

/** What is typed before Tab, and the line as it stands after it. */
const LINES: [typed: string, completed: string][] = [
  ["profusion li", "profusion list "],
  ["profusion comp", "profusion completion "],
  ["profusion completion z", "profusion completion zsh "],
  ["profusion pack ver", "profusion pack verify "],
  ["profusion merge --las", "profusion merge --last "],
  ["profusion list --service ch", "profusion list --service checkout "],
  ["profusion list --service=ch", "profusion list --service=checkout "],
  ["profusion list --service bi", "profusion list --service bill\\ desk "],
  ["profusion list --type h", "profusion list --type heap "],
  ["profusion list --label ver", "profusion list --label version="],
  ["profusion list --label version=1.0.", "profusion list --label version=1.0."],
  ["profusion list --label version=1.0.7", "profusion list --label version=1.0.7 "],
  ["profusion top --by pack", "profusion top --by package "],
  ["profusion top --by la", "profusion top --by label="],
  ["profusion labels u", "profusion labels url "],
  ["profusion merge c", "profusion merge cpu "],
  ["profusion context use prod", "profusion context use production "],
  ["profusion list --context st", "profusion list --context staging "],
  ["profusion pgo fet", "profusion pgo fetch "],
  ["profusion pgo policy li", "profusion pgo policy list "],
  ["profusion pgo fetch --pin pay", "profusion pgo fetch --pin payments@"],
  ["profusion pgo fetch --pin payments@st", "profusion pgo fetch --pin payments@stable "],
  ["profusion pgo fetch --pin payments@", "profusion pgo fetch --pin payments@"],
  ["profusion pgo fetch --service payments --release r", "profusion pgo fetch --service payments --release r-17 "],
  ["profusion pgo report --service payments --policy pl", "profusion pgo report --service payments --policy plain "],
  ["profusion pgo channel payments@stable r", "profusion pgo channel payments@stable r-17 "],
  ["profusion --debug services --pre", "profusion --debug services --prefix "],
];

/** The set-up has run, and the prompt behind it has come. */
const READY = /LOADED\r\n.*READY> /s;
/** What echo said, and the prompt behind it; where the line was typed, quotes stand between. */
const LINE = /LINE: (.*?) *:END.*READY> /s;
const LOAD_BASH = "PS1='READY> '; source <(profusion completion bash); echo LOADED\r";
// npm sets EDITOR=vi, for which zsh would take other keys.
const LOAD_ZSH =
  "PS1='READY> '; bindkey -e; autoload -U compinit; compinit -u; source <(profusion completion zsh); echo LOADED\r";

describe.each([
  ["bash", "bash --norc --noprofile -i", LOAD_BASH, "\t\t"],
  ["zsh", "zsh -f -i", LOAD_ZSH, "\t"],
])("%s completes", (_, shell, load, tabs) => {
  let terminal: Terminal;
  beforeAll(async () => {
    terminal = openTerminal(shell, { env, columns: 200 });
    await terminal.press(load, /[$%#] /);
    await terminal.press("", READY);
  });
  afterAll(() => terminal[Symbol.asyncDispose]());

  test.each(LINES)("%j", async (typed, completed) => {
    // After Tab the line is made arguments of echo, so that the shell itself tells what stands in it.
    await terminal.press(`${typed}\t\x01echo 'LINE:' \x05 ':END'\r`, "");
    const shown = await terminal.press("", LINE);
    expect(LINE.exec(shown)?.[1]).toBe(asArguments(completed));
  });

  test("lists the choices where there are several", async () => {
    await terminal.press(`profusion context ${tabs}`, "");
    await terminal.press("\x03", /add.*list.*remove.*use/s);
  });
});

/** As echo prints a line. */
function asArguments(line: string): string {
  return line.replaceAll("\\", "").trimEnd();
}

describe("fish completes", () => {
  test.each([
    ["profusion li", ["list\tlist the profiles that match, newest first"]],
    ["profusion list --service ", ["bill desk\t1 profile", "checkout\t2 profiles", "payments\t1 profile"]],
    ["profusion list --label version=", ["version=1.0.0\t1 profile", "version=1.0.7\t1 profile"]],
    ["profusion context use ", ["production\thttp://127.0.0.1:1", "staging\thttp://127.0.0.1:2"]],
    ["profusion merge --las", ["--last\tthe window of the last 30m, 2h, 7d"]],
  ])("%j", async (line, expected) => {
    const script = `profusion completion fish | source; complete -C ${JSON.stringify(line)}`;
    const { stdout } = await promisify(execFile)("fish", ["--no-config", "-c", script], {
      env: { ...process.env, ...env },
    });
    expect(stdout.trimEnd().split("\n").sort()).toEqual(expected);
  });

  test("files where a file is due", async () => {
    writeFileSync(join(folder, "profile.pb.gz"), "");
    const script = `cd ${folder}; profusion completion fish | source; complete -C 'profusion push prof'`;
    const { stdout } = await promisify(execFile)("fish", ["--no-config", "-c", script], {
      env: { ...process.env, ...env },
    });
    expect(stdout).toContain("profile.pb.gz");
  });
});
