// Where the messages of one kind lie in a profile's bytes: noted in one pass, read in another.

import { grown } from "./grow.ts";

export class Spans {
  /** Pairs: start offset, end offset. */
  bounds: Int32Array = new Int32Array(512);
  count = 0;

  add(start: number, end: number): void {
    const at = this.count * 2;
    if (at + 2 > this.bounds.length) this.bounds = grown(this.bounds, at + 2);
    this.bounds[at] = start;
    this.bounds[at + 1] = end;
    this.count++;
  }
}
