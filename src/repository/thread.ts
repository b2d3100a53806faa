// A worker thread as a thing that answers requests in order. It starts when it is first needed, and again after it died; what it held
// then is lost, and said so.

import { Worker } from "node:worker_threads";
import { PendingRequests } from "../storage/pending-requests.ts";

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
  readonly #pending = new PendingRequests();
  #worker: Worker | undefined;

  constructor(entry: URL, workerData: unknown) {
    this.#entry = entry;
    this.#workerData = workerData;
  }

  get pending(): number {
    return this.#pending.size;
  }

  isBusyWith(tag: number): boolean {
    return this.#pending.hasTag(tag);
  }

  /** Requests are answered in the order sent. `tag` says for whom, see isBusyWith. */
  request<T>(message: object, transfer: readonly ArrayBuffer[], tag: number): Promise<T> {
    const { requestId, answer } = this.#pending.add<T>(tag);
    this.#worker ??= this.#start();
    this.#worker.postMessage({ requestId, ...message }, transfer);
    return answer;
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
    worker.on("message", (answer) => this.#pending.settle(answer));
    let cause: unknown;
    worker.on("error", (error) => {
      cause = error;
    });
    worker.on("exit", () => {
      this.life++;
      this.#pending.rejectAll(new ThreadLost(`Thread ${this.#entry.pathname.split("/").at(-1)} ended`, { cause }));
      this.#worker = undefined;
    });
    return worker;
  }
}
