#!/usr/bin/env node
// The command as it is installed: says what to do on a Node that cannot run the program. That is main.ts in a clone and, compiled, the same
// in a package. Plain JavaScript for that.

import { existsSync } from "node:fs";

const needed = 24;
const { version } = process;
if (Number.parseInt(version.slice(1), 10) < needed) {
  console.error(
    `profusion: needs Node ${needed} or newer, and this is ${version}. In a clone, "npm start" and "npx profusion" use the Node that npm ci installed; elsewhere install Node ${needed}.`,
  );
  process.exitCode = 1;
} else {
  const source = new URL("./main.ts", import.meta.url);
  await import(existsSync(source) ? source : new URL("../../dist/src/cli/main.js", import.meta.url));
}
