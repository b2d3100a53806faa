// The bytes of a profile → how its writer lays out messages, and the ids it gave: one pass over all fields.

import type { ProfileTables } from "../../pprof/profile-tables.ts";
import { LOCATION, PROFILE, SAMPLE, WIRE } from "../../pprof/schema.ts";
import type { Spans } from "../../pprof/spans.ts";
import type { WireReader } from "../../pprof/wire-reader.ts";
import { varintSize } from "../../pprof/wire-writer.ts";
import { FieldScan, PackingScan } from "./field-scan.ts";
import { type Layouts, MESSAGES, type MessageKind, type Skeleton } from "./message-layout.ts";

/** More outermost fields, each table counted once, than writers write. */
const TAGS_MAX = 250;

/** A skeleton but for its guesses; and the ids of the rows of each table, two halves each. */
export interface LearntLayout {
  layout: Omit<Skeleton, "guess">;
  mappingIds: Int32Array;
  locationIds: Int32Array;
  functionIds: Int32Array;
}

const IS_PACKED = -1_000_000_000;

type Scans = Record<MessageKind, FieldScan>;

/** Undefined when tables are mixed, or no rule explains how messages are laid out. */
export function learnLayout(source: ProfileTables): LearntLayout | undefined {
  const { reader, raw } = source;
  const scans = Object.fromEntries(MESSAGES.map((kind) => [kind, new FieldScan()])) as Scans;
  reader.open(raw);
  const tags = learnTags(reader, scans.valueType);
  if (tags === undefined) return undefined;
  const packings = scanSamples(source, scans);
  const mappingIds = scanRows(source, source.mappings.spans, scans.mapping);
  const locationIds = scanRows(source, source.locations.spans, scans.location, scans.line);
  const functionIds = scanRows(source, source.functions.spans, scans.function);
  const layouts = {} as Layouts;
  for (const kind of MESSAGES) {
    const layout = scans[kind].layout();
    if (layout === undefined) return undefined;
    layouts[kind] = layout;
  }
  const locationPacking = packings.locations.packing(packings.values.fewArePacked ?? true);
  const valuePacking = packings.values.packing(packings.locations.fewArePacked ?? true);
  if (locationPacking === undefined || valuePacking === undefined) return undefined;
  return { layout: { layouts, locationPacking, valuePacking, tags }, mappingIds, locationIds, functionIds };
}

/** The tags of the outermost fields, each table's once. */
function learnTags(reader: WireReader, valueType: FieldScan): Uint8Array | undefined {
  const tags: number[] = [];
  const { end } = reader;
  while (reader.pos < end) {
    const tag = reader.next();
    const stop = (tag & 7) === WIRE.bytes ? reader.stop : reader.pos;
    if (tag === PROFILE.sampleType * 8 + WIRE.bytes || tag === PROFILE.periodType * 8 + WIRE.bytes) {
      scanFields(reader, stop, valueType);
    }
    reader.pos = stop;
    reader.end = end;
    const isTable = (tag & 7) === WIRE.bytes && tag >>> 3 >= PROFILE.sample && tag >>> 3 <= PROFILE.stringTable;
    if (isTable && tags.at(-1) === tag) continue;
    if (isTable && tags.includes(tag)) return undefined;
    if (tag >= 0x80 || tags.push(tag) > TAGS_MAX) return undefined;
  }
  return Uint8Array.from(tags);
}

function scanFields(reader: WireReader, end: number, scan: FieldScan): void {
  reader.end = end;
  while (reader.pos < end) {
    const tag = reader.next();
    const isNumber = (tag & 7) === WIRE.varint;
    scan.field(tag >>> 3, isNumber && (reader.lo | reader.hi) === 0);
    if ((tag & 7) === WIRE.bytes) reader.pos = reader.stop;
  }
  scan.end();
}

/** Answers the ids of the rows: field 1 of all tables' messages. */
function scanRows({ reader }: ProfileTables, spans: Spans, scan: FieldScan, line?: FieldScan): Int32Array {
  const ids = new Int32Array(spans.count * 2);
  for (let row = 0; row < spans.count; row++) {
    const end = spans.bounds[row * 2 + 1]!;
    reader.pos = spans.bounds[row * 2]!;
    reader.end = end;
    while (reader.pos < end) {
      const tag = reader.next();
      scan.field(tag >>> 3, (tag & 7) === WIRE.varint && (reader.lo | reader.hi) === 0);
      if (tag === LOCATION.id * 8) {
        ids[row * 2] = reader.lo;
        ids[row * 2 + 1] = reader.hi;
      } else if ((tag & 7) === WIRE.bytes) {
        const { stop } = reader;
        if (line !== undefined && tag === LOCATION.line * 8 + WIRE.bytes) scanFields(reader, stop, line);
        reader.pos = stop;
        reader.end = end;
      }
    }
    scan.end();
  }
  return ids;
}

function scanSamples(
  { reader, samples }: ProfileTables,
  scans: Scans,
): { locations: PackingScan; values: PackingScan } {
  const locations = new PackingScan();
  const values = new PackingScan();
  for (let row = 0; row < samples.count; row++) {
    const end = samples.bounds[row * 2 + 1]!;
    let locationCount = 0;
    let valueCount = 0;
    reader.pos = samples.bounds[row * 2]!;
    reader.end = end;
    while (reader.pos < end) {
      const before = reader.pos;
      const tag = reader.next();
      const field = tag >>> 3;
      scans.sample.field(field, false);
      if ((tag & 7) !== WIRE.bytes) {
        if (field === SAMPLE.locationId) locationCount++;
        else if (field === SAMPLE.value) valueCount++;
        continue;
      }
      const { pos, stop } = reader;
      if (field === SAMPLE.label) scanFields(reader, stop, scans.label);
      else if (field === SAMPLE.locationId) {
        locationCount = IS_PACKED;
        locations.packed(countNumbers(reader.bytes, pos, stop), pos - before - 1, varintSize(stop - pos));
      } else if (field === SAMPLE.value) {
        valueCount = IS_PACKED;
        values.packed(countNumbers(reader.bytes, pos, stop), pos - before - 1, varintSize(stop - pos));
      }
      reader.pos = stop;
      reader.end = end;
    }
    if (locationCount >= 0) locations.single(locationCount);
    if (valueCount >= 0) values.single(valueCount);
    scans.sample.end();
  }
  return { locations, values };
}

function countNumbers(bytes: Uint8Array, start: number, end: number): number {
  let count = 0;
  for (let at = start; at < end; at++) if (bytes[at]! < 0x80) count++;
  return count;
}
