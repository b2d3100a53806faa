// The form of a profile that was written table by table: the layout that its bytes show, and the orders with the guess that
// leaves least to be stored.

import type { ProfileTables } from "../../pprof/profile-tables.ts";
import type { SampleReader } from "../../pprof/sample-reader.ts";
import { learnLayout } from "./learn-layout.ts";
import { LearntOrders, readOwnSamples } from "./learnt-orders.ts";
import { type Guess, skeletonBytes } from "./message-layout.ts";
import { type ProfileWriter, WRITER } from "./profile-writer.ts";
import type { WrittenForm, WrittenProfile } from "./written-profile.ts";

/** Larger profiles are kept: finding their orders would take ten times their size in memory. Those of real programs have some 100 KB. */
const BYTES_MAX = 16 * 1024 * 1024;

/** Undefined when the bytes show no layout, or are too many; whether the form is exact is for the caller to see. */
export function learnTables(
  writer: ProfileWriter,
  source: ProfileTables,
  samples: SampleReader,
  profile: WrittenProfile,
): WrittenForm | undefined {
  if (source.raw.length > BYTES_MAX) return undefined;
  const learnt = learnLayout(source);
  if (learnt === undefined) return undefined;
  const own = readOwnSamples(source, samples);
  let best: { guess: Guess; orders: Uint8Array } | undefined;
  for (const isRootFirst of [false, true]) {
    for (const isStreamed of [false, true]) {
      if (best?.orders.length === 0) break;
      const guess = { isRootFirst, isStreamed };
      const orders = new LearntOrders(source, own, profile, learnt);
      writer.plan(profile, { ...learnt.layout, guess }, orders);
      const bytes = orders.finish();
      if (best === undefined || bytes.length < best.orders.length) best = { guess, orders: bytes };
    }
  }
  const skeleton = skeletonBytes({ ...learnt.layout, guess: best!.guess });
  return { skeleton: Uint8Array.of(WRITER.tables, ...skeleton), orders: best!.orders };
}
