// The catalog as plain arrays: the definition of every answer, and the oracle of the drivers that are fast. Nothing survives it.

import { DomainError } from "../../model/errors.ts";
import type { Limits } from "../../model/limits.ts";
import { formatProfileId, parseProfileId } from "../../model/profile-id.ts";
import { compileSelector, type Selector } from "../../model/selector.ts";
import { shapeSignature } from "../../model/shape.ts";
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
  MergeInput,
  MergeInputs,
  NameCount,
  NewProfile,
  SeriesRow,
  StoredProfile,
} from "../catalog.ts";
import { pageOfNames } from "../name-list.ts";
import { compareSeries, parseSeriesKey, seriesKey } from "../series-key.ts";
import { storedProfile } from "../stored-profile.ts";
import { choose } from "./choose.ts";
import { byId, canonical, sign } from "./order.ts";
import { Retries } from "./retries.ts";
import { SegmentCounts } from "./segment-counts.ts";

export function openMemoryCatalog({ limits }: { limits: Limits }): Catalog {
  return new MemoryCatalog(limits);
}

class MemoryCatalog implements Catalog {
  readonly #limits: Limits;
  /** In commit order. */
  #profiles: StoredProfile[] = [];
  readonly #retries = new Retries();
  readonly #segments = new SegmentCounts();
  readonly #shapeIds = new Map<string, number>();
  #seq = 0;

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
    if (record.shape) {
      const signature = shapeSignature(record.shape);
      if (!this.#shapeIds.has(signature)) this.#shapeIds.set(signature, this.#shapeIds.size + 1);
    }
    return { record, alreadyExisted: false };
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
    return { ...this.#inputs(chosen), matched: matching.length };
  }

  async mergeInputsByIds(ids: readonly string[]): Promise<MergeInputs> {
    const wanted = new Set(ids.map((id) => id.toLowerCase()));
    const found = this.#profiles.filter(({ id }) => wanted.has(id));
    return { ...this.#inputs(found), matched: found.length };
  }

  #inputs(profiles: StoredProfile[]): Omit<MergeInputs, "matched"> {
    const shapes = new Map<number, NonNullable<StoredProfile["shape"]>>();
    const inputs: MergeInput[] = profiles.sort(canonical).map(({ id, timeNs, digest, shape, locator }) => {
      const shapeId = shape ? this.#shapeIds.get(shapeSignature(shape))! : 0;
      if (shape) shapes.set(shapeId, shape);
      return { id, timeNs, digest, shapeId, locator };
    });
    return { inputs, shapes };
  }

  async count(selector: Selector, interval?: Interval) {
    const found = this.#matching(selector, interval);
    return { count: found.length, sizeBytes: sumSizes(found), maxSeq: this.#seq };
  }

  async delete(ids: readonly string[]): Promise<Locator[]> {
    const wanted = new Set(ids.map((id) => id.toLowerCase()));
    return this.#remove(this.#profiles.filter(({ id }) => wanted.has(id)));
  }

  async deleteSelection(selector: Selector, interval: Interval | undefined, maxSeq: number, limit: number) {
    return this.#remove(this.#matching(selector, interval, maxSeq).sort(byId).slice(0, limit));
  }

  #remove(profiles: readonly StoredProfile[]): Locator[] {
    const gone = new Set(profiles);
    this.#profiles = this.#profiles.filter((profile) => !gone.has(profile));
    for (const { locator } of profiles) this.#segments.remove(locator);
    return profiles.map(({ locator }) => locator);
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
      this.#segments.add(to);
      this.#segments.remove(this.#profiles[at]?.locator ?? to);
      if (at < 0) continue;
      this.#profiles[at] = { ...this.#profiles[at]!, locator: to, sizeBytes: to.sizeBytes };
      moved.push(id);
    }
    return moved;
  }

  async forgetSegment(segmentId: number): Promise<void> {
    this.#segments.forget(segmentId);
  }

  async statistics() {
    return {
      profiles: this.#profiles.length,
      series: new Set(this.#profiles.map(seriesKey)).size,
      services: new Set(this.#profiles.map(({ service }) => service)).size,
      sizeBytes: sumSizes(this.#profiles),
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

function sumSizes(profiles: readonly StoredProfile[]): number {
  return profiles.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}
