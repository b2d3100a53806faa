// Field numbers of profile.proto as it is today: the only magic numbers of the format. Tags and wire types are wire-reader's business.

export const PROFILE = {
  sampleType: 1,
  sample: 2,
  mapping: 3,
  location: 4,
  function: 5,
  stringTable: 6,
  dropFrames: 7,
  keepFrames: 8,
  timeNs: 9,
  durationNs: 10,
  periodType: 11,
  period: 12,
  comment: 13,
  defaultSampleType: 14,
  docUrl: 15,
} as const;

export const VALUE_TYPE = { type: 1, unit: 2 } as const;
export const SAMPLE = { locationId: 1, value: 2, label: 3 } as const;
export const LABEL = { key: 1, str: 2, num: 3, numUnit: 4 } as const;
export const MAPPING = {
  id: 1,
  start: 2,
  limit: 3,
  offset: 4,
  file: 5,
  buildId: 6,
  hasFunctions: 7,
  hasFilenames: 8,
  hasLineNumbers: 9,
  hasInlineFrames: 10,
} as const;
export const LOCATION = { id: 1, mappingId: 2, address: 3, line: 4, isFolded: 5 } as const;
export const LINE = { functionId: 1, line: 2, column: 3 } as const;
export const FUNCTION = { id: 1, name: 2, systemName: 3, file: 4, startLine: 5 } as const;

/** Wire types that profiles use; groups (3, 4) are refused, as google/pprof refuses them. */
export const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;
