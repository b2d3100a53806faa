// The record of a profile that was just inserted, and what the strategy most_cpu orders profiles by.

import { formatProfileId } from "../model/profile-id.ts";
import type { Shape } from "../model/shape.ts";
import type { NewProfile, StoredProfile } from "./catalog.ts";

export function storedProfile(profile: NewProfile, seq: number): StoredProfile {
  const { sampleLabelKeys: _keys, requestId: _request, ...kept } = profile;
  return {
    ...kept,
    id: formatProfileId(profile.id),
    digest: Uint8Array.from(profile.digest),
    sizeBytes: profile.locator.sizeBytes,
    seq,
  };
}

/** The position of the cpu column, else of the first. */
export function rankColumn(shape: Shape | undefined): number {
  return Math.max(0, shape?.columns.findIndex(({ type }) => type === "cpu") ?? 0);
}
