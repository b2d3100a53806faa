// Page tokens: where the page before ended, bound to the request that asked for it. Opaque to clients; no secret.

import { hash } from "node:crypto";
import { DomainError } from "../model/errors.ts";

const BINDING_BYTES = 9;

/** What a token belongs to: everything in a request but its page size and token. Texts, in an order of the caller's. */
export type PageRequestIdentity = readonly (string | undefined)[];

/** Empty where no page follows. */
export function pageToken(after: string | undefined, identity: PageRequestIdentity): string {
  if (after === undefined) return "";
  return Buffer.concat([binding(identity), Buffer.from(after, "utf8")]).toString("base64url");
}

/** Undefined for the first page. Throws `invalid` for a token of another request and for what is no token. */
export function afterOf(token: string, identity: PageRequestIdentity): string | undefined {
  if (token === "") return undefined;
  const bytes = Buffer.from(token, "base64url");
  if (bytes.length < BINDING_BYTES || !bytes.subarray(0, BINDING_BYTES).equals(binding(identity))) {
    throw new DomainError(
      "invalid",
      "Cannot use this page_token: it belongs to another request; begin without one, or repeat the request that it answered",
    );
  }
  return bytes.subarray(BINDING_BYTES).toString("utf8");
}

function binding(identity: PageRequestIdentity): Buffer {
  return hash("sha256", JSON.stringify(identity.map((part) => part ?? null)), "buffer").subarray(0, BINDING_BYTES);
}
