// Builds a profile from a plain description: names and stacks in, protobuf bytes out. Ids, string indexes and duplicate
// entities are its business. The spellings of the wire format are in profile-tables.ts.

import { gzipSync } from "node:zlib";
import {
  encodeTables,
  type FunctionEntry,
  type LocationEntry,
  type MappingEntry,
  PLAIN_SPELLING,
  type ProfileTables,
  type SampleEntry,
  type Spelling,
} from "./profile-tables.ts";

export interface ProfileSpec {
  /** [type, unit] of each column. Default: samples/count and cpu/nanoseconds, as Go's cpu profile. */
  sampleTypes?: [type: string, unit: string][];
  /** Default cpu/nanoseconds; null leaves it out. */
  periodType?: [type: string, unit: string] | null;
  /** Default 10 000 000. */
  period?: bigint;
  /** Default 0: none. */
  timeNs?: bigint;
  durationNs?: bigint;
  samples: SampleSpec[];
  /** Mappings that stand first in the table, used or not; others follow as the frames name them. */
  mappings?: MappingSpec[];
  comments?: string[];
  dropFrames?: string;
  keepFrames?: string;
  docUrl?: string;
  defaultSampleType?: string;
}

export interface SampleSpec {
  /** Leaf first. A string is a function without mapping, address or line. */
  stack: (string | FrameSpec)[];
  /** One per column. */
  values: (bigint | number)[];
  /** In this order; a key may repeat. */
  labels?: [key: string, value: string][];
  numbers?: [key: string, value: bigint, unit?: string][];
}

export interface FrameSpec {
  mapping?: MappingSpec;
  /** As the process saw it. Default 0. */
  address?: bigint;
  /** Innermost first. */
  lines?: LineSpec[];
  folded?: boolean;
}

export interface LineSpec {
  name: string;
  /** Default: the name. */
  systemName?: string;
  /** Default none. */
  file?: string;
  startLine?: bigint;
  line?: bigint;
  column?: bigint;
}

export interface MappingSpec {
  start: bigint;
  limit: bigint;
  offset?: bigint;
  file?: string;
  buildId?: string;
  hasFunctions?: boolean;
  hasFilenames?: boolean;
  hasLineNumbers?: boolean;
  hasInlineFrames?: boolean;
}

export interface BuildOptions {
  /** The id of the nth entity of a kind, counted from 0; must be unique and not 0. Default n + 1. */
  idOf?: (kind: "mapping" | "location" | "function", nth: number) => bigint;
  /** Whether a further mention of an entity or string makes a second one with the same content. Default never. */
  repeatEntity?: () => boolean;
}

/** The uncompressed protobuf. */
export function buildProfile(spec: ProfileSpec, spelling: Spelling = PLAIN_SPELLING): Uint8Array<ArrayBuffer> {
  return encodeTables(buildTables(spec), spelling);
}

/** As a client uploads it. */
export function buildGzip(spec: ProfileSpec): Uint8Array<ArrayBuffer> {
  return new Uint8Array(gzipSync(buildProfile(spec)));
}

export function buildTables(spec: ProfileSpec, options: BuildOptions = {}): ProfileTables {
  const idOf = options.idOf ?? ((_, nth) => BigInt(nth + 1));
  const repeatEntity = options.repeatEntity ?? (() => false);
  const strings: string[] = [];
  const stringIndexes = new Map<string, number>();
  const mappings: MappingEntry[] = [];
  const locations: LocationEntry[] = [];
  const functions: FunctionEntry[] = [];
  const ids = new Map<string, bigint>();

  const text = (value = ""): number => {
    const known = stringIndexes.get(value);
    if (known !== undefined && !repeatEntity()) return known;
    stringIndexes.set(value, strings.length);
    return strings.push(value) - 1;
  };
  text("");

  /** The id of the entity with this content, which `add` appends under a new id when there is none. */
  const intern = (
    kind: "mapping" | "location" | "function",
    key: string,
    table: unknown[],
    add: (id: bigint) => void,
  ) => {
    const known = ids.get(kind + key);
    if (known !== undefined && !repeatEntity()) return known;
    const id = idOf(kind, table.length);
    add(id);
    ids.set(kind + key, id);
    return id;
  };

  const mappingId = (mapping: MappingSpec): bigint =>
    intern("mapping", keyOf(mapping), mappings, (id) =>
      mappings.push({
        id,
        start: mapping.start,
        limit: mapping.limit,
        offset: mapping.offset ?? 0n,
        file: text(mapping.file),
        buildId: text(mapping.buildId),
        hasFunctions: mapping.hasFunctions ?? false,
        hasFilenames: mapping.hasFilenames ?? false,
        hasLineNumbers: mapping.hasLineNumbers ?? false,
        hasInlineFrames: mapping.hasInlineFrames ?? false,
      }),
    );

  const functionId = ({ name, systemName = name, file, startLine = 0n }: LineSpec): bigint =>
    intern("function", keyOf([name, systemName, file, startLine]), functions, (id) =>
      functions.push({ id, name: text(name), systemName: text(systemName), file: text(file), startLine }),
    );

  const locationId = (frame: string | FrameSpec): bigint => {
    const { mapping, address = 0n, lines = [], folded = false } = typeof frame === "string" ? named(frame) : frame;
    const entry = {
      mapping: mapping ? mappingId(mapping) : 0n,
      address,
      lines: lines.map((line) => ({ function: functionId(line), line: line.line ?? 0n, column: line.column ?? 0n })),
      folded,
    };
    return intern("location", keyOf(entry), locations, (id) => locations.push({ id, ...entry }));
  };

  const sampleEntry = (sample: SampleSpec): SampleEntry => ({
    locations: sample.stack.map(locationId),
    values: sample.values.map((value) => BigInt(value)),
    labels: [
      ...(sample.labels ?? []).map(([key, value]) => ({ key: text(key), text: text(value), number: 0n, unit: 0 })),
      ...(sample.numbers ?? []).map(([key, number, unit]) => ({ key: text(key), text: 0, number, unit: text(unit) })),
    ],
  });

  const pair = ([type, unit]: [string, string]) => ({ type: text(type), unit: text(unit) });
  const sampleTypes = (
    spec.sampleTypes ??
    ([
      ["samples", "count"],
      ["cpu", "nanoseconds"],
    ] as [string, string][])
  ).map(pair);
  for (const mapping of spec.mappings ?? []) mappingId(mapping);
  return {
    sampleTypes,
    samples: spec.samples.map(sampleEntry),
    strings,
    mappings,
    locations,
    functions,
    dropFrames: text(spec.dropFrames),
    keepFrames: text(spec.keepFrames),
    timeNs: spec.timeNs ?? 0n,
    durationNs: spec.durationNs ?? 0n,
    periodType: spec.periodType === null ? undefined : pair(spec.periodType ?? ["cpu", "nanoseconds"]),
    period: spec.period ?? 10_000_000n,
    comments: (spec.comments ?? []).map(text),
    defaultSampleType: text(spec.defaultSampleType),
    docUrl: text(spec.docUrl),
  };
}

function named(name: string): FrameSpec {
  return { lines: [{ name }] };
}

function keyOf(content: unknown): string {
  return JSON.stringify(content, (_, value) => (typeof value === "bigint" ? `${value}n` : value));
}
