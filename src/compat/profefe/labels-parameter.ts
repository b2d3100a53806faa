// The `labels` parameter, `k=v,k2=v2`, whose keys and values are escaped once more inside the query's own escaping.

import { DomainError } from "../../model/errors.ts";
import type { Label } from "../../model/labels.ts";
import { quote } from "../../model/text.ts";
import { unescapeQuery, utf8Text } from "./escapes.ts";

/** `bytes` has been decoded once, as part of the query. Throws `invalid`; limits and order are src/model/labels.ts's. */
export function parseLabelsParameter(bytes: string): Label[] {
  const labels: Label[] = [];
  for (const chunk of bytes.split(",")) {
    const sign = chunk.indexOf("=");
    const name = sign < 0 ? chunk : chunk.slice(0, sign);
    const value = sign < 0 ? "" : chunk.slice(sign + 1);
    if (trimSpace(name) === "") continue;
    labels.push({ name: decode(name, bytes), value: decode(value, bytes) });
  }
  return labels;
}

function decode(escaped: string, parameter: string): string {
  const text = utf8Text(unescapeQuery(trimSpace(escaped)));
  if (text === undefined) {
    throw new DomainError("invalid", `label ${quote(escaped)} of ${quote(parameter)} is not valid UTF-8`);
  }
  return text;
}

/** Not String.trim: it takes U+00A0, which here may be a byte of a longer character. */
function trimSpace(bytes: string): string {
  return bytes.replace(/^[\t-\r ]+|[\t-\r ]+$/g, "");
}
