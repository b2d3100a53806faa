// Times as people and clients write them → nanoseconds since 1970 as bigint, and back. Clocks are read elsewhere.

import { DomainError } from "./errors.ts";
import { quote } from "./text.ts";

/** [startNs, endNs): half-open, on a profile's start time. */
export interface Interval {
  readonly startNs: bigint;
  readonly endNs: bigint;
}

/** A time and how it was written, since an exclusive end is widened by what the writer left unsaid. */
export interface WrittenTime {
  timeNs: bigint;
  /** "instant" for RFC 3339 with a zone, unix times and `now`; else the smallest unit that was written. */
  precision: "instant" | "second" | "fraction";
}

export const NS_PER_MS = 1_000_000n;
export const NS_PER_SECOND = 1_000_000_000n;

/** A query's times: 1970-01-01 to 2262-04-11, the range of int64 nanoseconds after the epoch. */
const QUERY_MAX_NS = 2n ** 63n - 1n;
/** A profile's own time is believed from here to ten minutes after its receipt; Go's zero time and 1970 are common. */
export const BELIEVED_FROM_NS = 946_684_800n * NS_PER_SECOND;
const BELIEVED_AHEAD_NS = 600n * NS_PER_SECOND;

const ISO = /^(\d{4})-(\d{2})-(\d{2})T(\d{1,2}):(\d{2}):(\d{2})(?:[.,](\d+))?(Z|z|[+-]\d{2}:\d{2})?$/;
const RELATIVE = /^now(?:([+-])(.+))?$/;
const DURATION_PART = /(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h|d|w)/gy;

/** Characters; turning more digits into a number would take long. */
export const LONGEST_DURATION = 64;

const UNIT_NS: Record<string, bigint> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  ms: NS_PER_MS,
  s: NS_PER_SECOND,
  m: 60n * NS_PER_SECOND,
  h: 3_600n * NS_PER_SECOND,
  d: 86_400n * NS_PER_SECOND,
  w: 604_800n * NS_PER_SECOND,
};

/**
 * Reads RFC 3339 (with zone, or zoneless = UTC), unix time by digits (≤ 11 s, 12–14 ms, 15–17 µs, ≥ 18 ns), `now`, `now-1h`.
 * Throws `invalid` for anything else and for times before 1970 or after 2262.
 */
export function parseTime(text: string, nowNs: bigint): WrittenTime {
  const trimmed = text.trim();
  const written = parseUnix(trimmed) ?? parseRelative(trimmed, nowNs) ?? parseIso(trimmed);
  if (written === undefined) {
    throw new DomainError(
      "invalid",
      `Cannot read time ${quote(text)}: write 2026-11-20T14:00:00 (UTC), 2026-11-20T14:00:00+02:00, unix seconds to nanoseconds, now or now-1h`,
    );
  }
  if (written.timeNs < 0n || written.timeNs > QUERY_MAX_NS) {
    throw new DomainError("invalid", `Cannot use time ${quote(text)}: it must lie between 1970-01-01 and 2262-04-11`);
  }
  return written;
}

/** The exclusive end that an inclusive `to` means: 14:00:05 covers its whole second, a fraction its nanosecond. */
export function exclusiveEnd(written: WrittenTime): bigint {
  if (written.precision === "instant") return written.timeNs;
  return written.timeNs + (written.precision === "second" ? NS_PER_SECOND : 1n);
}

function parseUnix(text: string): WrittenTime | undefined {
  if (!/^\d{1,19}$/.test(text)) return undefined;
  const unit = text.length <= 11 ? NS_PER_SECOND : text.length <= 14 ? NS_PER_MS : text.length <= 17 ? 1_000n : 1n;
  return { timeNs: BigInt(text) * unit, precision: "instant" };
}

function parseRelative(text: string, nowNs: bigint): WrittenTime | undefined {
  const match = RELATIVE.exec(text);
  if (!match) return undefined;
  if (match[2] === undefined) return { timeNs: nowNs, precision: "instant" };
  const offsetNs = parseDuration(match[2]);
  return { timeNs: match[1] === "-" ? nowNs - offsetNs : nowNs + offsetNs, precision: "instant" };
}

