// What one setting is, and the kinds of values there are. Everything that people write is text, in a file, a variable or a flag, and is read
// by the one reader of its kind. Which settings there are: settings.ts.

import { DomainError } from "../../model/errors.ts";
import { formatLimit, parseLimit } from "../../model/limit.ts";
import { limitPattern } from "../../model/limit-pattern.ts";
import type { Limit } from "../../model/limit-units.ts";
import { quote } from "../../model/text.ts";
import { LONGEST_DURATION } from "../../model/time.ts";
import { ADDRESS_PATTERN, parseAddress } from "../address.ts";
import { parseOriginals } from "../originals.ts";

/** A kind of values. */
export interface Kind<Value> {
  /** As usage shows it; empty where a flag alone says it. */
  readonly placeholder: string;
  /** In words, for the reference page. */
  readonly allowed: string;
  /** JSON Schema of one value: it takes what read() takes of a file, and nothing else. */
  readonly schema: object;
  /** Where several settings have the same schema: the name under which it is written once. */
  readonly schemaName?: string;
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
  schema: { type: "string", pattern: ADDRESS_PATTERN },
  read: (_key, text) => parseAddress(text),
};

/** Of JavaScript and of JSON Schema. A shell puts the home folder for ~, in front of = it does not, and nothing else does. */
const PATH_PATTERN = "^(?!~(?:/|$))[^\\u0000]+$";

export const folder = path("<folder>", "a folder");
export const file = path("<file>", "a file");

export const toggle: Kind<boolean> = {
  placeholder: "",
  allowed: "true or false",
  schema: { enum: [true, false, "true", "false", "on", "off"] },
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
  schema: {
    type: "string",
    maxLength: LONGEST_DURATION,
    pattern: `^(until-packed|keep|([0-9]+([.][0-9]+)?(ns|us|µs|ms|s|m|h|d|w))+)$`,
  },
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
  return {
    placeholder: "<value>",
    allowed: `${KIND_OF_UNIT[unit]}, ${range}`,
    schemaName: `${unit}_from_${min}`,
    schema: { type: ["integer", "string"], minimum: min, maximum: max, pattern: limitPattern(limit).source },
    read: (key, text) => parseLimit(key, limit, text),
  };
}

const KIND_OF_UNIT = { bytes: "a size in bytes", ms: "a duration", percent: "a percentage", count: "a number" };

function path(placeholder: string, allowed: string): Kind<string> {
  return {
    placeholder,
    allowed,
    schema: { type: "string", pattern: PATH_PATTERN },
    isPath: true,
    read(key, text) {
      if (new RegExp(PATH_PATTERN).test(text)) return text;
      const rule = text.includes("\0") ? "a path holds no NUL" : "~ means nothing here, write the home folder out";
      throw new DomainError("invalid", `Cannot set ${key} to ${quote(text)}: ${rule}`);
    },
  };
}
