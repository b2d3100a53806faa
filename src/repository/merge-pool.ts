// Merges over threads. A job's inputs are cut into chunks, each pack being one; each thread folds its chunks into a Merger of its own for
// that job, and the first thread joins them. A thread takes chunks first come, first served and a job keeps two of them waiting, so jobs
// share it evenly. What threads decode of packs is kept here, for all of them.

import { DomainError } from "../model/errors.ts";
import type { Limits } from "../model/limits.ts";
import type { ValueType } from "../model/shape.ts";
import type { TopGrouping } from "../pprof/top.ts";
import type { BlobSource, ObjectReference } from "../storage/blob-store.ts";
import type { MergeInput } from "../storage/catalog.ts";
import { packName } from "../storage/pack-name.ts";
import type { PackQuestion } from "./candidates.ts";
import { byService, CHUNK_PROFILES, cutChunks } from "./loose-chunks.ts";
import type { FoldAnswer, JobOptions, LooseChunk, MergedBytes, PackChunk, SummedTop } from "./merge-job.ts";
import { PackCache, type PackPart } from "./pack-cache.ts";
import type { PackPlace } from "./pack-place.ts";
import type { DecodedParts, PackHandle, RebuildAnswer, SelectAnswer } from "./pack-reading.ts";
import type { RowQuestion } from "./pack-selection.ts";
import type { RowSeries, SeriesAnswer, StartLinesAnswer } from "./pack-series.ts";
import type { PgoFinished, PgoHalves } from "./pgo/finish.ts";
import type { SelectedPack } from "./planner.ts";
import { StopFlag } from "./stop-flag.ts";
import { Thread, ThreadLost } from "./thread.ts";
import type { Ranking, RankOptions, WeightedTop } from "./top-ranking.ts";

export interface MergeJobRequest {
  inputs: readonly MergeInput[];
  /** The place of each input in the canonical order of all. Default: as they stand. */
  orders?: Float64Array;
  /** How often each input counts, up to 2^16 times. Default: once. */
  weights?: Uint16Array;
  /** Default: none. */
  packs?: readonly FoldedPack[];
  columns: readonly ValueType[];
  /** See MergerOptions. Default: false. */
  areAllColumns?: boolean;
  maxResultBytes: number;
  /** Keep only so many nodes of the call tree, see src/pprof/trim.ts. */
  maxNodes?: number | undefined;
  signal: AbortSignal;
}

/** See JobOptions.top. */
type SumRequest = MergeJobRequest & { top?: TopGrouping };

export interface FoldedPack {
  selected: SelectedPack;
  orders: Float64Array;
  /** As those of the inputs. */
  weights?: Uint16Array;
}

/** What cannot be read. */
export interface Damage {
  damaged: { input: MergeInput; message: string }[];
  /** With any of these nothing is summed: what they have may be somewhere else, so whoever asked plans anew. */
  damagedPacks: { pack: FoldedPack; message: string }[];
}

export interface MergeJobResult<Result> extends Damage {
  /** Absent where nothing could be folded. */
  merged?: Result;
}

/** Packs that proved damaged while they were read, and why. */
export type BrokenPacks = ReadonlyMap<number, string>;

/** Below so many chunks a second thread saves less than joining its part costs. */
const CHUNKS_FOR_ALL_THREADS = 3;
/** Joining a part costs what folding a few packs does: both go through the part's tables once. */
const PACKS_FOR_ALL_THREADS = 6;
const CHUNKS_WAITING = 2;
/** A thread lost to another job's replacement costs this job a fresh start, not its answer. */
const STARTS = 3;

export class MergePool implements AsyncDisposable {
  readonly #threads: Thread[];
  readonly #limits: Limits;
  readonly #objectReference: (name: string) => ObjectReference;
  readonly packs: PackCache;
  #lastJobId = 0;

  constructor(
    source: BlobSource,
    limits: Limits,
    threads: number,
    objectReference: (name: string) => ObjectReference = (name) => ({ name }),
  ) {
    this.#limits = limits;
    this.#objectReference = objectReference;
    this.packs = new PackCache(limits.packCacheBytes);
    const entry = new URL("./merge-worker.ts", import.meta.url);
    this.#threads = Array.from({ length: threads }, () => new Thread(entry, { source, limits }));
  }

  /** Throws `too-large` over the limits of time, input and result; `cancelled` when the signal says so. */
  merge(request: MergeJobRequest): Promise<MergeJobResult<MergedBytes>> {
    return this.#sum(request);
  }

  /** As merge(): where the sum lies, instead of the sum. Of all columns asked for, the one that viewers show first. */
  top(
    request: Omit<MergeJobRequest, "maxNodes" | "maxResultBytes">,
    top: TopGrouping,
  ): Promise<MergeJobResult<SummedTop>> {
    return this.#sum({ ...request, maxResultBytes: this.#limits.resultBytes, top });
  }

  /** Rows of one ranking, out of what several sums have. */
  rank(parts: readonly WeightedTop[], options: RankOptions): Promise<Ranking> {
    return this.#ask({ kind: "rank", parts, options });
  }

