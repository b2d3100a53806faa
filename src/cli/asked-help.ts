// Whose help is asked for, wherever the word stands: `help pack verify`, `pack verify --help`, `pack --help verify`.

import { type Command, CommanderError } from "commander";
import { EXIT } from "./exit-code.ts";

/** The words that name the verb; undefined where no help is asked for. `args` are the words behind the command's name. */
export function helpWords(args: readonly string[]): string[] | undefined {
  const end = args.indexOf("--");
  const ours = end < 0 ? args : args.slice(0, end);
  const words = ours.filter((arg) => !arg.startsWith("-"));
  if (words[0] === "__complete") return undefined;
  if (words[0] === "help") return words.slice(1);
  return ours.some((arg) => arg === "--help" || arg === "-h") ? words : undefined;
}

/** Throws a CommanderError, as the parser does, for a verb that there is not. Words behind a verb are its arguments. */
export async function showHelp(program: Command, words: readonly string[]): Promise<void> {
  let command = program;
  for (const word of words) {
    const names = command.commands.map((each) => each.name());
    if (names.length === 0) break;
    const found = command.commands.find((each) => each.name() === word);
    if (found === undefined) {
      const { didYouMean } = await import("../model/nearest.ts"); // for those who misspell
      const message = `unknown command '${word}'${didYouMean(word, names)}`;
      throw new CommanderError(EXIT.invalid, "commander.unknownCommand", message);
    }
    command = found;
  }
  command.outputHelp();
}
