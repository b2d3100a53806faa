// Profiles of a finished pack → the tables of one that is built. Ids change; no profile is written or parsed.

import type { Interner } from "../pprof/interner.ts";
import { ContentTransfer } from "../pprof/interner-transfer.ts";
import { MAPPING_STRIDE } from "../pprof/mapping-table.ts";
import type { TupleInterner } from "../pprof/tuple-interner.ts";
import type { DecodedPack } from "./decoded-pack.ts";
import { PROCESS_STRIDE, tupleOf } from "./pack-heads.ts";
import { KIND } from "./pack-profiles.ts";
import type { HeadTuples, TakenProfile } from "./profile-intake.ts";
import { WrittenSamplesReader } from "./written-samples.ts";

export interface MovedProfile {
  taken: TakenProfile;
  /** Of the interner, in the order written. */
  rows: Int32Array;
  /** Halves: row after row, column after column. */
  values: Int32Array;
}

export class ProfileMover {
  readonly #from: DecodedPack;
  readonly #transfer: ContentTransfer;
  readonly #samples: WrittenSamplesReader;
  readonly #heads: Record<keyof HeadTuples, MovedTuples>;

  constructor(from: DecodedPack, interner: Interner, heads: HeadTuples) {
    const { tables } = from;
    const transfer = new ContentTransfer(interner, tables, { labelsAsWritten: true });
    const heading = (key: Int32Array, length: number) => {
      for (let at = 0; at < length; at++) key[at] = transfer.string(key[at]!);
    };
    const process = (key: Int32Array, length: number) => {
      for (let at = 0; at < length; at += PROCESS_STRIDE) {
        key[at + 6] = transfer.string(key[at + 6]!);
        key[at + 7] = transfer.string(key[at + 7]!);
        key[at + MAPPING_STRIDE] = transfer.mapping(key[at + MAPPING_STRIDE]!);
      }
    };
    this.#from = from;
    this.#transfer = transfer;
    this.#samples = new WrittenSamplesReader(from);
    this.#heads = {
      headings: new MovedTuples(
        heads.headings,
        (nth) => tupleOf("headings", tables.headings, tables.headingEnds, nth),
        heading,
      ),
      processes: new MovedTuples(
        heads.processes,
        (nth) => tupleOf("processes", tables.processes, tables.processEnds, nth),
        process,
      ),
      uses: new MovedTuples(heads.uses, (nth) => tupleOf("uses", tables.uses, tables.useEnds, nth)),
      skeletons: new MovedTuples(heads.skeletons, (nth) =>
        tupleOf("skeletons", tables.skeletons, tables.skeletonEnds, nth),
      ),
    };
  }

  /** Of a profile that the pack has by its rows alone. Throws `unavailable`, naming the section that is damaged. */
  move(row: number): MovedProfile {
    const { profiles } = this.#from;
    // First, so that mappings are numbered as they are where profiles are added.
    const process = this.#heads.processes.of(profiles.processes[row]!);
    const { rows, values, orders } = this.#samples.read(row);
    for (let at = 0; at < rows.length; at++) rows[at] = this.#transfer.row(rows[at]!);
    const taken = {
      kind: KIND.rows,
      kept: undefined,
      orders: new Uint8Array(orders),
      ownTimeNs: profiles.ownTimesNs[row]!,
      durationNs: profiles.durationsNs[row]!,
      period: profiles.periods[row]!,
      rowCount: rows.length,
      heading: this.#heads.headings.of(profiles.headings[row]!),
      process,
      uses: this.#heads.uses.of(profiles.uses[row]!),
      skeleton: this.#heads.skeletons.of(profiles.skeletons[row]!),
    };
    return { taken, rows, values };
  }
}

/** Tuples of the pack → tuples of the builder. */
class MovedTuples {
  readonly #to: TupleInterner;
  readonly #read: (nth: number) => Int32Array;
  readonly #translate: (key: Int32Array, length: number) => void;
  readonly #known = new Map<number, number>();

  /** `translate` changes what is in a tuple, in place. Default: nothing. */
  constructor(
    to: TupleInterner,
    read: (nth: number) => Int32Array,
    translate: (key: Int32Array, length: number) => void = () => {},
  ) {
    this.#to = to;
    this.#read = read;
    this.#translate = translate;
  }

  of(nth: number): number {
    const known = this.#known.get(nth);
    if (known !== undefined) return known;
    const tuple = this.#read(nth);
    const key = this.#to.reserve(tuple.length);
    key.set(tuple);
    this.#translate(key, tuple.length);
    const id = this.#to.intern(tuple.length);
    this.#known.set(nth, id);
    return id;
  }
}