  /** The file of a PGO profile, out of the sums of its halves. Throws `too-large`. */
  finishPgo(halves: PgoHalves): Promise<PgoFinished> {
    return this.#ask({ kind: "pgo", halves });
  }

  /** Of which series the selected profiles of a pack are, and the totals of columns that it has. Throws `unavailable` for a damaged pack. */
  async series({ question: { place }, rows }: SelectedPack, columns: readonly ValueType[]): Promise<RowSeries> {
    const pack = this.#handle(place, columns.length > 0 ? ["heads", "tables"] : ["heads"]);
    const { decoded, ...series } = await this.#ask<SeriesAnswer>({ kind: "series", pack, rows, columns });
    this.#keep(place.packId, decoded);
    return series;
  }

  /** For each of some rows of a pack, whether it says on which lines its functions begin. Throws `unavailable` for a damaged pack. */
  async startLines({ question: { place } }: SelectedPack, rows: Uint32Array): Promise<boolean[]> {
    const pack = this.#handle(place, ["heads", "tables"]);
    const { decoded, found } = await this.#ask<StartLinesAnswer>({ kind: "start-lines", pack, rows });
    this.#keep(place.packId, decoded);
    return found;
  }

  /** The same of loose profiles. */
  async looseStartLines(inputs: readonly MergeInput[]): Promise<boolean[]> {
    const chunks: Promise<boolean[]>[] = [];
    for (let from = 0; from < inputs.length; from += CHUNK_PROFILES) {
      const locators = inputs.slice(from, from + CHUNK_PROFILES).map(({ locator }) => locator);
      chunks.push(this.#ask({ kind: "loose-start-lines", locators }));
    }
    return (await Promise.all(chunks)).flat();
  }

  async #sum<Result>(request: SumRequest): Promise<MergeJobResult<Result>> {
    for (let start = 1; ; start++) {
      try {
        return await this.#sumOnce<Result>({ ...request, packs: request.packs ?? [] });
      } catch (error) {
        if (!(error instanceof ThreadLost) || start === STARTS) throw error;
      }
    }
  }

  /** Which profiles of each pack a question means. One that cannot tell says why; those in `broken` are known to be damaged, and why. */
  select(questions: readonly PackQuestion[], broken: BrokenPacks = new Map()): Promise<SelectedPack[]> {
    return Promise.all(questions.map((question) => this.#selectOne(question, broken.get(question.packId))));
  }

  async #selectOne(question: PackQuestion, known: string | undefined): Promise<SelectedPack> {
    if (known !== undefined) return nothingOf(question, known);
    const { place, set, labels, interval, only } = question;
    const asked: RowQuestion = { labels, interval, seqs: only?.seqs, deleted: set.deleted };
    const pack = this.#handle(place, ["heads"]);
    try {
      const answer = await this.#ask<SelectAnswer>({ kind: "select", pack, question: asked });
      this.#keep(place.packId, answer.decoded);
      return { question, rows: answer.rows, timesNs: answer.timesNs, ids: answer.ids };
    } catch (error) {
      if (!(error instanceof DomainError) || error.kind !== "unavailable") throw error;
      return nothingOf(question, error.message);
    }
  }

  /** A profile of a pack, gzipped anew; undefined where the pack does not have it. Throws `unavailable` for a damaged one. */
  async rebuild(place: PackPlace, seq: number, digest: Uint8Array): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const pack = this.#handle(place, ["heads", "tables"]);
    const answer = await this.#ask<RebuildAnswer>({ kind: "rebuild", pack, seq, digest });
    this.#keep(place.packId, answer.decoded);
    return answer.gzipped;
  }

