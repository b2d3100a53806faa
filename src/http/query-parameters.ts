// The parameters of a query, read as Go's clients write them and as they expect them to be judged. Which there are is each protocol's own.

import { DomainError } from "../model/errors.ts";
import type { Label } from "../model/labels.ts";
import type { Limits } from "../model/limits.ts";
import { quote } from "../model/text.ts";
import { unescapeQuery, utf8Text } from "./escapes.ts";
import { parseLabelsParameter } from "./labels-parameter.ts";

/** The parameters of one request, still escaped; where one is repeated, the first counts. */
export type Parameters = ReadonlyMap<string, string>;

/** Parameters that nobody asks for are never decoded, so they cannot fail. */
export function parseParameters(query: string): Parameters {
  const parameters = new Map<string, string>();
  for (const pair of query.split("&")) {
    const sign = pair.indexOf("=");
    const name = sign < 0 ? pair : pair.slice(0, sign);
    if (!parameters.has(name)) parameters.set(name, sign < 0 ? "" : pair.slice(sign + 1));
  }
  return parameters;
}

export function badRequest(message: string, cause?: unknown): DomainError {
  return new DomainError("invalid", `bad request: ${message}`, { cause });
}

export function readText(parameters: Parameters, name: string): string | undefined {
  const bytes = readBytes(parameters, name);
  if (bytes === undefined) return undefined;
  const text = utf8Text(bytes);
  if (text === undefined) throw badRequest(`bad ${quote(name)} ${quote(bytes)}: it is not valid UTF-8`);
  return text;
}

function readBytes(parameters: Parameters, name: string): string | undefined {
  const escaped = parameters.get(name);
  return escaped === undefined ? undefined : explained(name, escaped, () => unescapeQuery(escaped));
}

/** As they came, for a profile: the repository puts them in order. */
export function readLabels(parameters: Parameters, limits: Limits): Label[] {
  const bytes = readBytes(parameters, "labels");
  return bytes === undefined ? [] : explained("labels", bytes, () => parseLabelsParameter(bytes, limits));
}

/** Runs `read`, and puts the parameter's name and value before what it throws. */
export function explained<T>(name: string, value: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    throw badRequest(`bad ${quote(name)} ${quote(value)}: ${error.message}`, error);
  }
}
