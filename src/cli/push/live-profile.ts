// Profiles of running programs, taken through their pprof URL as `go tool pprof` takes them.

import { DomainError } from "../../model/errors.ts";
import { isTypeName } from "../../model/profile-type.ts";
import { readWithin } from "./read-within.ts";

/** Of these Go makes the difference over so many seconds, which is another kind of profile under the same name. */
const SNAPSHOTS = new Set(["heap", "allocs", "goroutine", "block", "mutex", "threadcreate"]);
/** Go's own length of a CPU profile where none is asked for. */
const DEFAULT_SECONDS = 30;
/** For connecting, writing the profile and sending it, beside the seconds that it takes. */
const GRACE_SECONDS = 30;

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
  if (url.password === "") return url.href;
  const redacted = new URL(url);
  redacted.password = "xxxxx";
  return redacted.href;
}

/** Throws `unavailable` where it does not come, and `too-large` for more than `maxBytes`. */
export async function fetchLiveProfile(
  url: URL,
  seconds: number | undefined,
  maxBytes: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const { target, headers } = requestOf(url, seconds);
  const timeout = AbortSignal.timeout(((seconds ?? DEFAULT_SECONDS) + GRACE_SECONDS) * 1000);
  try {
    const answer = await fetch(target, { headers, signal: AbortSignal.any([signal, timeout]) });
    if (!answer.ok) {
      const [line = ""] = (await answer.text()).trim().split("\n");
      throw new DomainError("unavailable", `It answers ${answer.status} ${answer.statusText}: ${line.slice(0, 200)}`);
    }
    return answer.body ? await readWithin(answer.body, maxBytes) : new Uint8Array();
  } catch (error) {
    if (error instanceof DomainError) throw error;
    throw new DomainError("unavailable", `Cannot fetch it: ${describeFault(error)}`, { cause: error });
  }
}

/** fetch() takes no credentials in URLs; users write them there. */
function requestOf(url: URL, seconds: number | undefined): { target: URL; headers: Headers } {
  const target = new URL(url);
  const headers = new Headers();
  if (url.username !== "" || url.password !== "") {
    const credentials = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
    headers.set("authorization", `Basic ${Buffer.from(credentials).toString("base64")}`);
    target.username = "";
    target.password = "";
  }
  if (seconds !== undefined && !SNAPSHOTS.has(endpointOf(url))) target.searchParams.set("seconds", `${seconds}`);
  return { target, headers };
}

/** fetch() says "fetch failed", and why in the cause. */
function describeFault(error: unknown): string {
  const { cause } = error as Error;
  const fault = cause instanceof Error ? cause : (error as Error);
  const code = "code" in fault ? fault.code : undefined;
  if (code === "ECONNREFUSED")
    return "nothing listens there (ECONNREFUSED): does the program serve net/http/pprof on this port?";
  return fault.message || `${code}`;
}
