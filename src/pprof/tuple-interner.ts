// Sequences of 32-bit integers → dense ids: functions, mappings, locations with their lines, label sets.

import { grown, rehashed, slotsFor } from "./grow.ts";
import { HASH_SEED, mix, spread } from "./hash.ts";

export class TupleInterner {
  /** Write the sequence here, after `reserve`, and call `intern`. */
  key: Int32Array = new Int32Array(64);
  /** All sequences, one behind the other. */
  data: Int32Array = new Int32Array(2048);
  /** Where each sequence ends in `data`, at index id + 1: it begins at index id. */
  ends: Int32Array = new Int32Array(512);
  /** Pairs: hash, id + 1. */
  #slots: Int32Array = new Int32Array(2 * 1024);
  #mask = 1023;
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Memory held. */
  get bytes(): number {
    return this.key.byteLength + this.data.byteLength + this.ends.byteLength + this.#slots.byteLength;
  }

  /** Makes `key` hold `length` integers; it may be another array then. */
  reserve(length: number): Int32Array {
    this.key = grown(this.key, length);
    return this.key;
  }

  /** The id of the first `length` integers of `key`. */
  intern(length: number): number {
    const key = this.key;
    const hash = hashWords(key, length);
    const slots = this.#slots;
    const mask = this.#mask;
    let slot = hash & mask;
    for (let id = slots[slot * 2 + 1]!; id !== 0; id = slots[slot * 2 + 1]!) {
      if (slots[slot * 2] === hash && this.#equals(id - 1, length)) return id - 1;
      slot = (slot + 1) & mask;
    }
    return this.#add(hash, slot, length);
  }

  #equals(id: number, length: number): boolean {
    const start = this.ends[id]!;
    if (this.ends[id + 1]! - start !== length) return false;
    const data = this.data;
    const key = this.key;
    for (let at = 0; at < length; at++) if (data[start + at] !== key[at]) return false;
    return true;
  }

  #add(hash: number, slot: number, length: number): number {
    const id = this.#count++;
    const start = this.ends[id]!;
    this.data = grown(this.data, start + length);
    for (let at = 0; at < length; at++) this.data[start + at] = this.key[at]!;
    this.ends = grown(this.ends, id + 2);
    this.ends[id + 1] = start + length;
    this.#slots[slot * 2] = hash;
    this.#slots[slot * 2 + 1] = id + 1;
    if (this.#count * 2 > this.#mask) {
      const size = slotsFor(this.#count * 2);
      this.#slots = rehashed(this.#slots, size);
      this.#mask = size - 1;
    }
    return id;
  }
}

/** Two lanes, so that one multiplication need not wait for the other. */
function hashWords(words: Int32Array, length: number): number {
  let even = HASH_SEED ^ length;
  let odd = HASH_SEED;
  let at = 0;
  for (; at + 1 < length; at += 2) {
    even = mix(even, words[at]!);
    odd = mix(odd, words[at + 1]!);
  }
  if (at < length) even = mix(even, words[at]!);
  return spread(mix(even, odd));
}
