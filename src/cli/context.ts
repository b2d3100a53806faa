// `profusion context`: names for servers and their keys. The file is contexts.ts's.

import { resolve } from "node:path";
import type { Command } from "commander";
import { DomainError } from "../model/errors.ts";
import { quote, textFault } from "../model/text.ts";
import { changeContexts, contextsFile, otherContexts, readContexts } from "./contexts.ts";
import { addExample } from "./example.ts";
import { addOutputOptions, answer, answerExactly, answerJson, note, type OutputOptions } from "./output.ts";
import { createTable } from "./table.ts";
import { checkedKey, checkServer, withoutSecrets } from "./target.ts";

interface AddOptions extends OutputOptions {
  server: string;
  key?: string;
  keyFile?: string;
}

export function addContext(program: Command): void {
  const context = program.command("context").description("names for servers and their keys");
  const verb = (usage: string, description: string) =>
    addOutputOptions(context.command(usage).description(description));
  addExample(
    verb("add <context>", "give a server a name; the first one is used from then on")
      .requiredOption("--server <url>", "the server")
      .option("--key <key>", "its key, kept in the contexts file")
      .option("--key-file <file>", "the file that holds its key")
      .action(add),
    "profusion context add prod --server https://profusion.example --key-file prod.key",
  );
  addExample(verb("use <context>", "what verbs talk to from now on").action(use), "profusion context use prod");
  addExample(verb("list", "the names, and which one is used").action(list), "profusion context list");
  addExample(verb("remove <context>", "forget a name").action(remove), "profusion context remove prod");
}

async function add(name: string, options: AddOptions): Promise<void> {
  const { keyFile } = options;
  const nameFault = name === "" ? "is empty" : textFault(name);
  if (nameFault) throw new DomainError("invalid", `Cannot add context ${quote(name)}: its name ${nameFault}`);
  const key = checkedKey(options.key, "--key");
  const server = checkServer(options.server);
  if (key !== undefined && keyFile !== undefined) {
    throw new DomainError("invalid", "Cannot take --key together with --key-file: a context has one key");
  }
  const entry = { server, ...(key && { key }), ...(keyFile && { key_file: resolve(keyFile) }) };
  await changeContexts((document) => {
    document.setIn(["contexts", name], entry);
    if (!document.has("current")) document.set("current", name);
  });
  note(`${contextsFile()} has context ${quote(name)}`, options);
}

async function use(name: string, options: OutputOptions): Promise<void> {
  await mustExist(name);
  await changeContexts((document) => document.set("current", name));
  note(`context ${quote(name)} is used from now on`, options);
}

async function remove(name: string, options: OutputOptions): Promise<void> {
  await mustExist(name);
  await changeContexts((document) => {
    document.deleteIn(["contexts", name]);
    if (document.get("current") === name) document.delete("current");
  });
  note(`context ${quote(name)} is forgotten`, options);
}

async function mustExist(name: string): Promise<void> {
  const contexts = await readContexts();
  if (contexts.all.has(name)) return;
  const known = await otherContexts(contexts, name);
  throw new DomainError("not-found", `Cannot find context ${quote(name)}: ${contextsFile()} has ${known}`);
}

/** Keys are not shown. */
async function list(options: OutputOptions): Promise<void> {
  const { current, all } = await readContexts();
  const contexts = [...all].map(([name, { server, key, keyFile }]) => ({
    name,
    server: withoutSecrets(server),
    current: name === current,
    hasKey: (key ?? keyFile) !== undefined,
  }));
  if (options.json) return answerJson({ contexts });
  if (options.quiet) return answerExactly(contexts.map(({ name }) => name));
  if (contexts.length === 0) return answer(`no contexts; "profusion context add" makes one`);
  const table = createTable<(typeof contexts)[number]>([
    { heading: "NAME", cell: ({ name }) => name },
    { heading: "SERVER", cell: ({ server }) => server },
    { heading: "CURRENT", cell: (each) => (each.current ? "yes" : "") },
    { heading: "KEY", cell: ({ hasKey }) => (hasKey ? "yes" : "no") },
  ]);
  table.print(contexts);
}
