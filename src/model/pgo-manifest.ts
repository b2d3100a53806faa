// What is written down of how a PGO profile was made: JSON whose keys and their order docs/formats.md tells. Who makes profiles, and who keeps
// manifests, is src/repository/pgo's.

import type { Labels } from "./labels.ts";
import type { PgoPolicy, PgoVerdict } from "./pgo-policy.ts";
import { formatTime, type Interval } from "./time.ts";

/** A profile that is in a PGO profile, as the manifest tells of it. */
export interface ManifestInput {
  readonly id: string;
  readonly digest: Uint8Array;
  readonly timeNs: bigint;
  readonly labels: Labels;
  /** By which its values were multiplied. */
  readonly weight: number;
}

/** How a PGO profile was made, but for what it is made of. */
export interface PgoMaking {
  /** As it was asked for, the policy's own included. */
  readonly selector: string;
  /** Absent: all of time. */
  readonly interval?: Interval | undefined;
  readonly policy: PgoPolicy;
  readonly algorithmVersion: number;
  readonly skipped: readonly { readonly reason: string; readonly count: number }[];
  /** Of plain data. */
  readonly report: object;
}

/** What it became. */
export interface PgoPublished {
  readonly service: string;
  readonly name: string;
  readonly createdNs: bigint;
  readonly digest: Uint8Array;
  readonly verdict: PgoVerdict;
}

/** Raised when keys change their meaning; new ones may come without. */
const FORMAT_VERSION = 1;
const INPUTS = ',\n  "inputs": ';
const INPUT = '\n    {"id":';

/** `inputs` are formatInput()'s, joined by joinInputs(). */
export function formatManifest(published: PgoPublished, making: PgoMaking, inputs: string): string {
  const { interval } = making;
  const head = {
    formatVersion: FORMAT_VERSION,
    service: published.service,
    release: published.name,
    createTime: formatTime(published.createdNs),
    digest: hex(published.digest),
    verdict: published.verdict,
    selector: making.selector,
    ...(interval && { interval: { startTime: formatTime(interval.startNs), endTime: formatTime(interval.endNs) } }),
    policy: making.policy,
    algorithmVersion: making.algorithmVersion,
    skipped: making.skipped.map(({ reason, count }) => ({ reason, count })),
    report: making.report,
  };
  const text = JSON.stringify(head, canonicalValue, 2);
  return `${text.slice(0, -"\n}".length)}${INPUTS}${inputs}\n}\n`;
}

/** What a manifest says of all that is in it. */
export interface ManifestHead {
  interval?: { startTime: string; endTime: string };
  report: { facts?: { inputs?: { versions?: { value: string; share: number }[] } } };
  /** Of the profiles that are in it. */
  inputs: number;
}

/** Of formatManifest()'s text; the inputs, which may have many megabytes, are counted and not read. */
export function readManifestHead(manifest: string): ManifestHead {
  const end = manifest.lastIndexOf(INPUTS);
  const head = JSON.parse(`${manifest.slice(0, end)}}`) as Omit<ManifestHead, "inputs">;
  let inputs = 0;
  for (let at = manifest.indexOf(INPUT, end); at >= 0; at = manifest.indexOf(INPUT, at + 1)) inputs++;
  return { ...head, inputs };
}

/** One line for each, so that two manifests can be compared line by line. */
export function formatInput({ id, digest, timeNs, labels, weight }: ManifestInput): string {
  return JSON.stringify({
    id,
    digest: hex(digest),
    time: formatTime(timeNs),
    labels: labels.map(({ name, value }) => ({ name, value })),
    weight,
  });
}

export function joinInputs(lines: readonly string[]): string {
  return lines.length === 0 ? "[]" : `[\n    ${lines.join(",\n    ")}\n  ]`;
}

/** 64-bit numbers as decimal strings; the keys of what others made (policy, report) in alphabetical order. */
function canonicalValue(key: string, value: unknown): unknown {
  if (typeof value === "bigint") return String(value);
  if (typeof value !== "object" || value === null || Array.isArray(value) || key === "") return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
