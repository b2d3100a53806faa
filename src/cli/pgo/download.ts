// The PGO file as the server's download API has it: one request, with a time-out, and with what its headers say. It writes nothing.

import { DomainError, type ErrorKind } from "../../model/errors.ts";
import { DEFAULT_LIMITS } from "../../model/limits.ts";
import { isAtLeast, type PgoVerdict } from "../../model/pgo-policy.ts";
import { checkPgoFile } from "../../pgo/check.ts";
import type { Target } from "../target.ts";
import { pathOf, type QuestionOptions, type Required } from "./question.ts";

export interface FetchedFile {
  bytes: Uint8Array;
  /** It is what the caller has. */
  isHad: boolean;
  verdict: string;
  release?: string;
  /** Start and end. */
  window?: string;
  /** How many profiles are in it. */
  merged?: number;
  versions?: string;
  warning?: string;
}

/** What the caller has already. */
export interface PresentFile {
  bytes: Uint8Array;
  /** Hex, of the uncompressed content: the server's ETag for the same. */
  digest: string;
}

interface Condition {
  have?: PresentFile | undefined;
  require?: Required | undefined;
  timeoutMs: number;
}

const KINDS: Readonly<Record<number, ErrorKind>> = {
  400: "invalid",
  401: "unauthenticated",
  403: "forbidden",
  404: "not-found",
  409: "conflict",
  422: "too-large",
  429: "exhausted",
};

/** Throws a DomainError for every way in which there is no file, an answer that is cut, or is no profile, among them. */
export async function fetchPgoFile(
  target: Target,
  question: QuestionOptions & { release?: string },
  { have, require, timeoutMs }: Condition,
): Promise<FetchedFile> {
  const path = pathOf(question, "", { release: question.release, require });
  const { status, headers, bytes } = await download(target, path, timeoutMs, have?.digest);
  const file = {
    ...factsOf(headers),
    ...(status === 304 ? { bytes: have!.bytes, isHad: true } : { bytes, isHad: false }),
  };
  const fault = file.isHad ? undefined : faultOf(bytes);
  if (fault !== undefined) {
    throw new DomainError("unavailable", `${target.server} answers with what is no use to the compiler: ${fault}`);
  }
  // The server judges what it makes; a release it serves as it is.
  if (require !== undefined && !isAtLeast(file.verdict as PgoVerdict, require)) throw belowRequired(file.verdict);
  return file;
}

function faultOf(bytes: Uint8Array): string | undefined {
  return checkPgoFile(bytes, DEFAULT_LIMITS).findings.find(({ verdict }) => verdict === "unusable")?.reason;
}

export interface Downloaded {
  /** 200, or 304 where it is what the caller has. */
  status: number;
  headers: Headers;
  bytes: Uint8Array;
}

/** Throws as fetchPgoFile() does. */
export async function download(
  { server, key }: Target,
  path: string,
  timeoutMs: number,
  etag?: string,
): Promise<Downloaded> {
  const asked = {
    ...(key !== undefined && { authorization: `Bearer ${key}` }),
    ...(etag !== undefined && { "if-none-match": `"${etag}"` }),
  };
  try {
    const response = await fetch(`${server}${path}`, { headers: asked, signal: AbortSignal.timeout(timeoutMs) });
    const { status, headers } = response;
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (status === 200 || (status === 304 && etag !== undefined)) return { status, headers, bytes };
    throw refusal(response, bytes, server);
  } catch (error) {
    throw error instanceof DomainError ? error : unreachable(error, server, timeoutMs);
  }
}

function factsOf(headers: Headers): Omit<FetchedFile, "bytes" | "isHad"> {
  const text = (name: string) => headers.get(`profusion-${name}`) ?? undefined;
  const [release, window, merged, versions, warning] = ["release", "window", "merged", "versions", "warning"].map(text);
  return {
    verdict: text("verdict") ?? "not judged",
    ...(release && { release }),
    ...(window && { window }),
    ...(merged && { merged: Number(merged) }),
    ...(versions && { versions }),
    ...(warning && { warning }),
  };
}

function refusal({ status, headers }: Response, body: Uint8Array, server: string): DomainError {
  const kind = KINDS[status] ?? "unavailable";
  const said = headers.get("profusion-reason") ?? errorOf(body);
  if (status === 412) return belowRequired(headers.get("profusion-verdict") ?? "not good enough");
  return new DomainError(kind, said ?? `${server} answers ${status}: is there a Profusion server?`);
}

function belowRequired(verdict: string): DomainError {
  return new DomainError("conflict", `The PGO profile is ${verdict}: "profusion pgo report" tells why`);
}

/** Mistakes in the question are told as JSON. */
function errorOf(body: Uint8Array): string | undefined {
  try {
    const { error } = JSON.parse(Buffer.from(body).toString("utf8")) as { error?: unknown };
    return typeof error === "string" ? error : undefined;
  } catch {
    return undefined;
  }
}

/** What fetch() throws says little itself: its cause does. */
function unreachable(error: unknown, server: string, timeoutMs: number): DomainError {
  const { name, message, cause } = error instanceof Error ? error : new Error(String(error));
  const reason =
    name === "TimeoutError"
      ? `it has not answered within ${timeoutMs / 1000} s`
      : cause instanceof Error
        ? ("code" in cause && String(cause.code)) || cause.message
        : message;
  return new DomainError("unavailable", `Cannot fetch from ${server}: ${reason}`, { cause: error });
}
