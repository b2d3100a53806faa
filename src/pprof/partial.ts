// What one Merger tells another: the merged profile, and before it, as JSON, what a profile cannot say: which input said what first.

import type { TotalsState } from "./column-totals.ts";
import type { HeaderState } from "./merge-header.ts";
import type { MappingsState } from "./merged-mappings.ts";

export interface MergerState {
  header: HeaderState;
  mappings: MappingsState;
  /** In the order of the profile's columns. */
  totals: TotalsState;
  /** The merge in canonical form. */
  profile: Uint8Array;
}

/** Only for a Merger of the same version in the same process: this is no file format. */
export function encodePartial({ profile, ...state }: MergerState): Uint8Array {
  const json = Buffer.from(JSON.stringify(state), "utf8");
  const bytes = new Uint8Array(4 + json.length + profile.length);
  new DataView(bytes.buffer).setUint32(0, json.length, true);
  bytes.set(json, 4);
  bytes.set(profile, 4 + json.length);
  return bytes;
}

export function decodePartial(bytes: Uint8Array): MergerState {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const json = Buffer.from(bytes.buffer, bytes.byteOffset + 4, length).toString("utf8");
  return { ...(JSON.parse(json) as Omit<MergerState, "profile">), profile: bytes.subarray(4 + length) };
}
