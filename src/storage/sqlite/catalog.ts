// The catalog on SQLite: threads that write and read its file, and the series index on this one, which takes every commit before it is
// acknowledged.

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Limits } from "../../model/limits.ts";
import { parseProfileId } from "../../model/profile-id.ts";
import { EVERYTHING, type Selector } from "../../model/selector.ts";
import type { Interval } from "../../model/time.ts";
import type { BlobKind, Locator } from "../blob-store.ts";
import type {
  Catalog,
  CatalogSegment,
  Coverage,
  CoverageQuery,
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
  Usage,
} from "../catalog.ts";
import { consecutiveLocators } from "../frame.ts";
import type { MatchElsewhere } from "../label-index.ts";
import type {
  LooseHour,
  PackIds,
  PackKey,
  PackRows,
  PackRun,
  PackRunRequest,
  PackSet,
  PackSetQuery,
  PackStatistics,
  PackSwitch,
} from "../pack-catalog.ts";
import { type ResolvedSelection, resolveSelection } from "../resolved-selection.ts";
import { SeriesIndex } from "../series-index.ts";
import { seriesKey } from "../series-key.ts";
import { groupList, labelNameList, labelValueList, type SeriesCounts, seriesList } from "../series-lists.ts";
import type { NewUpload } from "../store-uploads.ts";
import { storedProfile } from "../stored-profile.ts";
import { CatalogThreads, type CatalogThreadsOptions, startWriterAlone } from "./catalog-threads.ts";
import { msOfId } from "./id-range.ts";
import { insertMessage, storeMessage, transferOf } from "./insert-message.ts";
import { instanceLabels, mergeInputsOf } from "./merge-inputs.ts";
import type { SortedRecords } from "./merge-records.ts";
import { migrate } from "./migrations.ts";
import { openDatabase, translateSqliteError } from "./open-database.ts";
import { joinLooseHours, packRowsOf } from "./pack-answers.ts";
import type { CoverageRows, LooseCursor, LooseRow, RawPackRows } from "./pack-reader.ts";
import { SETTLED_ROWS } from "./pack-writer.ts";
import { pageRequest } from "./page-request.ts";
import { SqlitePgo } from "./pgo.ts";
import { type ProfileRows, unpackRows } from "./profile-rows.ts";
import { countSeries } from "./series-counts.ts";
import { NO_TIME } from "./series-interval.ts";
import { applySnapshot, type IndexSnapshot, type SeriesExtents } from "./snapshot.ts";
import type { UsageRow } from "./usage-ledger.ts";
import { usageList } from "./usage-list.ts";
import type { InsertAnswer, Removal } from "./writer.ts";
import type { StoreAnswer } from "./writer-requests.ts";

export interface SqliteCatalogOptions {
  /** Holds catalog.db; created when absent. */
  folder: string;
  limits: Limits;
  /** Rows that a scan looks at in one piece; tests set it low, to see many pieces. */
  chunkRows?: number;
  /** Default: a thread that does nothing else. */
  startWriter?: CatalogThreadsOptions["startWriter"];
}

