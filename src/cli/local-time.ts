// Times on the command line, as people say them: `2h`, `yesterday`, `monday 9:30`, `2026-11-20 14:00`. A time without a zone is in the
// zone of whoever types it. What programs write is src/model/time.ts's.

import { DomainError } from "../model/errors.ts";
import { quote } from "../model/text.ts";
import {
  BELIEVED_FROM_NS,
  exclusiveEnd,
  formatTime,
  NS_PER_MS,
  parseDuration,
  parseTime,
  unreadableDuration,
  type WrittenTime,
} from "../model/time.ts";

const DAYS = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
const AGO = /^(\d[\d.]*[a-zµ][\da-zµ. ]*?)( ago)?$/;
const CLOCK = String.raw`(\d{1,2}):(\d{2})(?::(\d{2}(?:[.,]\d+)?))?`;
const DAY = String.raw`\d{4}-\d{2}-\d{2}|\d{8}|today|yesterday|${DAYS.map((day) => `${day.slice(0, 3)}(?:${day.slice(3)})?`).join("|")}`;
const SAID = new RegExp(`^(?:(${DAY})(?:[t ]${CLOCK})?|${CLOCK})(z|[+-]\\d{2}:\\d{2})?$`);

/** A day without a clock is its first moment here, and with parseLocalEnd() its last. */
export function parseLocalTime(text: string, nowNs: bigint): WrittenTime {
  return read(text, nowNs).written;
}

/** The exclusive end that `--to` means: a day ends when it is over, 14:00:05 covers its whole second, 14:00 is that moment. */
export function parseLocalEnd(text: string, nowNs: bigint): bigint {
  const { written, wholeDay } = read(text, nowNs);
  if (!wholeDay) return exclusiveEnd(written);
  const day = new Date(Number(written.timeNs / NS_PER_MS));
  day.setDate(day.getDate() + 1);
  return BigInt(day.getTime()) * NS_PER_MS;
}

/** As parseDuration() of src/model/time.ts, and with words: `2 hours`, `1 day 6 hours`. */
export function parseSaidDuration(text: string): bigint {
  try {
    return parseDuration(withUnits(text).replaceAll(" ", ""));
  } catch (cause) {
    throw unreadableDuration(text, { cause });
  }
}

function withUnits(text: string): string {
  const said = text.trim().toLowerCase().replace(/\s+/g, " ");
  return said.replace(/(\d) ?(second|minute|hour|day|week)s?\b/g, (_, digit, unit) => digit + unit[0]);
}

function read(text: string, nowNs: bigint): { written: WrittenTime; wholeDay?: true } {
  const said = withUnits(text);
  const ago = AGO.exec(said);
  if (ago) {
    const timeNs = nowNs - orExplain(text, () => parseSaidDuration(ago[1]!));
    return { written: { timeNs: notBefore1970(timeNs, text), precision: "instant" } };
  }
  const match = SAID.exec(said);
  if (!match)
    return {
      written: notAYear(
        orExplain(text, () => parseTime(said, nowNs)),
        said,
      ),
    };
  const [, day = "today", ...rest] = match;
  const [hour = rest[3], minute = rest[4], second = rest[5]] = rest;
  const zone = match[8];
  const date = dateOf(day, nowNs);
  const clock = hour === undefined ? "00:00:00" : `${hour.padStart(2, "0")}:${minute}:${second ?? "00"}`;
  const written = orExplain(text, () => parseTime(`${date}T${clock}${zone ?? ""}`, nowNs));
  if (zone !== undefined) return { written };
  const local = { ...written, timeNs: asLocal(written.timeNs) };
  if (hour === undefined) return { written: local, wholeDay: true };
  return { written: second === undefined ? { ...local, precision: "instant" } : local };
}

/** Digits such as 2026 or 202611281400 would be a unix time of decades ago; 0 is where time begins. */
function notAYear(written: WrittenTime, digits: string): WrittenTime {
  if (!/^\d+$/.test(digits) || written.timeNs === 0n || written.timeNs >= BELIEVED_FROM_NS) return written;
  throw new DomainError(
    "invalid",
    `Cannot use time ${quote(digits)}: as unix time it is ${formatTime(written.timeNs)}; write a day as 2026-11-20 or 20261120, a time as 2026-11-20 14:00`,
  );
}

function notBefore1970(timeNs: bigint, text: string): bigint {
  if (timeNs >= 0n) return timeNs;
  throw new DomainError("invalid", `Cannot use time ${quote(text)}: it lies before 1970`);
}

