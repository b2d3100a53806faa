// A file of keys as pgo-fleet's collector has them, one a line, each with what it may be bound to: `<key> service=foo,region=eu`. How a
// request brings its key, and what follows from it, is src/http/keys.

import { hash } from "node:crypto";
import type { Scope } from "../../http/access.ts";
import { type KeyFile, type Permit, readKeyText } from "../../http/keys/key-file.ts";
import { keySlot } from "../../http/keys/key-slot.ts";
import { DomainError } from "../../model/errors.ts";
import { canonicalLabels, checkService, type Label } from "../../model/labels.ts";
import type { Limits } from "../../model/limits.ts";

/** A key may have spaces, as there; a last word of this form is no part of it. */
const BOUND_LINE = /^(.*\S)\s+([^\s=,]+=[^\s,]*(?:,[^\s=,]+=[^\s,]*)*)$/;

/** All of its keys have the one scope. Throws `invalid`, naming the line. */
export function readFleetKeyFile(path: string, scope: Scope, limits: Limits): KeyFile {
  return parseFleetKeys(readKeyText(path), path, scope, limits);
}

export function parseFleetKeys(text: string, path: string, scope: Scope, limits: Limits): KeyFile {
  const keys = new Map<string, Permit>();
  for (const [at, whole] of text.split("\n").entries()) {
    const line = whole.trim();
    if (line === "") continue;
    const [, key = line, binding = ""] = BOUND_LINE.exec(line) ?? [];
    const digest = hash("sha256", key, "buffer");
    try {
      keys.set(keySlot(digest), {
        name: `pgo-fleet:${digest.toString("hex", 0, 6)}`,
        sourcePrefix: "pgo-fleet",
        scopes: new Set([scope]),
        isPublic: false,
        ...readBinding(binding, limits),
      });
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      throw new DomainError("invalid", `${path}:${at + 1}: ${error.message}`);
    }
  }
  return { keys, certificates: new Map(), places: [], admitted: new Set(), publicLabels: new Map() };
}

function readBinding(binding: string, limits: Limits): Pick<Permit, "service" | "labels"> {
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
