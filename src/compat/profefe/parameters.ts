// profefe's query parameters: which there are, in which order they are judged, what its error messages say.
// Widened beyond profefe: more ways to write a time, `last`, and `query` with a selector.

import type { Grant } from "../../http/access.ts";
import { boundService } from "../../http/bound.ts";
import { badRequest, explained, type Parameters, readLabels, readText } from "../../http/query-parameters.ts";
import { DomainError } from "../../model/errors.ts";
import { canonicalLabels } from "../../model/labels.ts";
import type { Limits } from "../../model/limits.ts";
import { isTypeName } from "../../model/profile-type.ts";
import { parseSelector, type Selector, selectorOf } from "../../model/selector.ts";
import { quote } from "../../model/text.ts";
import {
  exclusiveEnd,
  formatTime,
  type Interval,
  parseDuration,
  parseTime,
  type WrittenTime,
} from "../../model/time.ts";

export interface ProfileQuery {
  selector: Selector;
  interval: Interval;
  /** The newest so many; undefined for all. */
  limit: number | undefined;
}

const MAX_INT64 = 2n ** 63n - 1n;
const MOST_DIGITS = 64;
/** A `+02:00` that was put into a URL unescaped. */
const SPACE_FOR_PLUS = / (?=\d\d:\d\d$)/;

/** Throws `invalid` where it is missing: a profile has a service, where the key does not say which. */
export function readService(parameters: Parameters, grant?: Grant): string {
  const asked = readText(parameters, "service");
  const service = grant ? boundService(grant, asked) : asked;
  if (service === undefined || service === "") throw badRequest('missing "service"');
  return service;
}

/** Undefined for any type: missing, malformed, or profefe's own word `unknown`. */
export function readType(parameters: Parameters): string | undefined {
  const type = readText(parameters, "type")?.trim();
  return type === undefined || type === "unknown" || !isTypeName(type) ? undefined : type;
}

/** Undefined where it is absent. `title` is how profefe's message names it. */
export function readTime(
  parameters: Parameters,
  name: string,
  nowNs: bigint,
  title = `${quote(name)} timestamp`,
): WrittenTime | undefined {
  const text = readText(parameters, name);
  if (text === undefined || text === "") return undefined;
  try {
    return parseTime(text.replace(SPACE_FOR_PLUS, "+"), nowNs);
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    throw badRequest(
      `bad ${title} ${quote(text)}: time in unsupported format ${quote(text)} (${error.message})`,
      error,
    );
  }
}

/** What find and merge ask. Judged in profefe's order: service, type, labels, from, to, limit, then how they fit together. */
export function readProfileQuery(parameters: Parameters, limits: Limits, nowNs: bigint): ProfileQuery {
  const selectorText = readText(parameters, "query");
  const hasSelector = selectorText !== undefined && selectorText !== "";
  const service = hasSelector ? readText(parameters, "service") || undefined : readService(parameters);
  const type = readType(parameters);
  const sent = readLabels(parameters, limits);
  const { labels } = explained("labels", parameters.get("labels") ?? "", () => canonicalLabels(sent, limits));
  const plain = selectorOf(service, type, labels);
  const selector = hasSelector ? narrowed(plain, selectorText, limits) : plain;
  const interval = readInterval(parameters, nowNs);
  return { selector, limit: readLimit(parameters), interval };
}

/** What narrows a question that has a selector and a window of its own: `labels` and `query`, `from` and `to` or `last`. */
export function readNarrowing(
  parameters: Parameters,
  limits: Limits,
  nowNs: bigint,
): { narrow: Selector; interval: Interval | undefined } {
  const sent = readLabels(parameters, limits);
  const { labels } = explained("labels", parameters.get("labels") ?? "", () => canonicalLabels(sent, limits));
  const plain = selectorOf(undefined, undefined, labels);
  const text = readText(parameters, "query");
  const narrow = text === undefined || text === "" ? plain : narrowed(plain, text, limits);
  const hasWindow = ["from", "to", "last"].some((name) => parameters.has(name));
  return { narrow, interval: hasWindow ? readInterval(parameters, nowNs) : undefined };
}

/** One of a few words; undefined where it is absent. */
export function readWord<Word extends string>(
  parameters: Parameters,
  name: string,
  words: readonly Word[],
): Word | undefined {
  const text = readText(parameters, name);
  if (text === undefined || text === "") return undefined;
  const word = words.find((each) => each === text);
  if (word === undefined) throw badRequest(`bad ${quote(name)} ${quote(text)}: it is ${words.join(" or ")}`);
  return word;
}

/** `max_nodes`, which profefe does not know; 0 is no limit. */
export function readMaxNodes(parameters: Parameters): number | undefined {
  const text = readText(parameters, "max_nodes");
  if (text === undefined || text === "") return undefined;
  if (!/^\d{1,10}$/.test(text)) throw badRequest(`bad "max_nodes" ${quote(text)}: it is a whole number, 0 or more`);
  return Number(text) || undefined;
}

function narrowed(plain: Selector, text: string, limits: Limits): Selector {
  const selector = explained("query", text, () => parseSelector(text, limits));
  return {
    ...selector,
    services: [...plain.services, ...selector.services],
    types: [...plain.types, ...selector.types],
    labels: [...plain.labels, ...selector.labels],
  };
}

function readInterval(parameters: Parameters, nowNs: bigint): Interval {
  const last = readText(parameters, "last");
  if (last !== undefined && last !== "") {
    if (parameters.has("from") || parameters.has("to"))
      throw badRequest('"last" stands for "from" and "to": send either');
    const startNs = nowNs - explained("last", last, () => parseDuration(last));
    return { startNs: startNs < 0n ? 0n : startNs, endNs: nowNs };
  }
  const from = readTime(parameters, "from", nowNs);
  if (from === undefined) throw badRequest('missing "from"');
  const to = readTime(parameters, "to", nowNs);
  if (to === undefined) throw badRequest('missing "to"');
  if (from.timeNs > to.timeNs) {
    throw badRequest(`CreatedAtMin after CreatedAtMax: ${goTime(from.timeNs)}, ${goTime(to.timeNs)}`);
  }
  return { startNs: from.timeNs, endNs: exclusiveEnd(to) };
}

/** Zero is no limit, as for profefe; negative ones are refused. */
function readLimit(parameters: Parameters): number | undefined {
  const text = readText(parameters, "limit");
  if (text === undefined || text === "") return undefined;
  const refuse = (rule: string) => badRequest(`bad "limit" ${quote(text)}: ${rule}`);
  const parsing = `strconv.Atoi: parsing ${quote(text)}`;
  if (!/^[+-]?\d+$/.test(text)) throw refuse(`${parsing}: invalid syntax`);
  // Judged by length first: turning a long text into a number takes long.
  const limit = text.length > MOST_DIGITS ? MAX_INT64 + 1n : BigInt(text.replace(/^\+/, ""));
  if (limit > MAX_INT64) throw refuse(`${parsing}: value out of range`);
  if (limit < 0n) throw refuse("it must not be negative");
  return limit === 0n ? undefined : Number(limit);
}

/** "2019-06-01 00:00:00 +0000 UTC", as Go prints times. */
function goTime(timeNs: bigint): string {
  return `${formatTime(timeNs).replace("T", " ").slice(0, -1)} +0000 UTC`;
}
