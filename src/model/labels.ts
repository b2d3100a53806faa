// A profile's labels: name=value pairs, repeated names allowed, in UTF-8 order. Sample labels inside a profile are src/pprof's.

import { DomainError } from "./errors.ts";
import type { Limits } from "./limits.ts";
import { compareUtf8, quote, textFault, utf8Bytes } from "./text.ts";

export interface Label {
  readonly name: string;
  readonly value: string;
}

/** Canonical: sorted by (name, value) as UTF-8 bytes, identical pairs once. */
export type Labels = readonly Label[];

/** Names that mean the service or the type in a selector, so a label cannot have them. */
const RESERVED = new Set(["service", "type", "__name__"]);

export interface CanonicalLabels {
  labels: Labels;
  /** One line for each reserved name that was kept as `exported_…`. */
  warnings: string[];
}

/** Checks and sorts what a sender gave. Throws `invalid`, naming the label and the rule. */
export function canonicalLabels(sent: readonly Label[], limits: Limits): CanonicalLabels {
  if (sent.length > limits.labels) {
    throw new DomainError("invalid", `Cannot take ${sent.length} labels: a profile may have at most ${limits.labels}`);
  }
  const warnings: string[] = [];
  const labels = sent.map(({ name, value }) => {
    checkName(name, limits);
    checkValue(name, value, limits);
    if (!RESERVED.has(name)) return { name, value };
    warnings.push(`label "${name}" is reserved and was kept as "exported_${name}"`);
    return { name: `exported_${name}`, value };
  });
  labels.sort(compareLabels);
  return { labels: labels.filter((label, at) => at === 0 || compareLabels(labels[at - 1]!, label) !== 0), warnings };
}

export function compareLabels(a: Label, b: Label): number {
  return compareUtf8(a.name, b.name) || compareUtf8(a.value, b.value);
}

function checkName(name: string, limits: Limits): void {
  if (name === "") throw new DomainError("invalid", "Cannot take a label without a name: a name has 1 byte or more");
  if (utf8Bytes(name) > limits.labelNameBytes) {
    throw new DomainError(
      "invalid",
      `Cannot take label name ${quote(name)}: it has ${utf8Bytes(name)} bytes, at most ${limits.labelNameBytes} are allowed`,
    );
  }
  const fault = textFault(name);
  if (fault) throw new DomainError("invalid", `Cannot take label name ${quote(name)}: it ${fault}`);
}

function checkValue(name: string, value: string, limits: Limits): void {
  if (utf8Bytes(value) > limits.labelValueBytes) {
    throw new DomainError(
      "invalid",
      `Cannot take label ${quote(name)}: its value has ${utf8Bytes(value)} bytes, at most ${limits.labelValueBytes} are allowed`,
    );
  }
  const fault = textFault(value);
  if (fault) throw new DomainError("invalid", `Cannot take label ${quote(name)}: its value ${fault}`);
}

/** Any UTF-8 is a service name, paths included: a name never becomes a path. */
export function checkService(service: string, limits: Limits): string {
  if (service === "")
    throw new DomainError("invalid", "Cannot take a profile without a service: name what was profiled");
  if (utf8Bytes(service) > limits.serviceBytes) {
    throw new DomainError(
      "invalid",
      `Cannot take service ${quote(service)}: it has ${utf8Bytes(service)} bytes, at most ${limits.serviceBytes} are allowed`,
    );
  }
  const fault = textFault(service);
  if (fault) throw new DomainError("invalid", `Cannot take service ${quote(service)}: it ${fault}`);
  return service;
}
