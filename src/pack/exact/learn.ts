// The bytes of a profile → the form in which they were written, always proven by writing them again.

import { DomainError } from "../../model/errors.ts";
import type { ProfileTables } from "../../pprof/profile-tables.ts";
import type { SampleReader } from "../../pprof/sample-reader.ts";
import { goRuntimeSkeleton } from "./learn-go-runtime.ts";
import { learnTables } from "./learn-tables.ts";
import type { ProfileWriter } from "./profile-writer.ts";
import type { WrittenForm, WrittenProfile } from "./written-profile.ts";

const NO_ORDERS = new Uint8Array(0);

/**
 * The form with which `writer` writes `profile` exactly as the bytes of `source` are, or undefined: then the bytes must be kept.
 * `source` has the profile loaded (its bytes are read again), `samples` reads it with `keepsEmptyLabels`, and `profile` is the
 * same one as the pack will tell it.
 */
export function learnWrittenForm(
  writer: ProfileWriter,
  source: ProfileTables,
  samples: SampleReader,
  profile: WrittenProfile,
): WrittenForm | undefined {
  try {
    const skeleton = goRuntimeSkeleton(source);
    const form = skeleton && { skeleton, orders: NO_ORDERS };
    if (form !== undefined && isExact(writer, source.raw, profile, form)) return form;
    const tables = learnTables(writer, source, samples, profile);
    return tables !== undefined && isExact(writer, source.raw, profile, tables) ? tables : undefined;
  } catch (error) {
    if (error instanceof DomainError) return undefined; // `profile` does not say all that the bytes do
    throw error;
  }
}

function isExact(writer: ProfileWriter, raw: Uint8Array, profile: WrittenProfile, form: WrittenForm): boolean {
  const written = writer.write(profile, form);
  return written.length === raw.length && Buffer.compare(written, raw) === 0;
}
