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

export type EntityKind = "mapping" | "location" | "function";

export interface BuildOptions {
  /** The id of the nth entity of a kind, counted from 0; must be unique and not 0. Default n + 1. */
  idOf?: (kind: EntityKind, nth: number) => bigint;
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
  const entities = new EntityTables(options);
  const text = (value = "") => entities.text(value);
  const pair = ([type, unit]: [string, string]) => ({ type: text(type), unit: text(unit) });
  const sampleTypes = (spec.sampleTypes ?? GO_CPU_TYPES).map(pair);
  for (const mapping of spec.mappings ?? []) entities.mapping(mapping);
  const samples = spec.samples.map((sample) => entities.sample(sample));
  return {
    sampleTypes,
    samples,
    strings: entities.strings,
    mappings: entities.mappings,
    locations: entities.locations,
    functions: entities.functions,
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

const GO_CPU_TYPES: [type: string, unit: string][] = [
  ["samples", "count"],
  ["cpu", "nanoseconds"],
];

/** The tables as mentions fill them: each method answers the id of what is described, new or known. */
class EntityTables {
  readonly strings: string[] = [];
  readonly mappings: MappingEntry[] = [];
  readonly locations: LocationEntry[] = [];
  readonly functions: FunctionEntry[] = [];
  readonly #stringIndexes = new Map<string, number>();
  readonly #ids = new Map<string, bigint>();
  readonly #idOf: NonNullable<BuildOptions["idOf"]>;
  readonly #repeatEntity: NonNullable<BuildOptions["repeatEntity"]>;

  constructor({ idOf = (_, nth) => BigInt(nth + 1), repeatEntity = () => false }: BuildOptions) {
    this.#idOf = idOf;
    this.#repeatEntity = repeatEntity;
    this.text("");
  }

  text(value = ""): number {
    const known = this.#stringIndexes.get(value);
    if (known !== undefined && !this.#repeatEntity()) return known;
    this.#stringIndexes.set(value, this.strings.length);
    return this.strings.push(value) - 1;
  }

  mapping(mapping: MappingSpec): bigint {
    return this.#intern("mapping", keyOf(mapping), this.mappings, (id) => ({
      id,
      start: mapping.start,
      limit: mapping.limit,
      offset: mapping.offset ?? 0n,
      file: this.text(mapping.file),
      buildId: this.text(mapping.buildId),
      hasFunctions: mapping.hasFunctions ?? false,
      hasFilenames: mapping.hasFilenames ?? false,
      hasLineNumbers: mapping.hasLineNumbers ?? false,
      hasInlineFrames: mapping.hasInlineFrames ?? false,
    }));
  }

  function({ name, systemName = name, file, startLine = 0n }: LineSpec): bigint {
    return this.#intern("function", keyOf([name, systemName, file, startLine]), this.functions, (id) => ({
      id,
      name: this.text(name),
      systemName: this.text(systemName),
      file: this.text(file),
      startLine,
    }));
  }

  location(frame: string | FrameSpec): bigint {
    const { mapping, address = 0n, lines = [], folded = false } = typeof frame === "string" ? named(frame) : frame;
    const entry = {
      mapping: mapping ? this.mapping(mapping) : 0n,
      address,
      lines: lines.map((line) => ({ function: this.function(line), line: line.line ?? 0n, column: line.column ?? 0n })),
      folded,
    };
    return this.#intern("location", keyOf(entry), this.locations, (id) => ({ id, ...entry }));
  }

  sample({ stack, values, labels = [], numbers = [] }: SampleSpec): SampleEntry {
    const text = (value = "") => this.text(value);
    return {
      locations: stack.map((frame) => this.location(frame)),
      values: values.map((value) => BigInt(value)),
      labels: [
        ...labels.map(([key, value]) => ({ key: text(key), text: text(value), number: 0n, unit: 0 })),
        ...numbers.map(([key, number, unit]) => ({ key: text(key), text: 0, number, unit: text(unit) })),
      ],
    };
  }

  #intern<Entry>(kind: EntityKind, key: string, table: Entry[], entry: (id: bigint) => Entry): bigint {
    const known = this.#ids.get(kind + key);
    if (known !== undefined && !this.#repeatEntity()) return known;
    const id = this.#idOf(kind, table.length);
    table.push(entry(id));
    this.#ids.set(kind + key, id);
    return id;
  }
}

function named(name: string): FrameSpec {
  return { lines: [{ name }] };
}

function keyOf(content: unknown): string {
  return JSON.stringify(content, (_, value) => (typeof value === "bigint" ? `${value}n` : value));
}
