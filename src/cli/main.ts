// The process: runs the command line and ends with its exit code. The verbs are program.ts's.

import { keepCompiled } from "./keep-compiled.ts";

keepCompiled(process.env);
// Loaded now, so that they come from what was kept.
const { runProgram } = await import("./run-program.ts");
await runProgram(process.argv);
