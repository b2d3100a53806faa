// Plain profile → protobuf bytes. Same profile, same bytes. Merged profiles have their own encoder (merge-encoder.ts).

import type { ValueType } from "../model/shape.ts";
import type { Line, Location, Mapping, Profile, ProfileFunction, Sample } from "./profile.ts";
import { FUNCTION, LABEL, LINE, LOCATION, MAPPING, PROFILE, SAMPLE, VALUE_TYPE } from "./schema.ts";
import { WireWriter } from "./wire-writer.ts";

type Strings = Map<string, number>;

/**
 * Uncompressed; strings are numbered by first use. What the profile says is not checked.
 * `encoding` latin1: each character of a text is one byte of it, for profiles whose text need not be UTF-8.
 */
export function encodeProfile(profile: Profile, encoding: "utf8" | "latin1" = "utf8"): Uint8Array {
  const out = new WireWriter();
  const strings: Strings = new Map([["", 0]]);
  for (const type of profile.sampleTypes) writeValueType(out, PROFILE.sampleType, type, strings);
  for (const sample of profile.samples) writeSample(out, sample, strings);
  for (const mapping of profile.mappings) writeMapping(out, mapping, strings);
  for (const location of profile.locations) writeLocation(out, location);
  for (const fn of profile.functions) writeFunction(out, fn, strings);
  writeHeader(out, profile, strings);
  for (const text of strings.keys()) {
    const start = out.open(PROFILE.stringTable);
    out.bytes(Buffer.from(text, encoding));
    out.close(start);
  }
  return out.finish();
}

function writeHeader(out: WireWriter, profile: Profile, strings: Strings): void {
  out.number(PROFILE.dropFrames, indexOf(strings, profile.dropFrames));
  out.number(PROFILE.keepFrames, indexOf(strings, profile.keepFrames));
  out.integer(PROFILE.timeNs, profile.timeNs);
  out.integer(PROFILE.durationNs, profile.durationNs);
  if (profile.periodType.type !== "" || profile.periodType.unit !== "") {
    writeValueType(out, PROFILE.periodType, profile.periodType, strings);
  }
  out.integer(PROFILE.period, profile.period);
  if (profile.comments.length > 0) {
    const start = out.open(PROFILE.comment);
    for (const comment of profile.comments) out.varint(indexOf(strings, comment));
    out.close(start);
  }
  out.number(PROFILE.defaultSampleType, indexOf(strings, profile.defaultSampleType));
  out.number(PROFILE.docUrl, indexOf(strings, profile.docUrl));
}

function writeValueType(out: WireWriter, field: number, { type, unit }: ValueType, strings: Strings): void {
  const start = out.open(field);
  out.number(VALUE_TYPE.type, indexOf(strings, type));
  out.number(VALUE_TYPE.unit, indexOf(strings, unit));
  out.close(start);
}

function writeSample(out: WireWriter, sample: Sample, strings: Strings): void {
  const start = out.open(PROFILE.sample);
  writePacked(out, SAMPLE.locationId, sample.locationIds);
  writePacked(out, SAMPLE.value, sample.values);
  for (const label of sample.labels) {
    const labelStart = out.open(SAMPLE.label);
    out.number(LABEL.key, indexOf(strings, label.key));
    out.number(LABEL.str, indexOf(strings, label.str));
    out.integer(LABEL.num, label.num);
    out.number(LABEL.numUnit, indexOf(strings, label.unit));
    out.close(labelStart);
  }
  out.close(start);
}

function writePacked(out: WireWriter, field: number, values: readonly bigint[]): void {
  if (values.length === 0) return;
  const start = out.open(field);
  for (const value of values) out.bigint(value);
  out.close(start);
}

function writeMapping(out: WireWriter, mapping: Mapping, strings: Strings): void {
  const start = out.open(PROFILE.mapping);
  out.integer(MAPPING.id, mapping.id);
  out.integer(MAPPING.start, mapping.start);
  out.integer(MAPPING.limit, mapping.limit);
  out.integer(MAPPING.offset, mapping.offset);
  out.number(MAPPING.file, indexOf(strings, mapping.file));
  out.number(MAPPING.buildId, indexOf(strings, mapping.buildId));
  out.number(MAPPING.hasFunctions, Number(mapping.hasFunctions));
  out.number(MAPPING.hasFilenames, Number(mapping.hasFilenames));
  out.number(MAPPING.hasLineNumbers, Number(mapping.hasLineNumbers));
  out.number(MAPPING.hasInlineFrames, Number(mapping.hasInlineFrames));
  out.close(start);
}

function writeLocation(out: WireWriter, location: Location): void {
  const start = out.open(PROFILE.location);
  out.integer(LOCATION.id, location.id);
  out.integer(LOCATION.mappingId, location.mappingId);
  out.integer(LOCATION.address, location.address);
  for (const line of location.lines) writeLine(out, line);
  out.number(LOCATION.isFolded, Number(location.isFolded));
  out.close(start);
}

function writeLine(out: WireWriter, line: Line): void {
  const start = out.open(LOCATION.line);
  out.integer(LINE.functionId, line.functionId);
  out.integer(LINE.line, line.line);
  out.integer(LINE.column, line.column);
  out.close(start);
}

function writeFunction(out: WireWriter, fn: ProfileFunction, strings: Strings): void {
  const start = out.open(PROFILE.function);
  out.integer(FUNCTION.id, fn.id);
  out.number(FUNCTION.name, indexOf(strings, fn.name));
  out.number(FUNCTION.systemName, indexOf(strings, fn.systemName));
  out.number(FUNCTION.file, indexOf(strings, fn.file));
  out.integer(FUNCTION.startLine, fn.startLine);
  out.close(start);
}

function indexOf(strings: Strings, text: string): number {
  const known = strings.get(text);
  if (known !== undefined) return known;
  strings.set(text, strings.size);
  return strings.size - 1;
}
