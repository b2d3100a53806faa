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

/** As parseLabel(), where the label chooses profiles. Throws `invalid` for the other ways to compare, which a selector has. */
export function parseSelectedLabel(text: string): Label {
  const [, name, comparison, value] = /^([^=]*?)(=~|!=|!~)(.*)$/s.exec(text) ?? [];
  if (comparison === undefined) return parseLabel(text);
  const selector = `{${name}${comparison}${JSON.stringify(value)}}`;
  const literal = comparison === "=~" ? `, or {${name}="~…"} for a value that begins with ~` : "";
  throw new DomainError(
    "invalid",
    `Cannot select by --label ${quote(text)}: it takes name=value; write a selector such as '${selector}'${literal}`,
  );
}
