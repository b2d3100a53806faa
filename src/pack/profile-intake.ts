// One inflated profile after the other → ids of the interner of a pack: rows with their values, tuples of what it says beside them, and the
// form it was written in. What becomes of them is pack-builder.ts's business.

import { DomainError } from "../model/errors.ts";
import type { Limits } from "../model/limits.ts";
import type { Shape } from "../model/shape.ts";
import { grown } from "../pprof/grow.ts";
import { Interner } from "../pprof/interner.ts";
import { convertLegacy } from "../pprof/legacy/convert.ts";
import { MAPPING_STRIDE } from "../pprof/mapping-table.ts";
import { ProfileInterner } from "../pprof/profile-interner.ts";
import { ProfileTables } from "../pprof/profile-tables.ts";
import { SampleReader } from "../pprof/sample-reader.ts";
import { TupleInterner } from "../pprof/tuple-interner.ts";
import { learnWrittenForm } from "./exact/learn.ts";
import { ProfileWriter } from "./exact/profile-writer.ts";
import type { WrittenForm, WrittenProfile } from "./exact/written-profile.ts";
import { PROCESS_STRIDE } from "./pack-heads.ts";
import { KIND } from "./pack-profiles.ts";

/** What a profile is in a pack, but for its rows. */
export interface TakenProfile {
  kind: number;
  /** Bytes that must be kept. */
  kept: Uint8Array | undefined;
  /** Orders of the written form. */
  orders: Uint8Array;
  ownTimeNs: bigint;
  durationNs: bigint;
  period: bigint;
  rowCount: number;
  heading: number;
  process: number;
  uses: number;
  skeleton: number;
}

/** Tuples that pack-heads.ts writes, strings in them those of the interner. */
export interface HeadTuples {
  headings: TupleInterner;
  processes: TupleInterner;
  uses: TupleInterner;
  skeletons: TupleInterner;
}

const NO_BYTES = new Uint8Array(0);

export class ProfileIntake {
  readonly #shape: Shape;
  readonly #limits: Limits;
  readonly #tables = new ProfileTables();
  readonly #samples: SampleReader;
  readonly #writer = new ProfileWriter();
  readonly interner = new Interner();
  readonly #reader = new ProfileInterner(this.interner, { labelsAsWritten: true });
  readonly heads: HeadTuples = {
    headings: new TupleInterner(),
    processes: new TupleInterner(),
    uses: new TupleInterner(),
    skeletons: new TupleInterner(),
  };
  /** Of the profile taken last, in the order written: rows of the interner, and halves of values, row after row, column after column. */
  rows: Int32Array = new Int32Array(512);
  values: Int32Array = new Int32Array(2048);
  /** By mapping of the interner: its row in the profile. */
  #mappingRows: Int32Array = new Int32Array(16);

  constructor(shape: Shape, limits: Limits) {
    this.#shape = shape;
    this.#limits = limits;
    this.#samples = new SampleReader(this.#tables, limits);
    this.#samples.keepsEmptyLabels = true;
  }

  /** Memory held by what all profiles share. */
  get bytes(): number {
    const { headings, processes, uses, skeletons } = this.heads;
    return this.interner.bytes + headings.bytes + processes.bytes + uses.bytes + skeletons.bytes;
  }

  /** Memory held to take the next profile. */
  get scratchBytes(): number {
    return this.rows.byteLength + this.values.byteLength + this.#reader.bytes + this.#tables.bytes;
  }

