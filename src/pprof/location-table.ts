// The locations of one profile and their lines as rows of integers.

import { grown } from "./grow.ts";
import { addRow, IdMap } from "./id-map.ts";
import { invalidProfile, oversizedProfile } from "./invalid-profile.ts";
import type { MappingTable } from "./mapping-table.ts";
import { LINE, LOCATION, WIRE } from "./schema.ts";
import { Spans } from "./spans.ts";
import { shortNumber, type WireReader } from "./wire-reader.ts";

/** Integers of a row: mapping row or -1, address low, high, is_folded, end of its lines in `lines`. */
export const LOCATION_STRIDE = 5;
/** Of a line row: function row, line low, high, column low, high. */
export const LINE_STRIDE = 5;

export class LocationTable {
  readonly spans = new Spans("locations");
  readonly ids = new IdMap();
  rows: Int32Array = new Int32Array(LOCATION_STRIDE * 256);
  /** The lines of a location begin where those of the row before end. */
  lines: Int32Array = new Int32Array(LINE_STRIDE * 256);

  /** 1 for each mapping row that a location lies in. */
  usesMapping: Uint8Array = new Uint8Array(16);

  get count(): number {
    return this.spans.count;
  }

  /** Reads what the spans note. Throws `invalid`, and `too-large` for more than `linesMax` lines in all. */
  read(reader: WireReader, mappings: MappingTable, functionIds: IdMap, linesMax: number): void {
    this.ids.reset(this.count);
    this.rows = grown(this.rows, this.count * LOCATION_STRIDE);
    if (this.usesMapping.length < mappings.count) this.usesMapping = new Uint8Array(mappings.count * 2);
    else this.usesMapping.fill(0);
    let lineEnd = 0;
    for (let row = 0; row < this.count; row++) {
      lineEnd = this.#readRow(reader, row, lineEnd, mappings.ids, functionIds);
      if (lineEnd > linesMax) oversizedProfile(`it has more than ${linesMax} lines`);
    }
  }

  /** Answers where its lines end. */
  #readRow(reader: WireReader, row: number, firstLine: number, mappingIds: IdMap, functionIds: IdMap): number {
    const { bytes } = reader;
    const end = this.spans.bounds[row * 2 + 1]!;
    let pos = this.spans.bounds[row * 2]!;
    let idLo = 0;
    let idHi = 0;
    let mapping = -1;
    let addressLo = 0;
    let addressHi = 0;
    let isFolded = 0;
    let lineEnd = firstLine;
    // Short numbers and lines first, as in function-table.ts.
    const fastEnd = Math.min(end, bytes.length - 4);
    while (pos < fastEnd) {
      const tag = bytes[pos]!;
      const number = shortNumber(bytes, pos + 1);
      const value = number >> 2;
      let next = pos + 2 + (number & 3);
      if (number < 0 || next > end) break;
      if (tag === LOCATION.id * 8) idLo = value;
      else if (tag === LOCATION.mappingId * 8) mapping = mappingIds.get(value, 0);
      else if (tag === LOCATION.address * 8) addressLo = value;
      else if (tag === LOCATION.line * 8 + WIRE.bytes && next + value <= end) {
        this.#readLine(reader, lineEnd++, next, next + value, functionIds);
        next += value;
      } else break;
      pos = next;
    }
    reader.pos = pos;
    reader.end = end;
    while (reader.pos < end) {
      const tag = reader.next();
      switch (tag) {
        case LOCATION.id * 8:
          idLo = reader.lo;
          idHi = reader.hi;
          break;
        case LOCATION.mappingId * 8:
          // A mapping that does not exist counts as none, as google/pprof has it.
          mapping = mappingIds.get(reader.lo, reader.hi);
          break;
        case LOCATION.address * 8:
          addressLo = reader.lo;
          addressHi = reader.hi;
          break;
        case LOCATION.line * 8 + WIRE.bytes:
          pos = reader.stop;
          this.#readLine(reader, lineEnd++, reader.pos, pos, functionIds);
          reader.pos = pos;
          reader.end = end;
          break;
        case LOCATION.isFolded * 8:
          isFolded = reader.bool ? 1 : 0;
          break;
        default:
          reader.pass(tag, LOCATION.isFolded);
      }
    }
    if (mapping >= 0) this.usesMapping[mapping] = 1;
    const at = row * LOCATION_STRIDE;
    const out = this.rows;
    out[at] = mapping;
    out[at + 1] = addressLo;
    out[at + 2] = addressHi;
    out[at + 3] = isFolded;
    out[at + 4] = lineEnd;
    addRow(this.ids, idLo, idHi, row, "location");
    return lineEnd;
  }

  #readLine(reader: WireReader, line: number, start: number, end: number, functionIds: IdMap): void {
    const { bytes } = reader;
    let pos = start;
    let fn = -1;
    let lineLo = 0;
    let lineHi = 0;
    let columnLo = 0;
    let columnHi = 0;
    const fastEnd = Math.min(end, bytes.length - 4);
    while (pos < fastEnd) {
      const tag = bytes[pos]!;
      const number = shortNumber(bytes, pos + 1);
      const next = pos + 2 + (number & 3);
      if (number < 0 || next > end) break;
      if (tag === LINE.functionId * 8) fn = functionIds.get(number >> 2, 0);
      else if (tag === LINE.line * 8) lineLo = number >> 2;
      else if (tag === LINE.column * 8) columnLo = number >> 2;
      else break;
      pos = next;
    }
    reader.pos = pos;
    reader.end = end;
    while (reader.pos < end) {
      const tag = reader.next();
      switch (tag) {
        case LINE.functionId * 8:
          fn = functionIds.get(reader.lo, reader.hi);
          break;
        case LINE.line * 8:
          lineLo = reader.lo;
          lineHi = reader.hi;
          break;
        case LINE.column * 8:
          columnLo = reader.lo;
          columnHi = reader.hi;
          break;
        default:
          reader.pass(tag, LINE.column);
      }
    }
    if (fn < 0) invalidProfile(`the line before byte ${end} is in a function that the profile does not have`);
    const at = line * LINE_STRIDE;
    if (at + LINE_STRIDE > this.lines.length) this.lines = grown(this.lines, at + LINE_STRIDE);
    const out = this.lines;
    out[at] = fn;
    out[at + 1] = lineLo;
    out[at + 2] = lineHi;
    out[at + 3] = columnLo;
    out[at + 4] = columnHi;
  }
}
