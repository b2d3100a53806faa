// The functions of one profile as rows of integers.

import { grown } from "./grow.ts";
import { addRow, IdMap } from "./id-map.ts";
import { strayString } from "./invalid-profile.ts";
import { FUNCTION } from "./schema.ts";
import { Spans } from "./spans.ts";
import { shortNumber, type WireReader } from "./wire-reader.ts";

/** Integers of a row: name, system name, file (string indexes), start line low, high. */
export const FUNCTION_STRIDE = 5;

export class FunctionTable {
  readonly spans = new Spans("functions");
  readonly ids = new IdMap();
  rows: Int32Array = new Int32Array(FUNCTION_STRIDE * 256);

  get count(): number {
    return this.spans.count;
  }

  /** Reads what the spans note, in a profile of `stringCount` strings. Throws `invalid`. */
  read(reader: WireReader, stringCount: number): void {
    this.ids.reset(this.count);
    this.rows = grown(this.rows, this.count * FUNCTION_STRIDE);
    for (let row = 0; row < this.count; row++) this.#readRow(reader, row, stringCount);
  }

  #readRow(reader: WireReader, row: number, stringCount: number): void {
    const { bytes } = reader;
    const end = this.spans.bounds[row * 2 + 1]!;
    let pos = this.spans.bounds[row * 2]!;
    let idLo = 0;
    let idHi = 0;
    let name = 0;
    let systemName = 0;
    let file = 0;
    let lineLo = 0;
    let lineHi = 0;
    // Short numbers first, which is nearly always all there is; from the first that is not, the general loop goes on.
    const fastEnd = Math.min(end, bytes.length - 4);
    while (pos < fastEnd) {
      const tag = bytes[pos]!;
      const number = shortNumber(bytes, pos + 1);
      const next = pos + 2 + (number & 3);
      if (number < 0 || next > end) break;
      if (tag === FUNCTION.id * 8) idLo = number >> 2;
      else if (tag === FUNCTION.name * 8) name = number >> 2;
      else if (tag === FUNCTION.systemName * 8) systemName = number >> 2;
      else if (tag === FUNCTION.file * 8) file = number >> 2;
      else if (tag === FUNCTION.startLine * 8) lineLo = number >> 2;
      else break;
      pos = next;
    }
    reader.pos = pos;
    reader.end = end;
    while (reader.pos < end) {
      const tag = reader.next();
      switch (tag) {
        case FUNCTION.id * 8:
          idLo = reader.lo;
          idHi = reader.hi;
          break;
        case FUNCTION.name * 8:
          name = reader.index;
          break;
        case FUNCTION.systemName * 8:
          systemName = reader.index;
          break;
        case FUNCTION.file * 8:
          file = reader.index;
          break;
        case FUNCTION.startLine * 8:
          lineLo = reader.lo;
          lineHi = reader.hi;
          break;
        default:
          reader.pass(tag, FUNCTION.startLine);
      }
    }
    if (name >>> 0 >= stringCount || systemName >>> 0 >= stringCount || file >>> 0 >= stringCount) {
      strayString("function", row, stringCount);
    }
    const at = row * FUNCTION_STRIDE;
    const out = this.rows;
    out[at] = name;
    out[at + 1] = systemName;
    out[at + 2] = file;
    out[at + 3] = lineLo;
    out[at + 4] = lineHi;
    addRow(this.ids, idLo, idHi, row, "function");
  }
}
