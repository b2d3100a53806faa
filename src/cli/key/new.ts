// `profusion key new`: a key, and the line for the server's file. The key itself is printed once and kept nowhere.

import { hash, randomBytes } from "node:crypto";
import { parseKeyFile } from "../../http/keys/key-file.ts";
import { DEFAULT_LIMITS } from "../../model/limits.ts";
import { answer, answerJson, note, type OutputOptions } from "../output.ts";

interface NewOptions extends OutputOptions {
  scope: string;
  service?: string;
  label: readonly string[];
}

/** So that whoever finds one, a scanner of repositories too, knows what it is. */
const PREFIX = "profusion_";
const KEY_BYTES = 32;

export function newKey(id: string, options: NewOptions): void {
  const { scope, service, label } = options;
  const key = `${PREFIX}${randomBytes(KEY_BYTES).toString("base64url")}`;
  const bindings = [...(service === undefined ? [] : [`service=${service}`]), ...label].map(quoted).join(",");
  const line = [id, `sha256:${hash("sha256", key, "hex")}`, scope, ...(bindings ? [bindings] : [])].join(" ");
  parseKeyFile(line, "profusion key new", DEFAULT_LIMITS); // what a server would say of it, said now
  if (options.json) {
    answerJson({ id, key, line });
    return;
  }
  note("the key, printed this once:", options);
  answer(key);
  note("the line for the file that --keys names:", options);
  answer(line);
}

function quoted(binding: string): string {
  return /[\s,#"]/.test(binding) ? `"${binding.replaceAll('"', "")}"` : binding;
}
