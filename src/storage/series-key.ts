// The order of series in lists, and the key that names a place in it.

import { DomainError } from "../model/errors.ts";
import { compareLabels, type Label, type Labels } from "../model/labels.ts";
import { compareUtf8, quote } from "../model/text.ts";

export interface SeriesIdentity {
  service: string;
  type: string;
  labels: Labels;
}

/** By service, type, then labels pair by pair; a set that begins another comes first. */
export function compareSeries(a: SeriesIdentity, b: SeriesIdentity): number {
  return compareUtf8(a.service, b.service) || compareUtf8(a.type, b.type) || compareLabelSets(a.labels, b.labels);
}

function compareLabelSets(a: Labels, b: Labels): number {
  for (let at = 0; at < Math.min(a.length, b.length); at++) {
    const order = compareLabels(a[at]!, b[at]!);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

/** As long as the labels: made where a page ends, not for every row. */
export function seriesKey({ service, type, labels }: SeriesIdentity): string {
  return JSON.stringify([service, type, ...labels.flatMap(({ name, value }) => [name, value])]);
}

/** Throws `invalid` for what is no key. */
export function parseSeriesKey(key: string): SeriesIdentity {
  const [service, type, ...texts] = readTexts(key);
  if (service === undefined || type === undefined || texts.length % 2 !== 0) throw notAKey(key);
  const labels: Label[] = [];
  for (let at = 0; at < texts.length; at += 2) labels.push({ name: texts[at]!, value: texts[at + 1]! });
  return { service, type, labels };
}

function readTexts(key: string): string[] {
  let read: unknown;
  try {
    read = JSON.parse(key);
  } catch {
    throw notAKey(key);
  }
  if (!Array.isArray(read) || !read.every((text) => typeof text === "string")) throw notAKey(key);
  return read;
}

function notAKey(key: string): DomainError {
  return new DomainError(
    "invalid",
    `Cannot continue the list of series after ${quote(key)}: pass the key of its last row`,
  );
}
