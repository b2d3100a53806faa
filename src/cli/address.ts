// HOST:PORT as people write it.

import { DomainError } from "../model/errors.ts";
import { numberUpTo } from "../model/number-pattern.ts";
import { quote } from "../model/text.ts";

export interface Address {
  host: string;
  port: number;
}

const IPV6_GROUP = "[0-9a-fA-F]{1,4}";
/** All eight groups, or up to seven of them around a gap. */
const IPV6 = [
  `(?:${IPV6_GROUP}:){7}${IPV6_GROUP}`,
  ...Array.from({ length: 8 }, (_, before) => `${groups(before, before)}::${groups(0, 7 - before)}`),
].join("|");
const HOST = "[a-zA-Z0-9_](?:[a-zA-Z0-9_.-]*[a-zA-Z0-9_.])?";

/** Of JavaScript and of JSON Schema. */
export const ADDRESS_PATTERN = `^(?:\\[(${IPV6})\\]|(${HOST})):(0|${numberUpTo(65_535)})$`;

/** Reads `127.0.0.1:10100`, `localhost:0`, `[::1]:10100`. Throws `invalid` for anything else. */
export function parseAddress(text: string): Address {
  const match = new RegExp(ADDRESS_PATTERN).exec(text);
  if (!match) {
    throw new DomainError(
      "invalid",
      `Cannot listen on ${quote(text)}: write HOST:PORT, such as 127.0.0.1:10100, 0.0.0.0:10100 for every network, or [::1]:10100`,
    );
  }
  return { host: match[1] ?? match[2]!, port: Number(match[3]) };
}

function groups(least: number, most: number): string {
  if (most === 0) return "";
  const some = `${IPV6_GROUP}(?::${IPV6_GROUP}){${Math.max(least - 1, 0)},${most - 1}}`;
  return least === 0 ? `(?:${some})?` : some;
}
