// What src/model/text.ts promises: UTF-8 order, well-formedness, short quotes.

import { describe, expect, test } from "vitest";
import { compareUtf8, quote, textFault, utf8Bytes } from "../../src/model/text.ts";
import { Random } from "../support/random.ts";

describe("compareUtf8()", () => {
  test.each([
    ["", "", 0],
    ["", "a", -1],
    ["a", "b", -1],
    ["a", "aa", -1],
    ["B", "a", -1],
    ["é", "z", 1],
    ["\u{ffff}", "\u{10000}", -1], // UTF-16 order says the opposite
    ["\u{e000}", "\u{1f600}", -1],
    ["\u{1f600}", "\u{1f601}", -1],
  ] as const)("orders %j and %j as their UTF-8 bytes do", (a, b, sign) => {
    expect(Math.sign(compareUtf8(a, b))).toBe(sign);
    expect(Math.sign(compareUtf8(b, a)) + sign).toBe(0);
  });

  test("agrees with Buffer.compare on 5000 random pairs", () => {
    const random = new Random(20261121);
    const points = [0x61, 0x62, 0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xffff, 0x10000, 0x10ffff];
    const word = () => String.fromCodePoint(...Array.from({ length: random.between(0, 4) }, () => random.pick(points)));
    for (let round = 0; round < 5000; round++) {
      const [a, b] = [word(), word()];
      const bytes = Buffer.compare(Buffer.from(a), Buffer.from(b));
      expect(Math.sign(compareUtf8(a, b)), JSON.stringify([a, b])).toBe(bytes);
    }
  });
});

describe("textFault()", () => {
  test.each(["", "plain", "näme", "日本", "\u{1f600}", "a/../../b", "\u{80}", "\u{2028}"])("allows %j", (text) => {
    expect(textFault(text)).toBeUndefined();
  });

  test.each([
    ["a\ud800", "is not valid UTF-8"],
    ["\udc00", "is not valid UTF-8"],
    ["a\0b", "holds the control character U+0000"],
    ["a\nb", "holds the control character U+000a"],
    ["\x1b[31m", "holds the control character U+001b"],
    ["\x7f", "holds the control character U+007f"],
  ])("says of %j that it %s", (text, fault) => {
    expect(textFault(text)).toBe(fault);
  });
});

test("utf8Bytes() counts bytes, not characters", () => {
  expect(["a", "é", "日", "\u{1f600}"].map(utf8Bytes)).toEqual([1, 2, 3, 4]);
});

test("quote() shows controls escaped, cuts what is long, and never writes a lone surrogate", () => {
  expect(quote('a"b\n')).toBe('"a\\"b\\n"');
  expect(quote("x".repeat(1_000_000)).length).toBeLessThan(100);
  expect(quote("\ud800").isWellFormed()).toBe(true);
});
