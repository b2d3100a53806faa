// A worker thread as a thing that answers requests in order. It starts when it is first needed, and again after it died; what it held
// then is lost, and said so.

import { Worker } from "node:worker_threads";
import { type ErrorMessage, fromErrorMessage } from "../model/errors.ts";

export type Answer<T> = { requestId: number; value: T } | { requestId: number; error: ErrorMessage };

interface Pending {
  resolve: (value: never) => void;
  reject: (reason: unknown) => void;
  tag: number;
}

/**
 * Buffers count as young until a scavenge frees them, and V8 scavenges when they outgrow the young generation: a small one keeps a thread
 * that inflates profile after profile below a few megabytes of garbage, where the default lets it hold some hundred.
 */
export const THREAD_RESOURCES = { maxYoungGenerationSizeMb: 6 };

/** The thread died with what it held. Whoever relied on that begins anew. */
export class ThreadLost extends Error {}

export class Thread {
  /** Counts the thread's lives: work spread over several requests holds only within one. */
  life = 1;
  readonly #entry: URL;
  readonly #workerData: unknown;
  readonly #pending = new Map<number, Pending>();
  #worker: Worker | undefined;
  #lastRequestId = 0;

  constructor(entry: URL, workerData: unknown) {
    this.#entry = entry;
    this.#workerData = workerData;
  }

  get pending(): number {
    return this.#pending.size;
  }

  isBusyWith(tag: number): boolean {
    return [...this.#pending.values()].some((pending) => pending.tag === tag);
  }

  /** Requests are answered in the order sent. `tag` says for whom, see isBusyWith. */
  request<T>(message: object, transfer: readonly ArrayBuffer[], tag: number): Promise<T> {
    const requestId = ++this.#lastRequestId;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.#pending.set(requestId, { resolve: resolve as Pending["resolve"], reject, tag });
    this.#worker ??= this.#start();
    this.#worker.postMessage({ requestId, ...message }, transfer);
    return promise;
  }

  /** Before its first request, which then need not wait for it. */
  warmUp(): void {
    this.#worker ??= this.#start();
  }

  /** A message without an answer; a thread that is not there has nothing to be told. */
  post(message: object): void {
    this.#worker?.postMessage(message);
  }

  /** Ends the thread in the middle of what it does; what waits on it is rejected, and the next request gets a new one. */
  replace(): void {
    void this.#worker?.terminate();
  }

  /** Call nothing else afterwards. */
  async close(): Promise<void> {
    await this.#worker?.terminate();
  }

  #start(): Worker {
    const worker = new Worker(this.#entry, { workerData: this.#workerData, resourceLimits: THREAD_RESOURCES });
    worker.unref();
    worker.on("message", (answer: Answer<never>) => {
      const pending = this.#pending.get(answer.requestId);
      this.#pending.delete(answer.requestId);
      if ("error" in answer) pending?.reject(fromErrorMessage(answer.error));
      else pending?.resolve(answer.value);
    });
    let cause: unknown;
    worker.on("error", (error) => {
      cause = error;
    });
    worker.on("exit", () => {
      this.life++;
      const lost = new ThreadLost(`Thread ${this.#entry.pathname.split("/").at(-1)} ended`, { cause });
      for (const { reject } of this.#pending.values()) reject(lost);
      this.#pending.clear();
      this.#worker = undefined;
    });
    return worker;
  }
}
