// The examples in the help. Each is a whole command: test/cli/help.test.ts reads them as a shell does.

import type { Command } from "commander";

export function addExample(command: Command, ...examples: string[]): Command {
  const title = examples.length === 1 ? "Example:" : "Examples:";
  return command.addHelpText("after", `\n${title}\n${examples.map((example) => `  ${example}`).join("\n")}`);
}
