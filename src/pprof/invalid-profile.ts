// How the format says no. Which rules there are is told where they are checked.

import { DomainError } from "../model/errors.ts";

/** Throws `invalid`; `fault` is a clause that names the rule and the place, such as `sample 17 refers to …`. */
export function invalidProfile(fault: string): never {
  throw new DomainError("invalid", `Cannot read the profile: ${fault}`);
}

/** Throws `too-large`: the upload breaks a limit on what one profile may hold. */
export function oversizedProfile(fault: string): never {
  throw new DomainError("too-large", `Cannot take the profile: ${fault}`, { subject: "body" });
}

/** Throws `invalid`: row `row`, counted from 0, of a table names a string that is not there. */
export function strayString(what: string, row: number, stringCount: number): never {
  invalidProfile(`${what} ${row + 1} refers to a string that is not among its ${stringCount}`);
}
