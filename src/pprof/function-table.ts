// The functions of one profile as rows of integers.

import { grown } from "./grow.ts";
import { addRow, IdMap } from "./id-map.ts";
import { strayString } from "./invalid-profile.ts";
import { FUNCTION } from "./schema.ts";
import { Spans } from "./spans.ts";
import type { WireReader } from "./wire-reader.ts";

/** Integers of a row: name, system name, file (string indexes), start line low, high. */
export const FUNCTION_STRIDE = 5;

export class FunctionTable {
  readonly spans = new Spans();
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
    const out = this.rows;
    const end = this.spans.bounds[row * 2 + 1]!;
    const at = row * FUNCTION_STRIDE;
    let idLo = 0;
    let idHi = 0;
    let name = 0;
    let systemName = 0;
    let file = 0;
    out[at + 3] = 0;
    out[at + 4] = 0;
    reader.pos = this.spans.bounds[row * 2]!;
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
          out[at + 3] = reader.lo;
          out[at + 4] = reader.hi;
          break;
        default:
          reader.pass(tag, FUNCTION.startLine);
      }
    }
    if (name >>> 0 >= stringCount || systemName >>> 0 >= stringCount || file >>> 0 >= stringCount) {
      strayString("function", row, stringCount);
    }
    out[at] = name;
    out[at + 1] = systemName;
    out[at + 2] = file;
    addRow(this.ids, idLo, idHi, row, "function");
  }
}
