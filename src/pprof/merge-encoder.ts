// A merge → uncompressed protobuf, in canonical order. Ids are dense from 1; strings are numbered by first use.

import { DomainError } from "../model/errors.ts";
import type { CanonicalOrder } from "./canonical-order.ts";
import { type Interner, LOCATION_HEAD } from "./interner.ts";
import { labelsInOrder } from "./label-order.ts";
import { LINE_STRIDE } from "./location-table.ts";
import { MAPPING_STRIDE } from "./mapping-table.ts";
import type { ByteValueType } from "./merge-columns.ts";
import type { MergedHeader } from "./merge-header.ts";
import { FUNCTION, LABEL, LINE, LOCATION, MAPPING, PROFILE, SAMPLE, VALUE_TYPE } from "./schema.ts";
import { varint64Size, varintSize, WireWriter } from "./wire-writer.ts";

export interface MergeContent {
  interner: Interner;
  order: CanonicalOrder;
  header: MergedHeader;
  periodType: ByteValueType;
  columns: readonly ByteValueType[];
  /** Halves of the sums of each row: `sumColumns` pairs per row of the interner. */
  sums: Int32Array;
  sumColumns: number;
  /** For each of `columns`, its place among the sums of a row. */
  sumOf: Int32Array;
  /** Rows of mapping-table.ts with interned strings, by mapping id of the interner. */
  mappingAttributes: Int32Array;
  mainAttributes: Int32Array | undefined;
}

/** Throws `too-large` once more than `maxBytes` would be written. */
export function encodeMerge(content: MergeContent, maxBytes: number): Uint8Array<ArrayBuffer> {
  return new MergeEncoder(content, maxBytes).encode();
}

class MergeEncoder {
  readonly #content: MergeContent;
  readonly #maxBytes: number;
  readonly #out = new WireWriter();
  /** Per string id of the interner its index in the output, from 1; 0 for unused. */
  #indexes: Int32Array;
  readonly #strings: number[] = [];
  /** The label fields of a sample, by label set. */
  readonly #labels = new Map<number, Uint8Array>();

  constructor(content: MergeContent, maxBytes: number) {
    this.#content = content;
    this.#maxBytes = maxBytes;
    this.#indexes = new Int32Array(content.interner.strings.count + 64);
  }

  encode(): Uint8Array<ArrayBuffer> {
    const { columns, order } = this.#content;
    for (const column of columns) this.#writeValueType(PROFILE.sampleType, column);
    this.#writeSamples();
    for (const mapping of order.mappings) this.#writeMapping(mapping);
    for (const location of order.locations) this.#writeLocation(location);
    for (const fn of order.functions) this.#writeFunction(fn);
    this.#writeHeader();
    this.#writeStrings();
    this.#checkSize();
    return this.#out.finish();
  }

  #checkSize(): void {
    if (this.#out.length <= this.#maxBytes) return;
    throw new DomainError(
      "too-large",
      `Cannot write the merge of ${this.#content.order.rows.length} samples: it has more than the ${this.#maxBytes} bytes allowed; ask for a shorter window or more labels, or set max_nodes`,
      { subject: "result" },
    );
  }

  /** Index of an interned string in the output. */
  #string(id: number): number {
    if (id === 0) return 0;
    if (id >= this.#indexes.length) {
      const larger = new Int32Array(id * 2);
      larger.set(this.#indexes);
      this.#indexes = larger;
    }
    if (this.#indexes[id] === 0) this.#indexes[id] = this.#strings.push(id);
    return this.#indexes[id]!;
  }

  #text(byteString: string): number {
    return this.#string(this.#content.interner.strings.internByteString(byteString));
  }

