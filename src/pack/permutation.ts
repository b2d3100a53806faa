// Orders ↔ digits and bits. An order says for each place which item stands there; its digit says how many of the items that are left
// stand before it in the order that was expected. What comes as expected has the digit 0.

import { damagedPack } from "./pack-damage.ts";

/** Items that were taken out of turn: how many of them are before one. All before `head` are gone. */
class Remaining {
  readonly #count: number;
  readonly #isTaken: Uint8Array;
  /** A Fenwick tree over the items taken out of turn. */
  readonly #tree: Int32Array;
  readonly #top: number;
  #head = 0;
  /** Of those taken out of turn, how many are before the head. */
  #passed = 0;
  #taken = 0;

  constructor(count: number) {
    this.#count = count;
    this.#isTaken = new Uint8Array(count + 1);
    this.#tree = new Int32Array(count + 1);
    this.#top = 2 ** (31 - Math.clz32(Math.max(1, count)));
  }

  /** Takes `item`; answers how many of those left are before it, or -1 where it is not there. */
  take(item: number): number {
    if (!(item >= this.#head && item < this.#count) || this.#isTaken[item] !== 0) return -1;
    if (item === this.#head) {
      this.#advance();
      return 0;
    }
    let before = 0;
    if (this.#taken > this.#passed) for (let at = item; at > 0; at &= at - 1) before += this.#tree[at]!;
    else before = this.#passed;
    this.#mark(item);
    return item - this.#head - (before - this.#passed);
  }

  /** Takes the item before which `digit` others are left; answers it, or -1 where there are not so many. */
  takeNth(digit: number): number {
    let item = this.#head;
    if (digit > 0 && this.#taken === this.#passed) item += digit;
    else if (digit > 0) {
      // The last place with no more than so many before it that were not taken out of turn.
      let left = this.#head - this.#passed + digit;
      item = 0;
      for (let step = this.#top; step > 0; step >>= 1) {
        const next = item + step;
        if (next > this.#count || step - this.#tree[next]! > left) continue;
        left -= step - this.#tree[next]!;
        item = next;
      }
    }
    if (item >= this.#count) return -1;
    if (item === this.#head) this.#advance();
    else this.#mark(item);
    return item;
  }

  #mark(item: number): void {
    this.#isTaken[item] = 1;
    this.#taken++;
    for (let at = item + 1; at <= this.#count; at += at & -at) this.#tree[at] = this.#tree[at]! + 1;
  }

  #advance(): void {
    this.#head++;
    while (this.#isTaken[this.#head] !== 0) {
      this.#head++;
      this.#passed++;
    }
  }
}

/** `order` has each of 0 to its length - 1 once. */
export function digitsOf(order: Int32Array): Int32Array {
  const remaining = new Remaining(order.length);
  const digits = new Int32Array(order.length);
  for (let place = 0; place < digits.length; place++) digits[place] = remaining.take(order[place]!);
  return digits;
}

/** The order of these digits. Throws `unavailable`, naming the section, where they are none of an order. */
export function orderOf(digits: Int32Array, section: string): Int32Array {
  const remaining = new Remaining(digits.length);
  const order = new Int32Array(digits.length);
  for (let place = 0; place < order.length; place++) {
    order[place] = remaining.takeNth(digits[place]!);
    if (order[place]! < 0) damagedPack(section, "an order names what is not there");
  }
  return order;
}

/** Digits are put together to numbers below this, and these written in as many bits as they may need. */
const GROUP_MAX = 2 ** 30;

/** How many digits from `place` on make one number, of so many values: the digit at place p is one of `count - p`. */
function groupAt(place: number, count: number): { digits: number; values: number } {
  let digits = 0;
  let values = 1;
  while (place + digits < count && values * (count - place - digits) <= GROUP_MAX) {
    values *= count - place - digits;
    digits++;
  }
  return { digits, values };
}

function bitsFor(values: number): number {
  return values === 1 ? 0 : 32 - Math.clz32(values - 1);
}

/** How many bytes `packDigits` needs for an order of `count`. */
export function packedSize(count: number): number {
  let bits = 0;
  for (let place = 0; place < count; ) {
    const { digits, values } = groupAt(place, count);
    bits += bitsFor(values);
    place += digits;
  }
  return Math.ceil(bits / 8);
}

/** For orders that nothing foretells: about as many bits as such an order has, low ones first. */
export function packDigits(digits: Int32Array): Uint8Array {
  const count = digits.length;
  const bytes = new Uint8Array(packedSize(count));
  let bit = 0;
  for (let place = 0; place < count; ) {
    const group = groupAt(place, count);
    let number = 0;
    for (let at = place + group.digits - 1; at >= place; at--) number = number * (count - at) + digits[at]!;
    for (let left = bitsFor(group.values); left > 0; ) {
      const taken = Math.min(left, 8 - (bit & 7));
      bytes[bit >> 3]! |= (number & ((1 << taken) - 1)) << (bit & 7);
      number >>>= taken;
      bit += taken;
      left -= taken;
    }
    place += group.digits;
  }
  return bytes;
}

/** `bytes` are packedSize(count). */
export function unpackDigits(bytes: Uint8Array, count: number): Int32Array {
  const digits = new Int32Array(count);
  let bit = 0;
  for (let place = 0; place < count; ) {
    const group = groupAt(place, count);
    let number = 0;
    const bits = bitsFor(group.values);
    for (let got = 0; got < bits; ) {
      const taken = Math.min(bits - got, 8 - (bit & 7));
      number |= ((bytes[bit >> 3]! >> (bit & 7)) & ((1 << taken) - 1)) << got;
      bit += taken;
      got += taken;
    }
    for (let at = place; at < place + group.digits; at++) {
      digits[at] = number % (count - at);
      number = Math.floor(number / (count - at));
    }
    place += group.digits;
  }
  return digits;
}
