// How many bytes of one kind (bodies, answers) the whole process may hold at once. Who holds them takes from it; it holds none itself.

import { DomainError } from "../model/errors.ts";

interface Waiter {
  bytes: number;
  admit: () => void;
}

/** Bytes taken from a budget. Disposing gives all of them back; doing so twice is harmless. */
export interface Reservation extends Disposable {
  /** Takes more where there is place at once; false, and nothing taken, where there is none. */
  growNow(bytes: number): boolean;
  /** Takes more. Throws `exhausted` when there is no place within the budget's wait; what was taken stays taken. */
  grow(bytes: number): Promise<void>;
}

export class ByteBudget {
  readonly #capacityBytes: number;
  readonly #waitMs: number;
  readonly #task: string;
  readonly #waiting: Waiter[] = [];
  #takenBytes = 0;

  /** `waitMs` is how long one claim waits for a place before it is refused; `task` is what cannot be done then. */
  constructor(capacityBytes: number, waitMs: number, task = "take more uploads") {
    this.#capacityBytes = capacityBytes;
    this.#waitMs = waitMs;
    this.#task = task;
  }

  get takenBytes(): number {
    return this.#takenBytes;
  }

  /** Nothing yet. Claims that wait end when `signal` aborts. */
  open(signal?: AbortSignal): Reservation {
    let heldBytes = 0;
    let isReleased = false;
    return {
      growNow: (bytes) => {
        if (isReleased || !this.#claimNow(bytes)) return false;
        heldBytes += bytes;
        return true;
      },
      grow: async (bytes) => {
        await this.#claim(bytes, signal);
        if (isReleased) this.#release(bytes);
        else heldBytes += bytes;
      },
      [Symbol.dispose]: () => {
        if (isReleased) return;
        isReleased = true;
        this.#release(heldBytes);
      },
    };
  }

  /** In order of arrival. Throws `exhausted` when there is no place in time, `cancelled` when `signal` aborts first. */
  async take(bytes: number, signal?: AbortSignal): Promise<Reservation> {
    const reservation = this.open(signal);
    await reservation.grow(bytes);
    return reservation;
  }

  #claimNow(bytes: number): boolean {
    if (this.#waiting.length > 0 || !this.#fits(bytes)) return false;
    this.#takenBytes += bytes;
    return true;
  }

  async #claim(bytes: number, signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted) throw left();
    if (this.#claimNow(bytes)) return;
    await new Promise<void>((resolve, reject) => {
      const settle = (act: () => void) => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", leave);
        act();
      };
      const waiter: Waiter = { bytes, admit: () => settle(resolve) };
      const giveUp = (error: DomainError) => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        settle(() => reject(error));
        this.#admit();
      };
      const leave = () => giveUp(left());
      const timer = setTimeout(() => giveUp(this.#noPlace()), this.#waitMs);
      signal?.addEventListener("abort", leave);
      this.#waiting.push(waiter);
    });
  }

  #release(bytes: number): void {
    this.#takenBytes -= bytes;
    this.#admit();
  }

  #admit(): void {
    for (let first = this.#waiting[0]; first && this.#fits(first.bytes); first = this.#waiting[0]) {
      this.#waiting.shift();
      this.#takenBytes += first.bytes;
      first.admit();
    }
  }

  /** A claim over the whole capacity is let in alone: its own limit has judged it already. */
  #fits(bytes: number): boolean {
    return this.#takenBytes === 0 || this.#takenBytes + bytes <= this.#capacityBytes;
  }

  #noPlace(): DomainError {
    return new DomainError(
      "exhausted",
      `Cannot ${this.#task} now: ${this.#takenBytes} of ${this.#capacityBytes} bytes are in flight; try again in a few seconds`,
    );
  }
}

function left(): DomainError {
  return new DomainError("cancelled", "The client left before there was a place for its bytes");
}
