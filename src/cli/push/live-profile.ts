// Profiles of running programs, taken through their pprof URL as `go tool pprof` takes them.

import { once } from "node:events";
import http, { type IncomingMessage } from "node:http";
import https from "node:https";
import { DomainError } from "../../model/errors.ts";
import { isTypeName } from "../../model/profile-type.ts";
import { readWithin } from "./read-within.ts";

/** Of these Go makes the difference over so many seconds, which is another kind of profile under the same name. */
const SNAPSHOTS = new Set(["heap", "allocs", "goroutine", "block", "mutex", "threadcreate"]);
/** Go's own length of a CPU profile where none is asked for. */
const DEFAULT_SECONDS = 30;
/** For connecting, writing the profile and sending it, beside the seconds that it takes. */
const GRACE_SECONDS = 30;
/** Of an answer that is no profile. */
const MESSAGE_BYTES = 200;

/** The last part of the path: profile, heap, … */
export function endpointOf(url: URL): string {
  return url.pathname.replace(/\/+$/, "").split("/").at(-1)!;
}

/** The type that the path tells, for what the columns leave open. */
export function typeOfPath(url: URL): string | undefined {
  const endpoint = endpointOf(url);
  return isTypeName(endpoint) && endpoint !== "profile" ? endpoint : undefined;
}

export function redactedUrl(url: URL): string {
  if (url.username === "" && url.password === "") return url.href;
  const redacted = new URL(url);
  // A user without a password is a token, as a rule.
  if (url.password === "") redacted.username = "xxxxx";
  else redacted.password = "xxxxx";
  return redacted.href;
}

/** Throws `unavailable` where it does not come, and `too-large` for more than `maxBytes`. */
export async function fetchLiveProfile(
  url: URL,
  seconds: number | undefined,
  maxBytes: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const target = new URL(url);
  if (seconds !== undefined && !SNAPSHOTS.has(endpointOf(url))) target.searchParams.set("seconds", `${seconds}`);
  const timeout = AbortSignal.timeout(((seconds ?? DEFAULT_SECONDS) + GRACE_SECONDS) * 1000);
  try {
    const answer = await answerTo(target, AbortSignal.any([signal, timeout]));
    const bytes = await readWithin(answer, maxBytes);
    if (answer.statusCode === 200) return bytes;
    const [line = ""] = Buffer.from(bytes.subarray(0, MESSAGE_BYTES)).toString().trim().split("\n");
    const where = answer.headers.location ?? line;
    throw new DomainError("unavailable", `It answers ${answer.statusCode} ${answer.statusMessage}: ${where}`);
  } catch (error) {
    if (error instanceof DomainError) throw error;
    throw new DomainError("unavailable", `Cannot fetch it: ${describeFault(error)}`, { cause: error });
  }
}

/** Not by fetch(), which takes neither credentials in URLs nor every port. */
async function answerTo(target: URL, signal: AbortSignal): Promise<IncomingMessage> {
  const get = target.protocol === "https:" ? https.get : http.get;
  const [answer] = (await once(get(target, { signal }), "response")) as [IncomingMessage];
  return answer;
}

function describeFault(error: unknown): string {
  const { name, message, code } = error as NodeJS.ErrnoException;
  if (name === "AbortError") return "it takes too long";
  if (code !== "ECONNREFUSED") return message;
  return "nothing listens there (ECONNREFUSED); does the program serve net/http/pprof on this port?";
}
