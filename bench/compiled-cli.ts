// The command line as its users have it: compiled, as the package carries it.

import { join } from "node:path";
import { run } from "./go-programs.ts";

const ROOT = join(import.meta.dirname, "..");

/** Compiles now. Answers the path of what `profusion` runs. */
export async function compiledCli(): Promise<string> {
  await run(process.execPath, [join(ROOT, "scripts/compile.ts")]);
  return join(ROOT, "dist/src/cli/main.js");
}
