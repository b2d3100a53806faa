// One source → its bytes, and what is said of it: service, type, labels, time. What it is asked of the server is send.ts.

import { hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { basename } from "node:path";
import { addAbortSignal } from "node:stream";
import { DomainError } from "../../model/errors.ts";
import { canonicalLabels, checkService, type Label } from "../../model/labels.ts";
import { DEFAULT_LIMITS } from "../../model/limits.ts";
import { checkTypeName } from "../../model/profile-type.ts";
import { quote } from "../../model/text.ts";
import type { ProfileSummary } from "../../pprof/summary.ts";
import { guessType, isGoTrace, readSummary, typesInstead } from "../guess-type.ts";
import { systemFault } from "../system-fault.ts";
import { endpointOf, fetchLiveProfile, typeOfPath } from "./live-profile.ts";
import type { ProfileName } from "./outcome.ts";
import type { PathPattern } from "./path-pattern.ts";
import { readWithin, tooLarge } from "./read-within.ts";
import type { Source } from "./sources.ts";

/** What the options say of every profile. */
export interface Naming {
  service: string | undefined;
  type: string | undefined;
  labels: readonly Label[];
  pattern: PathPattern | undefined;
  /** For profiles that have no time of their own. */
  createdAtNs: bigint | undefined;
  /** Of a profile that a URL takes. */
  seconds: number | undefined;
}

/** Which state of a file it is: another size or time of change makes it another. */
export interface FileStamp {
  path: string;
  sizeBytes: bigint;
  changedNs: bigint;
}

export interface SaidTime {
  timeNs: bigint;
  first: boolean;
}

export interface PreparedProfile {
  named: ProfileName;
  bytes: Uint8Array;
  /** What may not be as it was meant. */
  warnings: readonly string[];
  /** Its own, as it says; zero where it says nothing. */
  ownTimeNs: bigint;
  /** For a profile without a time of its own; with `first` for every one. */
  saidTime: SaidTime | undefined;
  /** Set where nothing else lets the server recognise that it is sent again. */
  requestId: string | undefined;
}

/** What the options and the path say; the type is undefined where only the content can tell. Throws `invalid`. */
export function nameSource(source: Source, naming: Naming): Omit<ProfileName, "type"> & { type: string | undefined } {
  const fromPath = source.kind === "file" ? valuesOfPath(source.patternPath, naming.pattern) : NO_VALUES;
  const service = naming.service ?? fromPath.get("service");
  if (service === undefined) {
    throw new DomainError("invalid", "Cannot take it without a service: the pattern is for files; say --service");
  }
  const labels = [...naming.labels];
  for (const [name, value] of fromPath) if (name !== "service" && name !== "type") labels.push({ name, value });
  canonicalLabels(labels, DEFAULT_LIMITS); // throws
  const type = naming.type ?? fromPath.get("type");
  return {
    service: checkService(service, DEFAULT_LIMITS),
    type: type === undefined ? undefined : checkTypeName(type),
    labels,
  };
}

const NO_VALUES: ReadonlyMap<string, string> = new Map();

function valuesOfPath(path: string, pattern: PathPattern | undefined): ReadonlyMap<string, string> {
  if (pattern === undefined) return NO_VALUES;
  const values = pattern.match(path);
  if (values) return values;
  throw new DomainError("invalid", `Cannot name it: the end of ${quote(path)} does not match ${quote(pattern.text)}`);
}

/** Undefined for what is no regular file: a pipe has no state to come back to. Throws `not-found` or `invalid`. */
export async function stampOf(path: string): Promise<FileStamp | undefined> {
  try {
    const stats = await stat(path, { bigint: true });
    return stats.isFile() ? { path, sizeBytes: stats.size, changedNs: stats.mtimeNs } : undefined;
  } catch (cause) {
    throw unreadable(cause, path);
  }
}

/** Reads, or fetches, all of it. Throws DomainErrors. */
export async function prepare(
  source: Source,
  stamp: FileStamp | undefined,
  naming: Naming,
  signal: AbortSignal,
): Promise<PreparedProfile> {
  if (source.kind === "nothing") throw source.failure;
  const { type, ...rest } = nameSource(source, naming);
  const bytes = await readBytes(source, stamp, naming, signal);
  const { createdAtNs } = naming;
  const saidTime = createdAtNs === undefined ? undefined : { timeNs: createdAtNs, first: false };
  const inspected = inspect(bytes, type, (summary) => typeOf(summary, source));
  return prepared({ ...rest, type: inspected.type }, bytes, inspected, saidTime, stamp);
}

export interface Inspected {
  type: string;
  /** Absent of traces, and of what only the server may be able to read. */
  summary: ProfileSummary | undefined;
}

/** `guess` tells the type by the columns, where no `type` is given. Throws `invalid` and `too-large`. */
export function inspect(
  bytes: Uint8Array,
  type: string | undefined,
  guess: (summary: ProfileSummary) => string,
): Inspected {
  if (type === "trace" || (type === undefined && isGoTrace(bytes))) return { type: "trace", summary: undefined };
  const summary = summaryOf(bytes, type !== undefined);
  return { type: type ?? guess(summary!), summary };
}

/** `stamp` tells of what has no time that it is sent again. */
export function prepared(
  named: ProfileName,
  bytes: Uint8Array,
  { summary }: Inspected,
  saidTime: SaidTime | undefined,
  stamp: FileStamp | undefined,
): PreparedProfile {
  const ownTimeNs = summary?.timeNs ?? 0n;
  const needsId = stamp !== undefined && ownTimeNs === 0n && saidTime === undefined;
  const requestId = needsId ? requestIdOf(stamp, bytes, named) : undefined;
  return { named, bytes, warnings: warningsOf(named.type, summary), ownTimeNs, saidTime, requestId };
}

function warningsOf(type: string, summary: ProfileSummary | undefined): string[] {
  const fitting = summary === undefined ? undefined : typesInstead(summary, type);
  if (fitting === undefined) return [];
  return [`its type is ${type}, though its columns are those of ${fitting.join(" or ")}`];
}

/** Where the type is known without it, what cannot be read here is left to the server, which may have other limits. */
function summaryOf(bytes: Uint8Array, typeIsKnown: boolean): ProfileSummary | undefined {
  try {
    return readSummary(bytes, DEFAULT_LIMITS);
  } catch (error) {
    if (typeIsKnown && error instanceof DomainError) return undefined;
    throw error;
  }
}

function typeOf(summary: ProfileSummary, source: Source): string {
  if (source.kind !== "url") return guessType(summary, basename(source.name));
  try {
    return guessType(summary, endpointOf(source.url));
  } catch (error) {
    const type = typeOfPath(source.url);
    if (type === undefined) throw error;
    return type;
  }
}

/** A file in one state is one profile, however often it is sent under one name. */
function requestIdOf({ path, changedNs }: FileStamp, bytes: Uint8Array, named: ProfileName): string {
  return `push-${hash("sha256", JSON.stringify([path, `${changedNs}`, hash("sha256", bytes), named]))}`;
}

async function readBytes(
  source: Exclude<Source, { kind: "nothing" }>,
  stamp: FileStamp | undefined,
  naming: Naming,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const { bodyBytes } = DEFAULT_LIMITS;
  if (source.kind === "url") return await fetchLiveProfile(source.url, naming.seconds, bodyBytes, signal);
  if (source.kind === "stdin") return await readWithin(addAbortSignal(signal, process.stdin), bodyBytes);
  if (stamp && stamp.sizeBytes > bodyBytes) throw tooLarge(bodyBytes);
  try {
    return await (stamp ? readFile(source.path) : readPipe(source.path, bodyBytes, signal));
  } catch (cause) {
    throw cause instanceof DomainError ? cause : unreadable(cause, source.path);
  }
}

/** Opening a pipe takes until somebody writes to it, and cannot be ended: the signal does not wait for it. */
async function readPipe(path: string, maxBytes: number, signal: AbortSignal): Promise<Uint8Array> {
  signal.throwIfAborted();
  const ended = Promise.withResolvers<never>();
  const end = () => ended.reject(signal.reason);
  signal.addEventListener("abort", end, { once: true });
  try {
    return await Promise.race([readWithin(createReadStream(path, { signal }), maxBytes), ended.promise]);
  } finally {
    signal.removeEventListener("abort", end);
  }
}

function unreadable(cause: unknown, path: string): DomainError {
  const isAbsent = (cause as NodeJS.ErrnoException).code === "ENOENT";
  // What cannot be decoded in a name was replaced by this character, and a path with it leads nowhere.
  if (isAbsent && path.includes("\ufffd")) {
    const message = "Cannot read it: its name is not UTF-8; rename it, or send it through stdin, as -";
    return new DomainError("invalid", message, { cause });
  }
  return new DomainError(isAbsent ? "not-found" : "invalid", `Cannot read it: ${systemFault(cause)}`, { cause });
}
