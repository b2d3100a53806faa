// The contexts file, ~/.config/profusion/config.yaml: names for servers and their keys. Comments in it survive a
// change. What its text says: contexts-text.ts.

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

export function contextsFile(env: NodeJS.ProcessEnv = process.env): string {
  return join(env.XDG_CONFIG_HOME || join(homedir(), ".config"), "profusion", "config.yaml");
}

/** No file: no contexts. Throws `invalid` for a file that says something else. */
export async function readContexts(env: NodeJS.ProcessEnv = process.env): Promise<Contexts> {
  const file = contextsFile(env);
  const text = await readText(file);
  if (text === undefined) return { current: undefined, all: new Map() };
  const { readContextsText } = await import("./contexts-text.ts");
  return readContextsText(text, file).contexts;
}

/** Applies `change` to the file, which only its owner can read, since it may hold keys. */
export async function changeContexts(change: (document: Document) => void): Promise<void> {
  const file = contextsFile();
  const { readContextsText } = await import("./contexts-text.ts");
  const { document } = readContextsText((await readText(file)) ?? "", file);
  // Empty sections are sections, to which something can be added.
  document.contents ??= document.createNode({});
  if (!document.get("contexts")) document.set("contexts", document.createNode({}));
  change(document);
  const text = document.toString();
  readContextsText(text, file);
  try {
    makeFolder(dirname(file), 0o700);
  } catch (cause) {
    throw new DomainError("invalid", `Cannot keep contexts in ${file}: ${systemFault(cause)}`, { cause });
  }
  await writeWhole(text, file, 0o600);
  await chmod(file, 0o600);
}

/** Of the contexts that there are, for a message about one that is not there. */
export async function otherContexts({ all }: Contexts, name: string): Promise<string> {
  const { didYouMean } = await import("../model/nearest.ts");
  const names = [...all.keys()];
  return `${names.map(quote).join(", ") || "none"}${didYouMean(name, names)}`;
}

async function readText(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return undefined;
    throw new DomainError("invalid", `Cannot read contexts from ${file}: ${systemFault(cause)}`, { cause });
  }
}
