// Tests of functions' names by expressions of users, each distinct name once. What they are used for is prune.ts's and src/pgo's business.

import type { Limits } from "../model/limits.ts";
import { compileUnanchored, regexpDeadline } from "../model/regexp.ts";

/**
 * Whether a name, a byte string, has a match anywhere in the form that `formOf` gives it. `names`: how many there may be. Throws `invalid` as
 * compileUnanchored() does; the test throws `too-large` when all names have taken limits.regexpMs.
 */
export function nameTest(
  pattern: string,
  names: number,
  limits: Limits,
  formOf = (name: string) => name,
): (name: string) => boolean {
  const matches = compileUnanchored(pattern, limits);
  const checkTime = regexpDeadline(pattern, names, limits);
  const known = new Map<string, boolean>();
  return (name) => {
    let result = known.get(name);
    if (result === undefined) {
      checkTime();
      result = matches(formOf(Buffer.from(name, "latin1").toString("utf8")));
      known.set(name, result);
    }
    return result;
  };
}
