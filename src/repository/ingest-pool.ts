// Uploads prepared over threads. What arrives in one turn of the event loop travels in one message, and a second thread is woken only when
// the first has enough to do: a wake-up costs as much as a third of the work that one upload is.

import { DomainError, type ErrorMessage, fromErrorMessage } from "../model/errors.ts";
import type { Limits } from "../model/limits.ts";
import type { PreparedUpload } from "./prepare-upload.ts";
import { Thread, ThreadLost } from "./thread.ts";

export interface RawUpload {
  bytes: Uint8Array<ArrayBuffer>;
  type: string;
  scrub: boolean;
}

/** With the bytes to store: as they were sent, or scrubbed. */
export type CheckedUpload = PreparedUpload & { bytes: Uint8Array<ArrayBuffer> };

export type PrepareAnswer = CheckedUpload | { error: ErrorMessage };

interface Waiting extends RawUpload {
  resolve: (checked: CheckedUpload) => void;
  reject: (reason: unknown) => void;
}

/** One thread, the bytes that it has been sent and not answered, and when it will have answered them. */
interface Lane {
  thread: Thread;
  bytes: number;
  answered: Promise<void>;
}

/** A millisecond of work. A thread is sent more while it has less, and the next one is woken only when it has that much. */
const BUSY_BYTES = 64 * 1024;

export class IngestPool implements AsyncDisposable {
  readonly #lanes: Lane[];
  #waiting: Waiting[] = [];
  #isSending = false;

  constructor(limits: Limits, threads: number) {
    const entry = new URL("./ingest-worker.ts", import.meta.url);
    this.#lanes = Array.from({ length: threads }, () => ({
      thread: new Thread(entry, { limits }),
      bytes: 0,
      answered: Promise.resolve(),
    }));
    this.#lanes[0]?.thread.warmUp();
  }

  /** Takes `bytes` away from the caller, and answers them. Rejects with what src/repository/prepare-upload.ts throws. */
  prepare(bytes: Uint8Array<ArrayBuffer>, type: string, scrub = false): Promise<CheckedUpload> {
    const { promise, resolve, reject } = Promise.withResolvers<CheckedUpload>();
    this.#waiting.push({ bytes, type, scrub, resolve, reject });
    if (!this.#isSending) {
      this.#isSending = true;
      setImmediate(() => {
        this.#isSending = false;
        this.#send();
      });
    }
    return promise;
  }

  /** Resolves when the threads have answered what they were sent until now. */
  async caughtUp(): Promise<void> {
    await Promise.all(this.#lanes.map(({ answered }) => answered));
  }

  #send(): void {
    while (this.#waiting.length > 0) {
      const lane = this.#lanes.find(({ bytes }) => bytes < BUSY_BYTES);
      if (lane === undefined) return;
      let count = 0;
      let batchBytes = 0;
      while (count < this.#waiting.length && lane.bytes + batchBytes < BUSY_BYTES) {
        batchBytes += this.#waiting[count++]!.bytes.length;
      }
      // An empty body weighs something too.
      lane.answered = this.#prepareAll(lane, this.#waiting.splice(0, count), batchBytes + count);
    }
  }

  async #prepareAll(lane: Lane, batch: readonly Waiting[], weight: number): Promise<void> {
    lane.bytes += weight;
    const uploads: RawUpload[] = batch.map(({ bytes, type, scrub }) => ({ bytes, type, scrub }));
    const transfer = uploads.map(({ bytes }) => bytes.buffer);
    try {
      const answers = await lane.thread.request<PrepareAnswer[]>({ uploads }, transfer, 0);
      for (const [at, answer] of answers.entries()) {
        if ("error" in answer) batch[at]!.reject(fromErrorMessage(answer.error));
        else batch[at]!.resolve(answer);
      }
    } catch (error) {
      const reason = error instanceof ThreadLost ? lost(error) : error;
      for (const { reject } of batch) reject(reason);
    }
    lane.bytes -= weight;
    this.#send();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#lanes.map(({ thread }) => thread.close()));
  }
}

function lost(cause: ThreadLost): DomainError {
  return new DomainError("unavailable", "Cannot take the upload: the thread that checked it has ended; send it again", {
    cause,
  });
}
