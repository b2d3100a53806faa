// How a limit may be written, as a regular expression that holds its range too: what reads limits and the JSON Schema that editors check
// with both have it from here, so that they agree.

import { type Limit, type LimitUnit, SIZES, TIMES } from "./limit-units.ts";
import { numberUpTo } from "./number-pattern.ts";

/** Few: limits of one unit differ in whether they may be 0. */
const made = new Map<string, RegExp>();

/** Its source is a pattern of JSON Schema too. */
export function limitPattern({ unit, min, max }: Limit): RegExp {
  const key = `${unit} ${min} ${max}`;
  const known = made.get(key);
  if (known) return known;
  const { forms, zero } = FORMS[unit];
  const pattern = new RegExp(`^(?:${[...(min === 0 ? [zero] : []), ...forms(max)].join("|")})$`);
  made.set(key, pattern);
  return pattern;
}

const FORMS: Readonly<Record<LimitUnit, { zero: string; forms: (max: number) => string[] }>> = {
  bytes: {
    zero: "0( ?([KMGT]i)?B)?",
    forms: (max) => [
      `${numberUpTo(max)}( ?B)?`,
      ...SIZES.map(([name, factor]) => `${numberUpTo(Math.floor(max / factor))} ?${name}`),
    ],
  },
  ms: { zero: "0(ms|[smhd])?", forms: (max) => [numberUpTo(max), ...TIMES.flatMap((_, at) => durations(max, at))] },
  percent: { zero: "0%?", forms: (max) => [`${numberUpTo(max)}%?`] },
  count: { zero: "0", forms: (max) => [numberUpTo(max)] },
};

/** Those whose largest unit is TIMES[at]: alone, or with smaller ones that together stay below one of it, as 1h30m. */
function durations(max: number, at: number): string[] {
  const [name, factor] = TIMES[at]!;
  const most = Math.floor(max / factor);
  const smaller = TIMES.slice(at + 1).map(
    ([smallerName, size], after) => `(?:(?:0|${numberUpTo(TIMES[at + after]![1] / size - 1)})${smallerName})?`,
  );
  return [
    `${numberUpTo(most)}${name}`,
    ...(smaller.length > 0 ? [`${numberUpTo(most - 1)}${name}${smaller.join("")}`] : []),
  ];
}
