// A PGO profile as the file that `go build` takes: its headers, what is in it, and revalidation. Which protocol asks is its own.

import { formatTime } from "../model/time.ts";
import type { PgoMade } from "../repository/pgo/make.ts";
import { isNotModified, sendNotModified } from "./download.ts";
import type { Exchange } from "./exchange.ts";
import { printable, warningHeader } from "./header-text.ts";
import { type AnswerHeaders, sendBytes } from "./send.ts";

export const PGO_FILE_HEADERS = {
  "content-type": "application/octet-stream",
  "content-disposition": 'attachment; filename="default.pgo"',
};

/** `headers` come beside and before those that tell what is in it. */
export function sendPgoFile(exchange: Exchange, made: PgoMade, headers: AnswerHeaders = PGO_FILE_HEADERS): void {
  const all = {
    ...headers,
    ...pgoHeaders(made),
    etag: `"${made.digest}"`,
    "cache-control": "private, no-cache",
  };
  if (isNotModified(exchange, made.digest)) sendNotModified(exchange, all);
  else sendBytes(exchange, 200, made.bytes, all);
}

export function pgoHeaders({ report, summary }: PgoMade): AnswerHeaders {
  const { interval, matched, merged, skipped, warnings } = summary;
  const left = skipped.map(({ reason, count }) => `${reason}=${count}`).join(", ");
  const { versions, latestStartNs } = report.facts?.inputs ?? {};
  return {
    "profusion-verdict": report.verdict,
    ...(interval && { "profusion-window": `${formatTime(interval.startNs)}/${formatTime(interval.endNs)}` }),
    "profusion-matched": String(matched),
    "profusion-merged": String(merged),
    ...(left !== "" && { "profusion-skipped": left }),
    ...versionsHeader(versions),
    ...(latestStartNs !== undefined && { "last-modified": httpDate(latestStartNs) }),
    ...warningHeader(warnings),
  };
}

/** The largest shares. */
export function versionsHeader(versions: readonly { value: string; share: number }[] = []): AnswerHeaders {
  const shown = versions.slice(0, 5).map(({ value, share }) => `${value || "none"}=${share.toFixed(2)}`);
  return shown.length > 0 ? { "profusion-versions": printable(shown.join(", ")) } : {};
}

export function httpDate(timeNs: bigint): string {
  return new Date(Number(timeNs / 1_000_000n)).toUTCString();
}
