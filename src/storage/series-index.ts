// The series in memory: who they are, how many profiles each has and when, and which ones a selector means. It follows the writer's
// commits; it never reads the database itself.

import type { Labels } from "../model/labels.ts";
import type { Limits } from "../model/limits.ts";
import { compileMatcher, type Matcher } from "../model/matcher.ts";
import { regexpDeadline } from "../model/regexp.ts";
import type { Selector } from "../model/selector.ts";
import { parseShapeSignature, type Shape } from "../model/shape.ts";
import { IdList } from "./id-list.ts";
import { LabelIndex, type MatchElsewhere } from "./label-index.ts";
import { rankColumn } from "./stored-profile.ts";

/** One (service, type) and its series, in the order of their ids. */
export interface SeriesGroup {
  readonly serviceId: number;
  readonly typeId: number;
  readonly service: string;
  readonly type: string;
  readonly series: IdList;
  rows: number;
}

/** What a commit brought that was not known before; ids ascend in every list. */
export interface NewNames {
  services: readonly (readonly [serviceId: number, name: string])[];
  types: readonly (readonly [typeId: number, name: string])[];
  shapes: readonly (readonly [shapeId: number, signature: string])[];
  labels: readonly (readonly [labelId: number, name: string, value: string])[];
  /** Label ids in the canonical order of the labels. */
  series: readonly (readonly [seriesId: number, serviceId: number, typeId: number, labelIds: Iterable<number>])[];
}

/** The series that a selector means, for a thread that has no index. */
export interface ResolvedSelection {
  /** The (service, type) pairs that have selected profiles, and how many they have in all. */
  groups: { serviceId: number; typeId: number; rows: number }[];
  /** The commit up to which all this is true: later profiles must be left out. */
  seq: number;
  /** By series id: 1 for a selected one. Absent where all series of the groups are selected and the groups are few, or all. */
  series?: Uint8Array<ArrayBuffer>;
  everything: boolean;
  seriesCount: number;
  /** Profiles of the selected series, and of all. */
  rows: number;
  totalRows: number;
  /** No selected profile starts before or after, in ms. */
  firstMs: number;
  lastMs: number;
}

/** So many groups are worth a scan each; beyond it one scan of all profiles by id is cheaper. */
export const GROUP_SCANS = 4;

