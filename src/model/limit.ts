// What one limit is: a number with its unit, range, default and reason, and how people write it. Which limits there are: limits.ts.

import { DomainError } from "./errors.ts";
import { quote } from "./text.ts";
import { NS_PER_MS, parseDuration } from "./time.ts";

export const KIB = 1024;
export const MIB = 1024 * KIB;

export type LimitUnit = "bytes" | "ms" | "percent" | "count";

export interface Limit {
  readonly unit: LimitUnit;
  readonly default: number;
  /** What it may be set to, both ends included. */
  readonly min: number;
  readonly max: number;
  /** What it bounds, and why so. */
  readonly description: string;
  /** Whether a running server takes another value: only where every reader asks the server's one object each time. */
  readonly isReloadable: boolean;
}

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

/** Largest first. */
const SIZES: readonly [name: string, factor: number][] = [
  ["TiB", MIB * MIB],
  ["GiB", KIB * MIB],
  ["MiB", MIB],
  ["KiB", KIB],
];
const TIMES: readonly [name: string, factor: number][] = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
  ["ms", 1],
];

/** As a regular expression of JavaScript and of JSON Schema: what a limit may look like beside a plain number in its unit. */
export const WRITTEN_LIMIT: Readonly<Record<LimitUnit, string>> = {
  bytes: "^[0-9]+( ?([KMGT]i)?B)?$",
  ms: "^([0-9]+|([0-9]+([.][0-9]+)?(ns|us|µs|ms|s|m|h|d|w))+)$",
  percent: "^[0-9]+%?$",
  count: "^[0-9]+$",
};

/** Reads a whole number in the limit's unit, or as people say it: 64MiB, 10m, 25%. Throws `invalid`, saying what is allowed. */
export function parseLimit(name: string, { unit, min, max }: Limit, text: string): number {
  const value = new RegExp(WRITTEN_LIMIT[unit]).test(text) ? READERS[unit](text) : Number.NaN;
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  const { what, example } = ALLOWED[unit];
  throw new DomainError(
    "invalid",
    `Cannot set ${name} to ${quote(text)}: it is a whole number${what} from ${min} to ${max}${example}`,
  );
}

const READERS: Readonly<Record<LimitUnit, (text: string) => number>> = {
  bytes: (text) => Number.parseInt(text, 10) * (SIZES.find(([name]) => text.endsWith(name))?.[1] ?? 1),
  ms: (text) => (/^\d+$/.test(text) ? Number(text) : Number(parseDuration(text)) / Number(NS_PER_MS)),
  percent: (text) => Number.parseInt(text, 10),
  count: Number,
};

const ALLOWED: Readonly<Record<LimitUnit, { what: string; example: string }>> = {
  bytes: { what: " of bytes", example: ", or a size such as 64KiB, 64MiB or 1GiB" },
  ms: { what: " of milliseconds", example: ", or a duration such as 500ms, 10s, 5m or 1h" },
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
