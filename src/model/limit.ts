// How a limit is made, and how people write its value. What it is: limit-units.ts; which limits there are: limits.ts.

import { DomainError } from "./errors.ts";
import { limitPattern } from "./limit-pattern.ts";
import { type Limit, type LimitUnit, SIZES, TIMES } from "./limit-units.ts";
import { quote } from "./text.ts";

/** `min`: 0 where none of it makes sense; of everything else none would mean that nothing works. */
type Exceptions = Partial<Pick<Limit, "min" | "isReloadable">>;
type Builder = (value: number, description: string, exceptions?: Exceptions) => Limit;

/** In whole days, what timers of Node can wait for. */
const TIMER_MAX_MS = 24 * 86_400_000;

export const bytes = builder("bytes", Number.MAX_SAFE_INTEGER);
export const milliseconds = builder("ms", TIMER_MAX_MS);
export const percent = builder("percent", 100);
export const count = builder("count", Number.MAX_SAFE_INTEGER);

function builder(unit: LimitUnit, max: number): Builder {
  return (value, description, exceptions) => ({
    unit,
    default: value,
    min: 1,
    max,
    description,
    isReloadable: false,
    ...exceptions,
  });
}

/** Reads a whole number in the limit's unit, or as people say it: 64MiB, 10m, 25%. Throws `invalid`, saying what is allowed. */
export function parseLimit(name: string, limit: Limit, text: string): number {
  const { unit, min, max } = limit;
  if (limitPattern(limit).test(text)) return READERS[unit](text);
  const { what, example } = ALLOWED[unit];
  throw new DomainError(
    "invalid",
    `Cannot set ${name} to ${quote(text)}: it is a whole number${what} from ${min} to ${max}${example}`,
  );
}

const READERS: Readonly<Record<LimitUnit, (text: string) => number>> = {
  bytes: (text) => Number.parseInt(text, 10) * (SIZES.find(([name]) => text.endsWith(name))?.[1] ?? 1),
  ms: (text) =>
    [...text.matchAll(/(\d+)(\D*)/g)].reduce((sum, [, digits, name]) => sum + Number(digits) * timeOf(name!), 0),
  percent: (text) => Number.parseInt(text, 10),
  count: Number,
};

/** A number alone is of milliseconds. */
function timeOf(name: string): number {
  return TIMES.find(([each]) => each === name)?.[1] ?? 1;
}

const ALLOWED: Readonly<Record<LimitUnit, { what: string; example: string }>> = {
  bytes: { what: " of bytes", example: ", or a size such as 64KiB, 64MiB or 1GiB" },
  ms: { what: " of milliseconds", example: ", or a duration such as 500ms, 10s, 5m or 1h30m" },
  percent: { what: " of percent", example: "" },
  count: { what: "", example: "" },
};

/** The shortest text that parseLimit() reads as `value`: 64MiB, 10m, 4096. */
export function formatLimit({ unit }: Limit, value: number): string {
  const names = unit === "bytes" ? SIZES : unit === "ms" ? TIMES : [];
  const largest = value > 0 ? names.find(([, factor]) => value % factor === 0) : undefined;
  if (largest) return `${value / largest[1]}${largest[0]}`;
  return unit === "percent" ? `${value}%` : String(value);
}
