// The options that all verbs have that talk to a server. What becomes of them: target.ts.

import type { Command } from "commander";

export interface ClientOptions {
  server?: string;
  key?: string;
  keyFile?: string;
  context?: string;
}

export const DEFAULT_SERVER = "http://127.0.0.1:10100";

export function addClientOptions(command: Command): Command {
  return command
    .option("--server <url>", `the server (PROFUSION_SERVER; default ${DEFAULT_SERVER})`)
    .option("--context <name>", "server and key by a name that `profusion context add` gave (PROFUSION_CONTEXT)")
    .option("--key <key>", "the key for the server (PROFUSION_KEY)")
    .option("--key-file <file>", "the file that holds the key (PROFUSION_KEY_FILE)");
}
