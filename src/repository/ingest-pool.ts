// Uploads prepared over threads. What arrives in one turn of the event loop travels in one message: waking a thread costs as much as a
// third of the work that one upload is.

import { DomainError, type ErrorMessage, fromErrorMessage } from "../model/errors.ts";
import type { Limits } from "../model/limits.ts";
import type { PreparedUpload } from "./prepare-upload.ts";
import { Thread, ThreadLost } from "./thread.ts";

export interface RawUpload {
  bytes: Uint8Array<ArrayBuffer>;
  type: string;
}

export type PrepareAnswer = PreparedUpload | { error: ErrorMessage };

interface Waiting extends RawUpload {
  resolve: (prepared: PreparedUpload) => void;
  reject: (reason: unknown) => void;
}

/** A message's uploads wait for each other, so few; more only share the wake-up among more. */
const UPLOADS_PER_MESSAGE = 8;
/** One is worked on, one waits: a thread never idles for want of the main thread. */
const MESSAGES_PER_THREAD = 2;

export class IngestPool implements AsyncDisposable {
  readonly #threads: Thread[];
  #waiting: Waiting[] = [];
  #isSending = false;

  constructor(limits: Limits, threads: number) {
    const entry = new URL("./ingest-worker.ts", import.meta.url);
    this.#threads = Array.from({ length: threads }, () => new Thread(entry, { limits }));
    for (const thread of this.#threads) thread.warmUp();
  }

  /** Takes `bytes` away from the caller. Rejects with what src/repository/prepare-upload.ts throws. */
  prepare(bytes: Uint8Array<ArrayBuffer>, type: string): Promise<PreparedUpload> {
    const { promise, resolve, reject } = Promise.withResolvers<PreparedUpload>();
    this.#waiting.push({ bytes, type, resolve, reject });
    if (!this.#isSending) {
      this.#isSending = true;
      setImmediate(() => {
        this.#isSending = false;
        this.#send();
      });
    }
    return promise;
  }

  #send(): void {
    while (this.#waiting.length > 0) {
      const thread = this.#threads.reduce((best, next) => (next.pending < best.pending ? next : best));
      if (thread.pending >= MESSAGES_PER_THREAD) return;
      const share = Math.ceil(this.#waiting.length / this.#threads.length);
      void this.#prepareAll(thread, this.#waiting.splice(0, Math.min(share, UPLOADS_PER_MESSAGE)));
    }
  }

  async #prepareAll(thread: Thread, batch: readonly Waiting[]): Promise<void> {
    const uploads: RawUpload[] = batch.map(({ bytes, type }) => ({ bytes, type }));
    const transfer = uploads.map(({ bytes }) => bytes.buffer);
    try {
      const answers = await thread.request<PrepareAnswer[]>({ uploads }, transfer, 0);
      for (const [at, answer] of answers.entries()) {
        if ("error" in answer) batch[at]!.reject(fromErrorMessage(answer.error));
        else batch[at]!.resolve(answer);
      }
    } catch (error) {
      const reason = error instanceof ThreadLost ? lost(error) : error;
      for (const { reject } of batch) reject(reason);
    }
    this.#send();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }
}

function lost(cause: ThreadLost): DomainError {
  return new DomainError("unavailable", "Cannot take the upload: the thread that checked it has ended; send it again", {
    cause,
  });
}
