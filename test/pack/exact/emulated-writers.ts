// Profiles as two servers write them that cannot be run here: their order of tables and strings over the standard encoding
// (all fields ascending, numbers packed, zeros left out), which both use. Programs of ours after reading how they go about it.

import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  LocationSchema,
  type Profile,
  ProfileSchema,
  type Sample,
  SampleSchema,
  type ValueType,
  ValueTypeSchema,
} from "../../gen/profile_pb.ts";

export function decodeProfile(raw: Uint8Array): Profile {
  return fromBinary(ProfileSchema, raw);
}

export function encodeProfile(profile: Profile): Uint8Array {
  return toBinary(ProfileSchema, profile);
}

/** As Pyroscope merges: tables keep the order in which they came, equal rows are added; and they are stored sorted. */
export function asPyroscopeWrites(source: Profile): Uint8Array {
  const rows = new Map<string, Sample>();
  for (const sample of source.samples) {
    const labels = sample.labels.map(({ keyText, valueText }) => `${keyText}=${valueText}`);
    const key = `${sample.locationIds.join(",")} ${labels.join(",")}`;
    const known = rows.get(key);
    if (known === undefined) rows.set(key, { ...sample, values: [...sample.values] });
    else known.values = known.values.map((value, at) => value + sample.values[at]!);
  }
  const samples = [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, sample]) => sample);
  return encodeProfile({ ...source, samples });
}

/**
 * As Parca answers: one column; strings of the header, then all files and build ids of mappings, names, system names and files
 * of functions, label names; mappings, functions and locations in the order in which the samples come upon them.
 */
export function asParcaWrites(source: Profile, column: number): Uint8Array {
  const texts = new Map<string, bigint>([["", 0n]]);
  const text = (index: bigint) => numberOf(texts, Buffer.from(source.strings[Number(index)]!).toString("latin1"), 0);
  const type = (from: ValueType | undefined) =>
    create(ValueTypeSchema, { typeText: text(from?.typeText ?? 0n), unitText: text(from?.unitText ?? 0n) });
  const periodType = type(source.periodType);
  const sampleTypes = [type(source.sampleTypes[column])];
  for (const { fileText } of source.mappings) text(fileText);
  for (const { buildIdText } of source.mappings) text(buildIdText);
  for (const { nameText } of source.functions) text(nameText);
  for (const { systemNameText } of source.functions) text(systemNameText);
  for (const { fileText } of source.functions) text(fileText);
  for (const { keyText } of source.samples.flatMap(({ labels }) => labels)) text(keyText);
  const mappings = new Map<bigint, bigint>();
  const locations = new Map<bigint, bigint>();
  const functions = new Map<bigint, bigint>();
  const byId = new Map(source.locations.map((location) => [location.id, location]));
  const location = (id: bigint) => {
    const { mappingId, lines } = byId.get(id)!;
    if (mappingId !== 0n) numberOf(mappings, mappingId, 1);
    for (const { functionId } of lines) numberOf(functions, functionId, 1);
    return numberOf(locations, id, 1);
  };
  const samples = source.samples
    .filter(({ locationIds }) => locationIds.length > 0)
    .map(({ locationIds, values, labels }) =>
      create(SampleSchema, {
        locationIds: locationIds.map(location),
        values: [values[column]!],
        labels: labels.map((each) => ({ ...each, keyText: text(each.keyText), valueText: text(each.valueText) })),
      }),
    );
  return encodeProfile(
    create(ProfileSchema, {
      sampleTypes,
      samples,
      periodType,
      period: source.period,
      durationNs: source.durationNs,
      timeNs: (source.timeNs / 1_000_000n) * 1_000_000n,
      mappings: inOrder(mappings, source.mappings).map(([from, id]) => {
        const names = { fileText: text(from.fileText), buildIdText: text(from.buildIdText) };
        return { ...from, ...names, id, hasFunctions: true };
      }),
      locations: inOrder(locations, source.locations).map(([from, id]) =>
        create(LocationSchema, {
          ...from,
          id,
          mappingId: mappings.get(from.mappingId) ?? 0n,
          lines: from.lines.map((each) => ({ ...each, functionId: functions.get(each.functionId)! })),
        }),
      ),
      functions: inOrder(functions, source.functions).map(([from, id]) => {
        const names = { nameText: text(from.nameText), systemNameText: text(from.systemNameText) };
        return { ...from, ...names, id, fileText: text(from.fileText) };
      }),
      strings: [...texts.keys()].map((each) => Buffer.from(each, "latin1")),
    }),
  );
}

/** The number of a key; new ones are counted on from `first`. */
function numberOf<Key>(numbers: Map<Key, bigint>, key: Key, first: number): bigint {
  const known = numbers.get(key);
  if (known !== undefined) return known;
  const number = BigInt(numbers.size + first);
  numbers.set(key, number);
  return number;
}

function inOrder<Row extends { id: bigint }>(numbers: Map<bigint, bigint>, rows: Row[]): [row: Row, number: bigint][] {
  const byId = new Map(rows.map((row) => [row.id, row]));
  return [...numbers].map(([id, number]) => [byId.get(id)!, number]);
}
