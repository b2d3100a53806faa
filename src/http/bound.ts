// What a grant is bound to, applied to what a request says: the service and the labels of a profile. Who has which grant is access.ts's.

import { DomainError } from "../model/errors.ts";
import type { Label } from "../model/labels.ts";
import { EVERYTHING, type Selector } from "../model/selector.ts";
import { quote } from "../model/text.ts";
import type { Grant } from "./access.ts";

/** Throws `forbidden` where the request names another service than the grant is bound to; "" and undefined name none. */
export function boundService<Asked extends string | undefined>(
  { service: bound }: Grant,
  asked: Asked,
): string | Asked {
  if (bound === undefined) return asked;
  if (asked === undefined || asked === "" || asked === bound) return bound;
  throw new DomainError(
    "forbidden",
    `Cannot use service ${quote(asked)} with this key: it is bound to ${quote(bound)}`,
  );
}

/** A bound label stands in place of those of its name. */
export function boundLabels({ labels: bound }: Grant, asked: readonly Label[]): readonly Label[] {
  if (bound.length === 0) return asked;
  const names = new Set(bound.map(({ name }) => name));
  return [...asked.filter(({ name }) => !names.has(name)), ...bound];
}

/** Narrowed to the profiles that have every bound label. */
export function boundSelector({ labels: bound }: Grant, asked: Selector = EVERYTHING): Selector {
  if (bound.length === 0) return asked;
  return { ...asked, labels: [...asked.labels, ...bound.map((label) => ({ ...label, operator: "=" as const }))] };
}
