// A storage thread as seen from the main one: a method's name and argument go in, its answer comes out. It ends by a message and is never
// terminated: aborting a native call has crashed the process.

import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { DomainError } from "../model/errors.ts";
import { PendingRequests, type ThreadAnswer } from "./pending-requests.ts";

/** Rows leave a thread as they are read: a small young generation is enough, and the default costs each thread some tens of megabytes. */
const RESOURCES = { maxYoungGenerationSizeMb: 6 };

/** What a thread has to say besides its answers. */
export interface ThreadReport {
  report: string;
}

export class StorageThread {
  readonly #worker: Worker;
  readonly #pending = new PendingRequests();
  #lost: Error | undefined;

  constructor(entry: URL, workerData: unknown, report: (message: string) => void = () => {}) {
    this.#worker = new Worker(entry, { workerData, resourceLimits: RESOURCES });
    this.#worker.on("message", (said: ThreadAnswer | ThreadReport) => {
      if ("report" in said) report(said.report);
      else this.#pending.settle(said);
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
    if (this.#lost) return Promise.reject(this.#lost);
    const { requestId, answer } = this.#pending.add<Answer>();
    this.#worker.postMessage({ requestId, method, argument }, transfer);
    return answer;
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
    this.#pending.rejectAll(this.#lost);
  }
}