  /** A question for one thread. Where that is lost, as when another job's is replaced, it is asked once more. */
  async #ask<Answer>(message: object): Promise<Answer> {
    try {
      return await this.#idlest().request<Answer>(message, [], 0);
    } catch (error) {
      if (!(error instanceof ThreadLost)) throw error;
      return this.#idlest().request<Answer>(message, [], 0);
    }
  }

  #idlest(): Thread {
    return this.#threads.reduce((best, next) => (next.pending < best.pending ? next : best));
  }

  #handle(place: PackPlace, parts: readonly PackPart[]): PackHandle {
    const known = parts.flatMap((part) => {
      const tables = this.packs.get(place.packId, part);
      return tables ? [[part, tables] as const] : [];
    });
    return { place, reference: this.#objectReference(packName(place.packId)), parts: Object.fromEntries(known) };
  }

  #keep(packId: number, decoded: DecodedParts): void {
    for (const [part, tables] of Object.entries(decoded)) this.packs.put(packId, part as PackPart, tables);
  }

  async #sumOnce<Result>(request: SumRequest & { packs: readonly FoldedPack[] }): Promise<MergeJobResult<Result>> {
    const jobId = ++this.#lastJobId;
    const { packs } = request;
    const loose = byService(request);
    const { inputs } = loose;
    const work = { inputs, packs, packChunks: this.#packChunks(packs), looseChunks: cutChunks(loose) };
    const profiles = packs.reduce((sum, { orders }) => sum + orders.length, inputs.length);
    const stop = new StopFlag(request.signal, this.#limits.mergeMs, profiles);
    const options: JobOptions = {
      jobId,
      columns: request.columns,
      areAllColumns: request.areAllColumns ?? false,
      maxResultBytes: request.maxResultBytes,
      maxNodes: request.maxNodes,
      top: request.top,
      stopFlag: stop.flag,
    };
    const idlest = this.#threads.toSorted((a, b) => a.pending - b.pending);
    const isSmall = packs.length < PACKS_FOR_ALL_THREADS && work.looseChunks.length < CHUNKS_FOR_ALL_THREADS;
    const threads = isSmall ? idlest.slice(0, 1) : idlest;
    const running = this.#run<Result>(threads, work, options, stop);
    try {
      return await Promise.race([running, stop.overdue]);
    } catch (error) {
      if (stop.isOverdue) for (const thread of threads) if (thread.isBusyWith(jobId)) thread.replace();
      throw stop.reason ?? error;
    } finally {
      running.catch(() => {}); // its outcome is the race's, or came after it
      for (const thread of threads) thread.post({ kind: "drop", jobId });
      stop.dispose();
    }
  }

  async #run<Result>(
    threads: readonly Thread[],
    { inputs, packs, packChunks, looseChunks }: MergeWork,
    options: JobOptions,
    stop: StopFlag,
  ): Promise<MergeJobResult<Result>> {
    const damaged: Damage["damaged"] = [];
    const damagedPacks: Damage["damagedPacks"] = [];
    let inputBytes = 0;
    const lives = threads.map(({ life }) => life);
    // From both ends, so that two threads seldom fold profiles of the same service.
    const next = (isFromEnd: boolean) => packChunks.shift() ?? (isFromEnd ? looseChunks.pop() : looseChunks.shift());
    const foldSome = async (thread: Thread, isFromEnd: boolean) => {
      for (let chunk = next(isFromEnd); chunk !== undefined; chunk = next(isFromEnd)) {
        stop.throwIfSet();
        const answer = await thread.request<FoldAnswer>({ kind: "fold", options, chunk }, [], options.jobId);
        inputBytes += answer.inflatedBytes;
        for (const { at, message } of answer.damaged) damaged.push({ input: inputs[at]!, message });
        if ("pack" in chunk) {
          this.#keep(chunk.pack.place.packId, answer.decoded ?? {});
          if (answer.packDamage !== undefined)
            damagedPacks.push({ pack: packs[chunk.at]!, message: answer.packDamage });
        }
        if (inputBytes > this.#limits.mergeInputBytes) throw tooMuchInput(inputBytes, this.#limits);
      }
    };
    const folding = threads.flatMap((thread, at) =>
      Array.from({ length: CHUNKS_WAITING }, () => foldSome(thread, at % 2 === 1)),
    );
    await Promise.all(folding).catch((error) => {
      stop.set();
      throw error;
    });
    if (damagedPacks.length > 0 || damaged.length === inputs.length + packs.length) return { damaged, damagedPacks };
    if (threads.some(({ life }, at) => life !== lives[at]))
      throw new ThreadLost("A thread was lost with its part of the merge");
    const [first, ...others] = threads;
    const parts = await Promise.all(
      others.map((thread) => thread.request<Uint8Array | undefined>({ kind: "part", options }, [], options.jobId)),
    );
    const sent = parts.filter((part) => part !== undefined);
    const transfer = sent.map(({ buffer }) => buffer as ArrayBuffer);
    const merged = await first!.request<Result>({ kind: "finish", options, parts: sent }, transfer, options.jobId);
    return { merged, damaged, damagedPacks };
  }

  /** The largest first, so that no thread begins one when the others are done. */
  #packChunks(packs: readonly FoldedPack[]): PackChunk[] {
    return packs
      .map(({ selected, orders, weights }, at) => ({
        at,
        pack: selected.question,
        rows: selected.rows,
        orders,
        weights,
      }))
      .sort((a, b) => b.pack.sizeBytes - a.pack.sizeBytes)
      .map(({ pack, ...chunk }) => ({ ...chunk, pack: this.#handle(pack.place, ["heads", "tables"]) }));
  }

  /** Ends every thread in the middle of what it does; jobs under way start again on new ones. */
  replaceThreads(): void {
    for (const thread of this.#threads) thread.replace();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }
}

function nothingOf(question: PackQuestion, damage: string): SelectedPack {
  const nothing = { rows: new Uint32Array(0), timesNs: new BigInt64Array(0), ids: new Uint8Array(0) };
  return { question, ...nothing, damage };
}

/** What a job has to fold; threads take from both lists of chunks until they are empty. */
interface MergeWork {
  inputs: readonly MergeInput[];
  packs: readonly FoldedPack[];
  packChunks: PackChunk[];
  looseChunks: LooseChunk[];
}

function tooMuchInput(bytes: number, limits: Limits): DomainError {
  return new DomainError(
    "too-large",
    `Cannot merge more than ${limits.mergeInputBytes} inflated bytes (read ${bytes} so far): ask for a shorter window, more labels, or set max_profiles`,
    { subject: "result" },
  );
}
