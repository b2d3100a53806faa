// `profusion pprof`: the local `go tool pprof` on a selection, or on the difference of two.

import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import { DomainError } from "../model/errors.ts";
import { addClientOptions, type ClientOptions } from "./client-options.ts";
import { type Connection, connect } from "./connection.ts";
import { addExample } from "./example.ts";
import { EXIT } from "./exit-code.ts";
import { type AskedMerge, askedMerge, fetchAsked } from "./fetch-merge.ts";
import type { OutputOptions } from "./output.ts";
import {
  addSelectionOptions,
  checkSelector,
  SELECTOR_HELP,
  type SelectionOptions,
  windowOf,
} from "./selection-options.ts";
import { tellSummary } from "./tell-summary.ts";

interface PprofOptions extends ClientOptions, SelectionOptions, OutputOptions {
  diffBase?: string;
  diffFrom?: string;
  diffTo?: string;
}

export function addPprof(program: Command): void {
  const command = program
    .command("pprof")
    .description("run `go tool pprof` on the merge of all profiles that match; what follows -- goes to it")
    .argument("[selector]", SELECTOR_HELP)
    .argument("[arguments...]", "after --, such as -top or -http=:")
    .option("--diff-base <selector>", "show the difference to the merge of these; default the same profiles")
    .option("--diff-from <time>", "start of the base's window; default the same window")
    .option("--diff-to <time>", "end of the base's window; default now")
    .option("-q, --quiet", "no summary of what was merged")
    .action(pprof);
  addSelectionOptions(command);
  addClientOptions(command);
  addExample(
    command,
    `profusion pprof 'cpu{service="auth"}' --last 2h -- -top`,
    `profusion pprof 'cpu{service="auth"}' --last 1h --diff-from 25h --diff-to 24h -- -http=:`,
    `profusion pprof 'cpu{version="2"}' --last 1d --diff-base 'cpu{version="1"}' -- -top -cum`,
  );
}

async function pprof(first: string | undefined, rest: string[], options: PprofOptions): Promise<void> {
  // With the selection in options, what follows -- comes first.
  const isSelector = first !== undefined && !first.startsWith("-");
  const given = first === undefined || isSelector ? rest : [first, ...rest];
  const asked = await askedMerge(isSelector ? first : undefined, options);
  const base = baseOf(asked, options);
  const connection = await connect(options);
  const folder = await mkdtemp(join(tmpdir(), "profusion-pprof-"));
  try {
    const file = await fetchInto(join(folder, "profile.pb.gz"), connection, asked, options);
    const against = base
      ? [`-diff_base=${await fetchInto(join(folder, "base.pb.gz"), connection, base, options)}`]
      : [];
    process.exitCode = await runTool([...given, ...against, file]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function baseOf(asked: AskedMerge, { diffBase, diffFrom, diffTo }: PprofOptions): AskedMerge | undefined {
  if ((diffBase ?? diffFrom ?? diffTo) === undefined) return undefined;
  if (diffFrom === undefined && diffTo !== undefined) {
    throw new DomainError("invalid", "Cannot take --diff-to without --diff-from: the window of the base has two ends");
  }
  const window = diffFrom === undefined ? undefined : windowOf({ from: diffFrom, ...(diffTo && { to: diffTo }) });
  return {
    selector: diffBase === undefined ? asked.selector : checkSelector(diffBase),
    window: window ?? asked.window,
  };
}

async function fetchInto(
  file: string,
  connection: Connection,
  asked: AskedMerge,
  options: OutputOptions,
): Promise<string> {
  const { profileBytes, summary } = await fetchAsked(connection, asked);
  tellSummary(summary, options);
  await writeFile(file, profileBytes);
  return file;
}

/** Its exit code. The terminal is its own meanwhile: Ctrl-C is for it to understand. */
async function runTool(args: readonly string[]): Promise<number> {
  const { spawn } = await import("node:child_process");
  const child = spawn("go", ["tool", "pprof", ...args], { stdio: "inherit" });
  const leaveToChild = () => {};
  const passOn = () => child.kill("SIGTERM");
  process.on("SIGINT", leaveToChild).on("SIGTERM", passOn);
  try {
    const [code] = (await once(child, "close")) as [number | null];
    return code ?? EXIT.unexpected;
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause && cause.code === "ENOENT")) throw cause;
    throw new DomainError(
      "unavailable",
      'Cannot run "go tool pprof": there is no go on the PATH. Install Go from https://go.dev/dl, or fetch the profile with "profusion merge -o" and open it in another viewer',
      { cause },
    );
  } finally {
    process.off("SIGINT", leaveToChild).off("SIGTERM", passOn);
  }
}
