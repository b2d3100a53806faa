// Where the messages of one kind lie in a profile's bytes: noted in one pass, read in another.

import { grown } from "./grow.ts";
import { oversizedProfile } from "./invalid-profile.ts";

export class Spans {
  /** Pairs: start offset, end offset. */
  bounds: Int32Array = new Int32Array(512);
  count = 0;
  /** Looked at only when `bounds` grows: so many messages need no room, the exact count is judged later. */
  limit = Number.MAX_SAFE_INTEGER;

  add(start: number, end: number): void {
    const at = this.count * 2;
    if (at + 2 > this.bounds.length) {
      if (this.count > this.limit) oversizedProfile(`it has more than ${this.limit} rows in a table`);
      this.bounds = grown(this.bounds, at + 2);
    }
    this.bounds[at] = start;
    this.bounds[at + 1] = end;
    this.count++;
  }
}
