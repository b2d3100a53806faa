// What is known of one stored profile: the record that every answer about profiles is made of. The bytes are the blob store's.

import type { Labels } from "./labels.ts";
import type { Shape } from "./shape.ts";
import type { ResolvedTime } from "./time.ts";

export interface ProfileRecord {
  /** 26 characters, src/model/profile-id.ts; foreign systems treat it as opaque. */
  readonly id: string;
  readonly service: string;
  readonly type: string;
  readonly labels: Labels;
  /** Start of the profile. */
  readonly timeNs: bigint;
  readonly timeSource: ResolvedTime["source"];
  /** The time that the sender claimed, where it was not believed. */
  readonly claimedTimeNs?: bigint;
  readonly durationNs: bigint;
  readonly receivedNs: bigint;
  /** Of the bytes as they were sent (still gzipped, where they were). */
  readonly sizeBytes: number;
  readonly sampleCount: number;
  /** SHA-256 of the inflated bytes; of the bytes themselves where they are not pprof. 32 bytes. */
  readonly digest: Uint8Array;
  /** Absent where the bytes are opaque (traces). */
  readonly shape?: Shape;
  /** One per column of the shape, summed over all samples; they wrap like Go's int64. */
  readonly totals: readonly bigint[];
  /** An id that the sender chose. */
  readonly externalId?: string;
  /** Who sent it: the remote address, later the key. */
  readonly submitter?: string;
  /** Position in commit order, from 1. */
  readonly seq: number;
  /** The bytes as sent are gone: the same inflated bytes are made anew, in another gzip. */
  readonly rebuilt?: true;
}
