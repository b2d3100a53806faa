// Profiles as a catalog takes them, with defaults for whatever a test does not care about.

import { createHash } from "node:crypto";
import { compareLabels, type Label } from "../../src/model/labels.ts";
import { profileId } from "../../src/model/profile-id.ts";
import type { NewProfile } from "../../src/storage/catalog.ts";

/** 2026-09-21T14:13:20Z. */
export const BASE_NS = 1_790_000_000_000_000_000n;

const CPU = {
  columns: [
    { type: "samples", unit: "count" },
    { type: "cpu", unit: "nanoseconds" },
  ],
  periodType: { type: "cpu", unit: "nanoseconds" },
};

let nextOffset = 32;

export type ProfileFields = Partial<Omit<NewProfile, "labels" | "shape">> & {
  /** In any order. */
  labels?: readonly Label[];
  /** Added to BASE_NS; in seconds, as most tests write it. */
  second?: number;
  /** What the digest is of. */
  content?: string;
  /** null for opaque bytes. */
  shape?: NewProfile["shape"] | null;
};

export function newProfile({
  second = 0,
  content = `${nextOffset}`,
  shape = CPU,
  ...fields
}: ProfileFields = {}): NewProfile {
  const timeNs = fields.timeNs ?? BASE_NS + BigInt(second) * 1_000_000_000n;
  const labels = [...(fields.labels ?? [])].sort(compareLabels);
  const service = fields.service ?? "auth";
  const type = fields.type ?? "cpu";
  const digest = fields.digest ?? new Uint8Array(createHash("sha256").update(content).digest());
  nextOffset += 1_000;
  return {
    id: profileId({ tenant: "default", service, type, labels, timeNs, digest }),
    timeSource: "profile",
    durationNs: 10_000_000_000n,
    receivedNs: timeNs + 5_000_000_000n,
    sampleCount: 17,
    totals: shape ? [100n, 5_000_000n] : [],
    sampleLabelKeys: [],
    locator: { segmentId: 1, offset: nextOffset, sizeBytes: 900 },
    ...fields,
    service,
    type,
    labels,
    timeNs,
    digest,
    ...(shape && { shape }),
  };
}

export function label(name: string, value: string): Label {
  return { name, value };
}
