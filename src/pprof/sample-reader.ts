// The samples of loaded tables, one at a time and checked: stack, values and labels as integers, in arrays that are reused.

import type { Limits } from "../model/limits.ts";
import { grown } from "./grow.ts";
import { idText } from "./id-map.ts";
import { invalidProfile, oversizedProfile, strayString } from "./invalid-profile.ts";
import type { ProfileTables } from "./profile-tables.ts";
import { LABEL, SAMPLE, WIRE } from "./schema.ts";

/** Integers of a label: key, text (string indexes), number low, high, unit (string index). */
export const LABEL_STRIDE = 5;

export class SampleReader {
  readonly #tables: ProfileTables;
  readonly #framesMax: number;
  /** Which sample is being read, from 0. */
  #sample = 0;
  #columns = 0;

  /** Location rows of the current sample, leaf first. */
  readonly stack: Int32Array;
  stackLength = 0;
  /** Low and high halves of its values, one pair per column. */
  values: Int32Array = new Int32Array(16);
  #valueCount = 0;
  /**
   * Its labels; those that say nothing (no text, no number, no unit) are left out, as google/pprof leaves them out, unless
   * `keepsEmptyLabels` is set.
   */
  labels: Int32Array = new Int32Array(LABEL_STRIDE * 16);
  labelCount = 0;
  /** For what must be written again as it was. */
  keepsEmptyLabels = false;

  constructor(tables: ProfileTables, limits: Limits) {
    this.#tables = tables;
    this.#framesMax = limits.framesPerStack;
    this.stack = new Int32Array(limits.framesPerStack);
  }

  /** Call after each load of the tables. */
  start(): void {
    this.#columns = this.#tables.header.columnCount;
    this.values = grown(this.values, this.#columns * 2);
  }

  /** Reads sample `sample`, counted from 0. Throws `invalid` or `too-large`, naming it. */
  read(sample: number): void {
    const { reader, samples } = this.#tables;
    const end = samples.bounds[sample * 2 + 1]!;
    this.#sample = sample;
    this.stackLength = 0;
    this.#valueCount = 0;
    this.labelCount = 0;
    reader.pos = samples.bounds[sample * 2]!;
    reader.end = end;
    while (reader.pos < end) {
      const tag = reader.next();
      switch (tag) {
        case SAMPLE.locationId * 8 + WIRE.bytes:
          this.#readPackedStack();
          reader.end = end;
          break;
        case SAMPLE.locationId * 8:
          this.#addLocation();
          break;
        case SAMPLE.value * 8 + WIRE.bytes: {
          const valuesEnd = reader.stop;
          reader.end = valuesEnd;
          while (reader.pos < valuesEnd) {
            reader.varint();
            this.#addValue();
          }
          reader.end = end;
          break;
        }
        case SAMPLE.value * 8:
          this.#addValue();
          break;
        case SAMPLE.label * 8 + WIRE.bytes:
          this.#readLabel();
          reader.end = end;
          break;
        default:
          reader.pass(tag, SAMPLE.label);
      }
    }
    if (this.#valueCount !== this.#columns) {
      invalidProfile(`sample ${sample + 1} has ${this.#valueCount} values, its sample types are ${this.#columns}`);
    }
  }

  /** Whether its values in all of `columns` are 0. */
  isZero(columns: Int32Array): boolean {
    const values = this.values;
    let bits = 0;
    for (let at = 0; at < columns.length; at++) bits |= values[columns[at]! * 2]! | values[columns[at]! * 2 + 1]!;
    return bits === 0;
  }

  /** The common form of a stack: ids of one or two bytes that are dense. Others take the way of single ones. */
  #readPackedStack(): void {
    const { reader, raw, locations } = this.#tables;
    const { dense, denseSize } = locations.ids;
    const end = reader.stop;
    const stack = this.stack;
    const framesMax = this.#framesMax;
    let length = this.stackLength;
    let pos = reader.pos;
    reader.end = end;
    while (pos < end) {
      let id = raw[pos]!;
      let next = pos + 1;
      if (id >= 0x80) id = next < end ? (id & 0x7f) | (raw[next++]! << 7) : 0x4000;
      if (id < 0x4000 && id < denseSize && length < framesMax) {
        const row = dense[id]! - 1;
        if (row >= 0) {
          stack[length++] = row;
          pos = next;
          continue;
        }
      }
      reader.pos = pos;
      this.stackLength = length;
      reader.varint();
      this.#addLocation();
      length = this.stackLength;
      pos = reader.pos;
    }
    reader.pos = end;
    this.stackLength = length;
  }

  #addLocation(): void {
    const { reader, locations } = this.#tables;
    const row = locations.ids.get(reader.lo, reader.hi);
    if (row < 0) {
      const id = idText(reader.lo, reader.hi);
      invalidProfile(`sample ${this.#sample + 1} refers to location ${id}, which the profile does not have`);
    }
    if (this.stackLength === this.#framesMax) {
      oversizedProfile(`sample ${this.#sample + 1} has more than ${this.#framesMax} frames`);
    }
    this.stack[this.stackLength++] = row;
  }

  #addValue(): void {
    const reader = this.#tables.reader;
    if (this.#valueCount < this.#columns) {
      this.values[this.#valueCount * 2] = reader.lo;
      this.values[this.#valueCount * 2 + 1] = reader.hi;
    }
    this.#valueCount++;
  }

  #readLabel(): void {
    const reader = this.#tables.reader;
    const end = reader.stop;
    let key = 0;
    let str = 0;
    let numLo = 0;
    let numHi = 0;
    let unit = 0;
    reader.end = end;
    while (reader.pos < end) {
      const tag = reader.next();
      switch (tag) {
        case LABEL.key * 8:
          key = reader.index;
          break;
        case LABEL.str * 8:
          str = reader.index;
          break;
        case LABEL.num * 8:
          numLo = reader.lo;
          numHi = reader.hi;
          break;
        case LABEL.numUnit * 8:
          unit = reader.index;
          break;
        default:
          reader.pass(tag, LABEL.numUnit);
      }
    }
    if (str !== 0) {
      // A label with a text has no number; google/pprof does not even look at its unit.
      numLo = 0;
      numHi = 0;
      unit = 0;
    }
    const strings = this.#tables.strings.count;
    if (key >>> 0 >= strings || str >>> 0 >= strings || unit >>> 0 >= strings) {
      strayString("a label of sample", this.#sample, strings);
    }
    if (this.keepsEmptyLabels || (str | numLo | numHi | unit) !== 0) this.#addLabel(key, str, numLo, numHi, unit);
  }

  #addLabel(key: number, str: number, numLo: number, numHi: number, unit: number): void {
    const at = this.labelCount++ * LABEL_STRIDE;
    if (at + LABEL_STRIDE > this.labels.length) this.labels = grown(this.labels, at + LABEL_STRIDE);
    const labels = this.labels;
    labels[at] = key;
    labels[at + 1] = str;
    labels[at + 2] = numLo;
    labels[at + 3] = numHi;
    labels[at + 4] = unit;
  }
}
