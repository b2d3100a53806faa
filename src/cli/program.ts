// The command line as a tree: what is the same for every verb. Which verbs there are: verbs.ts.

import { readFileSync } from "node:fs";
import { styleText } from "node:util";
import { Command } from "commander";
import { packageFile } from "./package-file.ts";
import { shown } from "./terminal.ts";
import { VERB_FILES } from "./verbs.ts";

/**
 * Of the verbs that `argv` does not name there is only what help says of them; without `argv` there is all of each.
 * Everything that is inherited is set before the verbs are added. Its errors are thrown, and not told.
 */
export async function createProgram(argv?: readonly string[]): Promise<Command> {
  const version = readVersion();
  const program = new Command("profusion")
    .description("A profile repository: keeps every pprof profile and merges any labelled window of them")
    .version(version)
    .option("--debug", "show the stack trace of what fails")
    .exitOverride()
    .configureHelp({
      subcommandTerm: (verb) => verb.name(),
      styleTitle: (title) => styleText("bold", title, { validateStream: false }),
    })
    .configureOutput({
      writeOut: (text) => process.stdout.write(shown(text)),
      writeErr: (text) => process.stderr.write(shown(text)),
      // Told by run-program.ts, as every other error.
      outputError: () => {},
    });
  const isAsked = verbsOf(argv);
  for (const { group, summaries, load } of VERB_FILES) {
    program.commandsGroup(group);
    if (Object.keys(summaries).some(isAsked)) (await load())(program);
    else for (const [name, summary] of Object.entries(summaries)) program.command(name).description(summary);
  }
  // Shown here and answered by asked-help.ts, which also knows verbs of verbs.
  program.helpCommand("help [verb...]", "tell the options of a verb");
  return program;
}

/** The first two words, for `help list` too. */
function verbsOf(argv: readonly string[] | undefined): (name: string) => boolean {
  const words = argv?.filter((word) => !word.startsWith("-")).slice(0, 2);
  return (name) => words === undefined || words.includes(name) || words[0] === "__complete";
}

function readVersion(): string {
  const text = readFileSync(packageFile("package.json"), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
