// A file of keys as pgo-fleet's collector has them, one a line, each with what it may be bound to: `<key> service=foo,region=eu`.
// It is read again whenever it changes. What a key opens is the routes' business.

import { hash } from "node:crypto";
import { readFileSync, unwatchFile, watchFile } from "node:fs";
import type { Grant } from "../../http/access.ts";
import { DomainError } from "../../model/errors.ts";
import { canonicalLabels, checkService, type Label } from "../../model/labels.ts";
import type { Limits } from "../../model/limits.ts";
import { quote } from "../../model/text.ts";

/** A key may have spaces, as there; a last word of this form is no part of it. */
const BOUND_LINE = /^(.*\S)\s+([^\s=,]+=[^\s,]*(?:,[^\s=,]+=[^\s,]*)*)$/;
const SCHEME = /^bearer /i;
/** Between two looks: by polling, since a mounted secret is renewed by moving a link far above the file. */
const LOOK_MS = 1_000;

export type FleetKeys = ReadonlyMap<string, Grant>;

/** Keys by their digests: neither is a key kept, nor is it compared byte by byte. Throws `invalid`, naming the line. */
export function parseFleetKeys(text: string, path: string, limits: Limits): FleetKeys {
  const keys = new Map<string, Grant>();
  for (const [at, whole] of text.split("\n").entries()) {
    const line = whole.trim();
    if (line === "") continue;
    const [, key = line, binding = ""] = BOUND_LINE.exec(line) ?? [];
    try {
      const digest = hash("sha256", key, "hex");
      keys.set(digest, { submitter: `pgo-fleet:${digest.slice(0, 12)}`, ...readBinding(binding, limits) });
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      throw new DomainError("invalid", `Cannot use the keys in ${quote(path)}: line ${at + 1}: ${error.message}`);
    }
  }
  return keys;
}

/** The grant of the key in a header `Bearer KEY`; exactly one space is between them. */
export function grantOf(keys: FleetKeys, authorization: string | undefined): Grant | undefined {
  if (authorization === undefined || !SCHEME.test(authorization)) return undefined;
  const key = Buffer.from(authorization.slice("bearer ".length), "latin1"); // as it came
  return keys.get(hash("sha256", key, "hex"));
}

export interface FleetKeyFile extends Disposable {
  readonly keys: FleetKeys;
}

/** Throws `invalid`. A later fault is told, and the keys stay as they were. */
export function openFleetKeyFile(path: string, limits: Limits, tell: (message: string) => void): FleetKeyFile {
  let keys = readFleetKeys(path, limits);
  const look = () => {
    try {
      keys = readFleetKeys(path, limits);
      tell(`the keys in ${quote(path)} were read again: there are ${keys.size}`);
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      tell(`the keys stay as they were: ${error.message}`);
    }
  };
  watchFile(path, { persistent: false, interval: LOOK_MS }, look);
  return {
    get keys() {
      return keys;
    },
    [Symbol.dispose]: () => unwatchFile(path, look),
  };
}

export function readFleetKeys(path: string, limits: Limits): FleetKeys {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new DomainError("invalid", `Cannot read the keys in ${quote(path)}: ${reason}`, { cause });
  }
  return parseFleetKeys(text, path, limits);
}

function readBinding(binding: string, limits: Limits): Pick<Grant, "service" | "labels"> {
  const pairs = binding === "" ? [] : binding.split(",").map(pairOf);
  const service = pairs.find(({ name }) => name === "service")?.value;
  const { labels } = canonicalLabels(
    pairs.filter(({ name }) => name !== "service"),
    limits,
  );
  return { ...(service !== undefined && { service: checkService(service, limits) }), labels };
}

function pairOf(pair: string): Label {
  const sign = pair.indexOf("=");
  return { name: pair.slice(0, sign), value: pair.slice(sign + 1) };
}
