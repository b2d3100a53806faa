// What becomes of profiles as they were sent, once they are packed: `--originals`.

import { DomainError } from "../model/errors.ts";
import { quote } from "../model/text.ts";
import { parseDuration } from "../model/time.ts";
import type { PackingOptions } from "../repository/create.ts";

/** Reads until-packed, keep, or how long they stay after their receipt, such as 7d. Throws `invalid`. */
export function parseOriginals(text: string): PackingOptions["originals"] {
  if (text === "until-packed" || text === "keep") return text;
  try {
    return { keptNs: parseDuration(text) };
  } catch (cause) {
    throw new DomainError(
      "invalid",
      `Cannot keep originals ${quote(text)}: say until-packed, keep, or a duration such as 7d`,
      { cause },
    );
  }
}
