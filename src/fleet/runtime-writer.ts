// Writes profiles byte for byte as Go's runtime writes them: tables in the order of first use, ids dense from 1, strings last. It shares
// nothing with src/pack/exact, which is tested with what it makes.

import { WIRE } from "../pprof/schema.ts";
import { WireWriter } from "../pprof/wire-writer.ts";
import type { RealFunction, RealLocation, RealProfile, RealRow, Text, ValueType } from "./real-profiles.ts";

/** Field numbers of profile.proto, once more. */
const PROFILE = { sampleType: 1, sample: 2, mapping: 3, location: 4, function: 5, string: 6 } as const;
const HEADER = { time: 9, duration: 10, periodType: 11, period: 12, defaultSampleType: 14 } as const;

/** What differs from the profile that was recorded. */
export interface Written {
  rows: readonly RealRow[];
  timeNs: bigint;
  /** Bytes by which all code of the executable is moved: as in another release of it. */
  shift?: bigint;
  /** Of the executable; absent: its own. */
  buildId?: Text;
}

/** Ids of one profile: given in the order in which they are asked for. */
class Numbers<Thing> {
  readonly #ids = new Map<Thing, number>();

  has(thing: Thing): boolean {
    return this.#ids.has(thing);
  }

  of(thing: Thing): number {
    const known = this.#ids.get(thing);
    if (known !== undefined) return known;
    this.#ids.set(thing, this.#ids.size + 1);
    return this.#ids.size;
  }

  all(): IterableIterator<Thing> {
    return this.#ids.keys();
  }
}

/** The inflated bytes. */
export function writeAsRuntime(source: RealProfile, written: Written): Uint8Array<ArrayBuffer> {
  return new RuntimeProfile(source, written).write();
}

class RuntimeProfile {
  readonly #source: RealProfile;
  readonly #written: Written;
  readonly #out = new WireWriter(64 * 1024);
  readonly #texts = new Numbers<Text>();
  readonly #locations = new Numbers<RealLocation>();
  /** By name: of several functions of one name the runtime tells the first alone. */
  readonly #functions = new Numbers<Text>();

  constructor(source: RealProfile, written: Written) {
    this.#source = source;
    this.#written = written;
  }

  write(): Uint8Array<ArrayBuffer> {
    const isCpu = this.#source.durationNs !== 0n;
    if (isCpu) this.#cpuHeader();
    else this.#otherHeader();
    for (const row of this.#written.rows) this.#row(row);
    if (!isCpu) this.#out.integer(HEADER.time, this.#written.timeNs);
    this.#mappings();
    this.#out.lengthField(PROFILE.string, 0);
    for (const { bytes } of this.#texts.all()) {
      this.#out.lengthField(PROFILE.string, bytes.length);
      this.#out.bytes(bytes);
    }
    return this.#out.finish();
  }

  #cpuHeader(): void {
    const { sampleTypes, durationNs, periodType, period } = this.#source;
    this.#out.integer(HEADER.time, this.#written.timeNs);
    for (const type of sampleTypes) this.#valueType(PROFILE.sampleType, type);
    this.#out.integer(HEADER.duration, durationNs);
    this.#valueType(HEADER.periodType, periodType);
    this.#out.integer(HEADER.period, period);
  }

  /** Its time comes behind the rows. */
  #otherHeader(): void {
    const { sampleTypes, periodType, period, defaultSampleType } = this.#source;
    this.#valueType(HEADER.periodType, periodType);
    this.#out.integer(HEADER.period, period);
    for (const type of sampleTypes) this.#valueType(PROFILE.sampleType, type);
    this.#out.number(HEADER.defaultSampleType, this.#text(defaultSampleType));
  }

  /** The empty string is the first of the table. */
  #text(text: Text): number {
    return text.bytes.length === 0 ? 0 : this.#texts.of(text);
  }

  #valueType(field: number, [type, unit]: ValueType): void {
    const start = this.#out.open(field);
    this.#always(1, this.#text(type));
    this.#always(2, this.#text(unit));
    this.#out.close(start);
  }

  /** A varint that is written even where it is 0. */
  #always(field: number, value: number | bigint): void {
    this.#out.tag(field, WIRE.varint);
    this.#varint(value);
  }

  #varint(value: number | bigint): void {
    if (value >= 0 && value < 2 ** 31) this.#out.varint(Number(value));
    else this.#out.bigint(BigInt(value));
  }

  #row({ stack, values }: RealRow): void {
    const out = this.#out;
    for (const location of stack.locations) if (!this.#locations.has(location)) this.#location(location);
    const start = out.open(PROFILE.sample);
    this.#numbers(2, values);
    this.#numbers(
      1,
      stack.locations.map((location) => this.#locations.of(location)),
    );
    for (const { key, text, number } of stack.labels) {
      const label = out.open(3);
      out.number(1, this.#text(key));
      out.number(2, this.#text(text));
      out.integer(3, number);
      out.close(label);
    }
    out.close(start);
  }

  /** Packed from three on. */
  #numbers(field: number, values: readonly (number | bigint)[]): void {
    if (values.length <= 2) {
      for (const value of values) this.#always(field, value);
      return;
    }
    const start = this.#out.open(field);
    for (const value of values) this.#varint(value);
    this.#out.close(start);
  }

  /** The location, and behind it the functions that it is the first to name. */
  #location(location: RealLocation): void {
    const out = this.#out;
    const { mappingId, lines } = location;
    const fresh: RealFunction[] = [];
    const start = out.open(PROFILE.location);
    out.number(1, this.#locations.of(location));
    out.integer(3, location.address + (mappingId === 1 ? (this.#written.shift ?? 0n) : 0n));
    for (const each of lines) {
      if (!this.#functions.has(each.function.name)) fresh.push(each.function);
      const line = out.open(4);
      out.number(1, this.#functions.of(each.function.name));
      out.number(2, each.line);
      out.close(line);
    }
    out.number(2, mappingId);
    out.close(start);
    for (const each of fresh) this.#function(each);
  }

  #function(each: RealFunction): void {
    const start = this.#out.open(PROFILE.function);
    this.#out.number(1, this.#functions.of(each.name));
    this.#out.number(2, this.#text(each.name));
    this.#out.number(3, this.#text(each.systemName));
    this.#out.number(4, this.#text(each.file));
    this.#out.number(5, each.startLine);
    this.#out.close(start);
  }

  #mappings(): void {
    for (const { id, start, limit, offset, file, buildId, hasFunctions } of this.#source.mappings) {
      const message = this.#out.open(PROFILE.mapping);
      this.#out.number(1, id);
      this.#out.integer(2, start);
      this.#out.integer(3, limit);
      this.#out.integer(4, offset);
      this.#out.number(5, this.#text(file));
      this.#out.number(6, this.#text(id === 1 ? (this.#written.buildId ?? buildId) : buildId));
      if (hasFunctions) this.#out.number(7, 1);
      this.#out.close(message);
    }
  }
}
