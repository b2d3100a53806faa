// Where the messages of one kind lie in a profile's bytes: noted in one pass, read in another.

import { grown } from "./grow.ts";
import { oversizedProfile } from "./invalid-profile.ts";

export class Spans {
  /** Pairs: start offset, end offset. */
  bounds: Int32Array = new Int32Array(512);
  count = 0;
  readonly #what: string;
  #limit = 0;

  /** `what` they are, for the refusal of too many. */
  constructor(what: string) {
    this.#what = what;
  }

  /** Forgets what was noted. More than `limit` are refused: at the latest by checkCount(), before that where they would need more room. */
  start(limit: number): void {
    this.count = 0;
    this.#limit = limit;
  }

  add(start: number, end: number): void {
    const at = this.count * 2;
    if (at + 2 > this.bounds.length) {
      this.checkCount();
      this.bounds = grown(this.bounds, at + 2);
    }
    this.bounds[at] = start;
    this.bounds[at + 1] = end;
    this.count++;
  }

  checkCount(): void {
    if (this.count > this.#limit) oversizedProfile(`it has more than the ${this.#limit} ${this.#what} allowed`);
  }
}