function parseIso(text: string): WrittenTime | undefined {
  const match = ISO.exec(text);
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second, fraction, zone] = match;
  const milliseconds = Date.UTC(+year!, +month! - 1, +day!, +hour!, +minute!, +second!);
  const date = new Date(milliseconds);
  // Date.UTC rolls 31 February over into March, and years below 100 into the 1900s.
  const rolled =
    date.getUTCFullYear() !== +year! ||
    date.getUTCMonth() !== +month! - 1 ||
    date.getUTCDate() !== +day! ||
    +hour! > 23 ||
    +minute! > 59 ||
    +second! > 59;
  if (rolled) return undefined;
  const zoneMinutes = zoneOffsetMinutes(zone);
  if (zoneMinutes === undefined) return undefined;
  const wholeNs = BigInt(milliseconds) * NS_PER_MS - BigInt(zoneMinutes) * UNIT_NS.m!;
  const timeNs = wholeNs + BigInt((fraction ?? "").slice(0, 9).padEnd(9, "0"));
  return { timeNs, precision: zone !== undefined ? "instant" : fraction === undefined ? "second" : "fraction" };
}

function zoneOffsetMinutes(zone: string | undefined): number | undefined {
  if (zone === undefined || zone === "Z" || zone === "z") return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(4, 6));
  if (hours > 23 || minutes > 59) return undefined;
  return (zone[0] === "-" ? -1 : 1) * (hours * 60 + minutes);
}

/** Reads `90s`, `1h30m`, `1.5h`, `2d`. Throws `invalid` for anything else. */
export function parseDuration(text: string): bigint {
  let totalNs = 0n;
  let end = 0;
  if (text.length > LONGEST_DURATION) throw unreadableDuration(text);
  for (const part of text.matchAll(DURATION_PART)) {
    const [whole, fraction = ""] = part[1]!.split(".");
    const unitNs = UNIT_NS[part[2]!]!;
    totalNs += BigInt(whole!) * unitNs + (BigInt(fraction || "0") * unitNs) / 10n ** BigInt(fraction.length);
    end = part.index + part[0].length;
  }
  if (end === 0 || end !== text.length) {
    throw unreadableDuration(text);
  }
  return totalNs;
}

export function unreadableDuration(text: string, options?: { cause: unknown }): DomainError {
  return new DomainError("invalid", `Cannot read duration ${quote(text)}: write 30s, 5m, 1h30m, 2d or 1w`, options);
}

/** RFC 3339 in UTC with as many of nine fraction digits as are needed. */
export function formatTime(timeNs: bigint): string {
  const fractionNs = ((timeNs % NS_PER_SECOND) + NS_PER_SECOND) % NS_PER_SECOND;
  const seconds = (timeNs - fractionNs) / NS_PER_SECOND;
  const whole = new Date(Number(seconds) * 1000).toISOString().slice(0, -5);
  const fraction = fractionNs === 0n ? "" : `.${fractionNs.toString().padStart(9, "0").replace(/0+$/, "")}`;
  return `${whole}${fraction}Z`;
}

export interface ResolvedTime {
  timeNs: bigint;
  /** Whose time it is. "receipt" also stands for a profile's time that could not be believed. */
  source: "profile" | "client" | "receipt";
  /** What the profile or client said, when it was replaced. */
  claimedNs?: bigint;
}

/**
 * A profile's time: its own, else the client's, else that of its receipt; with `clientFirst` the client's before its own.
 * A time outside [2000-01-01, receipt + 10 min] counts as absent and is handed back as the claim.
 */
export function resolveProfileTime(
  profileNs: bigint,
  clientNs: bigint | undefined,
  receivedNs: bigint,
  clientFirst = false,
): ResolvedTime {
  const believed = (timeNs: bigint) => timeNs >= BELIEVED_FROM_NS && timeNs <= receivedNs + BELIEVED_AHEAD_NS;
  if (clientFirst && clientNs !== undefined && believed(clientNs)) return { timeNs: clientNs, source: "client" };
  if (profileNs !== 0n && believed(profileNs)) return { timeNs: profileNs, source: "profile" };
  const claim = profileNs !== 0n ? { claimedNs: profileNs } : {};
  if (clientNs !== undefined && believed(clientNs)) return { timeNs: clientNs, source: "client", ...claim };
  const clientClaim = clientNs === undefined ? claim : { claimedNs: clientNs };
  return { timeNs: receivedNs, source: "receipt", ...clientClaim };
}

export function earlierOf(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

export function laterOf(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
