// The requests that a worker thread has not answered yet. Sending them, and what its end means, is that of who runs the thread.

import { type ErrorMessage, fromErrorMessage } from "../model/errors.ts";

export type ThreadAnswer = { requestId: number; value: unknown } | { requestId: number; error: ErrorMessage };

interface Pending {
  resolve: (value: unknown) => void;
  reject: (reason: unknown) => void;
  tag: number;
}

export class PendingRequests {
  readonly #pending = new Map<number, Pending>();
  #lastRequestId = 0;

  get size(): number {
    return this.#pending.size;
  }

  hasTag(tag: number): boolean {
    return [...this.#pending.values()].some((pending) => pending.tag === tag);
  }

  /** `requestId` goes with the request and comes back with its answer; `tag` says for whom it is, see hasTag. */
  add<Value>(tag = 0): { requestId: number; answer: Promise<Value> } {
    const requestId = ++this.#lastRequestId;
    const { promise, resolve, reject } = Promise.withResolvers<Value>();
    this.#pending.set(requestId, { resolve: resolve as Pending["resolve"], reject, tag });
    return { requestId, answer: promise };
  }

  settle(answer: ThreadAnswer): void {
    const pending = this.#pending.get(answer.requestId);
    this.#pending.delete(answer.requestId);
    if ("error" in answer) pending?.reject(fromErrorMessage(answer.error));
    else pending?.resolve(answer.value);
  }

  rejectAll(reason: unknown): void {
    for (const { reject } of this.#pending.values()) reject(reason);
    this.#pending.clear();
  }
}
