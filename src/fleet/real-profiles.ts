// Profiles that were recorded for real, read into objects: what the fleet is drawn from. Those of one build share locations and texts.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { decodeProfile } from "../pprof/decode.ts";
import type { Profile } from "../pprof/profile.ts";

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
  return raws.map((raw) => parse(decodeProfile(raw)));

  function parse(profile: Profile): RealProfile {
    const text = (string: string) => keptOf(texts, string, () => ({ bytes: Buffer.from(string, "utf8") }));
    const valueType = ({ type, unit }: Profile["periodType"]): ValueType => [text(type), text(unit)];
    const functionOf = new Map(
      profile.functions.map(({ id, name, systemName, file, startLine }) => {
        const made = () => ({
          number: functions.size,
          name: text(name),
          systemName: text(systemName),
          file: text(file),
          startLine: Number(startLine),
        });
        return [id, keptOf(functions, `${name} ${file} ${startLine}`, made)];
      }),
    );
    const locationOf = new Map(
      profile.locations.map(({ id, mappingId, address, lines: written }) => {
        const lines = written.map(({ functionId, line }) => ({
          function: functionOf.get(functionId)!,
          line: Number(line),
        }));
        const made = () => ({ number: locations.size, address, mappingId: Number(mappingId), lines });
        // By the functions' names, since of several of one name the runtime tells the first alone: it names no address twice.
        const name = [address, mappingId, ...lines.map(({ line, function: { name } }) => `${line} ${name.bytes}`)];
        return [id, keptOf(locations, name.join(" "), made)];
      }),
    );
    const rows = profile.samples.map(({ locationIds, labels: written, values }) => {
      const labels = written.map(({ key, str, num }) => ({ key: text(key), text: text(str), number: num }));
      const stack = locationIds.map((id) => locationOf.get(id)!);
      const name = [
        ...stack.map(({ number }) => number),
        ...written.flatMap(({ key, str, num }) => ["|", key, str, num]),
      ].join(" ");
      return { stack: keptOf(stacks, name, () => ({ locations: stack, labels })), values };
    });
    return {
      sampleTypes: profile.sampleTypes.map(valueType),
      periodType: valueType(profile.periodType),
      period: profile.period,
      durationNs: profile.durationNs,
      defaultSampleType: text(profile.defaultSampleType),
      mappings: profile.mappings.map(({ id, start, limit, offset, file, buildId, hasFunctions }) => ({
        id: Number(id),
        start,
        limit,
        offset,
        file: text(file),
        buildId: text(buildId),
        hasFunctions,
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
