// How other systems name what they store: a name → what it says of the profile. Nothing is read here; where names come from: store.ts.

import { TYPE as AUTOPGO_TYPE, VIA } from "../../compat/autopgo/app.ts";
import type { Label } from "../../model/labels.ts";
import { NS_PER_MS, NS_PER_SECOND } from "../../model/time.ts";

export const LAYOUTS = ["pgolib", "profefe", "pgo-fleet", "autopgo"] as const;
export type Layout = (typeof LAYOUTS)[number];

export interface NamedObject {
  layout: Layout;
  /** Undefined where the name has none. */
  service: string | undefined;
  /** Undefined: its columns tell. */
  type: string | undefined;
  labels: readonly Label[];
  /** Undefined where the name tells none, and the profile's own is meant. */
  timeNs: bigint | undefined;
  /** What the time was cut to: the profile's own is finer where it begins with the same. */
  resolutionNs: bigint;
  /** Of systems that put the sum of several in their place. */
  merging: Merging | undefined;
}

export interface Merging {
  /** Whatever may be in the sum is of its group. */
  group: string;
  isSum: boolean;
  /** When it was written; undefined: when the object was. */
  writtenNs: bigint | undefined;
}

/**
 * Undefined where no layout, or not the one asked for, names objects so. A layout may begin with the name or, where that leaves the service
 * open, below `prefix`: buckets are shared.
 */
export function nameObject(name: string, prefix: string, asked?: Layout): NamedObject | undefined {
  const below = name.startsWith(prefix) ? name.slice(prefix.length).replace(/^\//, "") : name;
  const whole = readName(name, asked);
  return whole?.service === undefined ? (readName(below, asked) ?? whole) : whole;
}

function readName(name: string, asked: Layout | undefined): NamedObject | undefined {
  for (const layout of asked === undefined ? LAYOUTS : [asked]) {
    const found = READERS[layout](name);
    if (found) return { labels: [], merging: undefined, type: undefined, resolutionNs: 1n, ...found, layout };
  }
  return undefined;
}

type Found = Pick<NamedObject, "service" | "timeNs"> & Partial<NamedObject>;

const READERS: Record<Layout, (name: string) => Found | undefined> = {
  pgolib: (name) => pgolibFile(name) ?? pgolibKey(name),
  profefe: profefeKey,
  "pgo-fleet": pgoFleetFile,
  autopgo: autopgoObject,
};

/** `<app>-<ms>.pprof`. Its S3 storage writes the prefix twice and no app: `<prefix>/<prefix>/-<ms>.pprof`, of which the prefix is the service. */
function pgolibFile(name: string): Found | undefined {
  const [, folder = "", app, ms] = /^(.*\/)?([^/]*)-(\d{12,14})\.pprof$/s.exec(name) ?? [];
  if (ms === undefined) return undefined;
  const [, once] = /^(.+)\/\1\/+$/s.exec(folder) ?? [];
  return { service: app || once, timeNs: BigInt(ms) * NS_PER_MS };
}

/** `<namespace>:<app>:<ms>` in Redis. */
function pgolibKey(name: string): Found | undefined {
  const [, namespace, app, ms] = /^([^:/]*):(.+):(\d{12,14})$/s.exec(name) ?? [];
  if (ms === undefined) return undefined;
  const labels = namespace === "" ? [] : [{ name: "namespace", value: namespace! }];
  return { service: app!, labels, timeNs: BigInt(ms) * NS_PER_MS };
}

const PROFEFE_TYPES: Readonly<Record<string, string>> = {
  1: "cpu",
  2: "heap",
  3: "block",
  4: "mutex",
  5: "goroutine",
  6: "threadcreate",
  127: "other",
  128: "trace",
};

/** `P0.<service>/<number of the type>/<xid>[,<labels>]`; the labels may have slashes, the service has `__` for each of its own. */
function profefeKey(name: string): Found | undefined {
  const [, service, number, xid, labels] = /^P0\.([^/]+)\/(\d+)\/([0-9a-v]{20})(?:,(.*))?$/s.exec(name) ?? [];
  const type = PROFEFE_TYPES[number ?? ""];
  if (type === undefined) return undefined;
  const timeNs = secondsOfXid(xid!) * NS_PER_SECOND;
  const rest = { labels: labelsOfKey(labels ?? ""), timeNs, resolutionNs: NS_PER_SECOND };
  return { service: service!.replaceAll("__", "/"), type, ...rest };
}

/** An xid begins with 32 bits of unix seconds, in base32hex: seven characters have 35. */
function secondsOfXid(xid: string): bigint {
  return BigInt(Math.floor(Number.parseInt(xid.slice(0, 7), 32) / 8));
}

/** They are not escaped in keys: a part without `=` is what stood behind a comma of the value before. */
function labelsOfKey(text: string): Label[] {
  const labels: { name: string; value: string }[] = [];
  for (const part of text.split(",")) {
    const sign = part.indexOf("=");
    const last = labels.at(-1);
    if (sign > 0) labels.push({ name: part.slice(0, sign), value: part.slice(sign + 1) });
    else if (last) last.value += `,${part}`;
    else if (part !== "") labels.push({ name: part, value: "" });
  }
  return labels;
}

/** `<ms>_<counter>.pgo`, and `merged_<ms>_<counter>.pgo` in the place of all before. */
function pgoFleetFile(name: string): Found | undefined {
  const [, merged, ms] = /^(merged_)?(\d{12,14})_\d+\.pgo$/.exec(name) ?? [];
  if (ms === undefined) return undefined;
  const writtenNs = BigInt(ms) * NS_PER_MS;
  const isSum = merged !== undefined;
  const merging = { group: "", isSum, writtenNs };
  return { service: "pgo-fleet", timeNs: isSum ? undefined : writtenNs, merging };
}

/** `<app>/default.pgo` is the sum of what was in `<app>/staging/<ns>`. With our label, so that its list shows it. */
function autopgoObject(name: string): Found | undefined {
  const [, app, ns] = /^([a-z0-9-]+)\/(?:default\.pgo|staging\/(\d{18,19}))$/.exec(name) ?? [];
  if (app === undefined) return undefined;
  const timeNs = ns === undefined ? undefined : BigInt(ns);
  const merging = { group: app, isSum: ns === undefined, writtenNs: timeNs };
  return { service: app, type: AUTOPGO_TYPE, labels: [VIA], timeNs, merging };
}
