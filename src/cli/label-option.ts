// `--label name=value`.

import { DomainError } from "../model/errors.ts";
import type { Label } from "../model/labels.ts";
import { quote } from "../model/text.ts";

/** The first "=" parts name and value. Throws `invalid` where there is none; other rules are the server's. */
export function parseLabel(text: string): Label {
  const equals = text.indexOf("=");
  if (equals < 1) throw new DomainError("invalid", `Cannot read label ${quote(text)}: write name=value`);
  return { name: text.slice(0, equals), value: text.slice(equals + 1) };
}
