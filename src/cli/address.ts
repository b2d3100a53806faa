// HOST:PORT as people write it.

import { DomainError } from "../model/errors.ts";
import { quote } from "../model/text.ts";

export interface Address {
  host: string;
  port: number;
}

/** Reads `127.0.0.1:10100`, `localhost:0`, `[::1]:10100`. Throws `invalid` for anything else. */
export function parseAddress(text: string): Address {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(text.trim());
  const port = Number(match?.[3]);
  if (!match || port > 65_535) {
    throw new DomainError(
      "invalid",
      `Cannot listen on ${quote(text)}: write HOST:PORT, such as 127.0.0.1:10100, 0.0.0.0:10100 for every network, or [::1]:10100`,
    );
  }
  return { host: match[1] ?? match[2]!, port };
}
