// Who may run now: so many at once, the others in line, and no more in line than a limit.

import { DomainError } from "../model/errors.ts";

export class Gate {
  readonly #places: number;
  readonly #longestLine: number;
  readonly #what: string;
  #running = 0;
  readonly #line: (() => void)[] = [];

  /** `what` is named when one is turned away. */
  constructor(places: number, longestLine: number, what: string) {
    this.#places = places;
    this.#longestLine = longestLine;
    this.#what = what;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#line.length;
  }

  /** Resolves when there is a place, which lasts until disposal. Throws `exhausted` when the line is full, `cancelled` by the signal. */
  async enter(signal: AbortSignal): Promise<Disposable> {
    if (signal.aborted) throw cancelled();
    if (this.#running < this.#places) this.#running++;
    else await this.#wait(signal);
    let left = false;
    return {
      [Symbol.dispose]: () => {
        if (left) return;
        left = true;
        const next = this.#line.shift();
        if (next) next();
        else this.#running--;
      },
    };
  }

  #wait(signal: AbortSignal): Promise<void> {
    if (this.#line.length >= this.#longestLine) {
      throw new DomainError(
        "exhausted",
        `Too many ${this.#what} at once: ${this.#running} run and ${this.#line.length} wait; try again later`,
      );
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const enter = () => {
      signal.removeEventListener("abort", leave);
      resolve();
    };
    const leave = () => {
      this.#line.splice(this.#line.indexOf(enter), 1);
      reject(cancelled());
    };
    this.#line.push(enter);
    signal.addEventListener("abort", leave, { once: true });
    return promise;
  }
}

function cancelled(): DomainError {
  return new DomainError("cancelled", "The caller left before its turn");
}
