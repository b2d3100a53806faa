// One matcher of a selector, `version=~"1[.].*"`: what it is, and which values of its name it holds for.

import type { Limits } from "./limits.ts";
import { compileAnchored } from "./regexp.ts";

export type MatchOperator = "=" | "!=" | "=~" | "!~";

export interface Matcher {
  readonly name: string;
  readonly operator: MatchOperator;
  readonly value: string;
  /** Set where presence is asked for too: an absent name is not "". profefe's `labels=` asks so. */
  readonly mustExist?: true;
}

/** A test of one label name's values. `values` is empty where the name is absent, which counts as "". */
export function compileMatcher(matcher: Matcher, limits: Limits): (values: readonly string[]) => boolean {
  const holds = valueTest(matcher, limits);
  const negated = matcher.operator === "!=" || matcher.operator === "!~";
  return (values) => {
    if (values.length === 0) return matcher.mustExist ? false : holds("") !== negated;
    return values.some(holds) !== negated;
  };
}

/** Whether one value equals or matches; negation is the caller's, since it is over all values of a name. */
export function valueTest({ operator, value }: Matcher, limits: Limits): (candidate: string) => boolean {
  if (operator === "=" || operator === "!=") return (candidate) => candidate === value;
  return compileAnchored(value, limits);
}
