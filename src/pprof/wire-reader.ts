// A cursor over protobuf bytes: fields, varints, payloads; every read is bounds-checked. It knows no message.
// It accepts and refuses what google/pprof's decoder does: overlong varints of up to ten bytes yes, groups no.

import { invalidProfile } from "./invalid-profile.ts";
import { WIRE } from "./schema.ts";

/** What `next` answers for field numbers that no message has: one beyond 2^24, with the true wire type. */
const FAR_FIELD = 1 << 27;

export class WireReader {
  bytes: Uint8Array = new Uint8Array(0);
  /** Where the next read starts, and where the message being read ends: offsets in `bytes`. */
  pos = 0;
  end = 0;
  /** The two halves of the last number read, as signed 32-bit integers. */
  lo = 0;
  hi = 0;
  /** Where the payload of the last length-delimited field ends; it starts at `pos`. */
  stop = 0;

  open(bytes: Uint8Array, start = 0, end = bytes.length): void {
    this.bytes = bytes;
    this.pos = start;
    this.end = end;
  }

  /**
   * Reads a field and answers its tag, field number × 8 + wire type. A number is in `lo` and `hi` then. A payload lies
   * between `pos` and `stop`: the caller reads it, or sets `pos` to `stop`.
   */
  next(): number {
    const { bytes } = this;
    let at = this.pos;
    // The common field, a tag of one byte and a number below 2^28, with one look at the end of the message behind it.
    if (at + 5 > bytes.length) return this.#anyField();
    const tag = bytes[at++]!;
    if (tag >= 0x80 || (tag & 5) !== 0) return this.#anyField();
    let byte = bytes[at++]!;
    let value = byte & 0x7f;
    if (byte >= 0x80) {
      byte = bytes[at++]!;
      value |= (byte & 0x7f) << 7;
      if (byte >= 0x80) {
        byte = bytes[at++]!;
        value |= (byte & 0x7f) << 14;
        if (byte >= 0x80) {
          byte = bytes[at++]!;
          value |= (byte & 0x7f) << 21;
          if (byte >= 0x80) return this.#anyField();
        }
      }
    }
    if ((tag & 7) === WIRE.varint) {
      if (at > this.end) return this.#anyField();
      this.lo = value;
      this.hi = 0;
    } else {
      if (at + value > this.end) return this.#anyField();
      this.stop = at + value;
    }
    this.pos = at;
    return tag;
  }

  /**
   * For a field that the caller does not know: passes over it. A field number up to `lastField` is known, so its wire type
   * must be wrong: throws `invalid`.
   */
  pass(tag: number, lastField: number): void {
    const field = tag >>> 3;
    if (field > 0 && field <= lastField) {
      invalidProfile(`field ${field} before byte ${this.pos} has wire type ${tag & 7}, which does not fit it`);
    }
    if ((tag & 7) === WIRE.bytes) this.pos = this.stop;
  }

  /** Reads a varint of up to ten bytes into `lo` and `hi`; bits beyond the 64th are dropped. */
  varint(): void {
    const { bytes, pos } = this;
    if (pos < this.end && bytes[pos]! < 0x80) {
      this.lo = bytes[pos]!;
      this.hi = 0;
      this.pos = pos + 1;
    } else this.#longVarint();
  }

  /** The last number as an index or a count: below 2^31, else -1. */
  get index(): number {
    return this.hi === 0 && this.lo >= 0 ? this.lo : -1;
  }

  get int64(): bigint {
    const low = BigInt(this.lo >>> 0);
    return this.hi === 0 ? low : (BigInt(this.hi) << 32n) | low;
  }

  get uint64(): bigint {
    const low = BigInt(this.lo >>> 0);
    return this.hi === 0 ? low : (BigInt(this.hi >>> 0) << 32n) | low;
  }

  get bool(): boolean {
    return (this.lo | this.hi) !== 0;
  }

  /** Any field at all, or the complaint that it is none. */
  #anyField(): number {
    this.#longVarint();
    const type = this.lo & 7;
    const isFar = this.hi !== 0 || this.lo < 0 || this.lo >= FAR_FIELD;
    const tag = isFar ? FAR_FIELD | type : this.lo;
    if (type === WIRE.varint) this.#longVarint();
    else if (type === WIRE.bytes) {
      this.#longVarint();
      if (this.hi !== 0 || this.lo >>> 0 > this.end - this.pos) {
        invalidProfile(`the length before byte ${this.pos} reaches beyond the end of its message`);
      }
      this.stop = this.pos + this.lo;
    } else if (type === WIRE.fixed64) this.#skip(8);
    else if (type === WIRE.fixed32) this.#skip(4);
    else invalidProfile(`the field before byte ${this.pos} has wire type ${type}, which profiles do not use`);
    return tag;
  }

  #longVarint(): void {
    const { bytes } = this;
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

  #skip(size: number): void {
    if (size > this.end - this.pos)
      invalidProfile(`the field at byte ${this.pos} reaches beyond the end of its message`);
    this.pos += size;
  }
}

/**
 * A number of one to four bytes at `at`, as value × 4 + bytes taken − 1; -1 when it is longer, for WireReader to read. Four
 * bytes must be there. Hot loops keep their place in local variables and use this: fields of an object cost twice the time.
 */
export function shortNumber(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!;
  if (first < 0x80) return first << 2;
  const second = bytes[at + 1]!;
  const two = (first & 0x7f) | ((second & 0x7f) << 7);
  if (second < 0x80) return (two << 2) | 1;
  const third = bytes[at + 2]!;
  const three = two | ((third & 0x7f) << 14);
  if (third < 0x80) return (three << 2) | 2;
  const fourth = bytes[at + 3]!;
  return fourth < 0x80 ? ((three | (fourth << 21)) << 2) | 3 : -1;
}
