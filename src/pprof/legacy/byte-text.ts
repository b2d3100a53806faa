// Text of legacy formats: strings of one character per byte (latin1), so that no byte is lost, read by the rules of Go's
// strings, strconv and bufio packages, since google/pprof defines these formats by them.

import type { Limits } from "../../model/limits.ts";
import { oversizedProfile } from "../invalid-profile.ts";

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

export function byteText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

/** Goes through lines as bufio.Scanner does: without "\n" and one "\r", the last one with or without an end. */
export class LineScanner {
  readonly #source: string;
  readonly #limits: Limits;
  #at: number;
  /** The current line; "" before the first and after the last. */
  text = "";

  constructor(source: string, at: number, limits: Limits) {
    this.#source = source;
    this.#at = at;
    this.#limits = limits;
  }

  /** False at the end. Throws `too-large` for a line over the limit. */
  next(): boolean {
    if (this.#at >= this.#source.length) {
      this.text = "";
      return false;
    }
    const newline = this.#source.indexOf("\n", this.#at);
    const end = newline < 0 ? this.#source.length : newline;
    checkLine(end - this.#at, this.#limits);
    const withoutReturn = end > this.#at && this.#source[end - 1] === "\r" ? end - 1 : end;
    this.text = this.#source.slice(this.#at, withoutReturn);
    this.#at = end + 1;
    return true;
  }
}

export function checkLine(sizeBytes: number, limits: Limits): void {
  if (sizeBytes <= limits.legacyLineBytes) return;
  oversizedProfile(`a line of its text has more than ${limits.legacyLineBytes} bytes`);
}

/** Without the white space at both ends: ASCII's, and Unicode's in UTF-8. */
export function trim(text: string): string {
  let start = 0;
  let end = text.length;
  for (let width = spaceWidth(text, start); width > 0 && start < end; width = spaceWidth(text, start)) start += width;
  for (let width = spaceWidthBefore(text, end); width > 0 && start < end; width = spaceWidthBefore(text, end))
    end -= width;
  return text.slice(start, Math.max(start, end));
}

const ASCII_SPACE = /[\t-\r ]/;
const WIDE_SPACE = /\xc2[\x85\xa0]|\xe1\x9a\x80|\xe2\x80[\x80-\x8a\xa8\xa9\xaf]|\xe2\x81\x9f|\xe3\x80\x80/y;

function spaceWidth(text: string, at: number): number {
  const code = text.charCodeAt(at);
  if (code < 0x80) return ASCII_SPACE.test(text[at]!) ? 1 : 0;
  WIDE_SPACE.lastIndex = at;
  return WIDE_SPACE.exec(text)?.[0].length ?? 0;
}

function spaceWidthBefore(text: string, end: number): number {
  for (const width of [1, 2, 3]) if (end >= width && spaceWidth(text, end - width) === width) return width;
  return 0;
}

export function isSpaceOrComment(line: string): boolean {
  const trimmed = trim(line);
  return trimmed === "" || trimmed[0] === "#";
}

const ANY_BASE = /^[+-]?(?:0x(?:_?[0-9a-f])+|0b(?:_?[01])+|0o(?:_?[0-7])+|0(?:_?[0-7])*|[1-9](?:_?[0-9])*)$/i;

/** An int64 as strconv.ParseInt reads it with base 0: 0x, 0b, 0o and 0 give the base, _ may part digits. */
export function parseAnyBase(text: string): bigint | undefined {
  if (text.length > 100 && text.replace(/[_0]/g, "").length > 70) return undefined;
  if (!ANY_BASE.test(text)) return undefined;
  const digits = text.replace(/^[+-]/, "").replaceAll("_", "");
  const octal = /^0[0-7]+$/.test(digits);
  return int64((text[0] === "-" ? -1n : 1n) * BigInt(octal ? `0o${digits}` : digits));
}

/** An int64 in decimal digits, signed. The caller's pattern has seen that nothing else is there. */
export function parseDecimal(digits: string): bigint | undefined {
  if (digits.replace(/^-?0*/, "").length > 19) return undefined;
  return int64(BigInt(digits));
}

function int64(value: bigint): bigint | undefined {
  return value >= INT64_MIN && value <= INT64_MAX ? value : undefined;
}

/** A uint64 in hexadecimal digits, with or without 0x. */
export function parseHex(digits: string): bigint | undefined {
  const significant = digits.replace(/^(?:0x)?0*/, "");
  return significant.length > 16 ? undefined : BigInt(`0x0${significant}`);
}

/** All of 0x1f, 0x2a … in a line; undefined when one has more than 64 bits. */
export function parseAddresses(text: string): bigint[] | undefined {
  const addresses: bigint[] = [];
  for (const [digits] of text.matchAll(/0x[0-9a-f]+/g)) {
    const address = parseHex(digits);
    if (address === undefined) return undefined;
    addresses.push(address);
  }
  return addresses;
}

/** Go's int64(float) on amd64: towards zero, and the least int64 for what does not fit. */
export function truncateToInt64(value: number): bigint {
  return value >= -(2 ** 63) && value < 2 ** 63 ? BigInt(Math.trunc(value)) : INT64_MIN;
}

export function wrapInt64(value: bigint): bigint {
  return BigInt.asIntN(64, value);
}
