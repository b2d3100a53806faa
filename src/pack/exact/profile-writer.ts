// A profile and its form → the bytes that were uploaded (inflated).

import type { WrittenForm, WrittenProfile } from "./written-profile.ts";

export class ProfileWriter {
  /**
   * The bytes: a view that is valid until the next write. Throws DomainError `invalid` for a form that it does not know or that
   * does not fit the profile.
   */
  write(_profile: WrittenProfile, _form: WrittenForm): Uint8Array {
    throw new Error("not written yet");
  }
}
