// The orders of a form as a plan asks for them, found out from the profile as it was uploaded: the plan comes upon the same
// entities in the same places of both, which tells which row each of them is. What the guesses miss is written down.

import { FUNCTION_STRIDE } from "../../pprof/function-table.ts";
import { grown } from "../../pprof/grow.ts";
import { FUNCTION_KEY } from "../../pprof/interner.ts";
import { LINE_STRIDE, LOCATION_STRIDE } from "../../pprof/location-table.ts";
import { MAPPING_STRIDE } from "../../pprof/mapping-table.ts";
import type { ProfileHeader } from "../../pprof/profile-header.ts";
import type { ProfileTables } from "../../pprof/profile-tables.ts";
import { LABEL_STRIDE, type SampleReader } from "../../pprof/sample-reader.ts";
import type { Spans } from "../../pprof/spans.ts";
import { WireWriter } from "../../pprof/wire-writer.ts";
import type { LearntLayout } from "./learn-layout.ts";
import { misfit } from "./misfit.ts";
import { ORDERS } from "./stored-orders.ts";
import { writeIds, writeOrder } from "./table-order.ts";
import type { OrderSource } from "./table-plan.ts";
import { ODD_ROWS_MAX, TableRows } from "./table-rows.ts";
import { ChoiceRecorder, type TwinChooser } from "./twin-choices.ts";
import type { WriteState } from "./write-state.ts";
import type { WrittenHeader, WrittenProfile } from "./written-profile.ts";

/** The samples of a profile in its own rows: frames leaf first, labels, one sample behind the other. */
export interface OwnSamples {
  frames: Int32Array;
  labels: Int32Array;
}

/** `samples` keeps empty labels. */
export function readOwnSamples(source: ProfileTables, samples: SampleReader): OwnSamples {
  let frames: Int32Array = new Int32Array(source.samples.count * 16);
  let labels: Int32Array = new Int32Array(64);
  let frameCount = 0;
  let labelsEnd = 0;
  samples.start();
  for (let row = 0; row < source.samples.count; row++) {
    samples.read(row);
    frames = grown(frames, frameCount + samples.stackLength);
    for (let depth = 0; depth < samples.stackLength; depth++) frames[frameCount++] = samples.stack[depth]!;
    const size = samples.labelCount * LABEL_STRIDE;
    labels = grown(labels, labelsEnd + size);
    for (let at = 0; at < size; at++) labels[labelsEnd++] = samples.labels[at]!;
  }
  return { frames: frames.subarray(0, frameCount), labels: labels.subarray(0, labelsEnd) };
}

export class LearntOrders implements OrderSource {
  readonly #source: ProfileTables;
  readonly #own: OwnSamples;
  readonly #profile: WrittenProfile;
  readonly #ids: LearntLayout;
  readonly #frames = new ChoiceRecorder();
  readonly #lines = new ChoiceRecorder();
  /** Function rows of the lines of the location rows that are entities. */
  #ownLines: Int32Array = new Int32Array(0);
  #functions: TableRows | undefined;
  readonly #sections: [part: number, bytes: Uint8Array][] = [];

  constructor(source: ProfileTables, own: OwnSamples, profile: WrittenProfile, ids: LearntLayout) {
    this.#source = source;
    this.#own = own;
    this.#profile = profile;
    this.#ids = ids;
  }

