// The one complaint about forms that do not go with their profile.

import { DomainError } from "../../model/errors.ts";

export function misfit(): never {
  throw new DomainError("invalid", "the orders of a written form do not fit its profile");
}
