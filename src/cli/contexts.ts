// The contexts file, ~/.config/profusion/config.yaml: names for servers and their keys. Comments in it survive a change.

import { chmod, readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import type { Document } from "yaml";
import { DomainError } from "../model/errors.ts";
import { quote } from "../model/text.ts";
import { makeFolder } from "../storage/disk/make-folder.ts";
import { systemFault } from "./system-fault.ts";
import { writeWhole } from "./write-whole.ts";

export interface Context {
  server: string;
  key?: string;
  /** Relative to the folder of the contexts file. */
  keyFile?: string;
}

export interface Contexts {
  current: string | undefined;
  all: Map<string, Context>;
}

const KEYS = ["server", "key", "key_file"];

export function contextsFile(env: NodeJS.ProcessEnv = process.env): string {
  return join(env.XDG_CONFIG_HOME || join(homedir(), ".config"), "profusion", "config.yaml");
}

/** No file: no contexts. Throws `invalid` for a file that says something else. */
export async function readContexts(env: NodeJS.ProcessEnv = process.env): Promise<Contexts> {
  const document = await readDocument(contextsFile(env));
  return document === undefined ? { current: undefined, all: new Map() } : check(document, contextsFile(env));
}

/** Applies `change` to the file, which only its owner can read, since it may hold keys. */
export async function changeContexts(change: (document: Document) => void): Promise<void> {
  const file = contextsFile();
  const { Document: EmptyDocument } = await import("yaml");
  const document = (await readDocument(file)) ?? new EmptyDocument({});
  change(document);
  check(document, file);
  try {
    makeFolder(dirname(file), 0o700);
  } catch (cause) {
    throw new DomainError("invalid", `Cannot keep contexts in ${file}: ${systemFault(cause)}`, { cause });
  }
  await writeWhole(document.toString(), file, 0o600);
  await chmod(file, 0o600);
}

async function readDocument(file: string): Promise<Document | undefined> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return undefined;
    throw fault(file, systemFault(cause));
  }
  const { parseDocument } = await import("yaml");
  const document = parseDocument(text);
  const [error] = document.errors;
  if (error) throw fault(file, error.message.split("\n")[0]!.replace(/:$/, ""));
  return document.contents === null ? undefined : document;
}

function check(document: Document, file: string): Contexts {
  const content = plainContent(document, file);
  if (!isRecord(content)) throw fault(file, "it is a map with `contexts` and `current`");
  const { contexts = {}, current, ...rest } = content;
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) throw fault(file, `${quote(unknown)} means nothing here; \`contexts\` and \`current\` do`);
  if (current !== undefined && typeof current !== "string") throw fault(file, "`current` is the name of a context");
  if (!isRecord(contexts)) throw fault(file, "`contexts` is a map from names to servers");
  const all = new Map(Object.entries(contexts).map(([name, value]) => [name, checkContext(name, value, file)]));
  return { current, all };
}

function plainContent(document: Document, file: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 0 });
  } catch (cause) {
    throw fault(file, `aliases are not allowed here (${cause instanceof Error ? cause.message : String(cause)})`);
  }
}

function checkContext(name: string, value: unknown, file: string): Context {
  if (!isRecord(value)) throw fault(file, `context ${quote(name)} is a map with \`server\``);
  const wrong = Object.entries(value).find(([key, text]) => !KEYS.includes(key) || typeof text !== "string");
  if (wrong) throw fault(file, `${quote(wrong[0])} of context ${quote(name)}: there are ${KEYS.join(", ")}, all texts`);
  const { server, key, key_file: keyFile } = value as Record<string, string | undefined>;
  if (server === undefined) throw fault(file, `context ${quote(name)} has no \`server\``);
  if (key !== undefined && keyFile !== undefined) throw fault(file, `context ${quote(name)} has both key and key_file`);
  return { server, ...(key !== undefined && { key }), ...(keyFile !== undefined && { keyFile }) };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function fault(file: string, rule: string): DomainError {
  return new DomainError("invalid", `Cannot read contexts from ${file}: ${rule}`);
}
