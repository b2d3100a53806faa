// What an insert says to the writer thread: ids and digests in one buffer each, since cloning a view clones all that lies behind it. With
// them go the bytes of the profiles, where that thread is to append them first.

import { shapeSignature } from "../../model/shape.ts";
import type { BlobKind } from "../blob-store.ts";
import type { NewProfile } from "../catalog.ts";
import type { NewUpload } from "../store-uploads.ts";
import { TIME_SOURCES } from "./profile-rows.ts";

export interface InsertMessage {
  ids: Uint8Array<ArrayBuffer>;
  digests: Uint8Array<ArrayBuffer>;
  rows: InsertRow[];
  bodies?: Bodies;
}

/** Bytes of the rows, in their order. Where they lie is known, and written into the rows, when they were appended. */
export interface Bodies {
  kind: BlobKind;
  bytes: Uint8Array<ArrayBuffer>[];
}

/** A profile without id and digest; null where the profile has none. */
export interface InsertRow {
  service: string;
  type: string;
  /** JSON of [[name, value], …] in canonical order: one text for one label set. */
  labelsText: string;
  timeNs: bigint;
  receivedNs: bigint;
  durationNs: bigint;
  claimedNs: bigint | null;
  timeSource: number;
  samples: number;
  shapeSignature: string | null;
  totals: readonly bigint[];
  sampleLabelKeys: readonly string[];
  externalId: string | null;
  submitter: string | null;
  requestId: string | null;
  segmentId: number;
  offset: number;
  sizeBytes: number;
}

export function insertMessage(batch: readonly NewProfile[]): InsertMessage {
  const ids = new Uint8Array(batch.length * 16);
  const digests = new Uint8Array(batch.length * 32);
  const rows = batch.map((profile, at) => {
    ids.set(profile.id, at * 16);
    digests.set(profile.digest, at * 32);
    return insertRow(profile);
  });
  return { ids, digests, rows };
}

/** `kind` is that of the segment to which the bytes are to be appended. */
export function storeMessage(batch: readonly NewUpload[], kind: BlobKind): Required<InsertMessage> {
  const unplaced = batch.map(({ profile, bytes }) => {
    return { ...profile, locator: { segmentId: 0, offset: 0, sizeBytes: bytes.length } };
  });
  return { ...insertMessage(unplaced), bodies: { kind, bytes: batch.map(({ bytes }) => bytes) } };
}

/** What is handed over with it, not copied. */
export function transferOf({ ids, digests, bodies }: InsertMessage): ArrayBuffer[] {
  return [ids.buffer, digests.buffer, ...(bodies?.bytes.map(({ buffer }) => buffer) ?? [])];
}

function insertRow(profile: NewProfile): InsertRow {
  const { service, type, labels, timeNs, receivedNs, durationNs, totals, sampleLabelKeys, locator } = profile;
  return {
    service,
    type,
    labelsText: JSON.stringify(labels.map(({ name, value }) => [name, value])),
    timeNs,
    receivedNs,
    durationNs,
    claimedNs: profile.claimedTimeNs ?? null,
    timeSource: TIME_SOURCES.indexOf(profile.timeSource),
    samples: profile.sampleCount,
    shapeSignature: profile.shape ? shapeSignature(profile.shape) : null,
    totals,
    sampleLabelKeys,
    externalId: profile.externalId ?? null,
    submitter: profile.submitter ?? null,
    requestId: profile.requestId ?? null,
    ...locator,
  };
}
