// Why a merge stops before it is done, and the flag that its threads look at.

import { DomainError } from "../model/errors.ts";

/** A thread that does not look at the cancel flag for so long is in one huge profile: it is replaced. */
const CANCEL_GRACE_MS = 1_000;

/** Why a job stops early, and the flag that its threads look at before each profile. */
export class StopFlag {
  readonly flag = new Int32Array(new SharedArrayBuffer(4));
  readonly overdue: Promise<never>;
  isOverdue = false;
  reason: DomainError | undefined;
  readonly #signal: AbortSignal;
  readonly #onAbort = () => this.#stop(new DomainError("cancelled", "The caller left before the merge was done"));
  readonly #timer: NodeJS.Timeout;
  #graceTimer: NodeJS.Timeout | undefined;
  readonly #rejectOverdue: (reason: Error) => void;

  constructor(signal: AbortSignal, limitMs: number, inputs: number) {
    const { promise, reject } = Promise.withResolvers<never>();
    promise.catch(() => {}); // raced against the work; unheard where the work ends first
    this.overdue = promise;
    this.#rejectOverdue = reject;
    this.#signal = signal;
    signal.addEventListener("abort", this.#onAbort, { once: true });
    this.#timer = setTimeout(() => this.#stop(tooSlow(inputs, limitMs)), limitMs);
    if (signal.aborted) this.#onAbort();
  }

  set(): void {
    Atomics.store(this.flag, 0, 1);
  }

  throwIfSet(): void {
    if (this.reason) throw this.reason;
  }

  dispose(): void {
    this.set();
    clearTimeout(this.#timer);
    clearTimeout(this.#graceTimer);
    this.#signal.removeEventListener("abort", this.#onAbort);
  }

  #stop(reason: DomainError): void {
    this.reason ??= reason;
    this.set();
    this.#graceTimer ??= setTimeout(() => {
      this.isOverdue = true;
      this.#rejectOverdue(reason);
    }, CANCEL_GRACE_MS);
  }
}

export function tooSlow(inputs: number, limitMs: number): DomainError {
  return new DomainError(
    "too-large",
    `Cannot merge ${inputs} profiles within ${limitMs / 1000} s: ask for a shorter window, more labels, or set max_profiles`,
    { subject: "result" },
  );
}
