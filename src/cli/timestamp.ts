// Nanoseconds ↔ the contract's Timestamp, for the client verbs.

import { NS_PER_SECOND } from "../model/time.ts";

/** Not before 1970. */
export function timestampOf(timeNs: bigint): { seconds: bigint; nanos: number } {
  return { seconds: timeNs / NS_PER_SECOND, nanos: Number(timeNs % NS_PER_SECOND) };
}

export function timeNsOf({ seconds, nanos }: { seconds: bigint; nanos: number }): bigint {
  return seconds * NS_PER_SECOND + BigInt(nanos);
}
