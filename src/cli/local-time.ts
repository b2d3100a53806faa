// Times on the command line: as everywhere, but that one without a zone is in the zone of whoever types it.

import { NS_PER_MS, parseTime, type WrittenTime } from "../model/time.ts";

/** As parseTime() of src/model/time.ts; a zoneless time is the local clock's. */
export function parseLocalTime(text: string, nowNs: bigint): WrittenTime {
  const written = parseTime(text, nowNs);
  if (written.precision === "instant") return written;
  const utc = new Date(Number(written.timeNs / NS_PER_MS));
  const local = new Date(
    utc.getUTCFullYear(),
    utc.getUTCMonth(),
    utc.getUTCDate(),
    utc.getUTCHours(),
    utc.getUTCMinutes(),
    utc.getUTCSeconds(),
    utc.getUTCMilliseconds(),
  );
  return { ...written, timeNs: written.timeNs + BigInt(local.getTime() - utc.getTime()) * NS_PER_MS };
}

/** A time in the local zone with its offset, such as 2026-11-20T15:00:00+01:00; whole seconds. */
export function formatLocalTime(timeNs: bigint): string {
  const date = new Date(Number(timeNs / NS_PER_MS));
  const offsetMinutes = -date.getTimezoneOffset();
  const local = new Date(date.getTime() + offsetMinutes * 60_000).toISOString().slice(0, 19);
  const part = (value: number) => String(Math.trunc(Math.abs(value))).padStart(2, "0");
  return `${local}${offsetMinutes < 0 ? "-" : "+"}${part(offsetMinutes / 60)}:${part(offsetMinutes % 60)}`;
}
