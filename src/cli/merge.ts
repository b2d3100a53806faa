// `profusion merge`: fetches the merge of a selection into a file or stdout, and tells what is in it.

import type { Command } from "commander";
import { DomainError } from "../model/errors.ts";
import { addClientOptions, type ClientOptions } from "./client-options.ts";
import { connect } from "./connection.ts";
import { addExample } from "./example.ts";
import { fetchMerge } from "./fetch-merge.ts";
import { addOutputOptions, answerJson, type OutputOptions } from "./output.ts";
import { addSelectionOptions, SELECTOR_HELP, type SelectionOptions } from "./selection-options.ts";
import { tellSummary } from "./tell-summary.ts";
import { writeWhole } from "./write-whole.ts";

interface MergeOptions extends ClientOptions, SelectionOptions, OutputOptions {
  output?: string;
}

export function addMerge(program: Command): void {
  const command = program
    .command("merge")
    .description("fetch the merge of all profiles that match, as a gzipped pprof profile")
    .argument("[selector]", SELECTOR_HELP)
    .option("-o, --output <file>", "the file to write; default, and with -, stdout; with --json required")
    .action(merge);
  addSelectionOptions(command);
  addClientOptions(command);
  addOutputOptions(command, "no summary");
  addExample(command, `profusion merge 'cpu{service="auth"}' --last 2h -o auth.pb.gz`);
}

async function merge(typed: string | undefined, options: MergeOptions): Promise<void> {
  const { json } = options;
  const output = options.output === "-" ? undefined : options.output;
  if (output === undefined && (json || process.stdout.isTTY)) {
    const where = json ? "beside JSON" : "to a terminal";
    throw new DomainError("invalid", `Cannot write a profile ${where}: name a file with -o`);
  }
  const connection = await connect(options);
  const { profileBytes, summary } = await fetchMerge(connection, typed, options);
  if (output === undefined) process.stdout.write(profileBytes);
  else await writeWhole(profileBytes, output);
  if (json) answerJson(connection.json(summary));
  else tellSummary(summary, options);
}
