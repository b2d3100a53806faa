// The catalog on SQLite: one writer thread, two reader threads that write back the log in between, and the series index on this one, which
// takes every commit before it is acknowledged.

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { DomainError } from "../../model/errors.ts";
import type { Limits } from "../../model/limits.ts";
import { parseProfileId } from "../../model/profile-id.ts";
import { EVERYTHING, type Selector } from "../../model/selector.ts";
import type { Shape } from "../../model/shape.ts";
import { quote } from "../../model/text.ts";
import type { Interval } from "../../model/time.ts";
import type { Locator } from "../blob-store.ts";
import type {
  Catalog,
  CatalogSegment,
  FindQuery,
  InputsQuery,
  InsertOutcome,
  ListQuery,
  MergeInputs,
  NameCount,
  NewProfile,
  SelectionState,
  SeriesRow,
  StoredProfile,
} from "../catalog.ts";
import type { MatchElsewhere } from "../label-index.ts";
import { GROUP_SCANS, type ResolvedSelection, resolveSelection } from "../resolved-selection.ts";
import { SeriesIndex } from "../series-index.ts";
import { groupList, labelNameList, labelValueList, type SeriesCounts, seriesList } from "../series-lists.ts";
import { INSTANCE_LABELS } from "../spread.ts";
import { storedProfile } from "../stored-profile.ts";
import { msOfId } from "./id-range.ts";
import { insertMessage } from "./insert-message.ts";
import { readRecords, type SortedRecords } from "./merge-records.ts";
import { migrate } from "./migrations.ts";
import { openDatabase, translateSqliteError } from "./open-database.ts";
import { type PageRequest, selectedIds } from "./page-reader.ts";
import { type ProfileRows, unpackRows } from "./profile-rows.ts";
import { applySnapshot, type IndexSnapshot, type SeriesExtents } from "./snapshot.ts";
import { CatalogThread } from "./thread.ts";
import type { InsertAnswer, Removal } from "./writer.ts";

export interface SqliteCatalogOptions {
  /** Holds catalog.db; created when absent. */
  folder: string;
  limits: Limits;
  /** Rows that a scan looks at in one piece; tests set it low, to see many pieces. */
  chunkRows?: number;
}

const READERS = 2;
/** About 4 MiB of log, 20 ms of checkpoint. */
const ROWS_PER_CHECKPOINT = 1_000;
/** Pages of 4 KiB: above 256 MiB readers never left a gap for the checkpoint, and the writer makes one. */
const LOG_PAGES_MAX = 65_536;

/** Throws `unavailable` where the file cannot be read, `conflict` where a newer program wrote it. */
export async function openSqliteCatalog({ folder, limits, chunkRows }: SqliteCatalogOptions): Promise<Catalog> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, "catalog.db");
  prepareFile(path);
  const catalog = new SqliteCatalog(path, limits, chunkRows);
  await catalog.load();
  return catalog;
}

function prepareFile(path: string): void {
  try {
    const database = openDatabase(path, "writer");
    try {
      migrate(database);
    } finally {
      database.close();
    }
  } catch (error) {
    throw translateSqliteError(error);
  }
}

export class SqliteCatalog implements Catalog {
  readonly #limits: Limits;
  readonly #index: SeriesIndex;
  readonly #writer: CatalogThread;
  readonly #readers: CatalogThread[];
  #rowsSinceCheckpoint = 0;
  #checkpointing: Promise<void> | undefined;

  constructor(path: string, limits: Limits, chunkRows: number | undefined) {
    this.#limits = limits;
    this.#index = new SeriesIndex(limits);
    this.#writer = new CatalogThread(new URL("./writer-thread.ts", import.meta.url), { path, limits });
    const reader = new URL("./reader-thread.ts", import.meta.url);
    this.#readers = Array.from({ length: READERS }, () => new CatalogThread(reader, { path, limits, chunkRows }));
  }

