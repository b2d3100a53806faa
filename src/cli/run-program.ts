// One run of the command line: what fails ends in one line and an exit code, and in a stack trace where --debug asks for it.

import { type Command, CommanderError } from "commander";
import { DomainError } from "../model/errors.ts";
import { helpWords, showHelp } from "./asked-help.ts";
import { EXIT, exitCodeOf } from "./exit-code.ts";
import { complain } from "./output.ts";
import { createProgram } from "./program.ts";
import { systemFault } from "./system-fault.ts";
import { usageFault } from "./usage-fault.ts";

export async function runProgram(argv: readonly string[]): Promise<void> {
  const args = argv.slice(2);
  const program = await createProgram(args);
  const fail = (error: unknown) => {
    process.exitCode = report(error, program, args);
  };
  endWithTheReader();
  process.on("uncaughtException", (error) => {
    fail(error);
    process.exit();
  });
  try {
    const asked = helpWords(args);
    if (asked) await showHelp(program, asked);
    else await program.parseAsync(argv);
  } catch (error) {
    fail(error);
  }
}

function report(error: unknown, program: Command, args: readonly string[]): number {
  if (error instanceof CommanderError) return reportUsage(error, program, args);
  if (error instanceof DomainError) complain(error.message);
  else complain(`failed unexpectedly: ${error instanceof Error ? error.message : String(error)}; --debug shows where`);
  if (program.opts().debug === true) console.error(error);
  return exitCodeOf(error);
}

/** Commander has told help and the version itself. */
function reportUsage(error: CommanderError, program: Command, args: readonly string[]): number {
  if (error.exitCode === 0) return EXIT.done;
  const isHelp = error.code === "commander.help"; // of a verb that has others and was named alone
  if (!isHelp) complain(usageFault(error, args, new Set(program.commands.map((each) => each.name()))));
  return EXIT.invalid;
}

/** Whoever reads may have seen enough, as `| head -1`: that is no failure. */
function endWithTheReader(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") process.exit();
      throw new DomainError("unavailable", `Cannot write the output: ${systemFault(error)}`, { cause: error });
    });
  }
}
