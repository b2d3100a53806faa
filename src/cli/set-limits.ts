// Limits other than the defaults: `--limit bodyBytes=1048576`, or PROFUSION_LIMIT_BODY_BYTES=1048576. The option wins.

import { DomainError } from "../model/errors.ts";
import { DEFAULT_LIMITS, type Limits, limitRange } from "../model/limits.ts";
import { quote } from "../model/text.ts";

const PREFIX = "PROFUSION_LIMIT_";
type LimitName = keyof Limits;
const NAMES = Object.keys(DEFAULT_LIMITS) as LimitName[];

/** Throws `invalid` for a name that is no limit and for a value outside its range. */
export function setLimits(
  options: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Limits {
  const limits: Record<LimitName, number> = { ...DEFAULT_LIMITS };
  for (const [variable, text] of Object.entries(environment)) {
    if (!variable.startsWith(PREFIX) || text === undefined) continue;
    const name = NAMES.find((each) => environmentName(each) === variable);
    if (!name) throw unknownLimit(variable);
    limits[name] = parseLimit(name, text, variable);
  }
  for (const option of options) {
    const equals = option.indexOf("=");
    const name = NAMES.find((each) => each === option.slice(0, Math.max(equals, 0)));
    if (!name) throw unknownLimit(option);
    limits[name] = parseLimit(name, option.slice(equals + 1), name);
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

/** `written` is how the caller named it. */
function parseLimit(name: LimitName, text: string, written: string): number {
  const value = Number(text);
  const { min, max } = limitRange(name);
  if (/^\d+$/.test(text) && value >= min && value <= max) return value;
  throw new DomainError(
    "invalid",
    `Cannot set limit ${written} to ${quote(text)}: it is a whole number from ${min} to ${max}`,
  );
}

function unknownLimit(name: string): DomainError {
  return new DomainError(
    "invalid",
    `Cannot set limit ${quote(name)}: no limit has this name; "profusion serve --help" lists them`,
  );
}
