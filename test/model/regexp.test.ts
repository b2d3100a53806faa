// Regular expressions from users: RE2 syntax, anchored, linear, bounded.

import { describe, expect, test } from "vitest";
import { DomainError } from "../../src/model/errors.ts";
import { DEFAULT_LIMITS as limits } from "../../src/model/limits.ts";
import { compileAnchored } from "../../src/model/regexp.ts";

describe("compileAnchored()", () => {
  test.each([
    ["1[.].*", "1.2.3", true],
    ["1[.].*", "11.2", false],
    ["a|b", "a", true],
    ["a|b", "ab", false],
    ["b", "abc", false],
    ["", "", true],
    ["", "a", false],
    [".*", "a\nb", true], // as PromQL: a dot matches a line break
    ["(?i)prod", "PROD", true],
    ["\\d+", "٣", false],
    ["日.", "日本", true],
    [".", "\u{1f600}", true],
  ])("%j on %j: %s", (pattern, value, matches) => {
    expect(compileAnchored(pattern, limits)(value)).toBe(matches);
  });

  test.each(["(", "a**", "[z-a]", "(?=a)", "(a)\\1", "\\", "(?<n"])("refuses %j, which is no RE2", (pattern) => {
    expect(() => compileAnchored(pattern, limits)).toThrow(DomainError);
    expect(() => compileAnchored(pattern, limits)).toThrow("RE2 syntax");
  });

  test("refuses a pattern over the limit of bytes", () => {
    expect(() => compileAnchored("é".repeat(513), limits)).toThrow("it has 1026 bytes, at most 1024 are allowed");
  });

  test.each(["(a{100}){100}", "((a{0,100}){0,100}){0,100}", "(x{1000})(y{1000}){5}"])(
    "refuses %s, whose repetitions multiply",
    (pattern) => {
      expect(() => compileAnchored(pattern, limits)).toThrow("Cannot use regular expression");
    },
  );

  // A backtracking engine would need 2^4096 steps here: the test ends only where time is linear.
  test.each(["(a+)+$", "(a|aa)+", "(.*)*b", "(a?){30}a{30}"])("%s stays linear on a value of 4 KiB", (pattern) => {
    const holds = compileAnchored(pattern, limits);
    expect(holds(`${"a".repeat(4095)}!`)).toBe(false);
  });
});
