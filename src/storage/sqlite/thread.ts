// A catalog thread as seen from the main one: a method's name and argument go in, its answer comes out. It ends by a message and is never
// terminated: aborting a native call has crashed the process.

import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { DomainError, type ErrorMessage, fromErrorMessage } from "../../model/errors.ts";

export type ThreadAnswer = { requestId: number; value: unknown } | { requestId: number; error: ErrorMessage };

interface Pending {
  resolve: (value: unknown) => void;
  reject: (reason: unknown) => void;
}

/** Rows leave a thread as they are read: a small young generation is enough, and the default costs each thread some tens of megabytes. */
const RESOURCES = { maxYoungGenerationSizeMb: 6 };

export class CatalogThread {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  #lastRequestId = 0;
  #lost: Error | undefined;

  constructor(entry: URL, workerData: unknown) {
    this.#worker = new Worker(entry, { workerData, resourceLimits: RESOURCES });
    this.#worker.on("message", (answer: ThreadAnswer) => {
      const pending = this.#pending.get(answer.requestId);
      this.#pending.delete(answer.requestId);
      if ("error" in answer) pending?.reject(fromErrorMessage(answer.error));
      else pending?.resolve(answer.value);
    });
    this.#worker.on("error", (cause) => this.#lose(cause));
    this.#worker.on("exit", () => this.#lose(undefined));
  }

  /** Requests without an answer yet. */
  get load(): number {
    return this.#pending.size;
  }

  /** Answers come in the order asked. */
  request<Answer>(method: string, argument?: unknown, transfer: readonly ArrayBuffer[] = []): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    if (this.#lost) reject(this.#lost);
    else {
      const requestId = ++this.#lastRequestId;
      this.#pending.set(requestId, { resolve: resolve as Pending["resolve"], reject });
      this.#worker.postMessage({ requestId, method, argument }, transfer);
    }
    return promise;
  }

  /** What was asked before is still answered. */
  async close(): Promise<void> {
    if (this.#lost) return;
    const exited = once(this.#worker, "exit");
    this.#worker.postMessage("close");
    await exited;
  }

  #lose(cause: unknown): void {
    this.#lost ??= new DomainError("unavailable", "Cannot use the catalog: its thread has ended", { cause });
    for (const { reject } of this.#pending.values()) reject(this.#lost);
    this.#pending.clear();
  }
}
