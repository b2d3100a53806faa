// The command line: verbs, exit codes, and one line for what failed. Each verb has a file; a bug keeps its stack trace.

import { readFileSync } from "node:fs";
import { Command } from "commander";
import { DomainError } from "../model/errors.ts";
import { addConfig } from "./config/command.ts";
import { addMerge } from "./merge.ts";
import { addPack } from "./pack.ts";
import { addPush } from "./push.ts";
import { addServe } from "./serve.ts";

const { version } = JSON.parse(readFileSync(new URL(import.meta.resolve("profusion/package.json")), "utf8")) as {
  version: string;
};

const program = new Command("profusion")
  .description("A profile repository: keeps every pprof profile and merges any labelled window of them")
  .version(version)
  .showHelpAfterError("(profusion help shows what there is)");
addServe(program, version);
addConfig(program);
addPush(program);
addMerge(program);
addPack(program);

try {
  await program.parseAsync();
} catch (error) {
  console.error(error instanceof DomainError ? `profusion: ${error.message}` : error);
  process.exitCode = 1;
}
