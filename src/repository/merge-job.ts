// One thread's part in one merge: read a chunk's bytes, fold them, forget them; then give its part away or finish the whole.
// Pure apart from reading blobs; src/repository/merge-worker.ts runs it in a thread.

import { hash } from "node:crypto";
import { DomainError } from "../model/errors.ts";
import type { Limits } from "../model/limits.ts";
import type { ValueType } from "../model/shape.ts";
import { addToMerger } from "../pack/fold.ts";
import { deflate, withInflated } from "../pprof/gzip.ts";
import { convertLegacy } from "../pprof/legacy/convert.ts";
import { type MergedTop, Merger } from "../pprof/merger.ts";
import type { TopGrouping } from "../pprof/top.ts";
import type { BlobReader, Locator } from "../storage/blob-store.ts";
import { type DecodedParts, openPackHandle, type PackHandle } from "./pack-reading.ts";
import { encodeTopRows } from "./top-ranking.ts";

export interface JobOptions {
  jobId: number;
  columns: readonly ValueType[];
  /** See MergerOptions. */
  areAllColumns: boolean;
  maxResultBytes: number;
  /** See Merger.finish(). */
  maxNodes: number | undefined;
  /** Set: the answer is not the sum, but where it lies. */
  top?: TopGrouping | undefined;
  /** Not 0: stop before the next profile, or the next section of a pack. */
  stopFlag: Int32Array;
}

/** One turn of a thread: some loose profiles, or some of one pack. */
export type FoldChunk = LooseChunk | PackChunk;

export interface LooseChunk {
  /** Position of the first input among the loose ones; the others follow. */
  first: number;
  locators: readonly Locator[];
  /** The place of each in the canonical order of all. */
  orders: Float64Array;
  /** How often each counts. Absent: once. */
  weights?: Uint16Array | undefined;
}

export interface PackChunk {
  /** Position among the packs of the merge. */
  at: number;
  pack: PackHandle;
  rows: Uint32Array;
  orders: Float64Array;
  weights?: Uint16Array | undefined;
}

export interface FoldAnswer {
  inflatedBytes: number;
  /** Positions of loose profiles that cannot be read. */
  damaged: { at: number; message: string }[];
  /** The pack cannot be read: the job is of no use any more, and begins anew without it. */
  packDamage?: string;
  decoded?: DecodedParts;
}

export interface MergedBytes {
  /** gzip of the canonical protobuf. */
  gzipped: Uint8Array;
  /** SHA-256 of the canonical protobuf, hex. */
  digest: string;
  samples: number;
  totals: bigint[];
  /** Per column: whether its true sum does not fit int64. */
  wrapped: boolean[];
  /** See MergedProfile. */
  trimmed?: { nodes: number; kept: number };
}

/** Where the sum of one column lies. */
export interface SummedTop extends Omit<MergedTop, "rows"> {
  /** encodeTopRows() of src/repository/top-ranking.ts. */
  rows: Uint8Array;
}

/** Half the time of zlib's default of 6 for 3 % more bytes (bench: 3.3 MB, 27 and 58 ms); merges are mostly read once. */
const GZIP_LEVEL = 4;

export class MergeJob {
  readonly #reader: BlobReader;
  readonly #limits: Limits;
  readonly #options: JobOptions;
  readonly #merger: Merger;
  #folded = 0;

  constructor(reader: BlobReader, limits: Limits, options: JobOptions) {
    this.#reader = reader;
    this.#options = options;
    this.#limits = limits;
    const { columns, areAllColumns } = options;
    // What this answer may take is looked at when it is there: it may be asked for with few nodes, and its refusal tells its size.
    this.#merger = new Merger({ columns, areAllColumns, limits });
  }

  /** A profile that cannot be read or folded is named in the answer and leaves the rest as it is. Throws `too-large`. */
  fold(chunk: FoldChunk): FoldAnswer {
    return "pack" in chunk ? this.#foldPack(chunk) : this.#foldLoose(chunk);
  }

  #foldPack({ pack, rows, orders, weights }: PackChunk): FoldAnswer {
    using opened = openPackHandle(this.#reader, pack, () => this.#checkStopped());
    let inflatedBytes = 0;
    try {
      this.#checkStopped();
      const decoded = { pack: opened.pack, profiles: opened.heads(), tables: opened.tables() };
      const onKept = (bytes: number) => {
        this.#checkStopped();
        inflatedBytes += bytes;
      };
      opened.named(() => addToMerger(this.#merger, decoded, { rows, orders, weights }, this.#limits, onKept));
      this.#folded += rows.length;
      return { inflatedBytes, damaged: [], decoded: opened.decoded };
    } catch (error) {
      if (!(error instanceof DomainError) || error.kind === "too-large" || error.kind === "cancelled") throw error;
      return { inflatedBytes, damaged: [], packDamage: error.message, decoded: opened.decoded };
    }
  }

  #checkStopped(): void {
    if (Atomics.load(this.#options.stopFlag, 0) !== 0) throw new DomainError("cancelled", "The merge was stopped");
  }

  #foldLoose({ first, locators, orders, weights }: LooseChunk): FoldAnswer {
    const answer: FoldAnswer = { inflatedBytes: 0, damaged: [] };
    for (const [at, bytes] of this.#reader.readMany(locators).entries()) {
      this.#checkStopped();
      try {
        if (bytes instanceof Error) throw bytes;
        answer.inflatedBytes += this.#foldOne(bytes, orders[at]!, weights?.[at]);
        this.#folded++;
      } catch (error) {
        if (!(error instanceof DomainError) || error.kind === "too-large") throw error;
        answer.damaged.push({ at: first + at, message: error.message });
      }
    }
    return answer;
  }

  #foldOne(bytes: Uint8Array, order: number, weight: number | undefined): number {
    return withInflated(bytes, this.#limits.inflatedBytes, (inflated) => {
      try {
        this.#merger.add(inflated, order, weight);
      } catch (error) {
        if (!(error instanceof DomainError) || error.kind !== "invalid") throw error;
        const converted = convertLegacy(inflated, this.#limits);
        if (converted === undefined) throw error;
        this.#merger.add(converted, order, weight);
      }
      return inflated.length;
    });
  }

  /** What this thread folded, for another thread's finish; undefined where it folded nothing. */
  part(): Uint8Array | undefined {
    return this.#folded === 0 ? undefined : this.#merger.partial();
  }

  finish(parts: readonly Uint8Array[]): MergedBytes | SummedTop {
    for (const part of parts) this.#merger.absorb(part);
    const { top } = this.#options;
    return top ? this.#top(top) : this.#bytes();
  }

  #top(grouping: TopGrouping): SummedTop {
    const { rows, ...column } = this.#merger.top(grouping);
    return { ...column, rows: encodeTopRows(rows) };
  }

  #bytes(): MergedBytes {
    const { bytes, ...sums } = this.#merger.finish(this.#options.maxNodes);
    if (bytes.length > this.#options.maxResultBytes) {
      throw new DomainError(
        "too-large",
        `Cannot answer a merged profile of ${bytes.length} bytes: at most ${this.#options.maxResultBytes} are allowed; ask for a shorter window or more labels, or set max_nodes`,
        { subject: "result" },
      );
    }
    return { gzipped: deflate(bytes, GZIP_LEVEL), digest: hash("sha256", bytes, "hex"), ...sums };
  }
}
