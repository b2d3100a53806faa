// Limits other than the defaults: `--limit bodyBytes=1048576`, or PROFUSION_LIMIT_BODY_BYTES=1048576. The option wins.

import { DomainError } from "../model/errors.ts";
import { DEFAULT_LIMITS, type Limits } from "../model/limits.ts";
import { quote } from "../model/text.ts";

const PREFIX = "PROFUSION_LIMIT_";
type LimitName = keyof Limits;
const NAMES = Object.keys(DEFAULT_LIMITS) as LimitName[];

/** Throws `invalid` for a name that is no limit and for a value that is no whole number. */
export function setLimits(
  options: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Limits {
  const limits: Record<LimitName, number> = { ...DEFAULT_LIMITS };
  for (const [variable, text] of Object.entries(environment)) {
    if (!variable.startsWith(PREFIX) || text === undefined) continue;
    const name = NAMES.find((each) => environmentName(each) === variable);
    if (!name) throw unknownLimit(variable);
    limits[name] = parseLimit(variable, text);
  }
  for (const option of options) {
    const equals = option.indexOf("=");
    const name = NAMES.find((each) => each === option.slice(0, Math.max(equals, 0)));
    if (!name) throw unknownLimit(option);
    limits[name] = parseLimit(name, option.slice(equals + 1));
  }
  return limits;
}

/** Every limit with its default, for the help; the reasons are in src/model/limits.ts. */
export function listLimits(): string {
  return Object.entries(DEFAULT_LIMITS)
    .map(([name, value]) => `  ${name}=${value}`)
    .join("\n");
}

/** bodyBytes → PROFUSION_LIMIT_BODY_BYTES. */
export function environmentName(name: string): string {
  return PREFIX + name.replace(/[A-Z]/g, "_$&").toUpperCase();
}

function parseLimit(name: string, text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new DomainError("invalid", `Cannot set limit ${name} to ${quote(text)}: it is a whole number, 0 or more`);
}

function unknownLimit(name: string): DomainError {
  return new DomainError(
    "invalid",
    `Cannot set limit ${quote(name)}: no limit has this name; "profusion serve --help" lists them`,
  );
}
