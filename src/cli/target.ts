// Which server a verb talks to and with which key: options, then the environment, then the contexts file.

import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { DomainError } from "../model/errors.ts";
import { quote } from "../model/text.ts";
import { type ClientOptions, DEFAULT_SERVER } from "./client-options.ts";
import { type Context, contextsFile, otherContexts, readContexts } from "./contexts.ts";
import { checkZone } from "./local-time.ts";
import { systemFault } from "./system-fault.ts";

export interface Target {
  server: string;
  key: string | undefined;
  /** The context that named the server; none where an option or a variable did. */
  context?: string;
}

/** Throws `invalid` for a server that is no URL, for a context that is not there, and for a key or a zone that cannot be used. */
export async function findTarget(options: ClientOptions, env: NodeJS.ProcessEnv = process.env): Promise<Target> {
  if (options.server !== undefined && options.context !== undefined) {
    throw new DomainError("invalid", "Cannot take --server together with --context: a context names its server");
  }
  checkZone(env);
  const key = (await keyOfOptions(options)) ?? (await keyOfEnvironment(env));
  const named = options.server ?? (options.context === undefined && env.PROFUSION_SERVER);
  if (named) return { server: checkServer(named), key };
  const contexts = await readContexts(env);
  const asked = options.context ?? (env.PROFUSION_CONTEXT || undefined);
  const name = asked ?? contexts.current;
  if (name === undefined) return { server: DEFAULT_SERVER, key };
  const context = contexts.all.get(name);
  if (context === undefined) {
    const known = await otherContexts(contexts, name);
    throw new DomainError("invalid", `Cannot use context ${quote(name)}: ${contextsFile(env)} has ${known}`);
  }
  return { server: checkServer(context.server), key: key ?? (await keyOf(name, context, env)), context: name };
}

/** The URL without the slashes at its end. Throws `invalid` for anything that is no http or https URL, and for one with a secret in it. */
export function checkServer(text: string): string {
  const fault = (rule: string) =>
    new DomainError("invalid", `Cannot use server ${quote(withoutSecrets(text))}: ${rule}`);
  if (!URL.canParse(text) || !/^https?:\/\//.test(text)) throw fault(`write a URL such as ${DEFAULT_SERVER}`);
  const { username, password } = new URL(text);
  if (username !== "" || password !== "") {
    throw fault("a user and a password would be shown wherever it is; name a key with --key or PROFUSION_KEY");
  }
  if (/[?#]/.test(text)) throw fault("it ends with its path, without ? and #");
  return text.replace(/\/+$/, "");
}

/** Also of what is no URL: in whatever stands before an @, or behind a ?, there may be one. */
export function withoutSecrets(server: string): string {
  return server.replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*@/is, "$1xxxxx@").replace(/\?.*/s, "?…");
}

/** Throws `invalid`, without the key, for one that no header can carry. `origin` is where it was written. */
export function checkedKey(key: string | undefined, origin: string): string | undefined {
  if (key === undefined || /^[\x21-\x7e]+$/.test(key)) return key;
  const rule = "a key is of letters, digits and signs of ASCII, without spaces and line ends";
  const fault = key === "" ? "it is empty" : "it has a character that no HTTP header carries";
  throw new DomainError("invalid", `Cannot use the key of ${origin}: ${fault}; ${rule}`);
}

async function keyOfOptions({ key, keyFile }: ClientOptions): Promise<string | undefined> {
  if (key !== undefined && keyFile !== undefined) {
    throw new DomainError("invalid", "Cannot take --key together with --key-file: one key is sent");
  }
  return keyFile === undefined ? checkedKey(key, "--key") : await readKey(keyFile, "--key-file");
}

async function keyOfEnvironment(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const { PROFUSION_KEY: key, PROFUSION_KEY_FILE: keyFile } = env;
  if (key && keyFile) {
    throw new DomainError("invalid", "Cannot take PROFUSION_KEY together with PROFUSION_KEY_FILE: one key is sent");
  }
  return keyFile ? await readKey(keyFile, "PROFUSION_KEY_FILE") : checkedKey(key || undefined, "PROFUSION_KEY");
}

/** A context's key goes to the context's server alone: whoever names another server names another key. */
async function keyOf(name: string, context: Context, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  if (context.keyFile === undefined) return checkedKey(context.key, `context ${quote(name)}`);
  return await readKey(resolve(dirname(contextsFile(env)), context.keyFile), `context ${quote(name)}`);
}

/** All of the file, without the white space around it. */
async function readKey(file: string, origin: string): Promise<string | undefined> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    throw new DomainError("invalid", `Cannot read the key of ${origin} from ${file}: ${systemFault(cause)}`, { cause });
  }
  return checkedKey(text.trim(), `${origin} in ${file}`);
}
