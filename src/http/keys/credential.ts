// The key that a request brings: by Bearer, by Basic as URLs with a user write it, or in the query. Whose it is, keyed-access.ts says.

import { randomBytes } from "node:crypto";
import type { Exchange } from "../exchange.ts";
import { parseParameters, readText } from "../query-parameters.ts";

const SCHEME = /^(bearer|basic) /i;
/** Of senders whose key is not set. */
const EMPTY = /^(bearer|basic)$/i;
/** In place of what is in no scheme of ours: it was meant for a key. */
const NOBODYS_KEY = randomBytes(32);

/** Undefined where it brings none. What is in no scheme of ours is a key that nobody has. One space follows the scheme's name: what comes after it is the key, further spaces too. */
export function credentialOf({ request, query }: Exchange): Uint8Array | undefined {
  const header = request.headers.authorization ?? "";
  const [scheme = ""] = SCHEME.exec(header) ?? [];
  const rest = Buffer.from(header.slice(scheme.length), "latin1"); // its bytes as they came
  if (/^bearer /i.test(scheme)) return rest;
  if (scheme !== "") return passwordOf(Buffer.from(rest.toString("latin1"), "base64"));
  if (header !== "" && !EMPTY.test(header)) return NOBODYS_KEY;
  const token = readText(parseParameters(query), "token");
  return token ? Buffer.from(token) : undefined;
}

/** http://anyone:KEY@host, or http://KEY@host. */
function passwordOf(pair: Buffer): Uint8Array | undefined {
  const colon = pair.indexOf(":");
  const [user, password] = colon < 0 ? [pair, Buffer.of()] : [pair.subarray(0, colon), pair.subarray(colon + 1)];
  const key = password.length > 0 ? password : user;
  return key.length > 0 ? key : undefined;
}