function orExplain<Time>(text: string, parse: () => Time): Time {
  try {
    return parse();
  } catch (error) {
    if (error instanceof DomainError && error.message.startsWith("Cannot use time")) throw error;
    throw new DomainError(
      "invalid",
      `Cannot read time ${quote(text)}: write 2h (ago), 14:00, yesterday, monday 9:30, 2026-11-20 14:00, 20261120, 2026-11-20T14:00:00+02:00, unix seconds to nanoseconds, now or now-1h`,
    );
  }
}

/** YYYY-MM-DD of a day's name: weekdays are those of the last seven days, today among them. */
function dateOf(day: string, nowNs: bigint): string {
  if (/^\d/.test(day)) return day.replace(/^(\d{4})(\d{2})(\d{2})$/, "$1-$2-$3");
  const now = new Date(Number(nowNs / NS_PER_MS));
  const weekday = DAYS.findIndex((name) => name.startsWith(day));
  const daysAgo = weekday >= 0 ? (now.getDay() - weekday + 7) % 7 : day === "yesterday" ? 1 : 0;
  const date = new Date(now.getFullYear(), now.getMonth(), now.getDate() - daysAgo);
  const pad = (part: number, digits: number) => String(part).padStart(digits, "0");
  return `${pad(date.getFullYear(), 4)}-${pad(date.getMonth() + 1, 2)}-${pad(date.getDate(), 2)}`;
}

/** The moment at which local clocks show what UTC shows at `timeNs`. */
function asLocal(timeNs: bigint): bigint {
  const utc = new Date(Number(timeNs / NS_PER_MS));
  const local = new Date(
    utc.getUTCFullYear(),
    utc.getUTCMonth(),
    utc.getUTCDate(),
    utc.getUTCHours(),
    utc.getUTCMinutes(),
    utc.getUTCSeconds(),
    utc.getUTCMilliseconds(),
  );
  return timeNs + BigInt(local.getTime() - utc.getTime()) * NS_PER_MS;
}

/** A time in the local zone with its offset, such as 2026-11-20T15:00:00+01:00; whole seconds. */
export function formatLocalTime(timeNs: bigint): string {
  const { day, clock, offset } = localParts(timeNs);
  return `${day}T${clock}${offset}`;
}

/** For columns under a heading that names the zone: 2026-11-20 15:00:00. */
export function formatLocalClock(timeNs: bigint): string {
  const { day, clock } = localParts(timeNs);
  return `${day} ${clock}`;
}

/** The name of the local zone, such as Europe/Berlin; the offset where the machine's zone has none. */
export function zoneName(): string {
  return nodesZone() ?? localParts(BigInt(Date.now()) * NS_PER_MS).offset;
}

/** Of TZ, Node knows the names; rules of POSIX such as CET-1CEST and misspelt names it takes for UTC or for something else, silently. */
export function checkZone(env: NodeJS.ProcessEnv = process.env): void {
  if (!env.TZ) return;
  const named = zoneNamed(env.TZ.replace(/^:/, ""));
  if (named !== undefined && named === nodesZone()) return;
  throw new DomainError(
    "invalid",
    `Cannot use the time zone TZ=${env.TZ}: write a name such as Europe/Berlin or UTC; rules such as CET-1CEST are not read here`,
  );
}

function nodesZone(): string | undefined {
  // Undefined where Node's clock has a zone that has no name for it, whatever the declared type says.
  const name = new Intl.DateTimeFormat().resolvedOptions().timeZone as string | undefined;
  // So Node calls what POSIX takes TZ= and TZ=GMT for.
  return name === "Etc/Unknown" || name === "+00:00" ? "UTC" : name;
}

function zoneNamed(text: string): string | undefined {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: text }).resolvedOptions().timeZone;
  } catch {
    return undefined; // a RangeError: there is no such zone
  }
}

function localParts(timeNs: bigint): { day: string; clock: string; offset: string } {
  const date = new Date(Number(timeNs / NS_PER_MS));
  const offsetMinutes = -date.getTimezoneOffset();
  const local = new Date(date.getTime() + offsetMinutes * 60_000).toISOString();
  const part = (value: number) => String(Math.trunc(Math.abs(value))).padStart(2, "0");
  const offset = `${offsetMinutes < 0 ? "-" : "+"}${part(offsetMinutes / 60)}:${part(offsetMinutes % 60)}`;
  return { day: local.slice(0, 10), clock: local.slice(11, 19), offset };
}
