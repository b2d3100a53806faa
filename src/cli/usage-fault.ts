// What cannot be read of a command line, in the words of all other errors: one line, and nothing of it that may be a secret.

import type { CommanderError } from "commander";

/** `args` are the words behind the command's name; `verbs` those that there are. */
export function usageFault(
  { code, message }: CommanderError,
  args: readonly string[],
  verbs: ReadonlySet<string>,
): string {
  const said = message
    .trim()
    .replace(/^error: /, "")
    .replace(/^command-argument value/, "value")
    .replace(/\.?\n+/g, " ");
  const flag = /^unknown option '(-[^']*)'/s.exec(said)?.[1];
  if (code === "commander.unknownOption" && flag !== undefined) {
    // The value of --key=… is not for the eyes of whoever reads the terminal or the log.
    const shown = flag.startsWith("--") ? flag.replace(/=.*/s, "") : flag.slice(0, 2);
    const verb = args.find((arg) => verbs.has(arg));
    const isBefore = verb !== undefined && args.indexOf(flag) < args.indexOf(verb);
    if (isBefore)
      return sentence(`option ${shown} stands before the verb; write it behind, as in "profusion ${verb} ${shown}"`);
    return sentence(said.replace(`'${flag}'`, `'${shown}'`));
  }
  // The arguments themselves are left out: one may be a value that has lost its option.
  if (code === "commander.excessArguments") return sentence(said.replace(/: .*$/s, ""));
  return sentence(said);
}

function sentence(said: string): string {
  return `Cannot read the command line: ${said.replace(/\.$/, "")}; --help says what there is`;
}
