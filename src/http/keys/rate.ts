// How much one key or source may ask in a second: requests, and bytes of bodies. Whether that is refused is for those who ask.

import { performance } from "node:perf_hooks";

/** A second's worth may come at once; after that, as much as the rate gives back. */
class Bucket {
  #left = Number.POSITIVE_INFINITY;
  #atMs = 0;

  /** What is left now; below 0 after more was taken than there was. */
  left(perSecond: number, nowMs: number): number {
    const refilled = this.#left + ((nowMs - this.#atMs) / 1000) * perSecond;
    this.#left = Math.min(perSecond, refilled);
    this.#atMs = nowMs;
    return this.#left;
  }

  take(amount: number): void {
    this.#left -= amount;
  }
}

export interface PerSecond {
  readonly requests: number;
  readonly bytes: number;
}

export class Rate {
  readonly #requests = new Bucket();
  readonly #bytes = new Bucket();

  /** Counts one request, or says which limit it is over and counts nothing. */
  over({ requests, bytes }: PerSecond, nowMs = performance.now()): string | undefined {
    if (this.#bytes.left(bytes, nowMs) <= 0) return `${bytes} bytes`;
    if (this.#requests.left(requests, nowMs) < 1) return `${requests} requests`;
    this.#requests.take(1);
    return undefined;
  }

  /** When they have come: a body need not say how long it will be. The debt of a large one is paid by those after it. */
  addBytes(bytes: number): void {
    this.#bytes.take(bytes);
  }
}
