// `profusion key`: keys for the file that a server is started with. What its verbs do is in files of their own.

import type { Command } from "commander";
import { addClientOptions } from "../client-options.ts";
import { addExample } from "../example.ts";
import { addOutputOptions } from "../output.ts";
import { repeated } from "../repeated.ts";

export function addKey(program: Command): void {
  const key = program.command("key").description("keys for a server's file of them: make one, take one away");
  addNew(key);
  addRevoke(key);
}

function addNew(key: Command): void {
  const command = key
    .command("new")
    .description("print a new key, which nothing keeps, and the line for the server's file, which has its hash")
    .argument("<id>", "what profiles, the log and refusals call it")
    .requiredOption(
      "--scope <scopes>",
      "write, read, pgo, delete, admin, with commas between them; or submit, for a public key",
    )
    .option("--service <name>", "bind it: what it sends is of this service, and it fetches PGO profiles of no other")
    .option("--label <name=value>", "bind it: what it sends has this label; may be repeated", repeated(String), []);
  addOutputOptions(command, "the key and the line, without a word on them");
  addExample(command, "profusion key new ci --scope write,pgo --service auth --label env=ci").action(
    async (id, options) => (await import("./new.ts")).newKey(id, options),
  );
}

function addRevoke(key: Command): void {
  const command = key
    .command("revoke")
    .description("take a key out of the server's file, and with --purge delete every profile that came by it")
    .argument("<id>", "the key's id")
    .option("--file <file>", "the file of keys; not needed with --purge where the key is out of it already")
    .option(
      "--purge",
      "delete what it sent, after a preview and a question; the server is asked as by every other verb",
    )
    .option("-y, --yes", "delete without asking");
  addClientOptions(command);
  addOutputOptions(command, "only the question");
  addExample(
    command,
    "profusion key revoke ci --file /etc/profusion/keys",
    "profusion key revoke oss --file /etc/profusion/keys --purge --yes",
  ).action(async (id, options) => (await import("./revoke.ts")).revokeKey(id, options));
}
