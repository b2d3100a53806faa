// A profile in normal form: the text that is equal exactly when two merges mean the same. test/go/README.md defines it and
// test/go/internal/normal is the same in Go. Reads with protobuf-es, so that it shares nothing with src/pprof.

import { createHash } from "node:crypto";
import { fromBinary } from "@bufbuild/protobuf";
import {
  type Location,
  type Mapping,
  type Profile,
  ProfileSchema,
  type Sample,
  type ValueType,
} from "../gen/profile_pb.ts";

export interface NormalForm {
  /** Header, mapping keys and rows. */
  text: string;
  /** For each mapping what its key leaves out: decided by which profile showed it first. */
  attributes: string;
  /** SHA-256 of both, lower-case hexadecimal. */
  digest: string;
}

/** Of an uncompressed, valid profile. Throws on bytes that protobuf-es cannot read and on dangling references. */
export function normalForm(raw: Uint8Array): NormalForm {
  const profile = fromBinary(ProfileSchema, raw);
  const read = createReader(profile);
  const used = new Set<string>();
  const attributes = new Set<string>();
  const lines = headerLines(profile, read.text);
  const main = profile.mappings[0];
  if (main) {
    lines.push(`main_mapping ${read.mappingKey(main)}`);
    attributes.add(`mapping_attributes ${read.mappingAttributes(main)}`);
  }
  const rows = sumRows(profile, read.rowKey);
  for (const { first } of rows.values()) {
    for (const mapping of read.mappingsOf(first)) {
      used.add(`mapping ${read.mappingKey(mapping)}`);
      attributes.add(`mapping_attributes ${read.mappingAttributes(mapping)}`);
    }
  }
  lines.push(...[...used].sort());
  lines.push(...[...rows].map(([key, { values }]) => `row ${key} = ${values.join(" ")}`).sort());
  const text = joinLines(lines);
  const attributesText = joinLines([...attributes].sort());
  const digest = createHash("sha256")
    .update(text + attributesText)
    .digest("hex");
  return { text, attributes: attributesText, digest };
}

function headerLines(profile: Profile, text: (index: bigint) => string): string[] {
  const pair = (type: ValueType | undefined) => `${text(type?.typeText ?? 0n)}/${text(type?.unitText ?? 0n)}`;
  return [
    ["sample_types", ...profile.sampleTypes.map(pair)].join(" "),
    `period_type ${pair(profile.periodType)}`,
    `period ${profile.period}`,
    `time_ns ${profile.timeNs}`,
    `duration_ns ${profile.durationNs}`,
    ["comments", ...profile.commentTexts.map(text)].join(" "),
    `drop_frames ${text(profile.dropFramesText)}`,
    `keep_frames ${text(profile.keepFramesText)}`,
    `doc_url ${text(profile.docUrlText)}`,
    `default_sample_type ${text(profile.defaultSampleTypeText)}`,
  ];
}

interface Row {
  first: Sample;
  values: bigint[];
}

/** Adds equal rows, wrapping as int64 does, and drops those whose sums are all zero. */
function sumRows(profile: Profile, rowKey: (sample: Sample) => string): Map<string, Row> {
  const rows = new Map<string, Row>();
  for (const sample of profile.samples) {
    const key = rowKey(sample);
    const row = rows.get(key);
    if (row) row.values = row.values.map((value, column) => BigInt.asIntN(64, value + sample.values[column]!));
    else rows.set(key, { first: sample, values: [...sample.values] });
  }
  for (const [key, { values }] of rows) if (values.every((value) => value === 0n)) rows.delete(key);
  return rows;
}

