// A growing buffer of protobuf bytes: tags, varints, lengths, nested messages. It knows no message.

import { WIRE } from "./schema.ts";

export class WireWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;

  constructor(capacity = 4096) {
    this.#bytes = new Uint8Array(capacity);
  }

  get length(): number {
    return this.#length;
  }

  /** A copy of what was written, alone in its ArrayBuffer: safe to transfer to another thread. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }

  /** Makes room, so that what follows can write without asking. */
  #reserve(size: number): void {
    const needed = this.#length + size;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }

  /** A whole number from 0 to 2^31 - 1. */
  varint(value: number): void {
    this.#reserve(5);
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#bytes[this.#length++] = rest;
  }

  /** A 64-bit number given as its two 32-bit halves; negative ones take ten bytes, as protobuf's int64 does. */
  varint64(lo: number, hi: number): void {
    this.#reserve(10);
    let low = lo >>> 0;
    let high = hi >>> 0;
    while (high !== 0 || low >= 0x80) {
      this.#bytes[this.#length++] = (low & 0x7f) | 0x80;
      low = ((low >>> 7) | (high << 25)) >>> 0;
      high >>>= 7;
    }
    this.#bytes[this.#length++] = low;
  }

  bigint(value: bigint): void {
    this.varint64(Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n)));
  }

  bytes(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
  }

  tag(field: number, type: number): void {
    this.varint(field * 8 + type);
  }

  /** A varint field; zero is the default and is left out. */
  number(field: number, value: number): void {
    if (value === 0) return;
    this.tag(field, WIRE.varint);
    this.varint(value);
  }

  /** A 64-bit varint field; zero is the default and is left out. */
  number64(field: number, lo: number, hi: number): void {
    if ((lo | hi) === 0) return;
    this.tag(field, WIRE.varint);
    this.varint64(lo, hi);
  }

  /** A 64-bit varint field; zero is the default and is left out. */
  integer(field: number, value: bigint): void {
    if (value === 0n) return;
    this.tag(field, WIRE.varint);
    this.bigint(value);
  }

  /** The head of a length-delimited field of `size` bytes, which the caller writes next. */
  lengthField(field: number, size: number): void {
    this.tag(field, WIRE.bytes);
    this.varint(size);
  }

  /** Opens a nested message or packed field; pass the answer to `close`. */
  open(field: number): number {
    this.tag(field, WIRE.bytes);
    this.#reserve(1);
    return ++this.#length;
  }

  /** Writes the length of what was written since `open`. One byte is kept for it; longer ones move the content. */
  close(start: number): void {
    const size = this.#length - start;
    const extra = varintSize(size) - 1;
    // Room for a varint, too, so that writing the length below does not move to a new buffer, which would leave the content.
    this.#reserve(extra + 5);
    if (extra > 0) this.#bytes.copyWithin(start + extra, start, this.#length);
    this.#length = start - 1;
    this.varint(size);
    this.#length = start + extra + size;
  }
}

/** How many bytes a varint of a value below 2^31 takes. */
export function varintSize(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x20_0000) return 3;
  return value < 0x1000_0000 ? 4 : 5;
}

/** How many bytes a varint of a 64-bit number takes, given its halves. */
export function varint64Size(lo: number, hi: number): number {
  const bits = hi !== 0 ? 64 - Math.clz32(hi) : 32 - Math.clz32(lo);
  return Math.max(1, Math.ceil(bits / 7));
}
