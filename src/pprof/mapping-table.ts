// The mappings of one profile as rows of integers.

import { grown } from "./grow.ts";
import { addRow, IdMap } from "./id-map.ts";
import { strayString } from "./invalid-profile.ts";
import { MAPPING, WIRE } from "./schema.ts";
import { Spans } from "./spans.ts";
import type { WireReader } from "./wire-reader.ts";

/** Integers of a row: start low, high, limit low, high, offset low, high, file, build id (string indexes), flags (bit 0 is has_functions). */
export const MAPPING_STRIDE = 9;

export class MappingTable {
  readonly spans = new Spans("mappings");
  readonly ids = new IdMap();
  rows: Int32Array = new Int32Array(MAPPING_STRIDE * 16);

  get count(): number {
    return this.spans.count;
  }

  /** Reads what the spans note, in a profile of `stringCount` strings. Throws `invalid`. */
  read(reader: WireReader, stringCount: number): void {
    this.ids.reset(this.count);
    this.rows = grown(this.rows, this.count * MAPPING_STRIDE);
    for (let row = 0; row < this.count; row++) this.#readRow(reader, row, stringCount);
  }

  #readRow(reader: WireReader, row: number, stringCount: number): void {
    const out = this.rows;
    const end = this.spans.bounds[row * 2 + 1]!;
    const at = row * MAPPING_STRIDE;
    out.fill(0, at, at + MAPPING_STRIDE);
    let idLo = 0;
    let idHi = 0;
    reader.pos = this.spans.bounds[row * 2]!;
    reader.end = end;
    while (reader.pos < end) {
      const tag = reader.next();
      const field = tag >>> 3;
      if ((tag & 7) !== WIRE.varint || field === 0 || field > MAPPING.hasInlineFrames) {
        reader.pass(tag, MAPPING.hasInlineFrames);
        continue;
      }
      const { lo, hi } = reader;
      if (field === MAPPING.id) {
        idLo = lo;
        idHi = hi;
      } else if (field <= MAPPING.offset) {
        out[at + (field - MAPPING.start) * 2] = lo;
        out[at + (field - MAPPING.start) * 2 + 1] = hi;
      } else if (field <= MAPPING.buildId) {
        out[at + 6 + field - MAPPING.file] = reader.index;
      } else {
        const flag = 1 << (field - MAPPING.hasFunctions);
        out[at + 8] = (lo | hi) !== 0 ? out[at + 8]! | flag : out[at + 8]! & ~flag;
      }
    }
    if (out[at + 6]! >>> 0 >= stringCount || out[at + 7]! >>> 0 >= stringCount)
      strayString("mapping", row, stringCount);
    addRow(this.ids, idLo, idHi, row, "mapping");
  }
}
