// A profile of a pack → the bytes that were uploaded (inflated), compared with its digest.

import { MAPPING_STRIDE } from "../pprof/mapping-table.ts";
import { type Block, decodeBlock } from "./block.ts";
import type { DecodedPack } from "./decoded-pack.ts";
import { sha256 } from "./digest.ts";
import { ProfileWriter } from "./exact/profile-writer.ts";
import type { WrittenForm, WrittenProfile } from "./exact/written-profile.ts";
import type { Pack } from "./format.ts";
import { decodeKept } from "./kept.ts";
import { OrderReader } from "./orders.ts";
import { damagedPack } from "./pack-damage.ts";
import { PROCESS_STRIDE, tupleOf } from "./pack-heads.ts";
import {
  BLOCK_PROFILES,
  DIGEST_BYTES,
  decodeIdentities,
  KIND,
  type PackIdentities,
  type PackProfiles,
} from "./pack-profiles.ts";
import type { PackTables } from "./pack-tables.ts";

/** Keeps the block that was asked for last: asking in the order of the pack decodes each once. */
export class ProfileRebuilder {
  readonly #decoded: DecodedPack;
  readonly #pack: Pack;
  readonly #profiles: PackProfiles;
  readonly #tables: PackTables;
  readonly #writer = new ProfileWriter();
  readonly #mappingRows: Int32Array;
  #identities: PackIdentities | undefined;
  #part = -1;
  #block: Block | undefined;
  /** The only profile whose values the block has for sure; undefined where it has those of all. */
  #alone: number | undefined;
  #orders: OrderReader | undefined;
  #kept: (Uint8Array | undefined)[] | undefined;

  constructor(pack: Pack, profiles: PackProfiles, tables: PackTables) {
    this.#decoded = { pack, profiles, tables };
    this.#pack = pack;
    this.#profiles = profiles;
    this.#tables = tables;
    this.#mappingRows = new Int32Array(tables.mappings.length);
  }

  /** The inflated bytes of profile `row`: a view that is valid until the next call. Throws `unavailable` where they are not what was packed. */
  rebuild(row: number): Uint8Array {
    if (!(row >= 0 && row < this.#profiles.count)) throw new RangeError(`There is no row ${row} in the pack`);
    const bytes = this.#profiles.kinds[row] === KIND.rows ? this.#write(row) : this.#keptBytes(row);
    this.#identities ??= decodeIdentities(this.#pack, this.#profiles);
    const expected = this.#identities.digests.subarray(row * DIGEST_BYTES, (row + 1) * DIGEST_BYTES);
    if (Buffer.compare(sha256(bytes).subarray(0, DIGEST_BYTES), expected) !== 0) {
      damagedPack(`profile ${row}`, "its digest does not fit");
    }
    return bytes;
  }

  #open(row: number): void {
    const part = Math.floor(row / BLOCK_PROFILES);
    if (this.#part === part) return;
    this.#part = part;
    this.#block = undefined;
    this.#orders = undefined;
    this.#kept = undefined;
  }

  #keptBytes(row: number): Uint8Array {
    this.#open(row);
    this.#kept ??= decodeKept(this.#pack, this.#profiles, this.#part);
    return this.#kept[row % BLOCK_PROFILES]!;
  }

  #write(row: number): Uint8Array {
    this.#open(row);
    // Who asks for one profile of a block may ask for no other: only for a second one are the values of all made.
    const isAlone = this.#block === undefined;
    if (isAlone || (this.#alone !== undefined && this.#alone !== row)) {
      const wanted = row % BLOCK_PROFILES;
      this.#block = decodeBlock(this.#decoded, this.#part, isAlone ? (place) => place === wanted : undefined);
      this.#alone = isAlone ? row : undefined;
      this.#orders = new OrderReader(this.#pack, this.#profiles, this.#block);
    }
    const { profile, form } = this.#written(row, this.#block!, this.#orders!);
    return this.#writer.write(profile, form);
  }

  #written(row: number, block: Block, orders: OrderReader): { profile: WrittenProfile; form: WrittenForm } {
    const tables = this.#tables;
    const { headings, processes, skeletons, ownTimesNs, durationsNs, periods } = this.#profiles;
    const place = row - block.first;
    const order = orders.rows(place)!;
    const start = block.ends[place]!;
    const { columns } = this.#pack;
    const rows = new Int32Array(order.length);
    const values = new Int32Array(order.length * columns * 2);
    let to = 0;
    for (let at = 0; at < order.length; at++) {
      const from = start + order[at]!;
      rows[at] = block.rows[from]!;
      for (const column of block.values) {
        values[to++] = column[from * 2]!;
        values[to++] = column[from * 2 + 1]!;
      }
    }
    const texts = tupleOf("headings", tables.headings, tables.headingEnds, headings[row]!);
    const process = tupleOf("processes", tables.processes, tables.processEnds, processes[row]!);
    const mappingCount = process.length / PROCESS_STRIDE;
    const mappings = new Int32Array(mappingCount * MAPPING_STRIDE);
    for (let mapping = mappingCount - 1; mapping >= 0; mapping--) {
      const from = mapping * PROCESS_STRIDE;
      mappings.set(process.subarray(from, from + MAPPING_STRIDE), mapping * MAPPING_STRIDE);
      this.#mappingRows[process[from + MAPPING_STRIDE]!] = mapping;
    }
    const types = columns * 2;
    const profile = {
      tables,
      header: {
        sampleTypes: texts.subarray(0, types),
        periodType: texts.subarray(types, types + 2),
        dropFrames: texts[types + 2]!,
        keepFrames: texts[types + 3]!,
        defaultSampleType: texts[types + 4]!,
        docUrl: texts[types + 5]!,
        comments: texts.subarray(types + 6),
        timeNs: ownTimesNs[row]!,
        durationNs: durationsNs[row]!,
        period: periods[row]!,
      },
      mappings,
      mappingCount,
      mappingRows: this.#mappingRows,
      rows,
      rowCount: rows.length,
      values,
    };
    const skeleton = Uint8Array.from(tupleOf("skeletons", tables.skeletons, tables.skeletonEnds, skeletons[row]!));
    return { profile, form: { skeleton, orders: orders.tables(place) } };
  }
}
