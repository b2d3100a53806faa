// Where a page of a list ends: at so many items, or at so many bytes of answer. What is on it is the lists' own.

import type { Labels } from "../model/labels.ts";
import type { ProfileRecord } from "../model/profile-record.ts";
import { utf8Bytes } from "../model/text.ts";

/** What JSON needs around the texts of an item (ids, times, digests, field names), of a label, and of a column. */
const ITEM_BYTES = 640;
const LABEL_BYTES = 32;
const COLUMN_BYTES = 128;

/** The first of `found`, at most `limit` and about `maxBytes`, but at least one; `isMore` where some were left. */
export function cutPage<Item>(
  found: readonly Item[],
  limit: number,
  maxBytes: number,
  bytesOf: (item: Item) => number,
): { items: Item[]; isMore: boolean } {
  let count = 0;
  let leftBytes = maxBytes;
  while (count < Math.min(found.length, limit)) {
    leftBytes -= bytesOf(found[count]!);
    if (leftBytes < 0 && count > 0) break;
    count++;
  }
  return { items: found.slice(0, count), isMore: count < found.length };
}

export function recordBytes({ service, labels, shape }: ProfileRecord): number {
  let bytes = ITEM_BYTES + utf8Bytes(service) + labelsBytes(labels);
  for (const { type, unit } of shape?.columns ?? []) bytes += COLUMN_BYTES + utf8Bytes(type) + utf8Bytes(unit);
  return bytes;
}

export function seriesBytes({ service, labels }: { service: string; labels: Labels }): number {
  return ITEM_BYTES + utf8Bytes(service) + labelsBytes(labels);
}

export function nameBytes({ name }: { name: string }): number {
  return COLUMN_BYTES + utf8Bytes(name);
}

function labelsBytes(labels: Labels): number {
  return labels.reduce((sum, { name, value }) => sum + LABEL_BYTES + utf8Bytes(name) + utf8Bytes(value), 0);
}
