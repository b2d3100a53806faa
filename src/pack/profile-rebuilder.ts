// A profile of a pack → the bytes that were uploaded (inflated), compared with its digest.

import { MAPPING_STRIDE } from "../pprof/mapping-table.ts";
import type { DecodedPack } from "./decoded-pack.ts";
import { sha256 } from "./digest.ts";
import { ProfileWriter } from "./exact/profile-writer.ts";
import type { WrittenForm, WrittenProfile } from "./exact/written-profile.ts";
import type { Pack } from "./format.ts";
import { decodeKept } from "./kept.ts";
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
import { WrittenSamplesReader } from "./written-samples.ts";

export class ProfileRebuilder {
  readonly #pack: Pack;
  readonly #profiles: PackProfiles;
  readonly #tables: PackTables;
  readonly #samples: WrittenSamplesReader;
  readonly #writer = new ProfileWriter();
  readonly #mappingRows: Int32Array;
  #identities: PackIdentities | undefined;
  /** The bytes of the block that was asked for last. */
  #kept: { part: number; bytes: (Uint8Array | undefined)[] } | undefined;

  /** `identities`: of the pack, where they are decoded already. */
  constructor(decoded: DecodedPack, { identities }: { identities?: PackIdentities } = {}) {
    this.#identities = identities;
    this.#pack = decoded.pack;
    this.#profiles = decoded.profiles;
    this.#tables = decoded.tables;
    this.#samples = new WrittenSamplesReader(decoded);
    this.#mappingRows = new Int32Array(decoded.tables.mappings.length);
  }

  /** SHA-256, all of it, of what rebuild() answered last: the pack has half of it. */
  digest: Uint8Array = new Uint8Array(0);

  /** The inflated bytes of profile `row`: a view that is valid until the next call. Throws `unavailable` where they are not what was packed. */
  rebuild(row: number): Uint8Array {
    if (!(row >= 0 && row < this.#profiles.count)) throw new RangeError(`There is no row ${row} in the pack`);
    const bytes = this.#profiles.kinds[row] === KIND.rows ? this.#write(row) : this.#keptBytes(row);
    this.#identities ??= decodeIdentities(this.#pack, this.#profiles);
    const expected = this.#identities.digests.subarray(row * DIGEST_BYTES, (row + 1) * DIGEST_BYTES);
    this.digest = sha256(bytes);
    if (Buffer.compare(this.digest.subarray(0, DIGEST_BYTES), expected) !== 0) {
      damagedPack(`profile ${row}`, "its digest does not fit");
    }
    return bytes;
  }

  #keptBytes(row: number): Uint8Array {
    const part = Math.floor(row / BLOCK_PROFILES);
    if (this.#kept?.part !== part) this.#kept = { part, bytes: decodeKept(this.#pack, this.#profiles, part) };
    return this.#kept.bytes[row % BLOCK_PROFILES]!;
  }

  #write(row: number): Uint8Array {
    const { profile, form } = this.#written(row);
    return this.#writer.write(profile, form);
  }

  #written(row: number): { profile: WrittenProfile; form: WrittenForm } {
    const tables = this.#tables;
    const { headings, processes, skeletons, ownTimesNs, durationsNs, periods } = this.#profiles;
    const { rows, values, orders } = this.#samples.read(row);
    const texts = tupleOf("headings", tables.headings, tables.headingEnds, headings[row]!);
    const process = tupleOf("processes", tables.processes, tables.processEnds, processes[row]!);
    const mappingCount = process.length / PROCESS_STRIDE;
    const mappings = new Int32Array(mappingCount * MAPPING_STRIDE);
    for (let mapping = mappingCount - 1; mapping >= 0; mapping--) {
      const from = mapping * PROCESS_STRIDE;
      mappings.set(process.subarray(from, from + MAPPING_STRIDE), mapping * MAPPING_STRIDE);
      this.#mappingRows[process[from + MAPPING_STRIDE]!] = mapping;
    }
    const types = this.#pack.columns * 2;
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
    return { profile, form: { skeleton, orders } };
  }
}
