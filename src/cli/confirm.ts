// A question that is answered at a terminal, with no as the default.

import { createInterface } from "node:readline/promises";
import { DomainError } from "../model/errors.ts";

/** Throws `invalid` where nobody is there to answer. The end of the input is a no. */
export async function confirm(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) {
    throw new DomainError("invalid", `Cannot ask "${question}" without a terminal: say --yes`);
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const left = new Promise<string>((resolve) => terminal.once("close", () => resolve("")));
  try {
    const said = await Promise.race([terminal.question(`${question} [y/N] `), left]);
    return /^y(es)?$/i.test(said.trim());
  } finally {
    terminal.close();
  }
}
