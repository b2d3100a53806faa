// What one setting is, and the kinds of values there are. Everything that people write is text, in a file, a variable or a flag, and is read
// by the one reader of its kind. Which settings there are: settings.ts.

import { DomainError } from "../../model/errors.ts";
import { formatLimit, type Limit, parseLimit, WRITTEN_LIMIT } from "../../model/limit.ts";
import { quote } from "../../model/text.ts";
import { parseAddress } from "../address.ts";
import { parseOriginals } from "../originals.ts";

/** A kind of values. */
export interface Kind<Value> {
  /** As usage shows it; empty where a flag alone says it. */
  readonly placeholder: string;
  /** In words, for the reference page. */
  readonly allowed: string;
  /** JSON Schema of one value. */
  readonly schema: object;
  /** In a file, relative to its folder. */
  readonly isPath?: true;
  /** Throws `invalid` naming the key, the text and what is allowed. */
  read(key: string, text: string): Value;
}

export interface Definition<Value = unknown> {
  kind: Kind<Value>;
  /** As one writes it; absent where there is none. */
  default?: string;
  /** What it is for, and why the default is what it is. */
  description: string;
  isList?: true;
  /** A variable of a system that this replaces, read where ours is not set. */
  foreignVariable?: string;
  /** Whether a running server takes another value. */
  isReloadable?: boolean;
}

/** A definition with its names, which follow from one: tlsCert is tls_cert, --tls-cert and PROFUSION_TLS_CERT. */
export interface Setting extends Definition {
  name: string;
  /** In the file; limits.labels is labels in the section limits. */
  key: string;
  variable: string;
  flag: string;
  isReloadable: boolean;
}

export const address: Kind<ReturnType<typeof parseAddress>> = {
  placeholder: "<host:port>",
  allowed: "HOST:PORT; port 0 is any free one",
  schema: { type: "string", pattern: "^.+:[0-9]{1,5}$" },
  read: (_key, text) => parseAddress(text),
};

export const folder = path("<folder>", "a folder");
export const file = path("<file>", "a file");

export const toggle: Kind<boolean> = {
  placeholder: "",
  allowed: "true or false",
  schema: { enum: [true, false, "on", "off"] },
  read: (key, text) => {
    if (text === "true" || text === "on") return true;
    if (text === "false" || text === "off") return false;
    throw new DomainError(
      "invalid",
      `Cannot set ${key} to ${quote(text)}: it is true or false (on and off mean the same)`,
    );
  },
};

export const originals: Kind<ReturnType<typeof parseOriginals>> = {
  placeholder: "<policy>",
  allowed: "until-packed, keep, or how long, as 7d",
  schema: { type: "string", pattern: `^(until-packed|keep|([0-9]+([.][0-9]+)?(ns|us|µs|ms|s|m|h|d|w))+)$` },
  read: (_key, text) => parseOriginals(text),
};

export function oneOf<Word extends string>(placeholder: string, words: readonly Word[]): Kind<Word> {
  return {
    placeholder,
    allowed: words.join(", "),
    schema: { enum: words },
    read(key, text) {
      const word = words.find((each) => each === text);
      if (word !== undefined) return word;
      throw new DomainError("invalid", `Cannot set ${key} to ${quote(text)}: it is one of ${words.join(", ")}`);
    },
  };
}

export function limitKind(limit: Limit): Kind<number> {
  const { unit, min, max } = limit;
  const isBounded = max < Number.MAX_SAFE_INTEGER;
  const range = isBounded ? `${formatLimit(limit, min)} to ${formatLimit(limit, max)}` : `from ${min}`;
  const numbers = { minimum: min, maximum: max };
  return {
    placeholder: "<value>",
    allowed: `${KIND_OF_UNIT[unit]}, ${range}`,
    // Of a text the pattern alone is checked: its range is known to those who read it.
    schema:
      unit === "count"
        ? { type: "integer", ...numbers }
        : { type: ["integer", "string"], ...numbers, pattern: WRITTEN_LIMIT[unit] },
    read: (key, text) => parseLimit(key, limit, text),
  };
}

const KIND_OF_UNIT = { bytes: "a size in bytes", ms: "a duration", percent: "a percentage", count: "a number" };

function path(placeholder: string, allowed: string): Kind<string> {
  return { placeholder, allowed, schema: { type: "string", minLength: 1 }, isPath: true, read: (_key, text) => text };
}
