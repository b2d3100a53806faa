// A cursor over protobuf bytes: tags, varints, lengths, skipping; every read is bounds-checked. It knows no message.
// It accepts and refuses what google/pprof's decoder does: overlong varints of up to ten bytes yes, groups no.

import { invalidProfile } from "./invalid-profile.ts";
import { WIRE } from "./schema.ts";

/** What tag() answers for a field number no message has: a field beyond 2^24 with its true wire type. */
const FAR_FIELD = 1 << 27;

export class WireReader {
  bytes: Uint8Array = new Uint8Array(0);
  /** Where the next read starts, and where the message being read ends: offsets in `bytes`. */
  pos = 0;
  end = 0;
  /** The two halves of the last varint read by `varint()`, as signed 32-bit integers. */
  lo = 0;
  hi = 0;

  open(bytes: Uint8Array, start = 0, end = bytes.length): void {
    this.bytes = bytes;
    this.pos = start;
    this.end = end;
  }

  /** Field number × 8 + wire type. */
  tag(): number {
    if (this.pos < this.end) {
      const byte = this.bytes[this.pos]!;
      if (byte < 0x80) {
        this.pos++;
        return byte;
      }
    }
    this.varint();
    const isFar = this.hi !== 0 || this.lo < 0 || this.lo >= FAR_FIELD;
    return isFar ? FAR_FIELD | (this.lo & 7) : this.lo;
  }

  /** Reads a varint of up to ten bytes into `lo` and `hi`; bits beyond the 64th are dropped. */
  varint(): void {
    const bytes = this.bytes;
    if (this.pos < this.end && bytes[this.pos]! < 0x80) {
      this.lo = bytes[this.pos++]!;
      this.hi = 0;
      return;
    }
    const last = Math.min(this.end, this.pos + 10);
    let at = this.pos;
    let lo = 0;
    let hi = 0;
    let shift = 0;
    while (at < last) {
      const byte = bytes[at++]!;
      const bits = byte & 0x7f;
      if (shift < 28) lo |= bits << shift;
      else if (shift === 28) {
        lo |= bits << 28;
        hi = bits >>> 4;
      } else hi |= bits << (shift - 32);
      if (byte < 0x80) {
        this.pos = at;
        this.lo = lo;
        this.hi = hi;
        return;
      }
      shift += 7;
    }
    invalidProfile(`the number at byte ${this.pos} has no end within ten bytes or within its message`);
  }

  /** A varint that is an index or a count: below 2^31, else -1. */
  index(): number {
    const bytes = this.bytes;
    const at = this.pos;
    if (at + 3 <= this.end) {
      const first = bytes[at]!;
      if (first < 0x80) {
        this.pos = at + 1;
        return first;
      }
      const second = bytes[at + 1]!;
      if (second < 0x80) {
        this.pos = at + 2;
        return (second << 7) | (first & 0x7f);
      }
      const third = bytes[at + 2]!;
      if (third < 0x80) {
        this.pos = at + 3;
        return (third << 14) | ((second & 0x7f) << 7) | (first & 0x7f);
      }
    }
    this.varint();
    return this.hi === 0 && this.lo >= 0 ? this.lo : -1;
  }

  int64(): bigint {
    this.varint();
    return (BigInt(this.hi) << 32n) | BigInt(this.lo >>> 0);
  }

  uint64(): bigint {
    this.varint();
    return (BigInt(this.hi >>> 0) << 32n) | BigInt(this.lo >>> 0);
  }

  bool(): boolean {
    this.varint();
    return (this.lo | this.hi) !== 0;
  }

  /** Reads a length and answers where its payload ends; the payload starts at `pos`. */
  length(): number {
    const start = this.pos;
    const length = this.index();
    if (length < 0 || length > this.end - this.pos) {
      invalidProfile(`the length at byte ${start} reaches beyond the end of its message`);
    }
    return this.pos + length;
  }

  /** Passes over a field the caller does not know. A field number up to `lastField` is known: its wire type is wrong. */
  skip(tag: number, lastField: number): void {
    const type = tag & 7;
    const field = tag >>> 3;
    if (field > 0 && field <= lastField) {
      invalidProfile(`field ${field} before byte ${this.pos} has wire type ${type}, which does not fit it`);
    }
    if (type === WIRE.varint) this.varint();
    else if (type === WIRE.bytes) this.pos = this.length();
    else if (type === WIRE.fixed64) this.#fixed(8);
    else if (type === WIRE.fixed32) this.#fixed(4);
    else invalidProfile(`the field before byte ${this.pos} has wire type ${type}, which profiles do not use`);
  }

  #fixed(size: number): void {
    if (size > this.end - this.pos)
      invalidProfile(`the field at byte ${this.pos} reaches beyond the end of its message`);
    this.pos += size;
  }
}
