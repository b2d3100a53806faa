// The bytes of a profile → the form in which they were written, always proven by writing them again.

import { DomainError } from "../../model/errors.ts";
import type { ProfileTables } from "../../pprof/profile-tables.ts";
import type { SampleReader } from "../../pprof/sample-reader.ts";
import { goRuntimeSkeleton } from "./learn-go-runtime.ts";
import type { ProfileWriter } from "./profile-writer.ts";
import type { WrittenForm, WrittenProfile } from "./written-profile.ts";

const NO_ORDERS = new Uint8Array(0);

/**
 * The form with which `writer` writes `profile` exactly as the bytes of `source` are, or undefined: then the bytes must be kept.
 * `source` has the profile loaded (its bytes are read again), `samples` reads it with `keepsEmptyLabels`, and `profile` is the same
 * one as the pack will tell it.
 */
export function learnWrittenForm(
  writer: ProfileWriter,
  source: ProfileTables,
  _samples: SampleReader,
  profile: WrittenProfile,
): WrittenForm | undefined {
  const skeleton = goRuntimeSkeleton(source);
  const form = skeleton && { skeleton, orders: NO_ORDERS };
  return form && isExact(writer, source.raw, profile, form) ? form : undefined;
}

/** Whether the form writes these bytes. A form that does not fit the profile does not. */
function isExact(writer: ProfileWriter, raw: Uint8Array, profile: WrittenProfile, form: WrittenForm): boolean {
  try {
    const written = writer.write(profile, form);
    return written.length === raw.length && Buffer.compare(written, raw) === 0;
  } catch (error) {
    if (error instanceof DomainError) return false;
    throw error;
  }
}
