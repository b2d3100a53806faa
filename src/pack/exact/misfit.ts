// The one complaint about forms that do not go with their profile.

import { DomainError } from "../../model/errors.ts";

export function misfit(): never {
  throw new DomainError("unavailable", "Cannot write a profile again: the orders of its form do not fit it");
}
