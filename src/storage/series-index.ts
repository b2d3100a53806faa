// The series in memory: who they are, how many profiles each has and when. It follows the writer's commits; it never reads the database
// itself. Which of them a selector means, src/storage/resolved-selection.ts finds out.

import type { Labels } from "../model/labels.ts";
import type { Limits } from "../model/limits.ts";
import { parseShapeSignature, type Shape } from "../model/shape.ts";
import { IdList } from "./id-list.ts";
import { LabelIndex } from "./label-index.ts";
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

/** By series id. */
export interface SeriesColumns {
  /** Positions in `groups`. */
  readonly groupOf: Uint32Array;
  readonly rowsOf: Uint32Array;
  /** Bounds of the profiles' starts. */
  readonly firstMsOf: Float64Array;
  readonly lastMsOf: Float64Array;
}

export class SeriesIndex {
  readonly labels: LabelIndex;
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

  namesOf(serviceId: number, typeId: number): { service: string; type: string } {
    return { service: this.#services.get(serviceId)!, type: this.#types.get(typeId)! };
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

  /** The columns themselves, for those who walk very many series; the next commit may leave them behind. */
  columns(): SeriesColumns {
    return { groupOf: this.#groupOf, rowsOf: this.#rowsOf, firstMsOf: this.#firstMs, lastMsOf: this.#lastMs };
  }
}
