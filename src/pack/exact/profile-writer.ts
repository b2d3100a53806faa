// A profile and its form → the bytes that were uploaded (inflated). Which writer a form means is told by its first byte.

import { DomainError } from "../../model/errors.ts";
import { writeGoRuntime } from "./go-runtime.ts";
import { WriteState } from "./write-state.ts";
import type { WrittenForm, WrittenProfile } from "./written-profile.ts";

/** The first byte of a skeleton. Numbers are never used again for another writer. */
export const WRITER = { goRuntime: 1, tables: 2 } as const;

export class ProfileWriter {
  readonly #state = new WriteState();

  /**
   * The bytes: a view that is valid until the next write. Throws DomainError `invalid` for a form that is not known or does not
   * fit the profile.
   */
  write(profile: WrittenProfile, form: WrittenForm): Uint8Array {
    const state = this.#state;
    state.start(profile);
    if (form.skeleton[0] === WRITER.goRuntime) writeGoRuntime(state, profile, form.skeleton.subarray(1));
    else throw new DomainError("invalid", `a written form is of writer ${form.skeleton[0]}, known are 1 and 2`);
    return state.bytes.subarray(0, state.at);
  }
}
