// Which server a verb talks to and with which key: options, then the environment, then the contexts file.

import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { DomainError } from "../model/errors.ts";
import { quote } from "../model/text.ts";
import { type ClientOptions, DEFAULT_SERVER } from "./client-options.ts";
import { type Context, contextsFile, readContexts } from "./contexts.ts";

export interface Target {
  server: string;
  key: string | undefined;
  /** The context that named the server; none where an option or a variable did. */
  context?: string;
}

/** Throws `invalid` for a server that is no URL, and for a context that is not there. */
export async function findTarget(options: ClientOptions, env: NodeJS.ProcessEnv = process.env): Promise<Target> {
  if (options.server !== undefined && options.context !== undefined) {
    throw new DomainError("invalid", "Cannot take --server together with --context: a context names its server");
  }
  const key = options.key ?? (env.PROFUSION_KEY || undefined);
  const named = options.server ?? (options.context === undefined && env.PROFUSION_SERVER);
  if (named) return { server: checkServer(named), key };
  const contexts = await readContexts(env);
  const asked = options.context ?? (env.PROFUSION_CONTEXT || undefined);
  const name = asked ?? contexts.current;
  if (name === undefined) return { server: DEFAULT_SERVER, key };
  const context = contexts.all.get(name);
  if (context === undefined) {
    const known = [...contexts.all.keys()].map(quote).join(", ") || "none";
    throw new DomainError("invalid", `Cannot use context ${quote(name)}: ${contextsFile(env)} has ${known}`);
  }
  return { server: checkServer(context.server), key: key ?? (await keyOf(name, context, env)), context: name };
}

/** The URL without the slashes at its end. Throws `invalid` for anything that is no http or https URL. */
export function checkServer(text: string): string {
  if (!URL.canParse(text) || !/^https?:\/\//.test(text)) {
    throw new DomainError("invalid", `Cannot use server ${quote(text)}: write a URL such as ${DEFAULT_SERVER}`);
  }
  return text.replace(/\/+$/, "");
}

/** A context's key goes to the context's server alone: whoever names another server names another key. */
async function keyOf(name: string, context: Context, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  if (context.keyFile === undefined) return context.key;
  const file = resolve(dirname(contextsFile(env)), context.keyFile);
  try {
    return (await readFile(file, "utf8")).trim();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new DomainError("invalid", `Cannot read the key of context ${quote(name)}: ${reason}`, { cause });
  }
}
