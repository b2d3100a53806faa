// Byte strings → dense ids. The bytes lie in one arena; equal bytes have one id, in the order they came. "" is 0.

import { grown, rehashed, slotsFor } from "./grow.ts";
import { HASH_SEED, mix, spread } from "./hash.ts";

export class StringInterner {
  #arena: Uint8Array = new Uint8Array(16 * 1024);
  #view: DataView = new DataView(this.#arena.buffer);
  /** Where each string ends in the arena: it begins where the one before ends. */
  #ends: Int32Array = new Int32Array(1024);
  /** Pairs: hash, id + 1. */
  #slots: Int32Array = new Int32Array(2 * 2048);
  #mask = 2047;
  #count = 1; // the empty string needs no bytes

  get count(): number {
    return this.#count;
  }

  /** Memory held. */
  get bytes(): number {
    return this.#arena.byteLength + this.#ends.byteLength + this.#slots.byteLength;
  }

  /** The id of the bytes from `start` to `end` of `view`. */
  intern(view: DataView, start: number, end: number): number {
    if (start === end) return 0;
    const hash = hashBytes(view, start, end);
    const slots = this.#slots;
    const mask = this.#mask;
    let slot = hash & mask;
    for (let id = slots[slot * 2 + 1]!; id !== 0; id = slots[slot * 2 + 1]!) {
      if (slots[slot * 2] === hash && this.equals(id - 1, view, start, end)) return id - 1;
      slot = (slot + 1) & mask;
    }
    return this.#add(hash, slot, view, start, end);
  }

  /** The id of a string with one character per byte. */
  internByteString(text: string): number {
    const bytes = Buffer.from(text, "latin1");
    return this.intern(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length);
  }

  /** All bytes and where each string ends; it begins where the one before ends. Views: valid until the next string is added. */
  content(): { stringBytes: Uint8Array; stringEnds: Int32Array } {
    const stringEnds = this.#ends.subarray(0, this.#count);
    return { stringBytes: this.#arena.subarray(0, stringEnds.at(-1)), stringEnds };
  }

  /** A window on the arena: valid until the next string is added. */
  get(id: number): Uint8Array {
    return id === 0 ? this.#arena.subarray(0, 0) : this.#arena.subarray(this.#ends[id - 1]!, this.#ends[id]!);
  }

  /** One character per byte (latin1): compares as the bytes do. */
  byteString(id: number): string {
    const bytes = this.get(id);
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
  }

  /** Whether string `id` is the bytes from `start` to `end` of `view`. */
  equals(id: number, view: DataView, start: number, end: number): boolean {
    const length = end - start;
    if (id === 0) return length === 0;
    const own = this.#view;
    const first = this.#ends[id - 1]!;
    if (this.#ends[id]! - first !== length) return false;
    if (length < 4) {
      for (let at = 0; at < length; at++) if (own.getUint8(first + at) !== view.getUint8(start + at)) return false;
      return true;
    }
    // Words, then the last word again, which overlaps what was compared.
    const last = length - 4;
    for (let at = 0; at < last; at += 4) {
      if (own.getInt32(first + at, true) !== view.getInt32(start + at, true)) return false;
    }
    return own.getInt32(first + last, true) === view.getInt32(start + last, true);
  }

  #add(hash: number, slot: number, view: DataView, start: number, end: number): number {
    const id = this.#count++;
    const first = this.#ends[id - 1]!;
    const arenaEnd = first + end - start;
    this.#reserve(arenaEnd);
    this.#arena.set(new Uint8Array(view.buffer, view.byteOffset + start, end - start), first);
    this.#ends = grown(this.#ends, id + 1);
    this.#ends[id] = arenaEnd;
    this.#slots[slot * 2] = hash;
    this.#slots[slot * 2 + 1] = id + 1;
    if (this.#count * 2 > this.#mask) this.#rehash();
    return id;
  }

  #reserve(needed: number): void {
    if (needed <= this.#arena.length) return;
    const larger = new Uint8Array(Math.max(needed, this.#arena.length * 2));
    larger.set(this.#arena);
    this.#arena = larger;
    this.#view = new DataView(larger.buffer);
  }

  #rehash(): void {
    const slots = slotsFor(this.#count * 2);
    this.#slots = rehashed(this.#slots, slots);
    this.#mask = slots - 1;
  }
}

/** Two lanes, so that one multiplication need not wait for the other; the last eight bytes overlap what came before. */
function hashBytes(view: DataView, start: number, end: number): number {
  const length = end - start;
  let even = HASH_SEED ^ length;
  let odd = HASH_SEED;
  if (length < 8) {
    for (let at = start; at < end; at++) even = mix(even, view.getUint8(at));
    return spread(even);
  }
  const last = end - 8;
  for (let at = start; at < last; at += 8) {
    even = mix(even, view.getInt32(at, true));
    odd = mix(odd, view.getInt32(at + 4, true));
  }
  even = mix(even, view.getInt32(last, true));
  odd = mix(odd, view.getInt32(last + 4, true));
  return spread(mix(even, odd));
}
