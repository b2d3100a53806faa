// The command line as a tree: every verb, in the order in which help shows them. Each has a file of its own.

import { readFileSync } from "node:fs";
import { styleText } from "node:util";
import { Command } from "commander";
import { addCompletion } from "./completion.ts";
import { addConfig } from "./config/command.ts";
import { addContext } from "./context.ts";
import { addDelete } from "./delete.ts";
import { addDemo } from "./demo.ts";
import { addGet } from "./get.ts";
import { addList } from "./list.ts";
import { addMerge } from "./merge.ts";
import { addNames } from "./names.ts";
import { addOpen } from "./open.ts";
import { addPack } from "./pack.ts";
import { packageFile } from "./package-file.ts";
import { addPprof } from "./pprof.ts";
import { addPush } from "./push.ts";
import { addServe } from "./serve.ts";
import { shown } from "./terminal.ts";
import { addTop } from "./top.ts";
import { addUsage } from "./usage.ts";

/** Everything that is inherited is set before the verbs are added. Its errors are thrown, after commander has told them. */
export function createProgram(): Command {
  const version = readVersion();
  const program = new Command("profusion")
    .description("A profile repository: keeps every pprof profile and merges any labelled window of them")
    .version(version)
    .option("--debug", "show the stack trace of what fails")
    .showHelpAfterError("(--help says what there is)")
    .exitOverride()
    .configureHelp({ styleTitle: (title) => styleText("bold", title, { validateStream: false }) })
    .configureOutput({
      writeOut: (text) => process.stdout.write(shown(text)),
      writeErr: (text) => process.stderr.write(shown(text)),
      outputError: (text, write) => write(text.replace(/^error: /, "profusion: ")),
    });
  addServe(program, version);
  addDemo(program);
  addPush(program);
  addList(program);
  addGet(program);
  addMerge(program);
  addTop(program);
  addPprof(program);
  addOpen(program);
  addDelete(program);
  addNames(program);
  addUsage(program);
  addPack(program);
  addConfig(program);
  addContext(program);
  addCompletion(program);
  return program;
}

function readVersion(): string {
  const text = readFileSync(packageFile("package.json"), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
