// The file that says who may do what: keys, places that need none, and sources of public keys that were let in. A line each.

import { hash } from "node:crypto";
import { readFileSync } from "node:fs";
import { DomainError } from "../../model/errors.ts";
import { canonicalLabels, checkService, type Label, type Labels } from "../../model/labels.ts";
import type { Limits } from "../../model/limits.ts";
import { isSource } from "../../model/source.ts";
import { quote } from "../../model/text.ts";
import { SCOPES, type Scope } from "../access.ts";
import { keySlot } from "./key-slot.ts";
import { listenerPlace, type Place, rangePlace } from "./place.ts";

/** What one line allows. */
export interface Permit {
  /** Of a key its id, of a place its line's first two words. */
  readonly name: string;
  /** Begins the names of the sources behind it: the key's id, of a place one that is made of what it is. */
  readonly sourcePrefix: string;
  readonly scopes: ReadonlySet<Scope>;
  /** Anybody may have it: what it sends is scrubbed, and counts once its source is known. */
  readonly isPublic: boolean;
  readonly service?: string;
  readonly labels: Labels;
}

export interface KeyFile {
  /** By keySlot() of the key's digest. */
  readonly keys: ReadonlyMap<string, Permit>;
  /** By a name in the client's certificate. */
  readonly certificates: ReadonlyMap<string, Permit>;
  /** In the file's order. */
  readonly places: readonly { readonly matches: Place; readonly permit: Permit }[];
  /** Sources of public keys that count without waiting. */
  readonly admitted: ReadonlySet<string>;
  /** Of each public key and place, by its source prefix, the names of the labels that it is bound to. */
  readonly publicLabels: ReadonlyMap<string, ReadonlySet<string>>;
}

/** Public: it may send, and nothing else. */
const SUBMIT = "submit";
const HASHED = /^sha256:([0-9a-f]{64})$/;
/** In place of a key: a name in the client's certificate. */
const CERTIFICATE = "certificate:";
const KEY_ID = /^[a-z][a-z0-9_.-]{0,63}$/i;
const KEY_CHARACTERS_MIN = 16;
/** No ids of keys. */
export const PLACES: ReadonlySet<string> = new Set(["listener", "range"]);
const PLACE_DIGITS = 8;
const FILE_BYTES_MAX = 16 * 1024 * 1024;
/** Of what a bound key may have: a question over everything is not bound by a service. */
const BOUND_SCOPES = new Set<Scope>(["write", "pgo"]);

/** Throws `invalid` with every fault, a line for each. */
export function readKeyFile(path: string, limits: Limits): KeyFile {
  return parseKeyFile(readKeyText(path), path, limits);
}

/** Throws `invalid`. */
export function readKeyText(path: string): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new DomainError("invalid", `Cannot read the keys in ${path}: ${reason}`, { cause });
  }
  if (bytes.length > FILE_BYTES_MAX) {
    throw new DomainError(
      "invalid",
      `Cannot read the keys in ${path}: it has ${bytes.length} bytes, at most ${FILE_BYTES_MAX} are allowed`,
    );
  }
  return bytes.toString("utf8");
}

export function parseKeyFile(text: string, path: string, limits: Limits): KeyFile {
  const keys = new Map<string, Permit>();
  const certificates = new Map<string, Permit>();
  const places: { matches: Place; permit: Permit }[] = [];
  const admitted = new Set<string>();
  const ids = new Set<string>();
  const faults: string[] = [];
  for (const [at, line] of text.split(/\r?\n/).entries()) {
    try {
      const words = wordsOf(line);
      const [first = "", second = ""] = words;
      if (first === "") continue;
      if (first === "admit") admitted.add(sourceOf(words));
      else if (first === "listener") places.push({ matches: listenerPlace(second), permit: permitOf(words, limits) });
      else if (first === "range") places.push({ matches: rangePlace(second), permit: permitOf(words, limits) });
      else addKey({ keys, certificates }, ids, words, limits);
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      faults.push(`${path}:${at + 1}: ${error.message}`);
    }
  }
  if (faults.length > 0) throw new DomainError("invalid", faults.join("\n"));
  const all = [...keys.values(), ...certificates.values(), ...places.map(({ permit }) => permit)];
  const bound = all
    .filter(({ isPublic }) => isPublic)
    .map(({ sourcePrefix, labels }) => [sourcePrefix, new Set(labels.map(({ name }) => name))] as const);
  return { keys, certificates, places, admitted, publicLabels: new Map(bound) };
}

interface Bearers {
  keys: Map<string, Permit>;
  certificates: Map<string, Permit>;
}

