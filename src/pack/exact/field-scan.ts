// What the messages of one kind show of how their writer lays them out: in which order fields come, which zeros are written.

import { PACKING_LENGTH_SHIFT, type Packing, WRITES_ZERO } from "./message-layout.ts";

/** Profiles have no field beyond. */
const FIELD_MAX = 15;

export class FieldScan {
  /** Of each field: the bits of those that came before it in some message. */
  readonly #before = new Int32Array(FIELD_MAX + 1);
  /** Bits of fields that were there, that were there as zero, that were missing, in some message. */
  #seen = 0;
  #zero = 0;
  #missing = 0;
  /** Of the message in hand. */
  #current = 0;
  #isUnknown = false;

  /** Call for each field of a message; a repeated one, too, each time. Its value is a number that is 0, or anything else. */
  field(number: number, isZero: boolean): void {
    if (number > FIELD_MAX) {
      this.#isUnknown = true;
      return;
    }
    const bit = 1 << number;
    this.#before[number]! |= this.#current & ~bit;
    this.#current |= bit;
    if (isZero) this.#zero |= bit;
  }

  /** Call at the end of each message. */
  end(): void {
    this.#seen |= this.#current;
    this.#missing |= ~this.#current;
    this.#current = 0;
  }

  /** The entries of the layout, or undefined when no order or no rule for zeros explains all messages. */
  layout(): Uint8Array | undefined {
    if (this.#isUnknown || (this.#zero & this.#missing) !== 0) return undefined;
    const entries: number[] = [];
    let rest = this.#seen;
    while (rest !== 0) {
      let field = 0;
      while (field <= FIELD_MAX && ((rest & (1 << field)) === 0 || (this.#before[field]! & rest) !== 0)) field++;
      if (field > FIELD_MAX) return undefined;
      entries.push((this.#zero & (1 << field)) === 0 ? field : field + WRITES_ZERO);
      rest &= ~(1 << field);
    }
    return Uint8Array.from(entries);
  }
}

/** What the lists of numbers of one field show of how they are packed. */
export class PackingScan {
  /** Bits of counts (0, 1, 2, more) that were packed, that were not, in some message. */
  #packed = 0;
  #single = 0;
  /** How many bytes the lengths of packed lists take, and of those that take more than they need: a bit for each. */
  #widths = 0;
  #padded = 0;

  /** A list of `count` numbers that are not packed. */
  single(count: number): void {
    this.#single |= 1 << Math.min(count, 3);
  }

  /** A packed list of `count` numbers, whose length takes `lengthBytes` where `shortest` would do. */
  packed(count: number, lengthBytes: number, shortest: number): void {
    this.#packed |= 1 << Math.min(count, 3);
    this.#widths |= 1 << lengthBytes;
    if (lengthBytes !== shortest) this.#padded |= 1 << lengthBytes;
  }

  /** Whether a list of one or two numbers came that was not packed, or was. */
  get fewArePacked(): boolean | undefined {
    if ((this.#single & FEW) !== 0) return false;
    return (this.#packed & FEW) !== 0 ? true : undefined;
  }

  /**
   * The rule, or undefined when there is none. Counts that never came are taken to be like others: lists of one or two like
   * each other, else as `fewArePacked` says, which another field may know.
   */
  packing(fewArePacked: boolean): Packing | undefined {
    const packed = this.#packed;
    if ((packed & this.#single) !== 0) return undefined;
    if (this.#padded !== 0 && this.#padded !== this.#widths) return undefined;
    const width = this.#padded === 0 ? 0 : 31 - Math.clz32(this.#padded);
    if (this.#padded !== 0 && this.#padded !== 1 << width) return undefined;
    const few = (this.fewArePacked ?? fewArePacked) ? FEW & ~this.#single : 0;
    const many = (this.#single & MANY) === 0 ? MANY : 0;
    return packed | few | many | (width << PACKING_LENGTH_SHIFT);
  }
}

const FEW = 0b0110;
const MANY = 0b1000;
