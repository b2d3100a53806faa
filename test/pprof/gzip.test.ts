// gzip as strict as Go's reader, and bounded.

import { crc32, deflateRawSync, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { DomainError } from "../../src/model/errors.ts";
import { deflate, inflate, isGzip } from "../../src/pprof/gzip.ts";

const TEXT = Buffer.from("a profile, so to speak ".repeat(50));
const LIMIT = 1 << 20;

function failure(run: () => unknown): DomainError {
  try {
    run();
  } catch (error) {
    if (error instanceof DomainError) return error;
    throw error;
  }
  throw new Error("it did not fail");
}

test("what deflate() wrote, inflate() reads", () => {
  for (const level of [0, 1, 4, 9]) {
    const packed = deflate(TEXT, level);
    expect(isGzip(packed)).toBe(true);
    expect(Buffer.from(inflate(packed, LIMIT))).toEqual(TEXT);
  }
});

test("bytes that are not gzip come back as they are", () => {
  const raw = Uint8Array.of(10, 4, 8, 1);
  expect(inflate(raw, LIMIT)).toBe(raw);
  expect(inflate(new Uint8Array(0), LIMIT)).toHaveLength(0);
});

test("several members are one content, empty ones among them", () => {
  const members = [gzipSync(TEXT), gzipSync(""), gzipSync("end")];
  expect(Buffer.from(inflate(Buffer.concat(members), LIMIT)).toString()).toBe(`${TEXT}end`);
});

test("a window on a larger buffer is read as what it shows", () => {
  const packed = gzipSync(TEXT);
  const around = Buffer.concat([Buffer.alloc(13, 1), packed, Buffer.alloc(9, 1)]);
  expect(Buffer.from(inflate(around.subarray(13, 13 + packed.length), LIMIT))).toEqual(TEXT);
});

describe("headers", () => {
  const body = deflateRawSync(TEXT);
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(crc32(TEXT), 0);
  trailer.writeUInt32LE(TEXT.length, 4);
  const head = (flags: number) => Buffer.from([0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 3]);
  const checked = (start: Buffer) => {
    const sum = crc32(start) & 0xffff;
    return Buffer.concat([start, Buffer.from([sum & 0xff, sum >> 8])]);
  };
  const extra = Buffer.from([3, 0, 1, 2, 3]);
  const name = Buffer.from("cpu.pb\0");

  test.each([
    ["extra", Buffer.concat([head(4), extra])],
    ["name", Buffer.concat([head(8), name])],
    ["comment", Buffer.concat([head(16), name])],
    ["checksum", checked(head(2))],
    ["all of them", checked(Buffer.concat([head(30), extra, name, name]))],
  ])("%s is passed over", (_, header) => {
    expect(Buffer.from(inflate(Buffer.concat([header, body, trailer]), LIMIT))).toEqual(TEXT);
  });

  test("a wrong header checksum is refused", () => {
    const header = Buffer.concat([head(2), Buffer.from([0, 0])]);
    expect(failure(() => inflate(Buffer.concat([header, body, trailer]), LIMIT)).message).toMatch("header is damaged");
  });

  test("a name without an end, or of 512 bytes, is refused", () => {
    const endless = Buffer.concat([head(8), Buffer.alloc(40, 65)]);
    const long = Buffer.concat([head(8), Buffer.alloc(512, 65), Buffer.from([0]), body, trailer]);
    for (const bytes of [endless, long]) expect(failure(() => inflate(bytes, LIMIT)).message).toMatch("has no end");
  });
});

test.each([
  ["a zero byte behind it", Buffer.concat([gzipSync(TEXT), Buffer.alloc(1)]), "no gzip member"],
  ["text behind it", Buffer.concat([gzipSync(TEXT), Buffer.from("rest of the file, long enough")]), "no gzip member"],
  ["no more than a magic number behind it", Buffer.concat([gzipSync(TEXT), Buffer.from([0x1f, 0x8b, 8])]), "cut short"],
  ["its checksum missing", gzipSync(TEXT).subarray(0, -8), "ends before its checksum"],
  ["its last byte missing", gzipSync(TEXT).subarray(0, -1), "ends before its checksum"],
  ["half of it missing", gzipSync(TEXT).subarray(0, 30), "unexpected end of file"],
  ["another method than deflate", Buffer.from([0x1f, 0x8b, 7, ...Array(30).fill(0)]), "no gzip member"],
  ["nothing but a magic number", Buffer.from([0x1f, 0x8b]), "no gzip member"],
  ["gzip inside gzip", gzipSync(gzipSync(TEXT)), "compress once"],
])("a file with %s is refused", (_, bytes, message) => {
  const error = failure(() => inflate(bytes, LIMIT));
  expect([error.kind, error.message]).toEqual(["invalid", expect.stringContaining(message)]);
});

test.each([
  ["checksum", 8],
  ["size", 4],
])("a file whose %s is wrong is refused", (what, fromEnd) => {
  const bytes = gzipSync(TEXT);
  bytes[bytes.length - fromEnd]! ^= 1;
  expect(failure(() => inflate(bytes, LIMIT)).message).toMatch(`its ${what} does not fit`);
});

describe("the limit", () => {
  test("counts the content of all members together, and allows exactly itself", () => {
    const two = Buffer.concat([gzipSync(TEXT), gzipSync(TEXT)]);
    expect(inflate(two, TEXT.length * 2)).toHaveLength(TEXT.length * 2);
    expect(inflate(gzipSync(TEXT), TEXT.length)).toHaveLength(TEXT.length);
    for (const [bytes, limit] of [
      [two, TEXT.length * 2 - 1],
      [gzipSync(TEXT), TEXT.length - 1],
      [TEXT, TEXT.length - 1],
    ] as const) {
      const error = failure(() => inflate(bytes, limit));
      expect([error.kind, error.subject]).toEqual(["too-large", "body"]);
      expect(error.message).toContain(`${limit} bytes`);
    }
  });

  test("holds against a bomb, whatever size it claims, without inflating it", () => {
    const bomb = gzipSync(Buffer.alloc(256 << 20), { level: 9 });
    const honest = failure(() => inflate(bomb, LIMIT));
    bomb.writeUInt32LE(10, bomb.length - 4);
    const before = process.memoryUsage().arrayBuffers;
    const lying = failure(() => inflate(bomb, LIMIT));
    expect([honest.kind, lying.kind]).toEqual(["too-large", "too-large"]);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 * LIMIT);
  });

  test("a claim of 4 GiB in a small file allocates in proportion to the file", () => {
    const bytes = gzipSync(TEXT);
    bytes.writeUInt32LE(0xffff_ffff, bytes.length - 4);
    const before = process.memoryUsage().arrayBuffers;
    expect(failure(() => inflate(bytes, 2 ** 31)).kind).toBe("invalid");
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 * LIMIT);
  });
});
