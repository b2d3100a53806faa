// Access by a file of keys and places: whose request it is, whether its line allows it, and whether its rate does.

import { DomainError } from "../../model/errors.ts";
import type { Limits } from "../../model/limits.ts";
import { quote } from "../../model/text.ts";
import type { Access, Grant, Scope } from "../access.ts";
import type { Exchange } from "../exchange.ts";
import { certificateNames } from "./certificate.ts";
import { credentialOf } from "./credential.ts";
import type { KeyFile, Permit } from "./key-file.ts";
import { slotOfKey } from "./key-slot.ts";
import { type PerSecond, Rate } from "./rate.ts";

export interface KeyedAccessOptions {
  /** As it is now. */
  file: () => KeyFile;
  limits: Limits;
  /** Names the sender behind a public key or place, so that one of many can be told from the others: `<source prefix>/<16 digits>`. */
  sourceOf: (prefix: string, remoteAddress: string) => string;
}

/** Keys, places and sources whose rates are known at a time; when there are more, all begin anew. */
const RATES = 10_000;

export function keyedAccess({ file, limits, sourceOf }: KeyedAccessOptions): Access {
  // Not of the permits, which are others whenever the file has changed.
  const rateOfKey = ratesByName();
  const rateOfSource = ratesByName();

  return {
    admit(exchange, scope, protocol) {
      const key = credentialOf(exchange);
      const bearer = key ? permitOfKey(file(), key) : permitOfCertificate(file(), exchange);
      const permit = bearer ?? permitOfPlace(file(), exchange, scope, protocol);
      exchange.caller = permit.name;
      if (!permit.scopes.has(scope)) throw lacking(permit, scope);
      const grant = grantOf(permit, bearer !== undefined, exchange, sourceOf);
      // First: one of many who have a key must not use up what all of them may send.
      if (permit.isPublic) charge(rateOfSource(grant.submitter), sourceRates(limits), grant.submitter, exchange);
      charge(rateOfKey(permit.name), keyRates(limits), permit.name, exchange);
      return grant;
    },
  };
}

function ratesByName(): (name: string) => Rate {
  const rates = new Map<string, Rate>();
  return (name) => {
    const known = rates.get(name);
    if (known) return known;
    if (rates.size >= RATES) rates.clear();
    const rate = new Rate();
    rates.set(name, rate);
    return rate;
  };
}

function permitOfKey({ keys }: KeyFile, key: Uint8Array): Permit {
  const permit = keys.get(slotOfKey(key));
  if (permit) return permit;
  throw new DomainError("unauthenticated", "Cannot use this key: this server has none like it, or no more");
}

/** By the first of its names that the file has. */
function permitOfCertificate({ certificates }: KeyFile, exchange: Exchange): Permit | undefined {
  if (certificates.size === 0) return undefined;
  return certificateNames(exchange)
    .map((name) => certificates.get(name))
    .find((permit) => permit !== undefined);
}

/** The first place that allows it. */
function permitOfPlace({ places }: KeyFile, exchange: Exchange, scope: Scope, protocol: string): Permit {
  const here = places.filter(({ matches }) => matches(exchange)).map(({ permit }) => permit);
  const permit = here.find(({ scopes }) => scopes.has(scope)) ?? here[0];
  if (permit) return permit;
  throw new DomainError(
    "unauthenticated",
    `Cannot use ${protocol} here without a key: send it as Authorization: Bearer KEY, as the password of the URL (http://x:KEY@host/), or as ?token=KEY`,
  );
}

function lacking({ name, scopes }: Permit, scope: Scope): DomainError {
  return new DomainError(
    "forbidden",
    `Cannot do this with ${quote(name)}: it needs scope ${scope}, and has ${[...scopes].join(", ")}`,
  );
}

function keyRates({ keyRequestsPerSecond: requests, keyBytesPerSecond: bytes }: Limits): PerSecond {
  return { requests, bytes };
}

function sourceRates({ sourceRequestsPerSecond: requests, publicInflatedBytes: bytes }: Limits): PerSecond {
  return { requests, bytes };
}

function charge(rate: Rate, perSecond: PerSecond, name: string, exchange: Exchange): void {
  const over = rate.over(perSecond);
  if (over !== undefined) {
    throw new DomainError("exhausted", `Cannot take more of ${quote(name)} now: at most ${over} a second are allowed`);
  }
  exchange.response.once("close", () => rate.addBytes(exchange.requestBytes));
}

/** Without a key or certificate, or with one that all have, the address says who it was; of those that all have, not so that it can be read. */
function grantOf(
  { name, sourcePrefix, isPublic, service, labels }: Permit,
  isBearer: boolean,
  { remoteAddress }: Exchange,
  sourceOf: KeyedAccessOptions["sourceOf"],
): Grant {
  const owner = isBearer ? name : remoteAddress;
  const submitter = isPublic ? sourceOf(sourcePrefix, remoteAddress) : owner;
  return { submitter, ...(service !== undefined && { service }), labels };
}
