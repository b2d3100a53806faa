// Answers that are files: ETag, If-None-Match, Range with If-Range, HEAD. Where the bytes come from is the handler's.

import type { Exchange } from "./exchange.ts";
import { type AnswerHeaders, sendBytes, startAnswer } from "./send.ts";

export interface Download {
  /** Absent where only the bytes themselves tell. */
  sizeBytes?: number;
  /** Strong, without quotes. */
  etag: string;
  headers: AnswerHeaders;
  /** Asked for only where bytes are sent, or their number is. Undefined: they are of another etag by now. */
  read(): Promise<Uint8Array | undefined>;
}

/** Inclusive at both ends, as the headers count. */
interface ByteRange {
  first: number;
  last: number;
}

/** False where nothing was sent, since the bytes changed meanwhile. */
export async function sendDownload(exchange: Exchange, download: Download): Promise<boolean> {
  const { request } = exchange;
  const { etag } = download;
  const headers = { ...download.headers, etag: `"${etag}"`, "accept-ranges": "bytes" };
  if (isNotModified(exchange, etag)) {
    sendNotModified(exchange, headers);
    return true;
  }
  const known = download.sizeBytes === undefined ? await download.read() : undefined;
  const sizeBytes = download.sizeBytes ?? known?.length;
  if (sizeBytes === undefined) return false;
  const ifRange = request.headers["if-range"];
  // Of a HEAD a range is to be ignored (RFC 9110, 14.2).
  const mayCut = exchange.method === "GET" && (ifRange === undefined || ifRange === `"${etag}"`);
  const range = mayCut ? rangeOf(request.headers.range, sizeBytes) : undefined;
  if (range === "unsatisfiable") {
    sendBytes(exchange, 416, new Uint8Array(0), { "content-range": `bytes */${sizeBytes}` });
    return true;
  }
  const { first, last } = range ?? { first: 0, last: sizeBytes - 1 };
  const status = range ? 206 : 200;
  const answer = range ? { ...headers, "content-range": `bytes ${first}-${last}/${sizeBytes}` } : headers;
  if (exchange.method === "HEAD") {
    if (startAnswer(exchange, status, { ...answer, "content-length": String(last + 1 - first) }))
      exchange.response.end();
    return true;
  }
  const bytes = known ?? (await download.read());
  if (bytes === undefined) return false;
  sendBytes(exchange, status, range ? bytes.subarray(first, last + 1) : bytes, answer);
  return true;
}

/** Whether the client has this version: `etag` is without quotes. Compares weakly, as If-None-Match does. */
export function isNotModified({ request }: Exchange, etag: string): boolean {
  const sent = request.headers["if-none-match"];
  if (sent === undefined) return false;
  return sent.trim() === "*" || sent.split(",").some((tag) => tag.trim().replace(/^W\//, "") === `"${etag}"`);
}

export function sendNotModified(exchange: Exchange, headers: AnswerHeaders): void {
  if (startAnswer(exchange, 304, headers)) exchange.response.end();
}

/** Undefined for the whole: no range, one that is not understood, or several, which a server may answer with the whole. */
export function rangeOf(header: string | undefined, sizeBytes: number): ByteRange | "unsatisfiable" | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? "");
  if (!match || (match[1] === "" && match[2] === "")) return undefined;
  if (match[1] === "") {
    const suffix = Math.min(Number(match[2]), sizeBytes);
    return suffix === 0 ? "unsatisfiable" : { first: sizeBytes - suffix, last: sizeBytes - 1 };
  }
  const first = Number(match[1]);
  const last = match[2] === "" ? sizeBytes - 1 : Math.min(Number(match[2]), sizeBytes - 1);
  if (match[2] !== "" && Number(match[2]) < first) return undefined;
  return first >= sizeBytes ? "unsatisfiable" : { first, last };
}
