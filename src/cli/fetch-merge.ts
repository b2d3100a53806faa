// A merge as the verbs fetch it: whole, with its summary; and where nothing matches, a word on where to look.

import type { MergeSummary } from "../../gen/profusion/v1/profile_pb.ts";
import { DomainError } from "../model/errors.ts";
import type { Interval } from "../model/time.ts";
import type { Connection } from "./connection.ts";
import { formatLocalTime, zoneName } from "./local-time.ts";
import { intervalOf, type SelectionOptions, selectorText, windowOf } from "./selection-options.ts";
import { harmless } from "./terminal.ts";
import { timeNsOf } from "./timestamp.ts";

export interface FetchedMerge {
  profileBytes: Uint8Array;
  summary: MergeSummary;
}

/** What a sum is asked for: never everything, and never of all time by leaving something out. */
export interface AskedMerge {
  selector: string;
  window: Interval;
}

/** Throws `invalid` where the selection or the window is missing. */
export async function askedMerge(typed: string | undefined, options: SelectionOptions): Promise<AskedMerge> {
  const selector = await selectorText(typed, options);
  if (selector === undefined) {
    throw new DomainError("invalid", "Cannot merge without a selection: write a selector, or --service and --type");
  }
  const window = windowOf(options);
  if (window === undefined || (options.from ?? options.last) === undefined) {
    throw new DomainError("invalid", "Cannot merge without a window: say --last 1h, or --from and, if need be, --to");
  }
  return { selector, window };
}

export async function fetchMerge(
  connection: Connection,
  typed: string | undefined,
  options: SelectionOptions,
): Promise<FetchedMerge> {
  return await fetchAsked(connection, await askedMerge(typed, options));
}

export async function fetchAsked(connection: Connection, { selector, window }: AskedMerge): Promise<FetchedMerge> {
  const chunks: Uint8Array[] = [];
  let summary: MergeSummary | undefined;
  try {
    const selection = { selector, interval: intervalOf(window) };
    for await (const { part } of connection.query.streamMergedProfile({ selection })) {
      if (part.case === "summary") summary = part.value;
      else if (part.case === "chunk") chunks.push(part.value);
    }
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    const hint = error.kind === "not-found" ? await whereToLook(connection, selector, window) : "";
    throw new DomainError(error.kind, `${harmless(selector)}: ${error.message}${hint}`, { cause: error });
  }
  if (summary === undefined) throw new DomainError("unavailable", `${connection.server} answered without a summary`);
  return { profileBytes: Buffer.concat(chunks), summary };
}

/** Most often it is the window that misses, by a zone or by a day. */
export async function whereToLook(connection: Connection, selector: string, window: Interval): Promise<string> {
  const { profiles } = await connection.profiles.listProfiles({ selector, pageSize: 1 });
  const newest = profiles[0]?.startTime;
  if (newest === undefined) return "; none matches at any time";
  const times = [window.startNs, window.endNs, timeNsOf(newest)].map(formatLocalTime);
  return `; asked for ${times[0]} to ${times[1]} (zone ${zoneName()}), the newest that matches began at ${times[2]}`;
}
