// The PGO file as the server's download API has it: one request, with a time-out, and with what its headers say. It writes nothing.

import { DomainError, type ErrorKind } from "../../model/errors.ts";
import type { Target } from "../target.ts";
import { pathOf, type QuestionOptions, type Required } from "./question.ts";

export interface FetchedFile {
  /** Undefined where it is what the caller has. */
  bytes: Uint8Array | undefined;
  verdict: string;
  release?: string;
  /** Start and end. */
  window?: string;
  /** How many profiles are in it. */
  merged?: number;
  versions?: string;
  warning?: string;
}

interface Condition {
  /** Hex digest of the uncompressed content that the caller has. */
  have?: string | undefined;
  require?: Required | undefined;
  timeoutMs: number;
}

const KINDS: Readonly<Record<number, ErrorKind>> = {
  400: "invalid",
  401: "unauthenticated",
  403: "forbidden",
  404: "not-found",
  409: "conflict",
  412: "conflict",
  422: "too-large",
  429: "exhausted",
};

/** Throws a DomainError for every way in which there is no file, an answer that is cut among them. */
export async function fetchPgoFile(
  target: Target,
  question: QuestionOptions & { release?: string },
  { have, require, timeoutMs }: Condition,
): Promise<FetchedFile> {
  const path = pathOf(question, "", { release: question.release, require });
  const { status, headers, bytes } = await download(target, path, timeoutMs, have);
  return fileOf(headers, status === 304 ? undefined : bytes);
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
  have?: string,
): Promise<Downloaded> {
  const asked = {
    ...(key !== undefined && { authorization: `Bearer ${key}` }),
    ...(have !== undefined && { "if-none-match": `"${have}"` }),
  };
  try {
    const response = await fetch(`${server}${path}`, { headers: asked, signal: AbortSignal.timeout(timeoutMs) });
    const { status, headers } = response;
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (status === 200 || (status === 304 && have !== undefined)) return { status, headers, bytes };
    throw refusal(response, bytes, server);
  } catch (error) {
    throw error instanceof DomainError ? error : unreachable(error, server, timeoutMs);
  }
}

function fileOf(headers: Headers, bytes: Uint8Array | undefined): FetchedFile {
  const text = (name: string) => headers.get(`profusion-${name}`) ?? undefined;
  const [release, window, merged, versions, warning] = ["release", "window", "merged", "versions", "warning"].map(text);
  return {
    bytes,
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
  if (status === 412) {
    return new DomainError(
      kind,
      `The PGO profile is ${headers.get("profusion-verdict") ?? "not good enough"}: "profusion pgo report" tells why`,
    );
  }
  return new DomainError(kind, said ?? `${server} answers ${status}: is there a Profusion server?`);
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
