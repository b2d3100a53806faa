// The cursor at the borders of the wire format; whole profiles are judged against google/pprof in conformance/.

import { describe, expect, test } from "vitest";
import { shortNumber, WireReader } from "../../src/pprof/wire-reader.ts";
import { varint64Size, varintSize, WireWriter } from "../../src/pprof/wire-writer.ts";

function reader(...bytes: number[]): WireReader {
  const reader = new WireReader();
  reader.open(Uint8Array.from(bytes));
  return reader;
}

/** A field 1 with a varint of `value`, padded so that the fast path may read ahead. */
function field(value: bigint, padding: number): WireReader {
  const writer = new WireWriter();
  writer.tag(1, 0);
  writer.bigint(value);
  const bytes = writer.finish();
  const whole = new Uint8Array(bytes.length + padding);
  whole.set(bytes);
  const reader = new WireReader();
  reader.open(whole, 0, bytes.length);
  return reader;
}

const BORDERS = [
  0n,
  1n,
  127n,
  128n,
  16383n,
  16384n,
  2n ** 21n - 1n,
  2n ** 21n,
  2n ** 28n - 1n,
  2n ** 28n,
  2n ** 31n - 1n,
];
const LARGE = [2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 35n, 2n ** 53n + 1n, 2n ** 63n - 1n, -1n, -(2n ** 63n)];

describe("numbers", () => {
  test.each([...BORDERS, ...LARGE])("%s reads back, at the end of the bytes and before others", (value) => {
    for (const padding of [0, 1, 8]) {
      const numbers = field(value, padding);
      expect(numbers.next()).toBe(8);
      expect(numbers.int64).toBe(value);
      expect(numbers.uint64).toBe(BigInt.asUintN(64, value));
      expect(numbers.index).toBe(value >= 0n && value < 2n ** 31n ? Number(value) : -1);
      expect(numbers.bool).toBe(value !== 0n);
      expect(numbers.pos).toBe(numbers.end);
    }
  });

  test.each([...BORDERS, ...LARGE])("the size of %s is that of its bytes", (value) => {
    const writer = new WireWriter();
    writer.bigint(value);
    expect(varint64Size(Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n)))).toBe(writer.length);
    if (value >= 0n && value < 2n ** 31n) expect(varintSize(Number(value))).toBe(writer.length);
  });

  test("a varint of ten bytes drops the bits beyond the 64th", () => {
    const numbers = reader(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f);
    numbers.varint();
    expect(numbers.int64).toBe(-1n);
  });

  test("a varint of eleven bytes is refused", () => {
    const numbers = reader(...Array(10).fill(0x80), 1);
    expect(() => numbers.varint()).toThrow("number at byte 0 has no end within ten bytes");
  });

  test("a varint does not reach beyond the end of its message", () => {
    const numbers = reader(0x80, 0x01, 0, 0, 0);
    numbers.end = 1;
    expect(() => numbers.varint()).toThrow("has no end");
    numbers.pos = 0;
    expect(() => numbers.next()).toThrow("has no end");
  });

  test("shortNumber() reads one to four bytes and leaves longer ones", () => {
    for (const value of BORDERS) {
      const writer = new WireWriter();
      writer.bigint(value);
      const size = writer.length;
      writer.bytes(new Uint8Array(4));
      const number = shortNumber(writer.finish(), 0);
      if (size > 4) expect(number).toBe(-1);
      else expect([number >> 2, (number & 3) + 1]).toEqual([Number(value), size]);
    }
  });
});

describe("fields", () => {
  test("a payload lies between pos and stop", () => {
    const fields = reader(0x12, 2, 7, 8, 0x08, 5);
    expect(fields.next()).toBe(0x12);
    expect([fields.pos, fields.stop]).toEqual([2, 4]);
    fields.pos = fields.stop;
    expect(fields.next()).toBe(8);
    expect(fields.lo).toBe(5);
  });

  test("a payload does not reach beyond the end of its message", () => {
    expect(() => reader(0x12, 3, 7, 8).next()).toThrow("reaches beyond the end");
    expect(() => reader(0x12, 0x80, 0x80, 0x80, 0x80, 0x10).next()).toThrow("reaches beyond the end");
  });

  test.each([1, 5])("a field of wire type %i is passed over whole, or refused when cut short", (type) => {
    const size = type === 1 ? 8 : 4;
    const fields = reader(0xf8 | type, 1, ...Array(size).fill(9), 0x08, 5); // field 31, in a tag of two bytes
    fields.pass(fields.next(), 15);
    expect(fields.next()).toBe(8);
    expect(() => reader((1 << 3) | type, ...Array(size - 1).fill(9)).next()).toThrow("reaches beyond the end");
  });

  test.each([3, 4, 6, 7])("wire type %i is refused, as google/pprof refuses it", (type) => {
    expect(() => reader((1 << 3) | type, 0, 0, 0, 0).next()).toThrow(`wire type ${type}`);
  });

  test("a field number beyond every message is passed over, not mistaken for a known one", () => {
    const fields = reader(0x88, 0x80, 0x80, 0x80, 0x10, 5, 0x08, 6); // field 2^32 + 1
    const tag = fields.next();
    fields.pass(tag, 15);
    expect(tag >>> 3).toBeGreaterThan(15);
    expect(fields.next()).toBe(8);
  });

  test("field 0 is unknown, not an error", () => {
    const fields = reader(0x00, 5, 0x08, 6);
    fields.pass(fields.next(), 15);
    expect(fields.next()).toBe(8);
  });

  test("a known field in another wire type is refused", () => {
    const fields = reader(0x0a, 0);
    expect(() => fields.pass(fields.next(), 1)).toThrow("field 1 before byte 2 has wire type 2");
  });
});

test("WireWriter.close() moves its content when the length needs more than a byte", () => {
  for (const size of [0, 1, 127, 128, 16383, 16384]) {
    const writer = new WireWriter(1);
    const start = writer.open(2);
    writer.bytes(new Uint8Array(size).fill(7));
    writer.close(start);
    const fields = reader(...writer.finish());
    expect(fields.next()).toBe(0x12);
    expect([fields.stop - fields.pos, fields.stop]).toEqual([size, writer.length]);
    expect(fields.bytes.subarray(fields.pos).every((byte) => byte === 7)).toBe(true);
  }
});
