// Protobuf numbers into bytes that have room for them: pure functions of where to write, answering where to write next. The
// hot loops of this folder keep that place in a local variable, which costs half of what a field of an object does.

/** Bytes that the longest number takes. */
export const NUMBER_MAX_BYTES = 10;

/** A whole number from 0 to 2^31 - 1. */
export function putNumber(bytes: Uint8Array, at: number, value: number): number {
  let to = at;
  let rest = value;
  while (rest >= 0x80) {
    bytes[to++] = rest | 0x80;
    rest >>>= 7;
  }
  bytes[to++] = rest;
  return to;
}

/** A 64-bit number given as its two halves. */
export function putNumber64(bytes: Uint8Array, at: number, lo: number, hi: number): number {
  if (hi === 0 && lo >= 0) return putNumber(bytes, at, lo);
  let to = at;
  let low = lo >>> 0;
  let high = hi >>> 0;
  while (high !== 0) {
    bytes[to++] = low | 0x80;
    low = ((low >>> 7) | (high << 25)) >>> 0;
    high >>>= 7;
  }
  while (low >= 0x80) {
    bytes[to++] = low | 0x80;
    low >>>= 7;
  }
  bytes[to++] = low;
  return to;
}

/**
 * Closes a message whose content lies from `start` to `end` behind one byte kept for its length, and answers its new end. There
 * must be room for four bytes more: longer lengths move the content.
 */
export function closeMessage(bytes: Uint8Array, start: number, end: number): number {
  const size = end - start;
  if (size < 0x80) {
    bytes[start - 1] = size;
    return end;
  }
  const extra = size < 0x4000 ? 1 : size < 0x20_0000 ? 2 : size < 0x1000_0000 ? 3 : 4;
  bytes.copyWithin(start + extra, start, end);
  putNumber(bytes, start - 1, size);
  return end + extra;
}

/** Closes a message behind `width` bytes kept for its length, all of which are used: as writers do that never move content. */
export function closePadded(bytes: Uint8Array, start: number, end: number, width: number): void {
  let rest = end - start;
  for (let at = start - width; at < start; at++) {
    bytes[at] = at < start - 1 ? (rest & 0x7f) | 0x80 : rest & 0x7f;
    rest >>>= 7;
  }
}
