// A profile as plain objects, every field of profile.proto: for converters, tests and people.
// Merging and checking never build it: they work on the bytes (profile-tables.ts, merger.ts).

import type { ValueType } from "../model/shape.ts";

export interface Profile {
  sampleTypes: ValueType[];
  samples: Sample[];
  mappings: Mapping[];
  locations: Location[];
  functions: ProfileFunction[];
  /** Regular expressions of frames to drop and to keep; "" for none. */
  dropFrames: string;
  keepFrames: string;
  /** Start of collection, nanoseconds since 1970; 0 when unknown. */
  timeNs: bigint;
  durationNs: bigint;
  periodType: ValueType;
  /** In units of `periodType`. */
  period: bigint;
  comments: string[];
  /** Type of the column a viewer shows first; "" leaves it to the viewer. */
  defaultSampleType: string;
  docUrl: string;
}

export interface Sample {
  /** Leaf first. */
  locationIds: bigint[];
  /** One per sample type. */
  values: bigint[];
  labels: SampleLabel[];
}

/** A text label has `str`; a numeric one has `num`, and a `unit` or "". */
export interface SampleLabel {
  key: string;
  str: string;
  num: bigint;
  unit: string;
}

export interface Mapping {
  /** Unsigned 64-bit, not 0, unique; so are those of locations and functions. */
  id: bigint;
  start: bigint;
  limit: bigint;
  offset: bigint;
  file: string;
  buildId: string;
  hasFunctions: boolean;
  hasFilenames: boolean;
  hasLineNumbers: boolean;
  hasInlineFrames: boolean;
}

export interface Location {
  id: bigint;
  /** 0 for none. */
  mappingId: bigint;
  address: bigint;
  /** Innermost inlined frame first. */
  lines: Line[];
  isFolded: boolean;
}

export interface Line {
  functionId: bigint;
  line: bigint;
  column: bigint;
}

export interface ProfileFunction {
  id: bigint;
  name: string;
  systemName: string;
  file: string;
  startLine: bigint;
}

/** A profile in which nothing is said, to start from. */
export function emptyProfile(): Profile {
  return {
    sampleTypes: [],
    samples: [],
    mappings: [],
    locations: [],
    functions: [],
    dropFrames: "",
    keepFrames: "",
    timeNs: 0n,
    durationNs: 0n,
    periodType: { type: "", unit: "" },
    period: 0n,
    comments: [],
    defaultSampleType: "",
    docUrl: "",
  };
}