  /** Throws `invalid` for bytes that are no profile, in a legacy format neither, and `conflict` for one of another shape. */
  take(inflated: Uint8Array): TakenProfile {
    try {
      if (this.#load(inflated)) return this.#take(undefined);
      const converted = convertLegacy(inflated, this.#limits);
      if (converted === undefined) throw new DomainError("invalid", "Cannot pack what is no profile");
      this.#tables.load(converted, this.#limits);
      return this.#take(new Uint8Array(inflated)); // not slice(): a Buffer's shares its memory
    } finally {
      this.#tables.release();
      this.#reader.release();
    }
  }

  #load(raw: Uint8Array): boolean {
    try {
      this.#tables.load(raw, this.#limits);
      return true;
    } catch (error) {
      if (error instanceof DomainError && error.kind === "invalid") return false;
      throw error;
    }
  }

  /** `original` is what must be kept whatever the rows tell. */
  #take(original: Uint8Array | undefined): TakenProfile {
    const tables = this.#tables;
    this.#checkShape();
    const { header } = tables;
    this.#reader.take(tables);
    const heading = this.#heading();
    const process = this.#process();
    const isPlain = this.#placeMappings();
    const rowCount = isPlain ? this.#readSamples() : 0;
    const form = isPlain && !original ? this.#learn(heading, process, rowCount) : undefined;
    return {
      kind: !isPlain ? KIND.bytes : form ? KIND.rows : KIND.both,
      kept: form ? undefined : (original ?? new Uint8Array(tables.raw)),
      orders: form?.orders.slice() ?? NO_BYTES,
      ownTimeNs: header.timeNs,
      durationNs: header.durationNs,
      period: header.period,
      rowCount,
      heading,
      process,
      uses: isPlain ? this.#uses(rowCount) : this.heads.uses.intern(0),
      skeleton: this.#skeleton(form),
    };
  }

