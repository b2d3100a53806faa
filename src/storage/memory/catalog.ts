// The catalog as plain arrays: the definition of every answer, and the oracle of the drivers that are fast. Nothing survives it.

import { DomainError } from "../../model/errors.ts";
import type { Limits } from "../../model/limits.ts";
import { formatProfileId, parseProfileId } from "../../model/profile-id.ts";
import { compileSelector, type Selector } from "../../model/selector.ts";
import { parseShapeSignature, type Shape, shapeSignature } from "../../model/shape.ts";
import { quote } from "../../model/text.ts";
import type { Interval } from "../../model/time.ts";
import type { Locator } from "../blob-store.ts";
import type {
  Catalog,
  CatalogSegment,
  Coverage,
  CoverageQuery,
  FindQuery,
  InputsQuery,
  InsertOutcome,
  ListQuery,
  MergeInput,
  MergeInputs,
  NameCount,
  NewProfile,
  SeriesRow,
  StoredProfile,
  Usage,
} from "../catalog.ts";
import { pageOfNames } from "../name-list.ts";
import {
  hasOriginal,
  type LooseHour,
  type PackKey,
  type PackRows,
  type PackRunRequest,
  type PackSet,
  type PackSetQuery,
  type PackSwitch,
} from "../pack-catalog.ts";
import { compareSeries, parseSeriesKey, seriesKey } from "../series-key.ts";
import { storedProfile } from "../stored-profile.ts";
import { choose } from "./choose.ts";
import { byId, canonical, sign } from "./order.ts";
import { isKey, MemoryPacks } from "./packs.ts";
import { MemoryPgo } from "./pgo.ts";
import { Retries } from "./retries.ts";
import { SegmentCounts } from "./segment-counts.ts";
import { usageOf } from "./usage.ts";

const HOUR_NS = 3_600_000_000_000n;
/** Rows that one step of settling marks. */
const SETTLED_ROWS = 100;

export function openMemoryCatalog({ limits }: { limits: Limits }): Catalog {
  return new MemoryCatalog(limits);
}

class MemoryCatalog implements Catalog {
  readonly #limits: Limits;
  /** In commit order. */
  #profiles: StoredProfile[] = [];
  readonly #retries = new Retries();
  readonly #segments = new SegmentCounts();
  readonly #packs = new MemoryPacks();
  readonly #shapeIds = new Map<string, number>();
  readonly #serviceIds = new Map<string, number>();
  readonly #typeIds = new Map<string, number>();
  readonly pgo = new MemoryPgo();
  #seq = 0;
  #packSwitches = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  async insert(batch: readonly NewProfile[]): Promise<InsertOutcome[]> {
    return batch.map((profile) => this.#insertOne(profile));
  }

