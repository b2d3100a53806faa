// `--pattern '{service}/{version}/{type}-*.pb.gz'`: what the end of a path says of a profile. Which paths it is asked about is sources.ts.

import { DomainError } from "../../model/errors.ts";
import { quote } from "../../model/text.ts";

export interface PathPattern {
  text: string;
  /** In the order in which they are written. */
  names: readonly string[];
  /** Name → value, or undefined where the end of the path does not match. */
  match(path: string): ReadonlyMap<string, string> | undefined;
}

/** A placeholder takes as little of one part of the path as the rest allows; a type only what may be one. */
const ANY_PART = "([^/]+?)";
const TYPE_PART = "([a-zA-Z_][a-zA-Z0-9_]*?)";
const TOKEN = /\{([^{}/]+)\}|\*|[^{}*]+|[{}]/g;

/** Throws `invalid` for one that names nothing, or something twice. */
export function parsePathPattern(text: string): PathPattern {
  const names: string[] = [];
  let source = "";
  for (const [token, name] of text.replace(/^(\.?\/)+/, "").matchAll(TOKEN)) {
    if (name !== undefined) {
      if (names.includes(name)) throw unreadable(text, `it has {${name}} twice`);
      names.push(name);
      source += name === "type" ? TYPE_PART : ANY_PART;
    } else if (token === "{" || token === "}") throw unreadable(text, `a ${quote(token)} in it has no partner`);
    else source += token === "*" ? "[^/]*" : token.replace(/[.+?^$()|[\]\\]/g, "\\$&");
  }
  if (text.includes("**"))
    throw unreadable(text, "* stands for a part of one name, and folders above need not be written");
  if (names.length === 0) throw unreadable(text, "it names nothing");
  const expression = new RegExp(`(?:^|/)${source}$`);
  return {
    text,
    names,
    match(path) {
      const found = expression.exec(path);
      return found ? new Map(names.map((name, at) => [name, found[at + 1]!])) : undefined;
    },
  };
}

function unreadable(text: string, fault: string): DomainError {
  return new DomainError(
    "invalid",
    `Cannot read pattern ${quote(text)}: ${fault}; write such as '{service}/{version}/{type}-*.pb.gz', where {service} and {type} are the profile's own and every other {name} is a label`,
  );
}
