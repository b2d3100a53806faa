#!/usr/bin/env node
// The command as it is installed: says what to do on a Node that cannot run the program, which is main.ts. Plain JavaScript for that.

const needed = 24;
const { version } = process;
if (Number.parseInt(version.slice(1), 10) < needed) {
  console.error(
    `profusion: needs Node ${needed} or newer, and this is ${version}. In a clone, "npm start" and "npx profusion" use the Node that npm ci installed; elsewhere install Node ${needed}.`,
  );
  process.exitCode = 1;
} else {
  await import("./main.ts");
}
