// The inputs of a merge as records of fixed size, made by SQLite, sorted and cut as bytes: 100 000 of them cross a thread as one buffer.

import { formatProfileId } from "../../model/profile-id.ts";
import type { MergeInput, SelectionStrategy } from "../catalog.ts";
import { spread } from "../spread.ts";

/** Byte positions in a record, big-endian. */
const ID = 0;
const DIGEST = 16;
const TIME = 48;
const SHAPE = 56;
const SEGMENT = 60;
const OFFSET = 64;
const SIZE = 70;
const SEQ = 74;
const SERIES = 80;
/** Only for the strategies that ask for more than the time. */
const RANK = 84;
const SUBMITTER = 92;

export interface SelectionRule {
  limit: number;
  strategy: SelectionStrategy;
  /** By series id, for spread: what names the instance, 0 where its submitter does. */
  instances?: Uint32Array;
}

/** The record at order[0] is the first. */
export interface SortedRecords {
  records: Uint8Array<ArrayBuffer>;
  recordBytes: number;
  order: Uint32Array<ArrayBuffer>;
}

/** SQL for a record of `p` in hexadecimal. `rank` is SQL for what most_cpu orders by. */
export function recordSql({ strategy }: SelectionRule, rank: string): string {
  const record = `hex(p.profile_id) || hex(p.digest) || printf('%016x%08x%08x%012x%08x%012x%08x',
    p.time_ns, p.shape_id, p.segment_id, p.offset, p.size_bytes, p.seq, p.series_id)`;
  if (strategy === "newest") return record;
  return `${record} || printf('%016x%08x', ${rank}, p.submitter_id)`;
}

/** Takes records as they come and keeps those of the rule. Memory: twice the limit; for spread, all that match. */
export class RecordCollector {
  readonly #rule: SelectionRule;
  readonly #recordBytes: number;
  #records = Buffer.alloc(0);
  #pieces: Buffer[] = [];
  #held = 0;

  constructor(rule: SelectionRule) {
    this.#rule = rule;
    this.#recordBytes = rule.strategy === "newest" ? RANK : SUBMITTER + 4;
  }

  /** Under `newest`, ids before this one need not be handed over. */
  oldestWanted: Buffer = Buffer.alloc(16);

  add(hexadecimal: string): void {
    const piece = Buffer.from(hexadecimal, "hex");
    this.#pieces.push(piece);
    this.#held += piece.length / this.#recordBytes;
    const { limit, strategy } = this.#rule;
    if (strategy === "spread" || this.#held <= 2 * limit) return;
    const kept = this.#cut();
    const last = kept.at(-1);
    if (strategy === "newest" && last !== undefined) {
      const start = last * this.#recordBytes;
      this.oldestWanted = Buffer.from(this.#records.subarray(start, start + DIGEST));
    }
    this.#pieces = kept.map((at) => this.#records.subarray(at * this.#recordBytes, (at + 1) * this.#recordBytes));
    this.#records = Buffer.alloc(0);
    this.#held = kept.length;
    this.#join();
  }

  finish(): SortedRecords {
    this.#join();
    const kept = this.#held > this.#rule.limit ? this.#cut() : this.#all();
    const order = Uint32Array.from(this.#inTime(kept));
    const records = new Uint8Array(this.#records.length);
    records.set(this.#records);
    return { records, recordBytes: this.#recordBytes, order };
  }

  #cut(): number[] {
    this.#join();
    const { limit, strategy, instances } = this.#rule;
    const ms = this.#milliseconds();
    const byId = (a: number, b: number) => ms[a]! - ms[b]! || this.#compare(a, b, ID, DIGEST);
    if (strategy === "newest") {
      return this.#all()
        .sort((a, b) => byId(b, a))
        .slice(0, limit);
    }
    if (strategy === "most_cpu") {
      const rank = (at: number) => this.#records.readBigInt64BE(at * this.#recordBytes + RANK);
      const ranks = Array.from({ length: this.#held }, (_, at) => rank(at));
      return this.#all()
        .sort((a, b) => (ranks[a]! === ranks[b]! ? byId(a, b) : ranks[a]! > ranks[b]! ? -1 : 1))
        .slice(0, limit);
    }
    const all = this.#inTime(this.#all());
    const names = all.map((at) => {
      const instance = instances?.[this.#records.readUInt32BE(at * this.#recordBytes + SERIES)] ?? 0;
      return instance || `submitter ${this.#records.readUInt32BE(at * this.#recordBytes + SUBMITTER)}`;
    });
    return spread(names, limit).map((position) => all[position]!);
  }

  /** Canonical order: (time, id). */
  #inTime(records: number[]): number[] {
    const ms = this.#milliseconds();
    return records.sort(
      (a, b) => ms[a]! - ms[b]! || this.#compare(a, b, TIME, SHAPE) || this.#compare(a, b, ID, DIGEST),
    );
  }

  #join(): void {
    if (this.#pieces.length === 0) return;
    this.#records = Buffer.concat([this.#records, ...this.#pieces]);
    this.#pieces = [];
  }

  #all(): number[] {
    return Array.from({ length: this.#held }, (_, at) => at);
  }

  #milliseconds(): Float64Array {
    const ms = new Float64Array(this.#held);
    for (let at = 0; at < ms.length; at++) ms[at] = this.#records.readUIntBE(at * this.#recordBytes, 6);
    return ms;
  }

  /** The bytes [from, to) of two records: for an unsigned big-endian number, its order. */
  #compare(a: number, b: number, from: number, to: number): number {
    const left = a * this.#recordBytes;
    const right = b * this.#recordBytes;
    return this.#records.compare(this.#records, right + from, right + to, left + from, left + to);
  }
}

/** Reads its record when it is asked: most of 100 000 inputs are never asked for their id. */
class RecordInput implements MergeInput {
  readonly #records: Buffer;
  readonly #start: number;
  readonly #groupOf: GroupOf;

  constructor(records: Buffer, start: number, groupOf: GroupOf) {
    this.#records = records;
    this.#start = start;
    this.#groupOf = groupOf;
  }

  get serviceId(): number {
    return this.#groupOf(this.#records.readUInt32BE(this.#start + SERIES)).serviceId;
  }

  get typeId(): number {
    return this.#groupOf(this.#records.readUInt32BE(this.#start + SERIES)).typeId;
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

  get seq(): number {
    return this.#records.readUIntBE(this.#start + SEQ, 6);
  }

  get locator(): MergeInput["locator"] {
    return {
      segmentId: this.#records.readUInt32BE(this.#start + SEGMENT),
      offset: this.#records.readUIntBE(this.#start + OFFSET, 6),
      sizeBytes: this.#records.readUInt32BE(this.#start + SIZE),
    };
  }
}

type GroupOf = (seriesId: number) => { serviceId: number; typeId: number };

export function readRecords({ records, recordBytes, order }: SortedRecords, groupOf: GroupOf): MergeInput[] {
  const bytes = Buffer.from(records.buffer, records.byteOffset, records.byteLength);
  return Array.from(order, (at) => new RecordInput(bytes, at * recordBytes, groupOf));
}