function addKey({ keys, certificates }: Bearers, ids: Set<string>, words: readonly string[], limits: Limits): void {
  const [id = "", quoted = ""] = words;
  const secret = unquoted(quoted);
  if (!KEY_ID.test(id)) {
    // Not shown, here and below: what stands at a wrong place may be a key.
    throw refuse("its first word is no key's id: that is a letter, then letters, digits, _, . and -, at most 64");
  }
  if (ids.has(id)) throw refuse(`the id ${quote(id)} is taken: a line above has it`);
  ids.add(id);
  const isCertificate = secret.startsWith(CERTIFICATE);
  const [permits, slot] = isCertificate
    ? [certificates, secret.slice(CERTIFICATE.length)]
    : [keys, keySlot(digestOf(id, secret))];
  if (slot === "") throw refuse(`the certificate of ${quote(id)} has no name: write ${CERTIFICATE}NAME`);
  const other = permits.get(slot);
  if (other) {
    const what = isCertificate ? "certificate" : "key";
    throw refuse(`the ${what} of ${quote(id)} is that of ${quote(other.name)}: each has one of its own`);
  }
  permits.set(slot, permitOf(words, limits));
}

function digestOf(id: string, secret: string): Uint8Array {
  const [, digest] = HASHED.exec(secret) ?? [];
  if (digest !== undefined) return Buffer.from(digest, "hex");
  if (secret.length < KEY_CHARACTERS_MIN) {
    throw refuse(
      `the key of ${quote(id)} is too short: write sha256:… as profusion key new prints it, or ${KEY_CHARACTERS_MIN} characters or more, or ${CERTIFICATE}NAME`,
    );
  }
  return hash("sha256", secret, "buffer");
}

/** `<name> <secret or place> <scopes> [service=…,label=…]…` */
function permitOf([first = "", second = "", scopes = "", ...bindings]: readonly string[], limits: Limits): Permit {
  const isPublic = scopes === SUBMIT;
  const granted = new Set(isPublic ? (["write"] as const) : scopes.split(",").map(scopeOf));
  const pairs = bindings.flatMap((word) => splitOutsideQuotes(word, ",")).map(bindingOf);
  const service = pairs.find(({ name }) => name === "service")?.value;
  const { labels } = canonicalLabels(
    pairs.filter(({ name }) => name !== "service"),
    limits,
  );
  if (isPublic && service === undefined)
    throw refuse(`a key with scope ${SUBMIT} needs the service it is for: service=…`);
  const unbound = [...granted].filter((scope) => !BOUND_SCOPES.has(scope));
  if (pairs.length > 0 && unbound.length > 0) {
    throw refuse(`scope ${unbound.join(",")} is over everything: only ${[...BOUND_SCOPES].join(" and ")} can be bound`);
  }
  return {
    ...(PLACES.has(first)
      ? { name: `${first} ${second}`, sourcePrefix: `${first}-${hash("sha256", second, "hex").slice(0, PLACE_DIGITS)}` }
      : { name: first, sourcePrefix: first }),
    scopes: granted,
    isPublic,
    ...(service !== undefined && { service: checkService(service, limits) }),
    labels,
  };
}

function scopeOf(text: string): Scope {
  const scope = SCOPES.find((each) => each === text);
  if (scope) return scope;
  throw refuse(
    `its third word has no scopes: they are ${SCOPES.join(", ")}, with commas between them, or ${SUBMIT} alone for a public key; a key with spaces stands in double quotes`,
  );
}

function bindingOf(text: string): Label {
  const sign = text.indexOf("=");
  if (sign > 0) return { name: unquoted(text.slice(0, sign)), value: unquoted(text.slice(sign + 1)) };
  throw refuse("a word after the scopes binds nothing: write service=…, and labels as name=value");
}

function sourceOf([, source = "", ...rest]: readonly string[]): string {
  if (isSource(source) && rest.length === 0) return source;
  throw refuse(
    `${quote([source, ...rest].join(" "))} is no source: it is the key's id, / and 16 digits, as profiles have in the label source`,
  );
}

/** Words of a line; what stands in double quotes is of one. From a word that begins with # on it is a remark. */
function wordsOf(line: string): string[] {
  const words = splitOutsideQuotes(line.trim(), " ").flatMap((word) => splitOutsideQuotes(word, "\t"));
  const kept = words.filter((word) => word !== "");
  const remark = kept.findIndex((word) => word.startsWith("#"));
  return remark < 0 ? kept : kept.slice(0, remark);
}

function splitOutsideQuotes(text: string, separator: string): string[] {
  const parts: string[] = [""];
  let isQuoted = false;
  for (const character of text) {
    if (character === '"') isQuoted = !isQuoted;
    if (character === separator && !isQuoted) parts.push("");
    else parts[parts.length - 1] += character;
  }
  if (isQuoted) throw refuse("a quote is not closed");
  return parts;
}

function unquoted(text: string): string {
  return text.replaceAll('"', "");
}

function refuse(reason: string): DomainError {
  return new DomainError("invalid", `Cannot use this line: ${reason}`);
}
