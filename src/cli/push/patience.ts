// How long a push waits for a server that does not answer, shared by all of its requests.

import { setTimeout as delay } from "node:timers/promises";

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 4_000;

export class Patience {
  readonly #waitMs: number;
  #failingSinceMs: number | undefined;
  #wasReached = false;

  /** `waitMs` is for how long nothing may succeed. */
  constructor(waitMs: number) {
    this.#waitMs = waitMs;
  }

  succeeded(): void {
    this.#wasReached = true;
    this.#failingSinceMs = undefined;
  }

  /** Something is there, though it cannot serve now. */
  reached(): void {
    this.#wasReached = true;
  }

  /** After a failure: false where waiting is over, or nothing was ever there to wait for; else true, after a pause. */
  async mayRetry(attempt: number, signal: AbortSignal): Promise<boolean> {
    this.#failingSinceMs ??= performance.now();
    const leftMs = this.#waitMs - (performance.now() - this.#failingSinceMs);
    if (!this.#wasReached || leftMs <= 0 || signal.aborted) return false;
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** attempt, LONGEST_PAUSE_MS, leftMs);
    // Spread, so that what failed together does not come back together.
    await delay(pauseMs * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => {});
    return !signal.aborted;
  }
}