/** Throws `unavailable` where the file cannot be read, `conflict` where a newer program wrote it. */
export async function openSqliteCatalog(options: SqliteCatalogOptions): Promise<SqliteCatalog> {
  const { folder, limits, chunkRows, startWriter = startWriterAlone } = options;
  await mkdir(folder, { recursive: true });
  const path = join(folder, "catalog.db");
  prepareFile(path);
  const catalog = new SqliteCatalog({ path, limits, chunkRows, startWriter });
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
  readonly #threads: CatalogThreads;
  readonly pgo: SqlitePgo;
  /** Pack runs under way, which the writer knows too. */
  readonly #runs = new Map<number, PackRunRequest & PackRun>();
  #packSwitches = 0;

  constructor(options: CatalogThreadsOptions) {
    this.#limits = options.limits;
    this.#index = new SeriesIndex(options.limits);
    this.#threads = new CatalogThreads(options);
    this.pgo = new SqlitePgo(this.#threads);
  }

  /** Call once, before anything else. */
  async load(): Promise<void> {
    try {
      // Nothing is written meanwhile, so that two readers see the same.
      const [snapshot, extents] = await Promise.all([
        this.#threads.read<IndexSnapshot>("snapshot"),
        this.#threads.read<SeriesExtents>("extents"),
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
    return this.#takeInsert(batch, await this.#threads.write<InsertAnswer>("insert", message, transferOf(message)));
  }

  /** As insert(), of profiles whose bytes the writer thread appends first: only where it has the segments, see src/storage/local. */
  async store(batch: readonly NewUpload[], kind: BlobKind): Promise<InsertOutcome[]> {
    if (batch.length === 0) return [];
    const sizes = batch.map(({ bytes }) => bytes.length);
    const message = storeMessage(batch, kind);
    const answer = await this.#threads.write<StoreAnswer>("insert", message, transferOf(message));
    const locators = consecutiveLocators(answer.segmentId, answer.offset, sizes);
    return this.#takeInsert(
      batch.map(({ profile }, at) => ({ ...profile, locator: locators[at]! })),
      answer,
    );
  }

  #takeInsert(batch: readonly NewProfile[], { names, seqs, seriesIds, existing }: InsertAnswer): InsertOutcome[] {
    this.#index.takeNames(names);
    for (const [at, { id }] of batch.entries()) {
      if (seqs[at] === 0) continue;
      const ms = msOfId(id);
      this.#index.takeRows(seriesIds[at]!, 1, ms, ms);
      this.#index.takeSeq(seqs[at]!);
    }
    this.#threads.checkpointAfter(batch.length);
    const first = unpackRows(existing, this.#index).values();
    return batch.map((profile, at) =>
      seqs[at] === 0
        ? { record: first.next().value!, alreadyExisted: true }
        : { record: storedProfile(profile, seqs[at]!), alreadyExisted: false },
    );
  }

  get version(): string {
    return `${this.#index.takenSeq} ${this.#index.rows} ${this.#packSwitches}`;
  }

  async get(ids: readonly string[]): Promise<(StoredProfile | undefined)[]> {
    const known = ids.map(parseProfileId).filter((id) => id !== undefined);
    if (known.length === 0) return ids.map(() => undefined);
    const rows = await this.#threads.read<ProfileRows>("get", { ids: known, maxSeq: this.#index.takenSeq });
    const found = new Map(unpackRows(rows, this.#index).map((record) => [record.id, record]));
    return ids.map((id) => found.get(id.toLowerCase()));
  }

  async find({ selector, ...query }: FindQuery): Promise<StoredProfile[]> {
    const selection = await this.#resolve(selector);
    if (selection.rows === 0 || query.limit === 0) return [];
    const rows = await this.#threads.read<ProfileRows>("page", pageRequest(selection, query), seriesOf(selection));
    return unpackRows(rows, this.#index);
  }

  async mergeInputs({ selector, interval, limit, strategy }: InputsQuery): Promise<MergeInputs> {
    const selection = await this.#resolve(selector, strategy === "spread");
    if (selection.rows === 0) return { inputs: [], shapes: new Map(), matched: 0, sets: [] };
    const instances = strategy === "spread" ? { instances: instanceLabels(this.#index) } : {};
    const rankColumns = strategy === "most_cpu" ? this.#index.rankColumns() : [];
    const { matched, sets, ...records } = await this.#threads.read<
      SortedRecords & { matched: number; sets: PackSet[] }
    >("merge", {
      selection,
      ...(interval && { interval }),
      maxSeq: selection.seq,
      rule: { limit, strategy, ...instances },
      rankColumns,
    });
    return { ...mergeInputsOf(records, this.#index, sets), matched };
  }

  async mergeInputsByIds(ids: readonly string[]): Promise<MergeInputs> {
    const parsed = ids.map(parseProfileId).filter((id) => id !== undefined);
    const unique = [...new Set(parsed.map((id) => Buffer.from(id).toString("hex")))];
    const { sets, ...records } = await this.#threads.read<SortedRecords & { sets: PackSet[] }>("mergeByIds", {
      ids: unique,
      maxSeq: this.#index.takenSeq,
    });
    const found = mergeInputsOf(records, this.#index, sets);
    return { ...found, matched: found.inputs.length };
  }

  async coverage({ selector, interval, limit }: CoverageQuery): Promise<Coverage> {
    const selection = await this.#resolve(selector);
    if (selection.rows === 0) return { inputs: [], shapes: new Map(), loose: 0, sets: [], fingerprint: ";0-0" };
    const { sets, loose, fingerprint, ...records } = await this.#threads.read<CoverageRows>("coverage", {
      selection,
      ...(interval && { interval }),
      maxSeq: selection.seq,
      limit,
    });
    return { ...mergeInputsOf(records, this.#index, sets), loose, fingerprint };
  }

  async coverageFingerprint({ selector, interval }: CoverageQuery): Promise<string> {
    const selection = await this.#resolve(selector);
    if (selection.rows === 0) return ";0-0";
    const request = { selection, maxSeq: selection.seq, ...(interval && { interval }) };
    return this.#threads.read<string>("coverageFingerprint", request);
  }

  packNames({ serviceId, typeId, shapeId }: PackKey) {
    return { ...this.#index.namesOf(serviceId, typeId), shape: this.#index.shapeOf(shapeId) };
  }

  async looseHours(): Promise<LooseHour[]> {
    const rows: LooseRow[] = [];
    for (let after: LooseCursor | undefined; ; ) {
      const slice = await this.#threads.read<{ rows: LooseRow[]; next: LooseCursor | undefined }>("looseHours", after);
      rows.push(...slice.rows);
      if (slice.next === undefined) return joinLooseHours(rows);
      after = slice.next;
    }
  }

  packSets(query: PackSetQuery): Promise<PackSet[]> {
    return this.#threads.read("packSets", query);
  }

  packStatistics(): Promise<PackStatistics> {
    return this.#threads.read("packStatistics");
  }

  packIds(): Promise<PackIds> {
    return this.#threads.read("packIds");
  }

  async skipPackIds(last: number): Promise<void> {
    await this.#threads.write("skipPackIds", last);
  }

  async forgetPacks(packIds: readonly number[]): Promise<void> {
    await this.#threads.write("forgetPacks", packIds);
  }

  nextPackId(): Promise<number> {
    return this.#threads.write("nextPackId");
  }

  async beginPack(request: PackRunRequest): Promise<PackRun> {
    const run = await this.#threads.write<PackRun>("beginPack", request);
    this.#runs.set(run.runId, { ...request, ...run });
    return run;
  }

  async packRows(runId: number): Promise<PackRows> {
    return packRowsOf(await this.#threads.read<RawPackRows>("packRows", this.#runs.get(runId)), this.#index);
  }

  async setAside(ids: readonly Uint8Array[]): Promise<void> {
    await this.#threads.write("setAside", ids);
    this.#threads.checkpointAfter(ids.length);
  }

  async switchPackSet(change: PackSwitch): Promise<{ setId?: number; freed: number[] }> {
    const switched = await this.#threads.write<{ setId?: number; freed: number[] }>("switchPackSet", change);
    this.#runs.delete(change.runId);
    this.#packSwitches++;
    return switched;
  }

  async abandonPack(runId: number): Promise<void> {
    this.#runs.delete(runId);
    await this.#threads.write("abandonPack", runId);
  }

  async settlePackSet(step: { setId: number; release: boolean; afterId?: Uint8Array }) {
    const last = await this.#threads.write<Uint8Array | undefined>("settlePackSet", step);
    this.#threads.checkpointAfter(SETTLED_ROWS);
    return last;
  }

  async releaseOriginals(ids: readonly Uint8Array[]): Promise<number> {
    const released = await this.#threads.write<number>("releaseOriginals", ids);
    this.#threads.checkpointAfter(ids.length);
    return released;
  }

  async count(selector: Selector, interval?: Interval): Promise<SelectionState> {
    const selection = await this.#resolve(selector);
    const maxSeq = selection.seq;
    if (selection.rows === 0) return { count: 0, sizeBytes: 0, maxSeq };
    const request = { selection, maxSeq, ...(interval && { interval }) };
    return { ...(await this.#threads.read<{ count: number; sizeBytes: number }>("count", request)), maxSeq };
  }

  async delete(ids: readonly string[]): Promise<number> {
    const known = ids.map(parseProfileId).filter((id) => id !== undefined);
    return known.length === 0 ? 0 : this.#takeRemoval(await this.#threads.write<Removal>("delete", known));
  }

  async deleteSelection(
    selector: Selector,
    interval: Interval | undefined,
    maxSeq: number,
    limit: number,
  ): Promise<number> {
    const selection = await this.#resolve(selector);
    if (selection.rows === 0) return 0;
    const request = pageRequest(selection, { order: "oldest", limit, maxSeq, ...(interval && { interval }) });
    return this.#takeRemoval(await this.#threads.write<Removal>("deleteSelection", request));
  }

  #takeRemoval({ count, series }: Removal): number {
    for (const [seriesId, own] of series) this.#index.takeDeletion(seriesId, own);
    this.#threads.checkpointAfter(count);
    return count;
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
    const times = await this.#threads.read<BigInt64Array>("seriesTimes", {
      seriesIds: Uint32Array.from(listed, ({ seriesId }) => seriesId),
      ...(query.interval && { interval: query.interval }),
    });
    const rows = listed
      .map(({ seriesId: _, ...row }, at) => ({ ...row, firstNs: times[2 * at]!, lastNs: times[2 * at + 1]! }))
      .filter(({ firstNs }) => firstNs !== NO_TIME);
    // Those that lost their profiles since they were counted leave no gap: a page that is not full ends the list.
    if (rows.length === listed.length || listed.length < query.limit) return rows;
    const after = seriesKey(listed.at(-1)!);
    return [...rows, ...(await this.series({ ...query, after, limit: query.limit - rows.length }))];
  }

  /** Of each selected series. */
  async #counts({ selector, interval }: ListQuery): Promise<SeriesCounts> {
    const { series } = await this.#resolve(selector, true);
    return countSeries(series!, interval, this.#index, this.#threads);
  }

  async segmentEnds(): Promise<Map<number, number>> {
    const segments = await this.#threads.read<(CatalogSegment & { endOffset: number })[]>("segments");
    return new Map(segments.map(({ segmentId, live, endOffset }) => [segmentId, live > 0 ? endOffset : 0]));
  }

  async segments(): Promise<CatalogSegment[]> {
    const segments = await this.#threads.read<(CatalogSegment & { endOffset: number })[]>("segments");
    return segments.map(({ endOffset: _, ...segment }) => segment);
  }

  async profilesInSegment(segmentId: number, limit: number): Promise<StoredProfile[]> {
    return unpackRows(await this.#threads.read<ProfileRows>("profilesInSegment", { segmentId, limit }), this.#index);
  }

  async relocate(moves: readonly { id: string; to: Locator }[]): Promise<string[]> {
    const ids = moves.map(({ id }) => parseProfileId(id)!);
    const moved = await this.#threads.write<number[]>("relocate", { ids, to: moves.map(({ to }) => to) });
    return moved.map((at) => moves[at]!.id);
  }

  forgetSegment(segmentId: number): Promise<void> {
    return this.#threads.write("forgetSegment", segmentId);
  }

  async usage(): Promise<Usage[]> {
    return usageList(this.#index, await this.#threads.read<UsageRow[]>("usage"));
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
    return this.#threads.synchronous();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#threads[Symbol.asyncDispose]();
  }

  #resolve(selector: Selector, needsSeries = false): Promise<ResolvedSelection> {
    return resolveSelection(this.#index, selector, {
      limits: this.#limits,
      matchElsewhere: this.#matchElsewhere,
      needsSeries,
    });
  }

  readonly #matchElsewhere: MatchElsewhere = (name, pattern, afterLabelId, lastLabelId) =>
    this.#threads.read("matchValues", { name, pattern, afterLabelId, lastLabelId });
}

function seriesOf({ series }: ResolvedSelection): ArrayBuffer[] {
  return series ? [series.buffer] : [];
}
