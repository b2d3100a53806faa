// Lists of numbers ↔ bytes: base-128 varints, least significant group first, as protobuf has them. Signed numbers are zigzagged.
// 64-bit numbers are pairs of halves. A list's length is not written: readers know it.

import { WireWriter } from "../pprof/wire-writer.ts";
import { damagedPack } from "./pack-damage.ts";

const NO_NUMBERS = new Int32Array(0);

export class NumberWriter {
  readonly #out = new WireWriter(1024);

  get length(): number {
    return this.#out.length;
  }

  bytes(bytes: Uint8Array): void {
    this.#out.bytes(bytes);
  }

  /** One number from 0 to 2^31 - 1. */
  number(value: number): void {
    this.#out.varint(value);
  }

  /** One 32-bit number, zigzagged. */
  signed(value: number): void {
    this.#out.varint64((value << 1) ^ (value >> 31), 0);
  }

  /** One 64-bit number as it is, which costs negative ones ten bytes. */
  wide(lo: number, hi: number): void {
    this.#out.varint64(lo, hi);
  }

  /** One 64-bit number, zigzagged. */
  wideSigned(lo: number, hi: number): void {
    const sign = hi >> 31;
    this.#out.varint64((lo << 1) ^ sign, ((hi << 1) | (lo >>> 31)) ^ sign);
  }

  bigint(value: bigint): void {
    const wrapped = BigInt.asIntN(64, value);
    this.wideSigned(Number(BigInt.asIntN(32, wrapped)), Number(wrapped >> 32n));
  }

  numbers(values: Iterable<number>): void {
    for (const value of values) this.#out.varint(value);
  }

  finish(): Uint8Array<ArrayBuffer> {
    return this.#out.finish();
  }
}

/** Reads a section's content. All methods throw `unavailable`, naming the section, where it ends too early. */
export class NumberReader {
  readonly section: string;
  readonly content: Uint8Array;
  at = 0;

  constructor(section: string, content: Uint8Array) {
    this.section = section;
    this.content = content;
  }

  /** Throws unless all was read. */
  end(): void {
    if (this.at !== this.content.length) damagedPack(this.section, "it goes on behind its end");
  }

  bytes(length: number): Uint8Array {
    if (length > this.content.length - this.at) this.#short();
    this.at += length;
    return this.content.subarray(this.at - length, this.at);
  }

  /** One number, at most `max`. */
  number(max: number): number {
    const value = this.numbers(1)[0]!;
    if (value > max) damagedPack(this.section, `a number is ${value} where at most ${max} is possible`);
    return value;
  }

  /** Numbers from 0 to 2^31 - 1. Each must be below `below`. */
  numbers(count: number, below = 2 ** 31): Int32Array {
    // Each takes a byte at least: so a false count cannot make us allocate more than that.
    if (count > this.content.length - this.at) this.#short();
    if (count === 0) return NO_NUMBERS;
    const out = new Int32Array(count);
    const { content } = this;
    let { at } = this;
    let largest = 0;
    for (let place = 0; place < count; place++) {
      let byte = content[at++]!;
      let value = byte;
      if (byte >= 0x80) {
        value = byte & 0x7f;
        for (let shift = 7; ; shift += 7) {
          if (at >= content.length || shift > 28) this.#short();
          byte = content[at++]!;
          value |= (byte & 0x7f) << shift;
          if (byte < 0x80) break;
        }
        if (value < 0) this.#short();
      }
      out[place] = value;
      if (value > largest) largest = value;
      if (at + count - place - 1 > content.length) this.#short();
    }
    this.at = at;
    if (largest >= below) damagedPack(this.section, `a number is ${largest} where less than ${below} is possible`);
    return out;
  }

  /** 32-bit numbers that were zigzagged. */
  signed(count: number): Int32Array {
    if (count > this.content.length - this.at) this.#short();
    const out = new Int32Array(count);
    const { content } = this;
    let { at } = this;
    for (let place = 0; place < count; place++) {
      if (at >= content.length) this.#short();
      let byte = content[at++]!;
      let value = byte & 0x7f;
      for (let shift = 7; byte >= 0x80; shift += 7) {
        if (at >= content.length || shift > 28) this.#short();
        byte = content[at++]!;
        value |= (byte & 0x7f) << shift;
      }
      out[place] = (value >>> 1) ^ -(value & 1);
    }
    this.at = at;
    return out;
  }

  /** Pairs of halves of 64-bit numbers. */
  wide(count: number): Int32Array {
    if (count > this.content.length - this.at) this.#short();
    if (count === 0) return NO_NUMBERS;
    const out = new Int32Array(count * 2);
    const { content } = this;
    let { at } = this;
    for (let place = 0; place < count; place++) {
      if (at >= content.length) this.#short();
      let byte = content[at++]!;
      if (byte < 0x80) {
        out[place * 2] = byte;
        continue;
      }
      let lo = byte & 0x7f;
      let hi = 0;
      for (let shift = 7; ; shift += 7) {
        if (at >= content.length || shift > 63) this.#short();
        byte = content[at++]!;
        const bits = byte & 0x7f;
        if (shift < 28) lo |= bits << shift;
        else if (shift === 28) {
          lo |= bits << 28;
          hi = bits >>> 4;
        } else hi |= bits << (shift - 32);
        if (byte < 0x80) break;
      }
      out[place * 2] = lo;
      out[place * 2 + 1] = hi;
    }
    this.at = at;
    return out;
  }

  /** Pairs of halves of 64-bit numbers that were zigzagged. */
  wideSigned(count: number): Int32Array {
    const out = this.wide(count);
    for (let at = 0; at < out.length; at += 2) {
      const lo = out[at]!;
      const hi = out[at + 1]!;
      const sign = -(lo & 1);
      out[at] = ((lo >>> 1) | (hi << 31)) ^ sign;
      out[at + 1] = (hi >>> 1) ^ sign;
    }
    return out;
  }

  bigints(count: number): BigInt64Array {
    // On machines of either byte order: halves are put together by value.
    const halves = this.wideSigned(count);
    const out = new BigInt64Array(count);
    for (let at = 0; at < count; at++) {
      out[at] = (BigInt(halves[at * 2 + 1]!) << 32n) | BigInt(halves[at * 2]! >>> 0);
    }
    return out;
  }

  #short(): never {
    damagedPack(this.section, "it ends too early, or a number in it is too large");
  }
}
