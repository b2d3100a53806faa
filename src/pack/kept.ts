// The bytes of profiles that cannot be written again from tables, as they are.

import { type Pack, readSection, type Section, sectionName } from "./format.ts";
import { NumberReader, NumberWriter } from "./number-columns.ts";
import { BLOCK_PROFILES, KIND, type PackProfiles } from "./pack-profiles.ts";

/** Undefined for a block that needs none. */
export function encodeKept(part: number, bytes: readonly (Uint8Array | undefined)[]): Section | undefined {
  const kept = bytes.filter((entry) => entry !== undefined);
  if (kept.length === 0) return undefined;
  const out = new NumberWriter();
  out.numbers(kept.map((entry) => entry.length));
  for (const entry of kept) out.bytes(entry);
  return { kind: "kept", part, bytes: out.finish() };
}

/** By place in the block; undefined for those that are told by rows. Throws `unavailable`, naming the section that is damaged. */
export function decodeKept(pack: Pack, profiles: PackProfiles, part: number): (Uint8Array | undefined)[] {
  const kinds = profiles.kinds.subarray(part * BLOCK_PROFILES, (part + 1) * BLOCK_PROFILES);
  const from = new NumberReader(sectionName("kept", part), readSection(pack, "kept", part));
  const lengths = from.numbers(kinds.filter((kind) => kind !== KIND.rows).length);
  let next = 0;
  const bytes = Array.from(kinds, (kind) => (kind === KIND.rows ? undefined : from.bytes(lengths[next++]!)));
  from.end();
  return bytes;
}
