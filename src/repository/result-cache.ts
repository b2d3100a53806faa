// Answers of sums that may be asked again: kept for as long as their inputs are the same, and the latest used within a bound of bytes.

/** Whatever is kept is as large as its bytes. */
interface Answer {
  bytes: Uint8Array;
}

interface Entry {
  fingerprint: string;
  /** Catalog.version when its inputs were these. */
  version: string;
  answer: Answer;
  sizeBytes: number;
}

/** What an entry costs beside its bytes. */
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

  /**
   * Undefined where the question was not asked, or was answered from other inputs. `fingerprint` is asked for where the version is another.
   * The answer is of the type that was put: a question names its type.
   */
  async get<Kept extends Answer>(
    question: string,
    version: string,
    fingerprint: () => Promise<string>,
  ): Promise<Kept | undefined> {
    const entry = this.#entries.get(question);
    if (entry === undefined) return undefined;
    if (entry.version !== version) {
      if (entry.fingerprint !== (await fingerprint())) return undefined;
      entry.version = version;
    }
    // Meanwhile it may have gone, or another one come.
    if (this.#entries.get(question) === entry) {
      this.#entries.delete(question);
      this.#entries.set(question, entry);
    }
    return entry.answer as Kept;
  }

  put(question: string, { fingerprint, version }: Pick<Entry, "fingerprint" | "version">, answer: Answer): void {
    this.#drop(question);
    const sizeBytes = answer.bytes.length + question.length * 2 + ENTRY_BYTES;
    // One answer must not drive out all others.
    if (sizeBytes > this.#maxBytes / 4) return;
    this.#entries.set(question, { fingerprint, version, answer, sizeBytes });
    this.#bytes += sizeBytes;
    while (this.#bytes > this.#maxBytes) this.#drop(this.#entries.keys().next().value!);
  }

  #drop(question: string): void {
    this.#bytes -= this.#entries.get(question)?.sizeBytes ?? 0;
    this.#entries.delete(question);
  }
}
