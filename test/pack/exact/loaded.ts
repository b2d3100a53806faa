// A profile's bytes → what learning reads it from.

import { DEFAULT_LIMITS } from "../../../src/model/limits.ts";
import { ProfileTables } from "../../../src/pprof/profile-tables.ts";
import { SampleReader } from "../../../src/pprof/sample-reader.ts";

export function loaded(raw: Uint8Array): { source: ProfileTables; samples: SampleReader } {
  const source = new ProfileTables();
  source.load(raw, DEFAULT_LIMITS);
  const samples = new SampleReader(source, DEFAULT_LIMITS);
  samples.keepsEmptyLabels = true;
  return { source, samples };
}
