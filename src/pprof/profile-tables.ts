// One profile's bytes → tables of integers, checked: everything but its samples, which sample-reader.ts reads one by one.
// An instance is reused from profile to profile, so that reading allocates nothing. The rules are google/pprof's
// (decoder and CheckValid); what is refused beyond them is in test/pprof/stricter-than-google.md.

import type { Limits } from "../model/limits.ts";
import { FunctionTable } from "./function-table.ts";
import { invalidProfile, oversizedProfile } from "./invalid-profile.ts";
import { LocationTable } from "./location-table.ts";
import { MappingTable } from "./mapping-table.ts";
import { ProfileHeader } from "./profile-header.ts";
import { PROFILE, WIRE } from "./schema.ts";
import { Spans } from "./spans.ts";
import { shortNumber, WireReader } from "./wire-reader.ts";

const STRICT_UTF8 = new TextDecoder("utf-8", { fatal: true });

function isUtf8(bytes: Uint8Array): boolean {
  try {
    STRICT_UTF8.decode(bytes);
    return true;
  } catch {
    return false;
  }
}

const NO_BYTES = new Uint8Array(0);

export class ProfileTables {
  readonly reader = new WireReader();
  raw: Uint8Array = NO_BYTES;
  header = new ProfileHeader();
  readonly strings = new Spans("strings");
  readonly samples = new Spans("samples");
  readonly mappings = new MappingTable();
  readonly functions = new FunctionTable();
  readonly locations = new LocationTable();

  /** Memory held, in bytes. */
  get bytes(): number {
    const arrays = [this.strings.bounds, this.samples.bounds, this.locations.lines];
    let bytes = 0;
    for (const array of arrays) bytes += array.byteLength;
    for (const table of [this.mappings, this.functions, this.locations]) {
      bytes += table.spans.bounds.byteLength + table.rows.byteLength + table.ids.bytes;
    }
    return bytes;
  }

  /** Reads an inflated profile. Throws `invalid` for what google/pprof would not take, `too-large` for what the limits forbid. */
  load(raw: Uint8Array, limits: Limits): void {
    if (raw.length === 0) invalidProfile("it is empty");
    this.raw = raw;
    this.header = new ProfileHeader();
    this.samples.start(limits.samples);
    for (const spans of this.#tableSpans()) spans.start(limits.tableRows);
    this.reader.open(raw);
    this.#scan();
    this.#checkStrings();
    this.#checkShape(limits);
    this.mappings.read(this.reader, this.strings.count);
    this.functions.read(this.reader, this.strings.count);
    this.locations.read(this.reader, this.mappings, this.functions.ids, limits.tableRows);
  }

  /** Lets go of the profile's bytes; the tables are of no use until the next load. */
  release(): void {
    this.raw = NO_BYTES;
    this.reader.open(NO_BYTES);
  }

  /** A string with one character per byte (latin1): it compares, and turns back into bytes, without loss. */
  byteString(index: number): string {
    if (index === 0) return "";
    return this.#buffer(index).toString("latin1");
  }

  /** A string for people: bytes that are not UTF-8 become U+FFFD. */
  text(index: number): string {
    return this.#buffer(index).toString("utf8");
  }

  #buffer(index: number): Buffer {
    const start = this.strings.bounds[index * 2]!;
    return Buffer.from(this.raw.buffer, this.raw.byteOffset + start, this.strings.bounds[index * 2 + 1]! - start);
  }

  /** One pass over the outermost fields: the header is read, the messages of each table are noted. */
  #scan(): void {
    const { reader, raw } = this;
    const end = raw.length;
    let at = 0;
    while (at < end) {
      const tag = raw[at]!;
      const number = at + 5 <= end ? shortNumber(raw, at + 1) : -1;
      const start = at + 2 + (number & 3);
      const stop = number < 0 || (tag & 0x87) !== WIRE.bytes ? end + 1 : start + (number >> 2);
      const spans = stop <= end ? this.#spansOf(tag >>> 3) : undefined;
      if (spans !== undefined) {
        spans.add(start, stop);
        at = stop;
        continue;
      }
      reader.pos = at;
      this.#scanField(reader.next());
      at = reader.pos;
    }
    for (const spans of [this.samples, ...this.#tableSpans()]) spans.checkCount();
  }

  #scanField(tag: number): void {
    const { reader } = this;
    const spans = (tag & 7) === WIRE.bytes ? this.#spansOf(tag >>> 3) : undefined;
    if (spans === undefined) this.header.readField(reader, tag);
    else {
      spans.add(reader.pos, reader.stop);
      reader.pos = reader.stop;
    }
  }

  #spansOf(field: number): Spans | undefined {
    switch (field) {
      case PROFILE.sample:
        return this.samples;
      case PROFILE.mapping:
        return this.mappings.spans;
      case PROFILE.location:
        return this.locations.spans;
      case PROFILE.function:
        return this.functions.spans;
      case PROFILE.stringTable:
        return this.strings;
      default:
        return undefined;
    }
  }

  #tableSpans(): Spans[] {
    return [this.mappings.spans, this.locations.spans, this.functions.spans, this.strings];
  }

  #checkStrings(): void {
    const { count, bounds } = this.strings;
    if (count === 0) invalidProfile("it has no string table");
    if (bounds[0] !== bounds[1]) invalidProfile("its string table does not begin with the empty string");
    this.header.checkStrings(count);
    if (this.header.columnCount === 0 && this.samples.count > 0) invalidProfile("it has samples but no sample type");
  }

  /**
   * The shape is told apart, stored and asked for as text: two names that are no text would look like one. It stands in every answer
   * about the profile, so that its size is bounded.
   */
  #checkShape({ columns, columnNameBytes }: Limits): void {
    if (this.header.columnCount > columns) oversizedProfile(`it has more than ${columns} sample types`);
    const check = (index: number) => {
      const { length } = this.#buffer(index);
      if (length > columnNameBytes) {
        oversizedProfile(`the name of a sample type or period type has more than ${columnNameBytes} bytes: ${length}`);
      }
      if (this.#isAscii(index) || isUtf8(this.#buffer(index))) return;
      const shown = JSON.stringify(this.text(index));
      invalidProfile(`the name of a sample type or period type, ${shown}, is not valid UTF-8`);
    };
    for (const names of this.header.sampleTypes) names.forEach(check);
    this.header.periodType.forEach(check);
  }

  #isAscii(index: number): boolean {
    const end = this.strings.bounds[index * 2 + 1]!;
    for (let at = this.strings.bounds[index * 2]!; at < end; at++) if (this.raw[at]! >= 0x80) return false;
    return true;
  }
}
