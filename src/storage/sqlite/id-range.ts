// An interval and a cursor as a range of profile ids, which sort by time to the millisecond; the rest is compared on the time itself.

import type { Interval } from "../../model/time.ts";
import { NS_PER_MS } from "../../model/time.ts";

/** Parameters of every statement that reads a range: ids in [low, high), times in [startNs, lastNs]. */
export interface IdRange {
  low: Buffer;
  high: Buffer;
  startNs: bigint;
  lastNs: bigint;
}

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;
/** Longer than an id: behind every one of them. */
const BEHIND_ALL = Buffer.alloc(17, 0xff);

/** Undefined where nothing can lie inside. */
export function idRange(interval: Interval | undefined): IdRange | undefined {
  if (interval === undefined) return { low: Buffer.alloc(16), high: BEHIND_ALL, startNs: INT64_MIN, lastNs: INT64_MAX };
  const startNs = interval.startNs < INT64_MIN ? INT64_MIN : interval.startNs;
  const lastNs = interval.endNs > INT64_MAX ? INT64_MAX : interval.endNs - 1n;
  if (lastNs < startNs || lastNs < 0n) return undefined;
  const low = startNs < 0n ? 0 : Number(startNs / NS_PER_MS);
  return { low: firstIdOfMs(low), high: firstIdOfMs(Number(lastNs / NS_PER_MS) + 1), startNs, lastNs };
}

/** Leaves out `afterId` and what comes before it in the order. */
export function behindCursor(range: IdRange, order: "newest" | "oldest", afterId: Uint8Array | undefined): IdRange {
  if (afterId === undefined) return range;
  const id = Buffer.from(afterId);
  if (order === "newest") return Buffer.compare(id, range.high) < 0 ? { ...range, high: id } : range;
  const next = idAfter(id);
  return Buffer.compare(next, range.low) > 0 ? { ...range, low: next } : range;
}

/** Both bounds in ms, both inclusive, not finite where there are none. */
export function within(range: IdRange, firstMs: number, lastMs: number): IdRange {
  const low = firstIdOfMs(Math.max(0, firstMs));
  const high = lastMs === Number.NEGATIVE_INFINITY ? Buffer.alloc(0) : firstIdOfMs(lastMs + 1);
  return {
    ...range,
    low: Buffer.compare(low, range.low) > 0 ? low : range.low,
    high: Buffer.compare(high, range.high) < 0 ? high : range.high,
  };
}

export function firstIdOfMs(milliseconds: number): Buffer {
  if (milliseconds >= 2 ** 48) return BEHIND_ALL;
  const id = Buffer.alloc(16);
  id.writeUIntBE(milliseconds, 0, 6);
  return id;
}

export function msOfId(id: Uint8Array): number {
  return Buffer.from(id.buffer, id.byteOffset, 6).readUIntBE(0, 6);
}

/** The smallest byte string behind an id. */
export function idAfter(id: Uint8Array): Buffer {
  return Buffer.concat([id, Buffer.alloc(1)]);
}