  /** Call once, before anything else. */
  async load(): Promise<void> {
    try {
      // Nothing is written meanwhile, so that two readers see the same.
      const [snapshot, extents] = await Promise.all([
        this.#read<IndexSnapshot>("snapshot"),
        this.#read<SeriesExtents>("extents"),
      ]);
      applySnapshot(this.#index, snapshot, extents);
    } catch (error) {
      await this[Symbol.asyncDispose]();
      throw error;
    }
  }

  async insert(batch: readonly NewProfile[]): Promise<InsertOutcome[]> {
    if (batch.length === 0) return [];
    const message = insertMessage(batch);
    const answer = await this.#writer.request<InsertAnswer>("insert", message, [
      message.ids.buffer,
      message.digests.buffer,
    ]);
    const outcomes = this.#takeInsert(batch, answer);
    this.#checkpointAfter(batch.length);
    return outcomes;
  }

  #takeInsert(batch: readonly NewProfile[], { names, seqs, seriesIds, existing }: InsertAnswer): InsertOutcome[] {
    this.#index.takeNames(names);
    for (const [at, { id }] of batch.entries()) {
      if (seqs[at] === 0) continue;
      const ms = msOfId(id);
      this.#index.takeRows(seriesIds[at]!, 1, ms, ms);
      this.#index.takeSeq(seqs[at]!);
    }
    const first = unpackRows(existing, this.#index).values();
    return batch.map((profile, at) =>
      seqs[at] === 0
        ? { record: first.next().value!, alreadyExisted: true }
        : { record: storedProfile(profile, seqs[at]!), alreadyExisted: false },
    );
  }

  async get(ids: readonly string[]): Promise<(StoredProfile | undefined)[]> {
    const known = ids.map(parseProfileId).filter((id) => id !== undefined);
    if (known.length === 0) return ids.map(() => undefined);
    const rows = await this.#read<ProfileRows>("get", { ids: known, maxSeq: this.#index.takenSeq });
    const found = new Map(unpackRows(rows, this.#index).map((record) => [record.id, record]));
    return ids.map((id) => found.get(id.toLowerCase()));
  }

  async find({ selector, ...query }: FindQuery): Promise<StoredProfile[]> {
    const selection = await this.#resolve(selector);
    if (selection.rows === 0 || query.limit === 0) return [];
    const rows = await this.#read<ProfileRows>("page", pageRequest(selection, query), transferOf(selection));
    return unpackRows(rows, this.#index);
  }

  async mergeInputs({ selector, interval, limit, strategy }: InputsQuery): Promise<MergeInputs> {
    const selection = await this.#resolve(selector, strategy === "spread");
    if (selection.rows === 0) return { inputs: [], shapes: new Map(), matched: 0 };
    const instances = strategy === "spread" ? { instances: this.#instances() } : {};
    const rankColumns = strategy === "most_cpu" ? this.#index.rankColumns() : [];
    const { matched, ...records } = await this.#read<SortedRecords & { matched: number }>("merge", {
      selection,
      ...(interval && { interval }),
      maxSeq: selection.seq,
      rule: { limit, strategy, ...instances },
      rankColumns,
    });
    return { ...this.#inputs(records), matched };
  }

  async mergeInputsByIds(ids: readonly string[]): Promise<MergeInputs> {
    const parsed = ids.map(parseProfileId).filter((id) => id !== undefined);
    const unique = [...new Set(parsed.map((id) => Buffer.from(id).toString("hex")))];
    const records = await this.#read<SortedRecords>("mergeByIds", { ids: unique, maxSeq: this.#index.takenSeq });
    const found = this.#inputs(records);
    return { ...found, matched: found.inputs.length };
  }

  #inputs(records: SortedRecords): Omit<MergeInputs, "matched"> {
    const inputs = readRecords(records);
    const shapes = new Map<number, Shape>();
    for (const { shapeId } of inputs) {
      if (shapeId !== 0 && !shapes.has(shapeId)) shapes.set(shapeId, this.#index.shapeOf(shapeId));
    }
    return { inputs, shapes };
  }

  /** By series id: the label that names its instance, or 0. */
  #instances(): Uint32Array {
    return Uint32Array.from({ length: this.#index.lastSeriesId + 1 }, (_, seriesId) => {
      const labelIds = seriesId === 0 ? [] : [...this.#index.labelIdsOf(seriesId)];
      for (const name of INSTANCE_LABELS) {
        const found = labelIds.find((labelId) => this.#index.labels.label(labelId).name === name);
        if (found !== undefined) return found;
      }
      return 0;
    });
  }

  async count(selector: Selector, interval?: Interval): Promise<SelectionState> {
    const selection = await this.#resolve(selector);
    const maxSeq = selection.seq;
    if (selection.rows === 0) return { count: 0, sizeBytes: 0, maxSeq };
    const request = { selection, maxSeq, ...(interval && { interval }) };
    return { ...(await this.#read<{ count: number; sizeBytes: number }>("count", request)), maxSeq };
  }

  async delete(ids: readonly string[]): Promise<Locator[]> {
    const known = ids.map(parseProfileId).filter((id) => id !== undefined);
    return known.length === 0 ? [] : this.#takeRemoval(await this.#writer.request<Removal>("delete", known));
  }

  async deleteSelection(
    selector: Selector,
    interval: Interval | undefined,
    maxSeq: number,
    limit: number,
  ): Promise<Locator[]> {
    const selection = await this.#resolve(selector);
    if (selection.rows === 0) return [];
    const request = pageRequest(selection, { order: "oldest", limit, maxSeq, ...(interval && { interval }) });
    return this.#takeRemoval(await this.#writer.request<Removal>("deleteSelection", request));
  }

  #takeRemoval({ locators, series }: Removal): Locator[] {
    for (const [seriesId, count] of series) this.#index.takeDeletion(seriesId, count);
    this.#checkpointAfter(locators.length);
    return locators;
  }

  async services(query: ListQuery): Promise<NameCount[]> {
    return groupList(this.#index, await this.#counts(query), ({ service }) => service, query);
  }

  async types(query: ListQuery): Promise<NameCount[]> {
    return groupList(this.#index, await this.#counts(query), ({ type }) => type, query);
  }

  async labelNames(query: ListQuery): Promise<NameCount[]> {
    return labelNameList(this.#index, await this.#counts(query), query);
  }

  async labelValues(labelName: string, query: ListQuery): Promise<NameCount[]> {
    return labelValueList(this.#index, await this.#counts(query), labelName, query);
  }

  async series(query: ListQuery): Promise<SeriesRow[]> {
    const listed = seriesList(this.#index, await this.#counts(query), query);
    if (listed.length === 0) return [];
    const times = await this.#read<BigInt64Array>("seriesTimes", {
      seriesIds: Uint32Array.from(listed, ({ seriesId }) => seriesId),
      ...(query.interval && { interval: query.interval }),
    });
    return listed.map(({ seriesId: _, ...row }, at) => ({
      ...row,
      firstNs: times[2 * at]!,
      lastNs: times[2 * at + 1]!,
    }));
  }

  /** Profiles of each selected series; the database is asked only for those that reach over an edge of the interval. */
  async #counts({ selector, interval }: ListQuery): Promise<SeriesCounts> {
    const selection = await this.#resolve(selector, true);
    const seriesIds = Uint32Array.from(selectedIds(selection.series!));
    const counts = new Uint32Array(seriesIds.length);
    const asked: number[] = [];
    const startMs = interval === undefined ? Number.NEGATIVE_INFINITY : Number(interval.startNs) / 1e6;
    const endMs = interval === undefined ? Number.POSITIVE_INFINITY : Number(interval.endNs) / 1e6;
    for (const [at, seriesId] of seriesIds.entries()) {
      const { rows, firstMs, lastMs } = this.#index.extentOf(seriesId);
      // One millisecond of margin: doubles round nanoseconds.
      if (firstMs - 1 > startMs && lastMs + 2 < endMs) counts[at] = rows;
      else if (firstMs - 1 < endMs && lastMs + 2 > startMs) asked.push(at);
    }
    if (interval === undefined || asked.length === 0) return { seriesIds, counts };
    const answer = await this.#read<Uint32Array>("seriesCounts", {
      seriesIds: Uint32Array.from(asked, (at) => seriesIds[at]!),
      interval,
    });
    for (const [nth, at] of asked.entries()) counts[at] = answer[nth]!;
    return { seriesIds, counts };
  }

  async segmentEnds(): Promise<Map<number, number>> {
    const segments = await this.#read<(CatalogSegment & { endOffset: number })[]>("segments");
    return new Map(segments.map(({ segmentId, live, endOffset }) => [segmentId, live > 0 ? endOffset : 0]));
  }

  async segments(): Promise<CatalogSegment[]> {
    const segments = await this.#read<(CatalogSegment & { endOffset: number })[]>("segments");
    return segments.map(({ endOffset: _, ...segment }) => segment);
  }

  async profilesInSegment(segmentId: number, limit: number): Promise<StoredProfile[]> {
    return unpackRows(await this.#read<ProfileRows>("profilesInSegment", { segmentId, limit }), this.#index);
  }

  async relocate(moves: readonly { id: string; to: Locator }[]): Promise<string[]> {
    const ids = moves.map(({ id }) => parseProfileId(id)!);
    const moved = await this.#writer.request<number[]>("relocate", { ids, to: moves.map(({ to }) => to) });
    return moved.map((at) => moves[at]!.id);
  }

  forgetSegment(segmentId: number): Promise<void> {
    return this.#writer.request("forgetSegment", segmentId);
  }

  async statistics() {
    const services = new Set(this.#index.groups.filter(({ rows }) => rows > 0).map(({ service }) => service)).size;
    const { seriesCount } = await this.#resolve(EVERYTHING, true);
    const { rows: profiles, takenSeq: maxSeq } = this.#index;
    const segments = await this.segments();
    const sizeBytes = segments.reduce((sum, { bytes, deadBytes }) => sum + bytes - deadBytes, 0);
    return { profiles, series: seriesCount, services, sizeBytes, maxSeq };
  }

  /** What each connection says of its synchronous setting: 2 is FULL. */
  synchronous(): Promise<number[]> {
    const threads = [this.#writer, ...this.#readers];
    return Promise.all(threads.map((thread) => thread.request<number>("synchronous")));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#checkpointing;
    await Promise.all(this.#readers.map((thread) => thread.close()));
    await this.#writer.close();
  }

  #resolve(selector: Selector, needsSeries = false): Promise<ResolvedSelection> {
    return resolveSelection(this.#index, selector, {
      limits: this.#limits,
      matchElsewhere: this.#matchElsewhere,
      needsSeries,
    });
  }

  readonly #matchElsewhere: MatchElsewhere = (name, pattern, afterLabelId, lastLabelId) =>
    this.#read("matchValues", { name, pattern, afterLabelId, lastLabelId });

  /** By the reader with the least to do. */
  #read<Answer>(method: string, argument?: unknown, transfer: readonly ArrayBuffer[] = []): Promise<Answer> {
    const [first, ...others] = this.#readers;
    const reader = others.reduce((best, next) => (next.load < best.load ? next : best), first!);
    return reader.request<Answer>(method, argument, transfer);
  }

  #checkpointAfter(rows: number): void {
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
      const pages = await this.#read<number>("checkpoint");
      if (pages > LOG_PAGES_MAX) await this.#writer.request("restartLog");
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
    }
  }
}

function transferOf({ series }: ResolvedSelection): ArrayBuffer[] {
  return series ? [series.buffer] : [];
}

/** Throws `invalid` where `afterId` is no id. */
function pageRequest(
  selection: ResolvedSelection,
  { interval, order, afterId, limit, maxSeq }: Omit<FindQuery, "selector">,
): PageRequest {
  const after = afterId === undefined ? undefined : parseProfileId(afterId);
  if (afterId !== undefined && after === undefined) {
    throw new DomainError("invalid", `Cannot continue after ${quote(afterId)}: it is no profile id`);
  }
  // Many groups are read by their series, not one by one, and each would cost a microsecond on its way.
  const groups = selection.groups.length > GROUP_SCANS ? [] : selection.groups;
  return {
    selection: { ...selection, groups },
    order,
    limit,
    maxSeq: Math.min(selection.seq, maxSeq ?? selection.seq),
    ...(interval && { interval }),
    ...(after && { afterId: after }),
  };
}
