// One upload to the server, as it came, and what its answer means for the upload.

import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { text } from "node:stream/consumers";
import type { SpooledUpload } from "./spool.ts";

/** delivered: the server has it. refused: it never will. held: not now, and others may fare better. away: nobody answers, or asks to wait. */
export interface Sent {
  state: "delivered" | "refused" | "held" | "away";
  reason: string;
  /** As the server asked. */
  waitMs?: number;
}

/** The profile is at fault. A wrong key or a path that is not there is mended where the server is, and 429 is of one key. */
const REFUSED = new Set([400, 409, 411, 413, 415, 422]);
const WAITING = new Set([408, 425, 502, 503, 504, 507]);
/** 64 MiB at 10 Mbit/s. */
const SILENCE_MS = 60_000;
const SHOWN_CHARACTERS = 300;

export async function sendOn(
  server: string,
  key: string | undefined,
  { target, headers, body }: SpooledUpload,
  signal: AbortSignal,
): Promise<Sent> {
  const url = new URL(server);
  const request = (url.protocol === "https:" ? httpsRequest : httpRequest)(server, {
    method: "POST",
    // As it came: parsing it as a URL would clean it.
    path: `${url.pathname.replace(/\/$/, "")}${target}`,
    headers: {
      ...(key !== undefined && { authorization: `Bearer ${key}` }),
      ...headers,
      "content-length": body.length,
    },
    signal,
  });
  request.setTimeout(SILENCE_MS, () => request.destroy(new Error(`no answer for ${SILENCE_MS / 1000} s`)));
  request.end(body);
  try {
    const [response] = (await once(request, "response")) as [IncomingMessage];
    return sentOf(response, await text(response));
  } catch (error) {
    return { state: "away", reason: error instanceof Error ? error.message : String(error) };
  }
}

function sentOf({ statusCode = 0, headers }: IncomingMessage, body: string): Sent {
  const said = body.trim() || String(headers["profusion-reason"] ?? "");
  const reason = `${statusCode} ${said.slice(0, SHOWN_CHARACTERS)}`.trim();
  if (statusCode >= 200 && statusCode < 300) return { state: "delivered", reason };
  if (REFUSED.has(statusCode)) return { state: "refused", reason };
  const seconds = Number(headers["retry-after"]);
  const waitMs = Number.isFinite(seconds) && headers["retry-after"] ? { waitMs: seconds * 1000 } : {};
  return { state: WAITING.has(statusCode) ? "away" : "held", reason, ...waitMs };
}