  #checkShape(): void {
    const { columns, periodType } = this.#shape;
    const { header } = this.#tables;
    const isSame = ([type, unit]: readonly [number, number], wanted: { type: string; unit: string } | undefined) =>
      wanted !== undefined && this.#tables.text(type) === wanted.type && this.#tables.text(unit) === wanted.unit;
    const fits =
      header.columnCount === columns.length &&
      header.sampleTypes.every((type, column) => isSame(type, columns[column])) &&
      isSame(header.periodType, periodType);
    if (!fits) throw new DomainError("conflict", "Cannot pack a profile of another shape than that of the pack");
  }

  #heading(): number {
    const { header } = this.#tables;
    const texts = [
      ...header.sampleTypes.flat(),
      ...header.periodType,
      header.dropFrames,
      header.keepFrames,
      header.defaultSampleType,
      header.docUrl,
      ...header.comments,
    ];
    const key = this.heads.headings.reserve(texts.length);
    texts.forEach((text, at) => {
      key[at] = this.#reader.string(text);
    });
    return this.heads.headings.intern(texts.length);
  }

  #process(): number {
    const { mappings } = this.#tables;
    const length = mappings.count * PROCESS_STRIDE;
    const key = this.heads.processes.reserve(length);
    for (let row = 0; row < mappings.count; row++) {
      const from = row * MAPPING_STRIDE;
      const to = row * PROCESS_STRIDE;
      for (let part = 0; part < MAPPING_STRIDE; part++) key[to + part] = mappings.rows[from + part]!;
      key[to + 6] = this.#reader.string(mappings.rows[from + 6]!);
      key[to + 7] = this.#reader.string(mappings.rows[from + 7]!);
      key[to + MAPPING_STRIDE] = this.#reader.mappingOf[row]!;
    }
    return this.heads.processes.intern(length);
  }

  /** Notes the first row of each mapping. False where a location uses another one: tables cannot tell which. */
  #placeMappings(): boolean {
    const { mappings, locations } = this.#tables;
    this.#mappingRows = grown(this.#mappingRows, this.interner.mappings.count);
    this.#mappingRows.fill(-1, 0, this.interner.mappings.count);
    for (let row = 0; row < mappings.count; row++) {
      const mapping = this.#reader.mappingOf[row]!;
      if (this.#mappingRows[mapping]! < 0) this.#mappingRows[mapping] = row;
      else if (locations.usesMapping[row] !== 0) return false;
    }
    return true;
  }

  /** Interns the samples and notes their values. Answers how many they are. */
  #readSamples(): number {
    const samples = this.#samples;
    const reader = this.#reader;
    const total = this.#tables.samples.count;
    samples.start();
    const width = this.#tables.header.columnCount * 2;
    this.rows = grown(this.rows, total);
    this.values = grown(this.values, total * width);
    const noted = this.values;
    const { values } = samples;
    let to = 0;
    for (let sample = 0; sample < total; sample++) {
      samples.read(sample);
      if (reader.noted.isFull) reader.resolve(this.rows, sample - reader.noted.count);
      reader.note(samples);
      for (let half = 0; half < width; half++) noted[to++] = values[half]!;
    }
    reader.resolve(this.rows, total - reader.noted.count);
    return total;
  }

  #learn(heading: number, process: number, rowCount: number): WrittenForm | undefined {
    const { header } = this.#tables;
    const { headings, processes } = this.heads;
    const texts = headings.data.subarray(headings.ends[heading], headings.ends[heading + 1]);
    const types = header.columnCount * 2;
    const mappings = this.#mappingsOf(processes, process);
    const interner = this.interner;
    const profile: WrittenProfile = {
      tables: {
        ...interner.strings.content(),
        functions: interner.functions.data,
        locations: interner.locations.data,
        locationEnds: interner.locations.ends,
        nodes: interner.stacks.nodes,
        labelSets: interner.labelSets.data,
        labelSetEnds: interner.labelSets.ends,
        rowNodes: interner.rows.nodes,
        rowLabelSets: interner.rows.labelSets,
      },
      header: {
        sampleTypes: texts.subarray(0, types),
        periodType: texts.subarray(types, types + 2),
        dropFrames: texts[types + 2]!,
        keepFrames: texts[types + 3]!,
        defaultSampleType: texts[types + 4]!,
        docUrl: texts[types + 5]!,
        comments: texts.subarray(types + 6),
        timeNs: header.timeNs,
        durationNs: header.durationNs,
        period: header.period,
      },
      mappings,
      mappingCount: mappings.length / MAPPING_STRIDE,
      mappingRows: this.#mappingRows,
      rows: this.rows,
      rowCount,
      values: this.values,
    };
    return learnWrittenForm(this.#writer, this.#tables, this.#samples, profile);
  }

  #mappingsOf(processes: TupleInterner, process: number): Int32Array {
    const start = processes.ends[process]!;
    const count = (processes.ends[process + 1]! - start) / PROCESS_STRIDE;
    const mappings = new Int32Array(count * MAPPING_STRIDE);
    for (let row = 0; row < count; row++) {
      const from = start + row * PROCESS_STRIDE;
      mappings.set(processes.data.subarray(from, from + MAPPING_STRIDE), row * MAPPING_STRIDE);
    }
    return mappings;
  }

  /** The mappings that samples other than zero ones use: only these have a say in a merge. */
  #uses(rowCount: number): number {
    const { mappings, locations, header } = this.#tables;
    const { stacks, rows, locations: known } = this.interner;
    const width = header.columnCount * 2;
    const isOpen = locations.usesMapping.slice(0, mappings.count);
    let open = isOpen.reduce((sum, flag) => sum + flag, 0);
    for (let at = 0; at < rowCount && open > 0; at++) {
      let bits = 0;
      for (let half = at * width; half < (at + 1) * width; half++) bits |= this.values[half]!;
      if (bits === 0) continue;
      for (let node = rows.nodes[this.rows[at]!]!; node > 0; node = stacks.nodes[node * 2]!) {
        const mapping = known.data[known.ends[stacks.nodes[node * 2 + 1]!]!]!;
        if (mapping < 0 || isOpen[this.#mappingRows[mapping]!] === 0) continue;
        isOpen[this.#mappingRows[mapping]!] = 0;
        open--;
      }
    }
    const key = this.heads.uses.reserve(mappings.count);
    let length = 0;
    for (let row = 0; row < mappings.count; row++) {
      if (locations.usesMapping[row] !== 0 && isOpen[row] === 0) key[length++] = row;
    }
    return this.heads.uses.intern(length);
  }

  #skeleton(form: WrittenForm | undefined): number {
    const bytes = form?.skeleton ?? NO_BYTES;
    this.heads.skeletons.reserve(bytes.length).set(bytes);
    return this.heads.skeletons.intern(bytes.length);
  }
}
