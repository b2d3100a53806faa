// Profiles, one after the other → a pack. Holds the tables, compact columns, and one profile while it is added.

import type { Labels } from "../model/labels.ts";
import { DEFAULT_LIMITS, type Limits } from "../model/limits.ts";
import type { DecodedPack } from "./decoded-pack.ts";
import type { EncodedPack, PackSignature } from "./format.ts";
import { assemblePack } from "./pack-assembly.ts";
import { BLOCK_PROFILES } from "./pack-profiles.ts";
import { ProfileIntake, type TakenProfile } from "./profile-intake.ts";
import { ProfileMover } from "./profile-mover.ts";
import { RowLog } from "./row-log.ts";
import { allSteps, type Steps } from "./steps.ts";

export interface PackEntry {
  /** As src/model/profile-id.ts has it. */
  id: Uint8Array;
  /** SHA-256 of the bytes, all of it. */
  digest: Uint8Array;
  timeNs: bigint;
  receivedNs: bigint;
  seq: bigint;
  labels: Labels;
  /** Of the upload. */
  sizeBytes: number;
}

export interface PackBuilderOptions {
  /** Default: DEFAULT_LIMITS. Used: those of one profile. */
  limits?: Limits;
  /** The pack is full with so many stack nodes. Default 200 000. */
  nodesMax?: number;
  /** … or with so many bytes before compression. Default 64 MiB. */
  bytesMax?: number;
  /** … or with so many profiles. Default 65 536. */
  profilesMax?: number;
  /** Of zstd, 1 to 22. Default: 9. */
  level?: number;
}

/** An added profile, but for its rows. */
export type PackedProfile = PackEntry & TakenProfile;

/** A block is read as a whole, some 30 bytes for each sample. */
const BLOCK_ROWS_MAX = 4_000_000;
/** Tables, with room to grow and ways to find what is in them, are larger than what is written of them. */
const MEMORY_FACTOR = 3;
/** Of a PackedProfile, but for its arrays. */
const PROFILE_BYTES = 500;

export class PackBuilder {
  readonly #signature: PackSignature;
  readonly #options: Required<Omit<PackBuilderOptions, "limits" | "level">> & { level: number | undefined };
  readonly #intake: ProfileIntake;
  readonly #log: RowLog;
  readonly #movers = new Map<DecodedPack, ProfileMover>();
  readonly #profiles: PackedProfile[] = [];
  #keptBytes = 0;
  /** Of all that is held for each profile beside its rows. */
  #profileBytes = 0;
  /** Samples of the profiles in the block that is being filled. */
  #blockRows = 0;

  /** Profiles of other columns, or another period type, are refused. */
  constructor(signature: PackSignature, { limits = DEFAULT_LIMITS, level, ...caps }: PackBuilderOptions = {}) {
    this.#signature = signature;
    this.#options = { nodesMax: 200_000, bytesMax: 64 * 1024 * 1024, profilesMax: 65_536, ...caps, level };
    this.#intake = new ProfileIntake(signature.shape, limits);
    this.#log = new RowLog(signature.shape.columns.length);
  }

  get profiles(): number {
    return this.#profiles.length;
  }

  /** Whether the caller should finish this pack and go on in another one. */
  get isFull(): boolean {
    const { nodesMax, bytesMax, profilesMax } = this.#options;
    const { stacks, strings } = this.#intake.interner;
    if (this.#blockRows >= BLOCK_ROWS_MAX || this.profiles >= profilesMax || stacks.count >= nodesMax) return true;
    if (this.#log.bytes + this.#keptBytes + strings.bytes >= bytesMax) return true;
    return this.#gatheredBytes >= bytesMax * MEMORY_FACTOR;
  }

  /** Memory held, by its own count of its arrays. */
  get bytes(): number {
    return this.#gatheredBytes + this.#intake.scratchBytes;
  }

  get #gatheredBytes(): number {
    return this.#intake.bytes + this.#log.bytes + this.#profileBytes;
  }

  /**
   * Adds an inflated profile, one of a legacy format too. Call it in the order that the pack is to have: by series, time, id. Throws
   * `invalid` for bytes that are no profile, `conflict` for one of another shape, and is as it was then.
   */
  add(entry: PackEntry, inflated: Uint8Array): void {
    const taken = this.#intake.take(inflated);
    this.#note(entry, taken, this.#intake.rows, this.#intake.values);
  }

  /**
   * Adds profile `row` of a pack of the same signature, as `add` would what was uploaded. Only for those that the pack has by their rows
   * (KIND.rows). Nothing compares it with its digest: that is for whoever reads the new pack. Throws `unavailable` where the pack is damaged.
   */
  move(entry: PackEntry, from: DecodedPack, row: number): void {
    let mover = this.#movers.get(from);
    if (mover === undefined) {
      mover = new ProfileMover(from, this.#intake.interner, this.#intake.heads);
      this.#movers.set(from, mover);
    }
    const { taken, rows, values } = mover.move(row);
    this.#note(entry, taken, rows, values);
  }

  #note(entry: PackEntry, taken: TakenProfile, rows: Int32Array, values: Int32Array): void {
    this.#log.add(rows, values, taken.rowCount);
    this.#keptBytes += taken.kept?.length ?? 0;
    this.#profileBytes += (taken.kept?.length ?? 0) + taken.orders.length + PROFILE_BYTES;
    this.#blockRows = taken.rowCount + (this.profiles % BLOCK_PROFILES === 0 ? 0 : this.#blockRows);
    this.#profiles.push({ ...entry, ...taken });
  }

  /** Of a pack that profiles were moved from: no more are. */
  forget(from: DecodedPack): void {
    this.#movers.delete(from);
  }

  /** The pack of what was added. The builder is of no use afterwards. */
  finish(): EncodedPack {
    return allSteps(this.finishing());
  }

  /** As finish(), step by step. */
  finishing(): Steps<EncodedPack> {
    return assemblePack({
      signature: this.#signature,
      interner: this.#intake.interner,
      log: this.#log,
      heads: this.#intake.heads,
      profiles: this.#profiles,
      level: this.#options.level,
    });
  }
}
