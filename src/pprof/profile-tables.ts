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
import { WireReader } from "./wire-reader.ts";

export class ProfileTables {
  readonly reader = new WireReader();
  raw: Uint8Array = new Uint8Array(0);
  header = new ProfileHeader();
  readonly strings = new Spans();
  readonly samples = new Spans();
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
    for (const table of [this.mappings, this.functions, this.locations]) table.spans.count = 0;
    this.strings.count = 0;
    this.samples.count = 0;
    this.reader.open(raw);
    this.#scan(limits);
    this.#checkStrings();
    this.mappings.read(this.reader, this.strings.count);
    this.functions.read(this.reader, this.strings.count);
    this.locations.read(this.reader, this.mappings, this.functions.ids, limits.tableRows);
  }

  /** A string with one character per byte (latin1): it compares, and turns back into bytes, without loss. */
  byteString(index: number): string {
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
  #scan(limits: Limits): void {
    const reader = this.reader;
    while (reader.pos < reader.end) {
      const tag = reader.next();
      switch (tag) {
        case PROFILE.sample * 8 + WIRE.bytes:
          this.#note(this.samples, limits.samples, "samples");
          break;
        case PROFILE.mapping * 8 + WIRE.bytes:
          this.#note(this.mappings.spans, limits.tableRows, "mappings");
          break;
        case PROFILE.location * 8 + WIRE.bytes:
          this.#note(this.locations.spans, limits.tableRows, "locations");
          break;
        case PROFILE.function * 8 + WIRE.bytes:
          this.#note(this.functions.spans, limits.tableRows, "functions");
          break;
        case PROFILE.stringTable * 8 + WIRE.bytes:
          this.#note(this.strings, limits.tableRows, "strings");
          break;
        default:
          this.header.readField(reader, tag);
      }
    }
  }

  #note(spans: Spans, limit: number, what: string): void {
    const { reader } = this;
    if (spans.count === limit) oversizedProfile(`it has more than ${limit} ${what}`);
    spans.add(reader.pos, reader.stop);
    reader.pos = reader.stop;
  }

  #checkStrings(): void {
    const { count, bounds } = this.strings;
    if (count === 0) invalidProfile("it has no string table");
    if (bounds[0] !== bounds[1]) invalidProfile("its string table does not begin with the empty string");
    this.header.checkStrings(count);
    if (this.header.columnCount === 0 && this.samples.count > 0) invalidProfile("it has samples but no sample type");
  }
}
