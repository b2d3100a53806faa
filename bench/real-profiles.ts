// Profiles that were recorded for real, read into objects: what the fleet is drawn from. Those of one build share locations and texts.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { Profile } from "pprof-format";

/** One program, one version, one type: the profiles of one process, in the order in which they were taken. */
export interface RealBuild {
  service: string;
  version: string;
  type: string;
  profiles: RealProfile[];
}

export interface RealProfile {
  sampleTypes: ValueType[];
  periodType: ValueType;
  period: bigint;
  durationNs: bigint;
  defaultSampleType: Text;
  mappings: RealMapping[];
  rows: RealRow[];
}

/** A string with its bytes; one object for each string of a build, so that writers can number them. */
export interface Text {
  bytes: Uint8Array;
}

export type ValueType = readonly [type: Text, unit: Text];

export interface RealMapping {
  id: number;
  start: bigint;
  limit: bigint;
  offset: bigint;
  file: Text;
  buildId: Text;
  hasFunctions: boolean;
}

export interface RealFunction {
  /** Its place in the build. */
  number: number;
  name: Text;
  systemName: Text;
  file: Text;
  startLine: number;
}

/** One object for each address of a build, and each way to tell its lines: the runtime may know fewer of those that were inlined. */
export interface RealLocation {
  /** Its place in the build. */
  number: number;
  address: bigint;
  /** 0: none. */
  mappingId: number;
  lines: { function: RealFunction; line: number }[];
}

/** One object for each stack under the same labels, whatever profiles of a build it is in. */
export interface RealStack {
  /** The leaf first. */
  locations: RealLocation[];
  labels: { key: Text; text: Text; number: bigint }[];
}

export interface RealRow {
  stack: RealStack;
  values: bigint[];
}

/** The profiles of a build as they were recorded. */
export interface Uploads extends Omit<RealBuild, "profiles"> {
  /** Gzipped. */
  bodies: Uint8Array[];
}

/** Reads FOLDER/SERVICE/VERSION/TYPE/*.pb.gz, in the order of their names; of the given types alone. */
export function readUploads(folder: string, types: readonly string[]): Uploads[] {
  const namesIn = (...path: string[]) => readdirSync(join(folder, ...path)).sort();
  return namesIn()
    .flatMap((service) => namesIn(service).map((version) => ({ service, version })))
    .flatMap((build) => types.map((type) => ({ ...build, type })))
    .filter(({ service, version, type }) => existsSync(join(folder, service, version, type)))
    .map((build) => {
      const path = [build.service, build.version, build.type];
      return { ...build, bodies: namesIn(...path).map((name) => readFileSync(join(folder, ...path, name))) };
    });
}

export function readBuilds(folder: string, types: readonly string[] = ["cpu"]): RealBuild[] {
  return readUploads(folder, types).map(({ bodies, ...build }) => ({
    ...build,
    profiles: parseProfiles(bodies.map((body) => gunzipSync(body))),
  }));
}

/** Inflated profiles of one process. */
export function parseProfiles(raws: readonly Uint8Array[]): RealProfile[] {
  const texts = new Map<string, Text>();
  const functions = new Map<string, RealFunction>();
  const locations = new Map<string, RealLocation>();
  const stacks = new Map<string, RealStack>();
  return raws.map((raw) => parse(Profile.decode(raw)));

  function parse(profile: Profile): RealProfile {
    const { strings } = profile.stringTable;
    const text = (index: number | bigint) => {
      const string = strings[Number(index)]!;
      return keptOf(texts, string, () => ({ bytes: Buffer.from(string, "utf8") }));
    };
    const valueType = (value: Profile["periodType"]): ValueType => [text(value!.type), text(value!.unit)];
    const functionOf = new Map(
      profile.function.map(({ id, name, systemName, filename, startLine }) => {
        const made = () => ({
          number: functions.size,
          name: text(name),
          systemName: text(systemName),
          file: text(filename),
          startLine: Number(startLine),
        });
        return [id, keptOf(functions, `${strings[Number(name)]} ${strings[Number(filename)]} ${startLine}`, made)];
      }),
    );
    const locationOf = new Map(
      profile.location.map(({ id, mappingId, address, line }) => {
        const lines = line.map((each) => ({ function: functionOf.get(each.functionId)!, line: Number(each.line) }));
        const made = () => ({
          number: locations.size,
          address: BigInt(address),
          mappingId: Number(mappingId),
          lines,
        });
        // By the functions' names, since of several of one name the runtime tells the first alone: it names no address twice.
        const name = [address, mappingId, ...lines.map(({ line, function: { name } }) => `${line} ${name.bytes}`)];
        return [id, keptOf(locations, name.join(" "), made)];
      }),
    );
    const rows = profile.sample.map(({ locationId, label, value }) => {
      const labels = label.map(({ key, str, num }) => ({ key: text(key), text: text(str), number: BigInt(num) }));
      const stack = locationId.map((id) => locationOf.get(id)!);
      const name = [
        ...stack.map(({ number }) => number),
        ...label.flatMap(({ key, str, num }) => ["|", strings[Number(key)], strings[Number(str)], num]),
      ].join(" ");
      return { stack: keptOf(stacks, name, () => ({ locations: stack, labels })), values: value.map(BigInt) };
    });
    return {
      sampleTypes: profile.sampleType.map(valueType),
      periodType: valueType(profile.periodType),
      period: BigInt(profile.period),
      durationNs: BigInt(profile.durationNanos),
      defaultSampleType: text(profile.defaultSampleType),
      mappings: profile.mapping.map((mapping) => ({
        id: Number(mapping.id),
        start: BigInt(mapping.memoryStart),
        limit: BigInt(mapping.memoryLimit),
        offset: BigInt(mapping.fileOffset),
        file: text(mapping.filename),
        buildId: text(mapping.buildId),
        hasFunctions: mapping.hasFunctions,
      })),
      rows,
    };
  }
}

function keptOf<Key, Value>(known: Map<Key, Value>, key: Key, make: () => Value): Value {
  const found = known.get(key);
  if (found !== undefined) return found;
  const made = make();
  known.set(key, made);
  return made;
}