  #insertOne(profile: NewProfile): InsertOutcome {
    const id = formatProfileId(profile.id);
    const first = this.#retries.earlier(profile, this.#profiles) ?? this.#profiles.find((stored) => stored.id === id);
    this.#retries.remember(profile, first?.id ?? id);
    const { segmentId, offset } = profile.locator;
    if (first?.locator.segmentId === segmentId && first.locator.offset === offset)
      return { record: first, alreadyExisted: true };
    this.#segments.add(profile.locator);
    if (first) {
      this.#segments.remove(profile.locator);
      return { record: first, alreadyExisted: true };
    }
    const record = storedProfile(profile, ++this.#seq);
    this.#profiles.push(record);
    idOf(this.#serviceIds, record.service);
    idOf(this.#typeIds, record.type);
    if (record.shape) idOf(this.#shapeIds, shapeSignature(record.shape));
    return { record, alreadyExisted: false };
  }

  get version(): string {
    return `${this.#seq} ${this.#profiles.length} ${this.#packSwitches}`;
  }

  async get(ids: readonly string[]): Promise<(StoredProfile | undefined)[]> {
    return ids.map((id) => this.#profiles.find((profile) => profile.id === id.toLowerCase()));
  }

  async find({ selector, interval, order, afterId, limit, maxSeq }: FindQuery): Promise<StoredProfile[]> {
    if (afterId !== undefined && parseProfileId(afterId) === undefined) {
      throw new DomainError("invalid", `Cannot continue after ${quote(afterId)}: it is no profile id`);
    }
    const found = this.#matching(selector, interval, maxSeq).sort(byId);
    if (order === "newest") found.reverse();
    const cursor = afterId?.toLowerCase();
    const behind = ({ id }: StoredProfile) => cursor === undefined || (order === "newest" ? id < cursor : id > cursor);
    return found.filter(behind).slice(0, limit);
  }

  async mergeInputs({ selector, interval, limit, strategy }: InputsQuery): Promise<MergeInputs> {
    const matching = this.#matching(selector, interval).sort(canonical);
    const chosen = matching.length <= limit ? matching : choose(matching, limit, strategy);
    const groups = new Set(this.#matching(selector, undefined).map((profile) => groupText(this.#keyOf(profile))));
    return { ...this.#inputs(chosen, this.#setsOf(groups, interval)), matched: matching.length };
  }

  async mergeInputsByIds(ids: readonly string[]): Promise<MergeInputs> {
    const wanted = new Set(ids.map((id) => id.toLowerCase()));
    const found = this.#profiles.filter(({ id }) => wanted.has(id));
    const rebuilt = found.filter(({ locator }) => !hasOriginal(locator));
    const setIds = rebuilt.map((profile) => this.#packs.setOf(profile, this.#keyOf(profile))!.setId);
    return { ...this.#inputs(found, this.#packs.find({ setIds })), matched: found.length };
  }

  #inputs(profiles: StoredProfile[], sets: PackSet[]): Omit<MergeInputs, "matched"> {
    const shapes = new Map(sets.map(({ shapeId }) => [shapeId, this.#shapeOf(shapeId)]));
    const inputs: MergeInput[] = profiles.sort(canonical).map((profile) => {
      const { id, timeNs, digest, shape, seq, locator } = profile;
      const key = this.#keyOf(profile);
      if (shape) shapes.set(key.shapeId, shape);
      return { id, timeNs, digest, ...key, seq, locator };
    });
    return { inputs, shapes, sets };
  }

  async coverage({ selector, interval, limit }: CoverageQuery): Promise<Coverage> {
    const groups = new Set(this.#matching(selector, undefined).map((profile) => groupText(this.#keyOf(profile))));
    const sets = this.#setsOf(groups, interval);
    const loose = this.#matching(selector, interval).filter((profile) => !this.#isCovered(profile));
    const lastSeq = loose.reduce((last, { seq }) => Math.max(last, seq), 0);
    return {
      ...this.#inputs(loose.length > limit ? [] : loose, sets),
      loose: loose.length,
      fingerprint: JSON.stringify([sets.map(({ setId, deleted }) => [setId, deleted.length]), loose.length, lastSeq]),
    };
  }

  async coverageFingerprint(query: CoverageQuery): Promise<string> {
    return (await this.coverage(query)).fingerprint;
  }

  #isCovered(profile: StoredProfile): boolean {
    return profile.shape !== undefined && this.#packs.setOf(profile, this.#keyOf(profile)) !== undefined;
  }

  #keyOf({ service, type, shape }: StoredProfile): PackKey {
    return {
      serviceId: this.#serviceIds.get(service)!,
      typeId: this.#typeIds.get(type)!,
      shapeId: shape ? this.#shapeIds.get(shapeSignature(shape))! : 0,
    };
  }

  #setsOf(groups: ReadonlySet<string>, interval: Interval | undefined): PackSet[] {
    const sets = this.#packs.find(interval ?? {});
    return interval && interval.endNs <= interval.startNs ? [] : sets.filter((set) => groups.has(groupText(set)));
  }

  #shapeOf(shapeId: number): Shape {
    return parseShapeSignature(nameOf(this.#shapeIds, shapeId));
  }

  packNames({ serviceId, typeId, shapeId }: PackKey) {
    return {
      service: nameOf(this.#serviceIds, serviceId),
      type: nameOf(this.#typeIds, typeId),
      shape: this.#shapeOf(shapeId),
    };
  }

  async looseHours(): Promise<LooseHour[]> {
    const hours = new Map<string, StoredProfile[]>();
    for (const profile of this.#profiles) {
      if (!profile.shape || this.#packs.packed.has(profile.seq) || this.#packs.aside.has(profile.seq)) continue;
      const key = `${groupText(this.#keyOf(profile))} ${shapeSignature(profile.shape)} ${profile.timeNs / HOUR_NS}`;
      hours.set(key, [...(hours.get(key) ?? []), profile]);
    }
    return [...hours.values()].map((profiles) => {
      const received = profiles.map(({ receivedNs }) => receivedNs).sort((a, b) => sign(a - b));
      return {
        ...this.#keyOf(profiles[0]!),
        startNs: (profiles[0]!.timeNs / HOUR_NS) * HOUR_NS,
        profiles: profiles.length,
        sizeBytes: sumSizes(profiles),
        firstReceivedNs: received[0]!,
        lastReceivedNs: received.at(-1)!,
      };
    });
  }

  async packSets(query: PackSetQuery): Promise<PackSet[]> {
    return this.#packs.find(query);
  }

  async packStatistics() {
    return this.#packs.statistics();
  }

  async nextPackId(): Promise<number> {
    return this.#packs.nextPackId();
  }

  async packIds() {
    return this.#packs.ids();
  }

  async skipPackIds(last: number): Promise<void> {
    this.#packs.skipIds(last);
  }

  async forgetPacks(packIds: readonly number[]): Promise<void> {
    for (const packId of packIds) this.#packs.unnamed.delete(packId);
  }

  async beginPack(request: PackRunRequest) {
    return this.#packs.begin(request, this.#seq);
  }

  async packRows(runId: number): Promise<PackRows> {
    const run = this.#packs.run(runId);
    const rows = this.#profiles.filter(
      (profile) =>
        isKey(run, this.#keyOf(profile)) &&
        profile.timeNs >= run.startNs &&
        profile.timeNs < run.endNs &&
        profile.seq >= run.seqFrom &&
        profile.seq <= run.coversSeq &&
        !this.#packs.aside.has(profile.seq),
    );
    // Series in the order of their first profile, as a catalog numbers them.
    const seriesOf = new Map<string, number>();
    for (const profile of this.#profiles) idOf(seriesOf, seriesKey(profile));
    rows.sort((a, b) => seriesOf.get(seriesKey(a))! - seriesOf.get(seriesKey(b))! || canonical(a, b));
    const positions = new Map<string, number>();
    const series = rows.map((row) => idOf(positions, seriesKey(row)) - 1);
    return {
      count: rows.length,
      ids: concat(rows.map(({ id }) => parseProfileId(id)!)),
      digests: concat(rows.map(({ digest }) => digest)),
      timesNs: BigInt64Array.from(rows, ({ timeNs }) => timeNs),
      receivedNs: BigInt64Array.from(rows, ({ receivedNs }) => receivedNs),
      seqs: Float64Array.from(rows, ({ seq }) => seq),
      series: Uint32Array.from(series),
      labelSets: [...positions.keys()].map((key) => parseSeriesKey(key).labels),
      locators: Float64Array.from(
        rows.flatMap(({ locator }) => [locator.segmentId, locator.offset, locator.sizeBytes]),
      ),
    };
  }

  async setAside(ids: readonly Uint8Array[]): Promise<void> {
    for (const profile of this.#named(ids)) if (!this.#isCovered(profile)) this.#packs.aside.add(profile.seq);
  }

  async switchPackSet(change: PackSwitch) {
    this.#packSwitches++;
    return this.#packs.switchTo(change);
  }

  async abandonPack(runId: number): Promise<void> {
    this.#packs.end(runId);
  }

  async settlePackSet({ setId, release, afterId }: { setId: number; release: boolean; afterId?: Uint8Array }) {
    const set = this.#packs.set(setId);
    if (set === undefined || set.settled) return undefined;
    const after = afterId ? formatProfileId(afterId) : "";
    const rows = this.#profiles
      .filter(
        (profile) =>
          profile.id > after &&
          !this.#packs.packed.has(profile.seq) &&
          this.#packs.setOf(profile, this.#keyOf(profile))?.setId === setId,
      )
      .sort(byId)
      .slice(0, SETTLED_ROWS);
    for (const row of rows) {
      this.#packs.packed.add(row.seq);
      this.#change(row, { packed: true });
    }
    if (release) this.#release(rows);
    if (rows.length === SETTLED_ROWS) return parseProfileId(rows.at(-1)!.id);
    this.#packs.settled(setId);
    return undefined;
  }

  async releaseOriginals(ids: readonly Uint8Array[]): Promise<number> {
    const rows = this.#named(ids).filter(({ packed, locator }) => packed && hasOriginal(locator));
    this.#release(rows);
    return rows.length;
  }

  #release(rows: readonly StoredProfile[]): void {
    for (const { id, locator, sizeBytes } of rows) {
      if (hasOriginal(locator)) this.#segments.remove(locator);
      const released = { locator: { segmentId: 0, offset: 0, sizeBytes }, rebuilt: true as const };
      this.#change(this.#profiles.find((profile) => profile.id === id)!, released);
    }
  }

  #named(ids: readonly Uint8Array[]): StoredProfile[] {
    const wanted = new Set(ids.map(formatProfileId));
    return this.#profiles.filter(({ id }) => wanted.has(id));
  }

  #change(profile: StoredProfile, fields: Partial<StoredProfile>): void {
    this.#profiles[this.#profiles.findIndex(({ id }) => id === profile.id)] = { ...profile, ...fields };
  }

  async count(selector: Selector, interval?: Interval) {
    const found = this.#matching(selector, interval);
    return { count: found.length, sizeBytes: sumSizes(found), maxSeq: this.#seq };
  }

  async delete(ids: readonly string[]): Promise<number> {
    const wanted = new Set(ids.map((id) => id.toLowerCase()));
    return this.#remove(this.#profiles.filter(({ id }) => wanted.has(id)));
  }

  async deleteSelection(selector: Selector, interval: Interval | undefined, maxSeq: number, limit: number) {
    return this.#remove(this.#matching(selector, interval, maxSeq).sort(byId).slice(0, limit));
  }

  #remove(profiles: readonly StoredProfile[]): number {
    const gone = new Set(profiles);
    this.#profiles = this.#profiles.filter((profile) => !gone.has(profile));
    for (const profile of profiles) {
      if (hasOriginal(profile.locator)) this.#segments.remove(profile.locator);
      if (profile.shape) this.#packs.noteDeletion(profile, this.#keyOf(profile));
    }
    return profiles.length;
  }

  async services(query: ListQuery): Promise<NameCount[]> {
    return pageOfNames(
      countNames(this.#listed(query), ({ service }) => [service]),
      query,
    );
  }

  async types(query: ListQuery): Promise<NameCount[]> {
    return pageOfNames(
      countNames(this.#listed(query), ({ type }) => [type]),
      query,
    );
  }

  async labelNames(query: ListQuery): Promise<NameCount[]> {
    return pageOfNames(
      countNames(this.#listed(query), ({ labels }) => labels.map(({ name }) => name)),
      query,
    );
  }

  async labelValues(labelName: string, query: ListQuery): Promise<NameCount[]> {
    const values = ({ labels }: StoredProfile) =>
      labels.filter(({ name }) => name === labelName).map(({ value }) => value);
    return pageOfNames(countNames(this.#listed(query), values), query);
  }

  async series(query: ListQuery): Promise<SeriesRow[]> {
    const after = query.after === undefined ? undefined : parseSeriesKey(query.after);
    const bySeries = new Map<string, StoredProfile[]>();
    for (const profile of this.#listed(query)) {
      if (!profile.service.startsWith(query.prefix)) continue;
      if (after !== undefined && compareSeries(profile, after) <= 0) continue;
      const key = seriesKey(profile);
      bySeries.set(key, [...(bySeries.get(key) ?? []), profile]);
    }
    const rows = [...bySeries.values()].map((profiles) => {
      const { service, type, labels } = profiles[0]!;
      const times = profiles.map(({ timeNs }) => timeNs).sort((a, b) => sign(a - b));
      return { service, type, labels, profiles: profiles.length, firstNs: times[0]!, lastNs: times.at(-1)! };
    });
    return rows.sort(compareSeries).slice(0, query.limit);
  }

  async segmentEnds(): Promise<Map<number, number>> {
    return this.#segments.ends();
  }

  async segments(): Promise<CatalogSegment[]> {
    return this.#segments.list();
  }

  async profilesInSegment(segmentId: number, limit: number): Promise<StoredProfile[]> {
    const inside = this.#profiles.filter(({ locator }) => locator.segmentId === segmentId);
    return inside.sort((a, b) => a.locator.offset - b.locator.offset).slice(0, limit);
  }

  async relocate(moves: readonly { id: string; to: Locator }[]): Promise<string[]> {
    const moved: string[] = [];
    for (const { id, to } of moves) {
      const at = this.#profiles.findIndex((profile) => profile.id === id.toLowerCase());
      const from = this.#profiles[at]?.locator;
      this.#segments.add(to);
      this.#segments.remove(from && hasOriginal(from) ? from : to);
      if (from === undefined || !hasOriginal(from)) continue;
      this.#profiles[at] = { ...this.#profiles[at]!, locator: to, sizeBytes: to.sizeBytes };
      moved.push(id);
    }
    return moved;
  }

  async forgetSegment(segmentId: number): Promise<void> {
    this.#segments.forget(segmentId);
  }

  async usage(): Promise<Usage[]> {
    return usageOf(
      this.#profiles,
      this.#packs.find({}).map((set) => ({ ...this.packNames(set), set })),
    );
  }

  async statistics() {
    return {
      profiles: this.#profiles.length,
      series: new Set(this.#profiles.map(seriesKey)).size,
      services: new Set(this.#profiles.map(({ service }) => service)).size,
      sizeBytes: sumSizes(this.#profiles.filter(({ locator }) => hasOriginal(locator))),
      maxSeq: this.#seq,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #listed({ selector, interval }: ListQuery): StoredProfile[] {
    return this.#matching(selector, interval);
  }

  #matching(selector: Selector, interval: Interval | undefined, maxSeq = this.#seq): StoredProfile[] {
    const holds = compileSelector(selector, this.#limits);
    return this.#profiles.filter(
      ({ service, type, labels, timeNs, seq }) =>
        seq <= maxSeq &&
        (interval === undefined || (timeNs >= interval.startNs && timeNs < interval.endNs)) &&
        holds(service, type, labels),
    );
  }
}

function countNames(
  profiles: readonly StoredProfile[],
  namesOf: (profile: StoredProfile) => string[],
): Map<string, number> {
  const counts = new Map<string, number>();
  for (const profile of profiles) {
    for (const name of new Set(namesOf(profile))) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}

/** From 1, in the order of first use. */
function idOf(ids: Map<string, number>, name: string): number {
  const id = ids.get(name) ?? ids.size + 1;
  ids.set(name, id);
  return id;
}

function nameOf(ids: ReadonlyMap<string, number>, wanted: number): string {
  return [...ids].find(([, id]) => id === wanted)![0];
}

function groupText({ serviceId, typeId }: PackKey): string {
  return `${serviceId} ${typeId}`;
}

function concat(pieces: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(pieces));
}

function sumSizes(profiles: readonly StoredProfile[]): number {
  return profiles.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}
