// Profiles → how they are written again: counted by writer, in one shared numbering, as a pack would have it.

import { learnWrittenForm } from "../../../src/pack/exact/learn.ts";
import { ProfileWriter, WRITER } from "../../../src/pack/exact/profile-writer.ts";
import { Interner } from "../../../src/pprof/interner.ts";
import { internedProfile } from "./interned-profile.ts";
import { loaded } from "./loaded.ts";

export interface Exactness {
  goRuntime: number;
  tables: number;
  /** Those whose bytes must be kept. */
  verbatim: number;
  /** Of all orders together. */
  orderBytes: number;
  /** Distinct ones, in hexadecimal. */
  skeletons: Set<string>;
}

/** Throws when a form that was learnt writes other bytes. */
export function exactnessOf(profiles: Iterable<Uint8Array>): Exactness {
  const seen: Exactness = { goRuntime: 0, tables: 0, verbatim: 0, orderBytes: 0, skeletons: new Set() };
  const interner = new Interner();
  const writer = new ProfileWriter();
  for (const raw of profiles) {
    const { source, samples } = loaded(raw);
    const profile = internedProfile(interner, source, samples);
    const form = learnWrittenForm(writer, source, samples, profile);
    if (form === undefined) {
      seen.verbatim++;
      continue;
    }
    if (Buffer.compare(writer.write(profile, form), raw) !== 0) throw new Error("A learnt form writes other bytes");
    if (form.skeleton[0] === WRITER.goRuntime) seen.goRuntime++;
    else seen.tables++;
    seen.orderBytes += form.orders.length;
    seen.skeletons.add(Buffer.from(form.skeleton).toString("hex"));
  }
  return seen;
}
