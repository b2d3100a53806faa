// One run of the command line: what fails ends in one line and an exit code, and in a stack trace where --debug asks for it.

import { CommanderError } from "commander";
import { DomainError } from "../model/errors.ts";
import { EXIT, exitCodeOf } from "./exit-code.ts";
import { complain } from "./output.ts";
import { createProgram } from "./program.ts";

export async function runProgram(argv: readonly string[]): Promise<void> {
  const program = await createProgram(argv.slice(2));
  const fail = (error: unknown) => {
    process.exitCode = report(error, program.opts().debug === true);
  };
  endWithTheReader();
  process.on("uncaughtException", (error) => {
    fail(error);
    process.exit();
  });
  try {
    await program.parseAsync(argv);
  } catch (error) {
    fail(error);
  }
}

function report(error: unknown, debug: boolean): number {
  // Commander has said it already: help, the version, or what cannot be read.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.invalid;
  if (error instanceof DomainError) complain(error.message);
  else complain(`failed unexpectedly: ${error instanceof Error ? error.message : String(error)}; --debug shows where`);
  if (debug) console.error(error);
  return exitCodeOf(error);
}

/** Whoever reads may have seen enough, as `| head -1`: that is no failure. */
function endWithTheReader(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") process.exit();
      throw new DomainError("unavailable", `Cannot write the output: ${error.message}`, { cause: error });
    });
  }
}
