// Answers of merges that may be asked again: kept for as long as their inputs are the same, and the latest used within a bound of bytes.

import type { MergeAnswer } from "./repository.ts";

interface Entry {
  fingerprint: string;
  answer: MergeAnswer;
  sizeBytes: number;
}

/** What an entry costs beside its profile. */
const ENTRY_BYTES = 4 * 1024;

export class ResultCache {
  readonly #maxBytes: number;
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Whether it is worth asking for the fingerprint of the inputs as they are now. */
  has(question: string): boolean {
    return this.#entries.has(question);
  }

  /** Undefined where the question was not asked, or was answered from other inputs. */
  get(question: string, fingerprint: string): MergeAnswer | undefined {
    const entry = this.#entries.get(question);
    if (entry?.fingerprint !== fingerprint) return undefined;
    this.#entries.delete(question);
    this.#entries.set(question, entry);
    return entry.answer;
  }

  put(question: string, fingerprint: string, answer: MergeAnswer): void {
    this.#drop(question);
    const sizeBytes = answer.bytes.length + question.length * 2 + ENTRY_BYTES;
    // One answer must not drive out all others.
    if (sizeBytes > this.#maxBytes / 4) return;
    this.#entries.set(question, { fingerprint, answer, sizeBytes });
    this.#bytes += sizeBytes;
    while (this.#bytes > this.#maxBytes) this.#drop(this.#entries.keys().next().value!);
  }

  #drop(question: string): void {
    this.#bytes -= this.#entries.get(question)?.sizeBytes ?? 0;
    this.#entries.delete(question);
  }
}
