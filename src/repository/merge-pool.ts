// Merges over threads. A job's inputs are cut into chunks; each thread folds its chunks into a Merger of its own for that job, and the
// first thread joins them. A thread takes chunks first come, first served and a job keeps two of them waiting, so jobs share it evenly.

import { DomainError } from "../model/errors.ts";
import type { Limits } from "../model/limits.ts";
import type { ValueType } from "../model/shape.ts";
import type { BlobSource } from "../storage/blob-store.ts";
import type { MergeInput } from "../storage/catalog.ts";
import type { FoldAnswer, FoldChunk, JobOptions, MergedBytes } from "./merge-job.ts";
import { Thread, ThreadLost } from "./thread.ts";

export interface MergeJobRequest {
  inputs: readonly MergeInput[];
  columns: readonly ValueType[];
  maxResultBytes: number;
  signal: AbortSignal;
}

export interface MergeJobResult {
  /** Absent where nothing could be folded. */
  merged?: MergedBytes;
  damaged: { input: MergeInput; message: string }[];
}

/** A chunk is a thread's turn: some 25 ms of work, after which another job's chunk comes. */
const CHUNK_PROFILES = 64;
const CHUNK_BYTES = 1024 * 1024;
/** Below so many chunks a second thread saves less than joining its part costs. */
const CHUNKS_FOR_ALL_THREADS = 3;
const CHUNKS_WAITING = 2;
/** A thread that does not look at the cancel flag for so long is in one huge profile: it is replaced. */
const CANCEL_GRACE_MS = 1_000;
/** A thread lost to another job's replacement costs this job a fresh start, not its answer. */
const STARTS = 3;

export class MergePool implements AsyncDisposable {
  readonly #threads: Thread[];
  readonly #limits: Limits;
  #lastJobId = 0;

  constructor(source: BlobSource, limits: Limits, threads: number) {
    this.#limits = limits;
    const entry = new URL("./merge-worker.ts", import.meta.url);
    this.#threads = Array.from({ length: threads }, () => new Thread(entry, { source, limits }));
  }

  /** Throws `too-large` over the limits of time, input and result; `cancelled` when the signal says so. */
  async merge(request: MergeJobRequest): Promise<MergeJobResult> {
    for (let start = 1; ; start++) {
      try {
        return await this.#mergeOnce(request);
      } catch (error) {
        if (!(error instanceof ThreadLost) || start === STARTS) throw error;
      }
    }
  }

  async #mergeOnce(request: MergeJobRequest): Promise<MergeJobResult> {
    const jobId = ++this.#lastJobId;
    const chunks = cutChunks(request.inputs);
    const stop = new StopFlag(request.signal, this.#limits.mergeMs, request.inputs.length);
    const options: JobOptions = {
      jobId,
      columns: request.columns,
      maxResultBytes: request.maxResultBytes,
      stopFlag: stop.flag,
    };
    const idlest = this.#threads.toSorted((a, b) => a.pending - b.pending);
    const threads = chunks.length < CHUNKS_FOR_ALL_THREADS ? idlest.slice(0, 1) : idlest;
    const work = this.#run(threads, chunks, options, stop, request.inputs);
    try {
      return await Promise.race([work, stop.overdue]);
    } catch (error) {
      if (stop.isOverdue) for (const thread of threads) if (thread.isBusyWith(jobId)) thread.replace();
      throw stop.reason ?? error;
    } finally {
      work.catch(() => {}); // its outcome is the race's, or came after it
      for (const thread of threads) thread.post({ kind: "drop", jobId });
      stop.dispose();
    }
  }

  async #run(
    threads: readonly Thread[],
    chunks: FoldChunk[],
    options: JobOptions,
    stop: StopFlag,
    inputs: readonly MergeInput[],
  ): Promise<MergeJobResult> {
    const damaged: MergeJobResult["damaged"] = [];
    let inputBytes = 0;
    const lives = threads.map(({ life }) => life);
    const queue = chunks.values();
    const foldSome = async (thread: Thread) => {
      for (const chunk of queue) {
        stop.throwIfSet();
        const answer = await thread.request<FoldAnswer>({ kind: "fold", options, chunk }, [], options.jobId);
        inputBytes += answer.inflatedBytes;
        for (const { order, message } of answer.damaged) damaged.push({ input: inputs[order]!, message });
        if (inputBytes > this.#limits.mergeInputBytes) throw tooMuchInput(inputBytes, this.#limits);
      }
    };
    const folding = threads.flatMap((thread) => Array.from({ length: CHUNKS_WAITING }, () => foldSome(thread)));
    await Promise.all(folding).catch((error) => {
      stop.set();
      throw error;
    });
    if (damaged.length === inputs.length) return { damaged };
    if (threads.some(({ life }, at) => life !== lives[at]))
      throw new ThreadLost("A thread was lost with its part of the merge");
    const [first, ...others] = threads;
    const parts = await Promise.all(
      others.map((thread) => thread.request<Uint8Array | undefined>({ kind: "part", options }, [], options.jobId)),
    );
    const sent = parts.filter((part) => part !== undefined);
    const transfer = sent.map(({ buffer }) => buffer as ArrayBuffer);
    const merged = await first!.request<MergedBytes>({ kind: "finish", options, parts: sent }, transfer, options.jobId);
    return { merged, damaged };
  }

  /** Ends every thread in the middle of what it does; jobs under way start again on new ones. */
  replaceThreads(): void {
    for (const thread of this.#threads) thread.replace();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }
}

/** Why a job stops early, and the flag that its threads look at before each profile. */
class StopFlag {
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

function cutChunks(inputs: readonly MergeInput[]): FoldChunk[] {
  const chunks: FoldChunk[] = [];
  let start = 0;
  let bytes = 0;
  for (let at = 0; at < inputs.length; at++) {
    bytes += inputs[at]!.locator.sizeBytes;
    if (at + 1 < inputs.length && at + 1 - start < CHUNK_PROFILES && bytes < CHUNK_BYTES) continue;
    chunks.push({ firstOrder: start, locators: inputs.slice(start, at + 1).map(({ locator }) => locator) });
    start = at + 1;
    bytes = 0;
  }
  return chunks;
}

function tooSlow(inputs: number, limitMs: number): DomainError {
  return new DomainError(
    "too-large",
    `Cannot merge ${inputs} profiles within ${limitMs / 1000} s: ask for a shorter window, more labels, or set max_profiles`,
    { subject: "result" },
  );
}

function tooMuchInput(bytes: number, limits: Limits): DomainError {
  return new DomainError(
    "too-large",
    `Cannot merge more than ${limits.mergeInputBytes} inflated bytes (read ${bytes} so far): ask for a shorter window, more labels, or set max_profiles`,
    { subject: "result" },
  );
}
