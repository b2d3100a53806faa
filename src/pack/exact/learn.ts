// The bytes of a profile → the form in which they were written, always proven by writing them again.

import type { ProfileTables } from "../../pprof/profile-tables.ts";
import type { ProfileWriter } from "./profile-writer.ts";
import type { WrittenForm, WrittenProfile } from "./written-profile.ts";

/**
 * The form with which `writer` writes `profile` exactly as the bytes of `source` are, or undefined: then the bytes must be kept.
 * `source` has the profile loaded (raw is read again), `profile` is the same one as the pack will tell it.
 */
export function learnWrittenForm(
  _writer: ProfileWriter,
  _source: ProfileTables,
  _profile: WrittenProfile,
): WrittenForm | undefined {
  return undefined;
}
