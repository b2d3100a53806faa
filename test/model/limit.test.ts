// How limits are written and read, and that each is told of.

import { describe, expect, test } from "vitest";
import { bytes, count, formatLimit, milliseconds, parseLimit, percent } from "../../src/model/limit.ts";
import { DEFAULT_LIMITS, LIMIT_NAMES, LIMITS } from "../../src/model/limits.ts";

const SIZE = bytes(1, "");
const TIME = milliseconds(1, "");
const SHARE = percent(1, "");
const NUMBER = count(1, "");

describe("parseLimit()", () => {
  test.each([
    [SIZE, "65536", 65_536],
    [SIZE, "1B", 1],
    [SIZE, "64KiB", 65_536],
    [SIZE, "64 MiB", 64 * 1024 ** 2],
    [SIZE, "2GiB", 2 * 1024 ** 3],
    [SIZE, "1TiB", 1024 ** 4],
    [TIME, "250", 250],
    [TIME, "250ms", 250],
    [TIME, "1500ms", 1_500],
    [TIME, "23d23h59m59s999ms", 24 * 86_400_000 - 1],
    [TIME, "575h59m", 575 * 3_600_000 + 59 * 60_000],
    [TIME, "1h0m5s", 3_605_000],
    [{ ...TIME, min: 0 }, "0s", 0],
    [TIME, "1h30m", 5_400_000],
    [TIME, "24d", 24 * 86_400_000],
    [SHARE, "25", 25],
    [SHARE, "25%", 25],
    [NUMBER, "9007199254740991", Number.MAX_SAFE_INTEGER],
    [{ ...NUMBER, min: 0 }, "0", 0],
  ] as const)("reads %$ %s", (limit, text, value) => {
    expect(parseLimit("x", limit, text)).toBe(value);
  });

  test.each([
    [
      SIZE,
      [
        "",
        "-1",
        "1.5",
        "1.5MiB",
        "1e3",
        "x",
        "64MB",
        "64M",
        "MiB",
        "0",
        "0x10",
        "007",
        "1_000",
        "9007199254740992",
        "9000TiB",
      ],
    ],
    [
      TIME,
      [
        "",
        "-1",
        "1.5",
        "0.5ms",
        "1.5s",
        "1h90m",
        "5m1h",
        "0m",
        "01s",
        "24d1ms",
        "1us",
        "5 m",
        "m",
        "25d",
        "1e3",
        "10 ms",
        "0",
        `${"9".repeat(60)}s`,
      ],
    ],
    [SHARE, ["", "0", "101", "25.5", "-1%", "%"]],
    [NUMBER, ["", "0", "-1", "1.5", "1e3", "1k", "9007199254740992", "99999999999999999999"]],
  ])("%$ refuses, naming the limit, the text and what is allowed, %j", (limit, texts) => {
    for (const text of texts) {
      const refuse = () => parseLimit("limits.x", limit, text);
      expect(refuse, text).toThrow(`Cannot set limits.x to ${JSON.stringify(text)}: it is a whole number`);
      expect(refuse, text).toThrow(`from ${limit.min} to ${limit.max}`);
    }
  });
});

test("what formatLimit() writes of a default, parseLimit() reads", () => {
  for (const name of LIMIT_NAMES) {
    const limit = LIMITS[name];
    expect(parseLimit(name, limit, formatLimit(limit, limit.default)), name).toBe(DEFAULT_LIMITS[name]);
  }
  expect(formatLimit(SIZE, 64 * 1024 ** 2)).toBe("64MiB");
  expect(formatLimit(TIME, 600_000)).toBe("10m");
  expect(formatLimit(TIME, 0)).toBe("0");
});

test.each(LIMIT_NAMES)("%s has a default within its range, a unit that its name says, and a reason", (name) => {
  const { unit, default: value, min, max, description } = LIMITS[name];
  expect(value).toBeGreaterThanOrEqual(min);
  expect(value).toBeLessThanOrEqual(max);
  const suffixes = { Bytes: "bytes", BytesPerSecond: "bytes", Ms: "ms", Percent: "percent" };
  const said = Object.entries(suffixes).find(([suffix]) => name.endsWith(suffix))?.[1];
  expect(unit === (said ?? "count") || (unit === "bytes" && name.endsWith("InFlight"))).toBe(true);
  expect(description).toMatch(/^[A-Z…].{15,}\.$/);
});
