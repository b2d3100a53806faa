// What a mapping says beyond its key (start, limit, file, build id, flags), which profiles may say differently: the first in
// canonical order that uses it has the word. And which mapping is the main binary: the first of the first profile that has any.

import { grown } from "./grow.ts";
import type { Interner } from "./interner.ts";
import { LOCATION_STRIDE } from "./location-table.ts";
import { MAPPING_STRIDE } from "./mapping-table.ts";
import type { ProfileInterner } from "./profile-interner.ts";
import type { ProfileTables } from "./profile-tables.ts";
import type { SampleReader } from "./sample-reader.ts";

export interface MainMapping {
  /** Position of its profile in canonical order. */
  order: number;
  mapping: number;
  attributes: Int32Array;
}

/** What one profile said of a mapping: a row of mapping-table.ts, its strings as byte strings. */
export interface MappingStatement {
  order: number;
  attributes: number[];
  file: string;
  buildId: string;
}

export interface MappingsState {
  main: MappingStatement | undefined;
  others: MappingStatement[];
}

/** A profile that the interner took last and whose samples are known to be readable. */
export interface MappingSource {
  tables: ProfileTables;
  interner: ProfileInterner;
  samples: SampleReader;
  /** The columns of the profile that are summed. */
  columns: Int32Array;
}

export class MergedMappings {
  /** A row of mapping-table.ts per mapping, with interned strings. */
  attributes: Int32Array = new Int32Array(MAPPING_STRIDE * 16);
  /** Position in canonical order of the profile that gave the attributes; Infinity for nobody yet. */
  #orders: Float64Array = new Float64Array(16).fill(Number.POSITIVE_INFINITY);
  main: MainMapping | undefined;

  /** Memory held. */
  get bytes(): number {
    return this.attributes.byteLength + this.#orders.byteLength;
  }

  #orderOf(mapping: number): number {
    return mapping < this.#orders.length ? this.#orders[mapping]! : Number.POSITIVE_INFINITY;
  }

  /** Lets the profile at `order` have its say. */
  take(source: MappingSource, order: number): void {
    const { tables, interner } = source;
    const { count } = tables.mappings;
    if (count === 0) return;
    if (this.main === undefined || order < this.main.order) {
      this.main = { order, mapping: interner.mappingOf[0]!, attributes: internedRow(source, 0) };
    }
    let open: Uint8Array | undefined;
    for (let row = 0; row < count; row++) {
      if (tables.locations.usesMapping[row] === 0 || this.#orderOf(interner.mappingOf[row]!) <= order) continue;
      open ??= new Uint8Array(count);
      open[row] = 1;
    }
    if (open) this.#claimInOrderOfUse(source, order, open);
  }

  state({ strings, mappings }: Interner): MappingsState {
    const statement = (order: number, attributes: Int32Array): MappingStatement => ({
      order,
      attributes: [...attributes],
      file: strings.byteString(attributes[6]!),
      buildId: strings.byteString(attributes[7]!),
    });
    const others: MappingStatement[] = [];
    for (let mapping = 0; mapping < mappings.count; mapping++) {
      const order = this.#orderOf(mapping);
      const at = mapping * MAPPING_STRIDE;
      if (Number.isFinite(order)) others.push(statement(order, this.attributes.subarray(at, at + MAPPING_STRIDE)));
    }
    return { main: this.main && statement(this.main.order, this.main.attributes), others };
  }

  absorb(state: MappingsState, interner: Interner): void {
    const intern = ({ order, ...said }: MappingStatement): MainMapping => {
      const attributes = Int32Array.from(said.attributes);
      attributes[6] = interner.strings.internByteString(said.file);
      attributes[7] = interner.strings.internByteString(said.buildId);
      return { order, attributes, mapping: interner.mapping(attributes, 0, attributes[6], attributes[7]) };
    };
    if (state.main && (!this.main || state.main.order < this.main.order)) this.main = intern(state.main);
    for (const { mapping, order, attributes } of state.others.map(intern)) this.#claim(mapping, order, attributes);
  }

  /** Keeps `attributes` for a mapping unless an earlier profile gave some. */
  #claim(mapping: number, order: number, attributes: Int32Array): void {
    if (this.#orderOf(mapping) <= order) return;
    this.#reserve(mapping + 1);
    this.#orders[mapping] = order;
    this.attributes.set(attributes, mapping * MAPPING_STRIDE);
  }

  /** Mappings of the profile are asked in the order in which its non-zero samples use them. */
  #claimInOrderOfUse(source: MappingSource, order: number, isOpen: Uint8Array): void {
    const { tables, interner, samples, columns } = source;
    let open = isOpen.reduce((sum, flag) => sum + flag, 0);
    for (let sample = 0; sample < tables.samples.count && open > 0; sample++) {
      samples.read(sample);
      if (samples.isZero(columns)) continue;
      for (let at = 0; at < samples.stackLength; at++) {
        const mapping = tables.locations.rows[samples.stack[at]! * LOCATION_STRIDE]!;
        if (mapping < 0 || isOpen[mapping] === 0) continue;
        this.#claim(interner.mappingOf[mapping]!, order, internedRow(source, mapping));
        isOpen[mapping] = 0;
        open--;
      }
    }
  }

  #reserve(count: number): void {
    this.attributes = grown(this.attributes, count * MAPPING_STRIDE);
    if (count <= this.#orders.length) return;
    const larger = new Float64Array(count * 2).fill(Number.POSITIVE_INFINITY);
    larger.set(this.#orders);
    this.#orders = larger;
  }
}

/** A row of the profile's mapping table with interned strings. */
function internedRow({ tables, interner }: MappingSource, row: number): Int32Array {
  const attributes = tables.mappings.rows.slice(row * MAPPING_STRIDE, (row + 1) * MAPPING_STRIDE);
  attributes[6] = interner.string(attributes[6]!);
  attributes[7] = interner.string(attributes[7]!);
  return attributes;
}
