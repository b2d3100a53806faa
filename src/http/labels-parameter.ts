// The `labels` parameter, `k=v,k2=v2`, whose keys and values are escaped once more inside the query's own escaping.

import { DomainError } from "../model/errors.ts";
import type { Label } from "../model/labels.ts";
import type { Limits } from "../model/limits.ts";
import { quote } from "../model/text.ts";
import { unescapeQuery, utf8Text } from "./escapes.ts";

/** Empty chunks are skipped, so there may be more of them than labels; this is more than any client sends. */
const MOST_CHUNKS = 10_000;

/** `bytes` has been decoded once, as part of the query. Throws `invalid`; limits and order are src/model/labels.ts's. */
export function parseLabelsParameter(bytes: string, limits: Limits): Label[] {
  const labels: Label[] = [];
  // Cut before anything is decoded: a URL may hold half a million commas.
  const chunks = bytes.split(",", MOST_CHUNKS + 1);
  if (chunks.length > MOST_CHUNKS) throw new DomainError("invalid", `more than ${MOST_CHUNKS} labels`);
  for (const chunk of chunks) {
    if (labels.length > limits.labels) break;
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
