// The inputs of a merge as records of fixed size, made by SQLite, sorted and cut as bytes: 100 000 of them cross a thread as one buffer.

import { formatProfileId } from "../../model/profile-id.ts";
import type { MergeInput, SelectionStrategy } from "../catalog.ts";
import { spread } from "../spread.ts";
import { msOfId } from "./id-range.ts";

/** Byte positions in a record, big-endian. */
const ID = 0;
const DIGEST = 16;
const TIME = 48;
const RANK = 56;
const SERIES = 64;
const SHAPE = 68;
const SUBMITTER = 72;
const SEGMENT = 76;
const OFFSET = 80;
const SIZE = 86;
const RECORD_BYTES = 90;

/** SQL for a record of `p` in hexadecimal. `rank` is SQL for what most_cpu orders by. */
export function recordSql(rank: string): string {
  return `hex(p.profile_id) || hex(p.digest) || printf('%016x%016x%08x%08x%08x%08x%012x%08x',
    p.time_ns, ${rank}, p.series_id, p.shape_id, p.submitter_id, p.segment_id, p.offset, p.size_bytes)`;
}

export interface SelectionRule {
  limit: number;
  strategy: SelectionStrategy;
  /** By series id, for spread: what names the instance, 0 where its submitter does. */
  instances?: Uint32Array;
}

/** Takes records as they come and keeps those of the rule. Memory: twice the limit; for spread, all that match. */
export class RecordCollector {
  readonly #rule: SelectionRule;
  #records = Buffer.alloc(0);
  #pieces: Buffer[] = [];
  #held = 0;

  constructor(rule: SelectionRule) {
    this.#rule = rule;
  }

  /** Under `newest`, ids before this one need not be handed over. */
  oldestWanted: Buffer = Buffer.alloc(16);

  add(hexadecimal: string): void {
    const piece = Buffer.from(hexadecimal, "hex");
    this.#pieces.push(piece);
    this.#held += piece.length / RECORD_BYTES;
    const { limit, strategy } = this.#rule;
    if (strategy === "spread" || this.#held <= 2 * limit) return;
    const kept = this.#cut();
    if (strategy === "newest" && limit > 0) this.oldestWanted = Buffer.from(this.#idAt(kept.at(-1)!));
    this.#keep(kept);
  }

  /** In canonical order: (time, id). */
  finish(): Uint8Array<ArrayBuffer> {
    this.#join();
    const kept = this.#held > this.#rule.limit ? this.#cut() : this.#all();
    const ms = this.#milliseconds();
    kept.sort((a, b) => ms[a]! - ms[b]! || this.#compare(a, b, TIME, RANK) || this.#compare(a, b, ID, DIGEST));
    this.#keep(kept);
    return this.#records;
  }

  #cut(): number[] {
    this.#join();
    const { limit, strategy, instances } = this.#rule;
    const ms = this.#milliseconds();
    const byId = (a: number, b: number) => ms[a]! - ms[b]! || this.#compare(a, b, ID, DIGEST);
    const all = this.#all();
    if (strategy === "newest") return all.sort((a, b) => byId(b, a)).slice(0, limit);
    if (strategy === "most_cpu") {
      const rank = (at: number) => this.#records.readBigInt64BE(at * RECORD_BYTES + RANK);
      return all.sort((a, b) => Number(rank(b) > rank(a)) - Number(rank(b) < rank(a)) || byId(a, b)).slice(0, limit);
    }
    all.sort((a, b) => ms[a]! - ms[b]! || this.#compare(a, b, TIME, RANK) || this.#compare(a, b, ID, DIGEST));
    const names = all.map((at) => {
      const instance = instances?.[this.#records.readUInt32BE(at * RECORD_BYTES + SERIES)] ?? 0;
      return instance || `submitter ${this.#records.readUInt32BE(at * RECORD_BYTES + SUBMITTER)}`;
    });
    return spread(names, limit).map((position) => all[position]!);
  }

  #join(): void {
    this.#records = Buffer.concat([this.#records, ...this.#pieces]);
    this.#pieces = [];
  }

  #keep(kept: readonly number[]): void {
    const records = new Uint8Array(kept.length * RECORD_BYTES);
    for (const [to, at] of kept.entries()) {
      records.set(this.#records.subarray(at * RECORD_BYTES, (at + 1) * RECORD_BYTES), to * RECORD_BYTES);
    }
    this.#records = Buffer.from(records.buffer);
    this.#held = kept.length;
  }

  #all(): number[] {
    return Array.from({ length: this.#held }, (_, at) => at);
  }

  #milliseconds(): Float64Array {
    return Float64Array.from({ length: this.#held }, (_, at) => msOfId(this.#idAt(at)));
  }

  #idAt(at: number): Uint8Array {
    return this.#records.subarray(at * RECORD_BYTES, at * RECORD_BYTES + DIGEST);
  }

  /** The bytes [from, to) of two records: for an unsigned big-endian number, its order. */
  #compare(a: number, b: number, from: number, to: number): number {
    const left = a * RECORD_BYTES;
    const right = b * RECORD_BYTES;
    return this.#records.compare(this.#records, right + from, right + to, left + from, left + to);
  }
}

/** Reads its record when it is asked: most of 100 000 inputs are never asked for their id. */
class RecordInput implements MergeInput {
  readonly #records: Buffer;
  readonly #start: number;

  constructor(records: Buffer, start: number) {
    this.#records = records;
    this.#start = start;
  }

  get id(): string {
    return formatProfileId(this.#records.subarray(this.#start + ID, this.#start + DIGEST));
  }

  get timeNs(): bigint {
    return this.#records.readBigInt64BE(this.#start + TIME);
  }

  get digest(): Uint8Array {
    return Uint8Array.from(this.#records.subarray(this.#start + DIGEST, this.#start + TIME));
  }

  get shapeId(): number {
    return this.#records.readUInt32BE(this.#start + SHAPE);
  }

  get locator(): MergeInput["locator"] {
    return {
      segmentId: this.#records.readUInt32BE(this.#start + SEGMENT),
      offset: this.#records.readUIntBE(this.#start + OFFSET, 6),
      sizeBytes: this.#records.readUInt32BE(this.#start + SIZE),
    };
  }
}

export function readRecords(records: Uint8Array): MergeInput[] {
  const bytes = Buffer.from(records.buffer, records.byteOffset, records.byteLength);
  return Array.from({ length: bytes.length / RECORD_BYTES }, (_, at) => new RecordInput(bytes, at * RECORD_BYTES));
}