  #writeValueType(field: number, [type, unit]: ByteValueType): void {
    const start = this.#out.open(field);
    this.#out.number(VALUE_TYPE.type, this.#text(type));
    this.#out.number(VALUE_TYPE.unit, this.#text(unit));
    this.#out.close(start);
  }

  #writeSamples(): void {
    const { interner, order } = this.#content;
    const { stacks, rows } = interner;
    const { locationIds } = order;
    let ids = new Int32Array(256);
    for (const row of order.rows) {
      let depth = 0;
      let stackSize = 0;
      for (let node = rows.nodes[row]!; node !== 0; node = stacks.nodes[node * 2]!) {
        const id = locationIds[stacks.nodes[node * 2 + 1]!]!;
        if (depth === ids.length) {
          const larger = new Int32Array(depth * 2);
          larger.set(ids);
          ids = larger;
        }
        ids[depth++] = id;
        stackSize += varintSize(id);
      }
      this.#writeSample(row, ids, depth, stackSize);
      if (this.#out.length > this.#maxBytes) this.#checkSize();
    }
  }

  #writeSample(row: number, ids: Int32Array, depth: number, stackSize: number): void {
    const { sums, sumColumns, sumOf } = this.#content;
    const out = this.#out;
    const labels = this.#labelFields(this.#content.interner.rows.labelSets[row]!);
    const first = row * sumColumns;
    let valuesSize = 0;
    for (let column = 0; column < sumOf.length; column++) {
      const at = (first + sumOf[column]!) * 2;
      valuesSize += varint64Size(sums[at]!, sums[at + 1]!);
    }
    let size = 1 + varintSize(valuesSize) + valuesSize + labels.length;
    if (depth > 0) size += 1 + varintSize(stackSize) + stackSize;
    out.lengthField(PROFILE.sample, size);
    if (depth > 0) out.lengthField(SAMPLE.locationId, stackSize);
    for (let at = 0; at < depth; at++) out.varint(ids[at]!);
    out.lengthField(SAMPLE.value, valuesSize);
    for (let column = 0; column < sumOf.length; column++) {
      const at = (first + sumOf[column]!) * 2;
      out.varint64(sums[at]!, sums[at + 1]!);
    }
    if (labels.length > 0) out.bytes(labels);
  }

  #labelFields(set: number): Uint8Array {
    const known = this.#labels.get(set);
    if (known !== undefined) return known;
    const { labelSets, strings } = this.#content.interner;
    const out = new WireWriter(64);
    for (const label of labelsInOrder(set, labelSets, strings)) {
      const start = out.open(SAMPLE.label);
      out.number(LABEL.key, this.#string(label.key));
      out.number(LABEL.str, this.#string(label.text));
      out.number64(LABEL.num, label.numLo, label.numHi);
      out.number(LABEL.numUnit, this.#string(label.unit));
      out.close(start);
    }
    const fields = out.finish();
    this.#labels.set(set, fields);
    return fields;
  }

  #writeMapping(mapping: number): void {
    const out = this.#out;
    const id = this.#content.order.mappingIds[mapping]!;
    const attributes = this.#attributes(mapping);
    const [startLo, startHi, limitLo, limitHi, offsetLo, offsetHi, file, buildId, flags] = attributes;
    const start = out.open(PROFILE.mapping);
    out.number(MAPPING.id, id);
    out.number64(MAPPING.start, startLo!, startHi!);
    out.number64(MAPPING.limit, limitLo!, limitHi!);
    out.number64(MAPPING.offset, offsetLo!, offsetHi!);
    out.number(MAPPING.file, this.#string(file!));
    out.number(MAPPING.buildId, this.#string(buildId!));
    for (let flag = 0; flag < 4; flag++) out.number(MAPPING.hasFunctions + flag, (flags! >> flag) & 1);
    out.close(start);
  }

  /** The main mapping speaks as its profile does, all others as the first that used them. */
  #attributes(mapping: number): Int32Array {
    const { mainAttributes, mappingAttributes, order } = this.#content;
    if (mainAttributes !== undefined && mapping === order.mappings[0]) return mainAttributes;
    return mappingAttributes.subarray(mapping * MAPPING_STRIDE, (mapping + 1) * MAPPING_STRIDE);
  }

  #writeLocation(location: number): void {
    const out = this.#out;
    const { order, interner } = this.#content;
    const { data, ends } = interner.locations;
    const at = ends[location]!;
    const end = ends[location + 1]!;
    const mapping = data[at]!;
    let lo = data[at + 1]! >>> 0;
    let hi = data[at + 2]!;
    const start = out.open(PROFILE.location);
    out.number(LOCATION.id, order.locationIds[location]!);
    if (mapping >= 0) {
      const attributes = this.#attributes(mapping);
      lo += attributes[0]! >>> 0;
      hi += attributes[1]! + (lo > 0xffff_ffff ? 1 : 0);
      out.number(LOCATION.mappingId, order.mappingIds[mapping]!);
    }
    out.number64(LOCATION.address, lo | 0, hi | 0);
    for (let line = at + LOCATION_HEAD; line < end; line += LINE_STRIDE) {
      const lineStart = out.open(LOCATION.line);
      out.number(LINE.functionId, order.functionIds[data[line]!]!);
      out.number64(LINE.line, data[line + 1]!, data[line + 2]!);
      out.number64(LINE.column, data[line + 3]!, data[line + 4]!);
      out.close(lineStart);
    }
    out.number(LOCATION.isFolded, data[at + 3]!);
    out.close(start);
  }

  #writeFunction(fn: number): void {
    const out = this.#out;
    const { data, ends } = this.#content.interner.functions;
    const at = ends[fn]!;
    const start = out.open(PROFILE.function);
    out.number(FUNCTION.id, this.#content.order.functionIds[fn]!);
    out.number(FUNCTION.name, this.#string(data[at]!));
    out.number(FUNCTION.systemName, this.#string(data[at + 1]!));
    out.number(FUNCTION.file, this.#string(data[at + 2]!));
    out.number64(FUNCTION.startLine, data[at + 3]!, data[at + 4]!);
    out.close(start);
  }

  #writeHeader(): void {
    const out = this.#out;
    const { header, periodType } = this.#content;
    out.number(PROFILE.dropFrames, this.#text(header.dropFrames));
    out.number(PROFILE.keepFrames, this.#text(header.keepFrames));
    out.integer(PROFILE.timeNs, header.timeNs);
    out.integer(PROFILE.durationNs, header.durationNs);
    if (periodType[0] !== "" || periodType[1] !== "") this.#writeValueType(PROFILE.periodType, periodType);
    out.integer(PROFILE.period, header.period);
    if (header.comments.length > 0) {
      const comments = header.comments.map((comment) => this.#text(comment));
      const start = out.open(PROFILE.comment);
      for (const comment of comments) out.varint(comment);
      out.close(start);
    }
    out.number(PROFILE.defaultSampleType, this.#text(header.defaultSampleType));
    out.number(PROFILE.docUrl, this.#text(header.docUrl));
  }

  #writeStrings(): void {
    const out = this.#out;
    out.lengthField(PROFILE.stringTable, 0);
    for (const id of this.#strings) {
      const bytes = this.#content.interner.strings.get(id);
      out.lengthField(PROFILE.stringTable, bytes.length);
      out.bytes(bytes);
    }
  }
}
