// What an insert says to the writer thread: ids and digests in one buffer each, since cloning a view clones all that lies behind it.

import { shapeSignature } from "../../model/shape.ts";
import type { NewProfile } from "../catalog.ts";
import { TIME_SOURCES } from "./profile-rows.ts";

export interface InsertMessage {
  ids: Uint8Array<ArrayBuffer>;
  digests: Uint8Array<ArrayBuffer>;
  rows: InsertRow[];
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