  /** The orders of the form, once a plan was made with them. */
  finish(): Uint8Array {
    const out = new WireWriter(64);
    let present = 0;
    for (const [part] of this.#sections) present |= part;
    if (present === 0) return out.finish();
    out.varint(present);
    for (const [, bytes] of this.#sections) out.bytes(bytes);
    return out.finish();
  }

  locations(frames: Int32Array, entityCount: number): TableRows {
    const { locations } = this.#source;
    const numbers = numbersOfRows(this.#own.frames, frames, locations.count);
    return this.#rows(ORDERS.locations, numbers, locations.spans, entityCount, this.#ids.locationIds);
  }

  frameChooser(frame: number): TwinChooser {
    this.#frames.actual = this.#own.frames[frame]!;
    return this.#frames;
  }

  functions(lines: Int32Array, locations: TableRows, entityCount: number): TableRows {
    this.#addChoices(ORDERS.frameChoices, this.#frames);
    const { functions } = this.#source;
    this.#ownLines = ownLines(this.#source, locations);
    const numbers = numbersOfRows(this.#ownLines, lines, functions.count);
    this.#functions = this.#rows(ORDERS.functions, numbers, functions.spans, entityCount, this.#ids.functionIds);
    return this.#functions;
  }

  lineChooser(line: number): TwinChooser {
    this.#lines.actual = this.#ownLines[line]!;
    return this.#lines;
  }

  mappingIds(count: number): Int32Array | undefined {
    this.#addChoices(ORDERS.lineChoices, this.#lines);
    if (count !== this.#source.mappings.count) misfit();
    return this.#addIds(ORDERS.mappingIds, this.#ids.mappingIds);
  }

  strings(state: WriteState): TableRows {
    const { strings } = this.#source;
    const numbers = new Int32Array(strings.count);
    const meet = (row: number, id: number) => {
      if (row === 0 && id === 0) return;
      const number = state.strings.get(id);
      if (number === 0 || (numbers[row] !== 0 && numbers[row] !== number)) misfit();
      numbers[row] = number;
    };
    this.#meetFunctions(state, meet);
    this.#meetLabels(meet);
    this.#meetMappings(meet);
    meetHeaders(headerOf(this.#source.header), this.#profile.header, meet);
    return this.#rows(ORDERS.strings, numbers.subarray(1), strings, state.strings.count, undefined);
  }

  #meetFunctions(state: WriteState, meet: (row: number, id: number) => void): void {
    const own = this.#source.functions.rows;
    const { functions } = this.#profile.tables;
    const { numbers, count } = this.#functions!;
    for (let row = 0; row < count; row++) {
      if (numbers[row] === 0) continue;
      const at = state.functions.ids[numbers[row]! - 1]! * FUNCTION_KEY;
      for (let text = 0; text < 3; text++) meet(own[row * FUNCTION_STRIDE + text]!, functions[at + text]!);
    }
  }

  #meetLabels(meet: (row: number, id: number) => void): void {
    const { labels } = this.#own;
    const { rows, rowCount, tables } = this.#profile;
    let own = 0;
    for (let row = 0; row < rowCount; row++) {
      const set = tables.rowLabelSets[rows[row]!]!;
      for (let at = tables.labelSetEnds[set]!; at < tables.labelSetEnds[set + 1]!; at += LABEL_STRIDE) {
        if (own === labels.length) misfit();
        meet(labels[own]!, tables.labelSets[at]!);
        meet(labels[own + 1]!, tables.labelSets[at + 1]!);
        meet(labels[own + 4]!, tables.labelSets[at + 4]!);
        own += LABEL_STRIDE;
      }
    }
  }

  #meetMappings(meet: (row: number, id: number) => void): void {
    const own = this.#source.mappings.rows;
    const { mappings, mappingCount } = this.#profile;
    for (let at = 0; at < mappingCount * MAPPING_STRIDE; at += MAPPING_STRIDE) {
      meet(own[at + 6]!, mappings[at + 6]!);
      meet(own[at + 7]!, mappings[at + 7]!);
    }
  }

  /** Rows that nothing was found in are kept as their bytes. */
  #rows(part: number, numbers: Int32Array, spans: Spans, entityCount: number, ids: Int32Array | undefined): TableRows {
    const literals = new Map<number, Uint8Array>();
    const first = spans.count - numbers.length;
    for (let row = 0; row < numbers.length; row++) {
      if (numbers[row] !== 0) continue;
      if (literals.size === ODD_ROWS_MAX) misfit();
      const at = (first + row) * 2;
      literals.set(row, this.#source.raw.subarray(spans.bounds[at]!, spans.bounds[at + 1]!));
    }
    const rows = new TableRows(numbers, literals, entityCount);
    if (!rows.isInGuessedOrder) this.#add(part, (out) => writeOrder(out, rows));
    if (ids !== undefined) rows.ids = this.#addIds(part * 2, ids);
    return rows;
  }

  /** Ids other than 1, 2, 3 … are written down and answered. */
  #addIds(part: number, ids: Int32Array): Int32Array | undefined {
    let isDense = true;
    for (let at = 0; at < ids.length; at += 2) isDense &&= ids[at] === at / 2 + 1 && ids[at + 1] === 0;
    if (isDense) return undefined;
    this.#add(part, (out) => writeIds(out, ids));
    return ids;
  }

  #addChoices(part: number, choices: ChoiceRecorder): void {
    if (!choices.isGuessed) this.#sections.push([part, choices.finish()]);
  }

  #add(part: number, write: (out: WireWriter) => void): void {
    const out = new WireWriter(256);
    write(out);
    this.#sections.push([part, out.finish()]);
  }
}

/** The number of each of `count` rows, 0 for none, given rows and numbers of the same things. */
function numbersOfRows(rows: Int32Array, numbers: Int32Array, count: number): Int32Array {
  if (rows.length !== numbers.length) misfit();
  const numberOf = new Int32Array(count);
  for (let at = 0; at < rows.length; at++) {
    const row = rows[at]!;
    if (numberOf[row] === 0) numberOf[row] = numbers[at]!;
    else if (numberOf[row] !== numbers[at]) misfit();
  }
  return numberOf;
}

function ownLines({ locations }: ProfileTables, rows: TableRows): Int32Array {
  const lines: number[] = [];
  for (let row = 0; row < rows.count; row++) {
    if (rows.numbers[row] === 0) continue;
    const start = row === 0 ? 0 : locations.rows[(row - 1) * LOCATION_STRIDE + 4]!;
    for (let line = start; line < locations.rows[row * LOCATION_STRIDE + 4]!; line++) {
      lines.push(locations.lines[line * LINE_STRIDE]!);
    }
  }
  return Int32Array.from(lines);
}

function meetHeaders(own: WrittenHeader, header: WrittenHeader, meet: (row: number, id: number) => void): void {
  const meetAll = (rows: Int32Array, ids: Int32Array) => {
    if (rows.length !== ids.length) misfit();
    rows.forEach((row, at) => {
      meet(row, ids[at]!);
    });
  };
  meetAll(own.sampleTypes, header.sampleTypes);
  meetAll(own.periodType, header.periodType);
  meetAll(own.comments, header.comments);
  meet(own.dropFrames, header.dropFrames);
  meet(own.keepFrames, header.keepFrames);
  meet(own.defaultSampleType, header.defaultSampleType);
  meet(own.docUrl, header.docUrl);
}

/** Texts are string rows of the profile. */
export function headerOf(header: ProfileHeader): WrittenHeader {
  return {
    ...header,
    sampleTypes: Int32Array.from(header.sampleTypes.flat()),
    periodType: Int32Array.from(header.periodType),
    comments: Int32Array.from(header.comments),
  };
}