function createReader(profile: Profile) {
  const texts = profile.strings.map(quoteBytes);
  const text = (index: bigint) => required(texts[Number(index)], "string", index);
  const functions = new Map(profile.functions.map((entry) => [entry.id, entry]));
  const locations = new Map(profile.locations.map((entry) => [entry.id, entry]));
  const mappings = new Map(profile.mappings.map((entry) => [entry.id, entry]));
  const locationKeys = new Map<bigint, string>();

  function mappingKey(mapping: Mapping): string {
    const size = (BigInt.asUintN(64, mapping.limit - mapping.start + 0xfffn) / 0x1000n) * 0x1000n;
    const buildId = text(mapping.buildIdText);
    return `${size}@${mapping.offset}:${buildId === '""' ? text(mapping.fileText) : buildId}`;
  }

  function mappingAttributes(mapping: Mapping): string {
    const flags = `functions=${mapping.hasFunctions} filenames=${mapping.hasFilenames} lines=${mapping.hasLineNumbers}`;
    const names = `file=${text(mapping.fileText)} build_id=${text(mapping.buildIdText)}`;
    return `${mappingKey(mapping)} start=${mapping.start} limit=${mapping.limit} ${names} ${flags} inline=${mapping.hasInlineFrames}`;
  }

  function locationKey(location: Location): string {
    const mapping = mappings.get(location.mappingId);
    const place = mapping
      ? `[${mappingKey(mapping)}+${BigInt.asUintN(64, location.address - mapping.start)}`
      : `[-+${location.address}`;
    const lines = location.lines.map((line) => {
      const callee = required(functions.get(line.functionId), "function", line.functionId);
      const names = `${text(callee.nameText)} ${text(callee.systemNameText)} ${text(callee.fileText)}`;
      return ` (${names} ${callee.startLine}:${line.line}:${line.column})`;
    });
    return `${place}${lines.join("")}${location.isFolded ? " folded" : ""}]`;
  }

  function rowKey(sample: Sample): string {
    const stack = sample.locationIds.map((id) => {
      const known = locationKeys.get(id);
      if (known !== undefined) return known;
      const key = `${locationKey(required(locations.get(id), "location", id))} `;
      locationKeys.set(id, key);
      return key;
    });
    return `${stack.join("")}${labelsKey(sample, text)}`;
  }

  function mappingsOf(sample: Sample): Mapping[] {
    return sample.locationIds
      .map((id) => mappings.get(required(locations.get(id), "location", id).mappingId))
      .filter((mapping) => mapping !== undefined);
  }

  return { text, mappingKey, mappingAttributes, rowKey, mappingsOf };
}

/** Text labels, then numeric ones, each sorted by key; the values of one key stay in their order. */
function labelsKey(sample: Sample, text: (index: bigint) => string): string {
  const texts: [key: string, entry: string][] = [];
  const numbers: [key: string, entry: string][] = [];
  for (const { keyText, valueText, number, unitText } of sample.labels) {
    const key = text(keyText);
    const value = text(valueText);
    const unit = text(unitText);
    if (valueText !== 0n) {
      if (value !== '""') texts.push([key, `${key}=${value},`]);
    } else if (number !== 0n || unit !== '""') numbers.push([key, `${key}=${number} ${unit},`]);
  }
  const ordered = (entries: [string, string][]) =>
    entries
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
      .map(([, entry]) => entry)
      .join("");
  return `{${ordered(texts)}}{${ordered(numbers)}}`;
}

/** Printable ASCII as it is, every other byte as \xNN, so that text sorts alike in every language. */
function quoteBytes(bytes: Uint8Array): string {
  let quoted = '"';
  for (const byte of bytes) {
    const plain = byte >= 0x20 && byte <= 0x7e && byte !== 0x22 && byte !== 0x5c;
    quoted += plain ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`;
  }
  return `${quoted}"`;
}

function required<Entry>(entry: Entry | undefined, kind: string, id: bigint): Entry {
  if (entry === undefined) throw new Error(`The profile has no ${kind} ${id}`);
  return entry;
}

function joinLines(lines: string[]): string {
  return lines.map((line) => `${line}\n`).join("");
}