export class SeriesIndex {
  readonly labels: LabelIndex;
  readonly #limits: Limits;
  readonly #services = new Map<number, string>();
  readonly #types = new Map<number, string>();
  readonly #shapes = new Map<number, Shape>();
  readonly #groups: SeriesGroup[] = [];
  readonly #groupAt = new Map<string, number>();
  // By series id.
  #groupOf = new Uint32Array(1024);
  #rowsOf = new Uint32Array(1024);
  #firstMs = new Float64Array(1024);
  #lastMs = new Float64Array(1024);
  /** Where a series' label ids start in `#labelIds`; they end where the next one's start. */
  #labelStart = new Uint32Array(1025);
  readonly #labelIds = new IdList(4096);
  #lastSeriesId = 0;
  #rows = 0;
  #takenSeq = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
    this.labels = new LabelIndex(limits);
  }

  /** Every commit up to this one has been taken. */
  get takenSeq(): number {
    return this.#takenSeq;
  }

  get rows(): number {
    return this.#rows;
  }

  get lastSeriesId(): number {
    return this.#lastSeriesId;
  }

  get groups(): readonly SeriesGroup[] {
    return this.#groups;
  }

  takeNames(names: NewNames): void {
    for (const [id, name] of names.services) this.#services.set(id, name);
    for (const [id, name] of names.types) this.#types.set(id, name);
    for (const [id, signature] of names.shapes) this.#shapes.set(id, parseShapeSignature(signature));
    for (const [id, name, value] of names.labels) this.labels.addLabel(id, name, value);
    for (const [seriesId, serviceId, typeId, labelIds] of names.series) {
      this.takeSeries(seriesId, serviceId, typeId, labelIds);
    }
  }

  /** Its service, type and labels are taken already; series ids ascend. */
  takeSeries(seriesId: number, serviceId: number, typeId: number, labelIds: Iterable<number>): void {
    this.#grow(seriesId);
    // Ids may have gaps: those between have no labels.
    this.#labelStart.fill(this.#labelIds.length, this.#lastSeriesId + 1, seriesId + 1);
    for (const labelId of labelIds) this.#labelIds.push(labelId);
    this.#labelStart[seriesId + 1] = this.#labelIds.length;
    this.#lastSeriesId = seriesId;
    this.#firstMs[seriesId] = Number.POSITIVE_INFINITY;
    this.#lastMs[seriesId] = Number.NEGATIVE_INFINITY;
    const key = `${serviceId}/${typeId}`;
    let at = this.#groupAt.get(key);
    if (at === undefined) {
      at = this.#groups.length;
      this.#groupAt.set(key, at);
      const service = this.#services.get(serviceId)!;
      const type = this.#types.get(typeId)!;
      this.#groups.push({ serviceId, typeId, service, type, series: new IdList(), rows: 0 });
    }
    this.#groups[at]!.series.push(seriesId);
    this.#groupOf[seriesId] = at;
    this.labels.addSeries(seriesId, this.labelIdsOf(seriesId));
  }

  #grow(seriesId: number): void {
    if (seriesId < this.#rowsOf.length) return;
    const capacity = Math.max(seriesId + 1, this.#rowsOf.length * 2);
    const larger = <Column extends Uint32Array | Float64Array>(next: Column, old: Column) => {
      next.set(old);
      return next;
    };
    this.#groupOf = larger(new Uint32Array(capacity), this.#groupOf);
    this.#rowsOf = larger(new Uint32Array(capacity), this.#rowsOf);
    this.#firstMs = larger(new Float64Array(capacity), this.#firstMs);
    this.#lastMs = larger(new Float64Array(capacity), this.#lastMs);
    this.#labelStart = larger(new Uint32Array(capacity + 1), this.#labelStart);
  }

  /** `count` profiles of a series that start in [firstMs, lastMs] are in the catalog now. */
  takeRows(seriesId: number, count: number, firstMs: number, lastMs: number): void {
    this.#rowsOf[seriesId]! += count;
    this.#groups[this.#groupOf[seriesId]!]!.rows += count;
    this.#rows += count;
    if (firstMs < this.#firstMs[seriesId]!) this.#firstMs[seriesId] = firstMs;
    if (lastMs > this.#lastMs[seriesId]!) this.#lastMs[seriesId] = lastMs;
  }

  takeSeq(seq: number): void {
    this.#takenSeq = Math.max(this.#takenSeq, seq);
  }

  /** The times stay: as bounds they are still true. */
  takeDeletion(seriesId: number, count: number): void {
    this.#rowsOf[seriesId]! -= count;
    this.#groups[this.#groupOf[seriesId]!]!.rows -= count;
    this.#rows -= count;
    if (this.#rowsOf[seriesId] !== 0) return;
    this.#firstMs[seriesId] = Number.POSITIVE_INFINITY;
    this.#lastMs[seriesId] = Number.NEGATIVE_INFINITY;
  }

  groupOf(seriesId: number): SeriesGroup {
    return this.#groups[this.#groupOf[seriesId]!]!;
  }

  labelIdsOf(seriesId: number): Uint32Array {
    return this.#labelIds.view().subarray(this.#labelStart[seriesId]!, this.#labelStart[seriesId + 1]!);
  }

  labelsOf(seriesId: number): Labels {
    return Array.from(this.labelIdsOf(seriesId), (labelId) => this.labels.label(labelId));
  }

  identityOf(seriesId: number): { service: string; type: string; labels: Labels } {
    const { service, type } = this.groupOf(seriesId);
    return { service, type, labels: this.labelsOf(seriesId) };
  }

  shapeOf(shapeId: number): Shape {
    return this.#shapes.get(shapeId)!;
  }

  /** Shapes whose profiles most_cpu orders by another column than the first. */
  rankColumns(): [shapeId: number, column: number][] {
    return [...this.#shapes]
      .map(([shapeId, shape]): [number, number] => [shapeId, rankColumn(shape)])
      .filter(([, column]) => column !== 0);
  }

  /** Profiles of a series, and bounds of their starts in ms. */
  extentOf(seriesId: number): { rows: number; firstMs: number; lastMs: number } {
    return {
      rows: this.#rowsOf[seriesId]!,
      firstMs: this.#firstMs[seriesId]!,
      lastMs: this.#lastMs[seriesId]!,
    };
  }

  /** Regular expressions over many values are tested by `matchElsewhere`; the answer holds for the moment in which this resolves. */
  async resolve(selector: Selector, matchElsewhere: MatchElsewhere, needsSeries = false): Promise<ResolvedSelection> {
    const patterns = selector.labels.map(({ value }) => value).join(" ");
    const deadline = regexpDeadline(patterns, selector.labels.length, this.#limits);
    for (const matcher of selector.labels) {
      deadline();
      await this.labels.prepare(matcher, matchElsewhere);
    }
    const groups = this.#selectGroups(selector);
    const everything = groups.reduce((sum, { rows }) => sum + rows, 0) === this.#rows;
    const isWhole = selector.labels.length === 0 && (everything || groups.length <= GROUP_SCANS);
    return isWhole && !needsSeries ? this.#wholeGroups(groups, everything) : this.#someSeries(selector, groups);
  }

  #selectGroups(selector: Selector): SeriesGroup[] {
    const service = memoTest(selector.services, this.#limits);
    const type = memoTest(selector.types, this.#limits);
    return this.#groups.filter((group) => group.rows > 0 && service(group.service) && type(group.type));
  }

  #wholeGroups(groups: readonly SeriesGroup[], everything: boolean): ResolvedSelection {
    return {
      groups: groups.map(forThread),
      seq: this.#takenSeq,
      everything,
      seriesCount: groups.reduce((sum, { series }) => sum + series.length, 0),
      rows: groups.reduce((sum, { rows }) => sum + rows, 0),
      totalRows: this.#rows,
      firstMs: 0,
      lastMs: Number.POSITIVE_INFINITY,
    };
  }

  #someSeries(selector: Selector, groups: readonly SeriesGroup[]): ResolvedSelection {
    const hits = new Uint8Array(this.#lastSeriesId + 1);
    for (const matcher of selector.labels) this.labels.exclude(matcher, hits);
    const required = selector.labels.filter((matcher) => this.labels.requiresName(matcher));
    let candidates = groups.map((group) => group.series.view());
    for (const [round, matcher] of required.entries()) candidates = [this.labels.raise(matcher, hits, round).view()];
    const series = new Uint8Array(hits.length);
    const rowsInGroup = new Float64Array(this.#groups.length).fill(-1);
    for (const group of groups) rowsInGroup[this.#groups.indexOf(group)] = 0;
    let [seriesCount, rows, firstMs, lastMs] = [0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const ids of candidates) {
      for (const seriesId of ids) {
        const own = this.#rowsOf[seriesId]!;
        const group = this.#groupOf[seriesId]!;
        if (hits[seriesId] !== required.length || own === 0 || rowsInGroup[group]! < 0) continue;
        series[seriesId] = 1;
        seriesCount++;
        rows += own;
        rowsInGroup[group]! += own;
        if (this.#firstMs[seriesId]! < firstMs) firstMs = this.#firstMs[seriesId]!;
        if (this.#lastMs[seriesId]! > lastMs) lastMs = this.#lastMs[seriesId]!;
      }
    }
    return {
      groups: this.#groups.filter((_, at) => rowsInGroup[at]! > 0).map(forThread),
      series,
      seq: this.#takenSeq,
      everything: false,
      seriesCount,
      rows,
      totalRows: this.#rows,
      firstMs,
      lastMs,
    };
  }
}

function forThread({ serviceId, typeId, rows }: SeriesGroup): ResolvedSelection["groups"][number] {
  return { serviceId, typeId, rows };
}

/** All matchers on one name; each distinct value is tested once. */
function memoTest(matchers: readonly Matcher[], limits: Limits): (value: string) => boolean {
  const tests = matchers.map((matcher) => compileMatcher(matcher, limits));
  const deadline = regexpDeadline(matchers.map(({ value }) => value).join(" "), matchers.length, limits);
  const known = new Map<string, boolean>();
  return (value) => {
    let holds = known.get(value);
    if (holds === undefined) {
      deadline();
      holds = tests.every((test) => test([value]));
      known.set(value, holds);
    }
    return holds;
  };
}
