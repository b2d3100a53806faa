// The catalog's threads: one that writes, and readers, which write the log back in between.

import { DomainError } from "../../model/errors.ts";
import type { Limits } from "../../model/limits.ts";
import { StorageThread } from "../thread.ts";

const READERS = 2;
/** About 4 MiB of log, 20 ms of checkpoint. */
const ROWS_PER_CHECKPOINT = 1_000;
/** Pages of 4 KiB: above 256 MiB readers never left a gap for the checkpoint, and the writer makes one. */
const LOG_PAGES_MAX = 65_536;

export interface WriterData {
  path: string;
  limits: Limits;
}

export interface CatalogThreadsOptions extends WriterData {
  chunkRows: number | undefined;
  startWriter: (data: WriterData) => StorageThread;
}

/** A thread that has the catalog to itself. */
export function startWriterAlone(data: WriterData): StorageThread {
  return new StorageThread(new URL("./writer-thread.ts", import.meta.url), data);
}

export class CatalogThreads {
  readonly #writer: StorageThread;
  readonly #readers: StorageThread[];
  #rowsSinceCheckpoint = 0;
  #checkpointing: Promise<void> | undefined;

  constructor({ path, limits, chunkRows, startWriter }: CatalogThreadsOptions) {
    this.#writer = startWriter({ path, limits });
    const reader = new URL("./reader-thread.ts", import.meta.url);
    this.#readers = Array.from({ length: READERS }, () => new StorageThread(reader, { path, limits, chunkRows }));
  }

  /** A method of CatalogReader, by the reader with the least to do. */
  read<Answer>(method: string, argument?: unknown, transfer: readonly ArrayBuffer[] = []): Promise<Answer> {
    const [first, ...others] = this.#readers;
    const reader = others.reduce((best, next) => (next.load < best.load ? next : best), first!);
    return reader.request<Answer>(method, argument, transfer);
  }

  /** A method of CatalogWriter. */
  write<Answer>(method: string, argument?: unknown, transfer: readonly ArrayBuffer[] = []): Promise<Answer> {
    return this.#writer.request<Answer>(method, argument, transfer);
  }

  /** What each connection says of its synchronous setting: 2 is FULL. */
  synchronous(): Promise<number[]> {
    const threads = [this.#writer, ...this.#readers];
    return Promise.all(threads.map((thread) => thread.request<number>("synchronous")));
  }

  /** Call after so many rows were written: the log is written back when it has grown. */
  checkpointAfter(rows: number): void {
    this.#rowsSinceCheckpoint += rows;
    if (this.#rowsSinceCheckpoint < ROWS_PER_CHECKPOINT || this.#checkpointing) return;
    this.#rowsSinceCheckpoint = 0;
    this.#checkpointing = this.#checkpoint().finally(() => {
      this.#checkpointing = undefined;
    });
  }

  /** By a reader, while the others read on. One that fails is made up for by the next: the log holds everything. */
  async #checkpoint(): Promise<void> {
    try {
      const pages = await this.read<number>("checkpoint");
      if (pages > LOG_PAGES_MAX) await this.write("restartLog");
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#checkpointing;
    await Promise.all(this.#readers.map((thread) => thread.close()));
    await this.#writer.close();
  }
}
