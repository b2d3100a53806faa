// Times and durations as people and clients write them, and which time a profile gets.

import { describe, expect, test } from "vitest";
import { DomainError } from "../../src/model/errors.ts";
import { exclusiveEnd, formatTime, parseDuration, parseTime, resolveProfileTime } from "../../src/model/time.ts";

const NOW = 1_795_183_200_123_456_789n; // 2026-11-20T14:00:00.123456789Z
const SECOND = 1_000_000_000n;
const MAX = 2n ** 63n - 1n;

describe("parseTime()", () => {
  test.each([
    ["2026-11-20T14:00:00", 1_795_183_200n * SECOND, "second"],
    ["2026-11-20T4:00:00", 1_795_147_200n * SECOND, "second"],
    ["2026-11-20T14:00:00.5", 1_795_183_200_500_000_000n, "fraction"],
    ["2026-11-20T14:00:00,123456789", NOW, "fraction"],
    ["2026-11-20T14:00:00Z", 1_795_183_200n * SECOND, "instant"],
    ["2026-11-20T14:00:00.123456789z", NOW, "instant"],
    ["2026-11-20T16:00:00+02:00", 1_795_183_200n * SECOND, "instant"],
    ["2026-11-20T08:30:00-05:30", 1_795_183_200n * SECOND, "instant"],
    ["2024-02-29T00:00:00", 1_709_164_800n * SECOND, "second"],
    ["0", 0n, "instant"],
    ["1795183200", 1_795_183_200n * SECOND, "instant"],
    ["1795183200123", 1_795_183_200_123_000_000n, "instant"],
    ["1795183200123456", 1_795_183_200_123_456_000n, "instant"],
    ["1795183200123456789", NOW, "instant"],
    [`${MAX}`, MAX, "instant"],
    ["now", NOW, "instant"],
    ["now-1h", NOW - 3600n * SECOND, "instant"],
    ["now+1m30s", NOW + 90n * SECOND, "instant"],
    ["  now  ", NOW, "instant"],
    ["1970-01-01T00:00:00Z", 0n, "instant"],
    ["2262-04-11T23:47:16.854775807Z", MAX, "instant"],
  ] as const)("reads %j", (text, timeNs, precision) => {
    expect(parseTime(text, NOW)).toEqual({ timeNs, precision });
  });

  test.each([
    "",
    "yesterday",
    "2026-11-20",
    "2026-11-20 14:00:00",
    "2026-02-31T00:00:00",
    "2025-02-29T00:00:00",
    "0050-01-01T00:00:00",
    "2026-13-01T00:00:00",
    "2026-11-20T24:00:00",
    "2026-11-20T14:60:00",
    "2026-11-20T14:00:60",
    "2026-11-20T14:00:00+24:00",
    "2026-11-20T14:00:00+0200",
    "-1",
    "1e9",
    "now-",
    "now-1y",
    "now 1h",
    "12345678901234567890",
  ])("refuses %j", (text) => {
    expect(() => parseTime(text, NOW)).toThrow(DomainError);
    expect(() => parseTime(text, NOW)).toThrow("Cannot read");
  });

  test.each(["1969-12-31T23:59:59Z", "2262-04-12T00:00:00", "9999999999999999999", "now-9000w", "99999999999"])(
    "refuses %j, which lies before 1970 or after 2262",
    (text) => {
      expect(() => parseTime(text, NOW)).toThrow("between 1970-01-01 and 2262-04-11");
    },
  );
});

test("exclusiveEnd() widens a zoneless end by what its writer left unsaid, and nothing else", () => {
  const end = (text: string) => exclusiveEnd(parseTime(text, NOW)) - parseTime(text, NOW).timeNs;
  expect(end("2026-11-20T14:00:05")).toBe(SECOND);
  expect(end("2026-11-20T14:00:05Z")).toBe(0n);
  expect(end("1795183200")).toBe(0n);
  expect(end("now")).toBe(0n);
  expect(end("2026-11-20T14:00:05.123")).toBeGreaterThan(0n);
  expect(end("2026-11-20T14:00:05.123")).toBeLessThanOrEqual(1_000_000n);
});

describe("parseDuration()", () => {
  test.each([
    ["30s", 30n * SECOND],
    ["1h30m", 5400n * SECOND],
    ["1.5h", 5400n * SECOND],
    ["2d", 172_800n * SECOND],
    ["1w", 604_800n * SECOND],
    ["250ms", 250_000_000n],
    ["1us", 1_000n],
    ["1µs", 1_000n],
    ["7ns", 7n],
    ["0s", 0n],
    ["0.1ns", 0n],
    ["106751d", 9_223_286_400n * SECOND],
  ])("reads %j", (text, durationNs) => {
    expect(parseDuration(text)).toBe(durationNs);
  });

  test.each(["", "1", "h", "1h ", " 1h", "-1h", "1y", "1h30", "1 h", ".5h", "1.h"])("refuses %j", (text) => {
    expect(() => parseDuration(text)).toThrow("Cannot read duration");
  });
});

describe("formatTime()", () => {
  test.each([
    [0n, "1970-01-01T00:00:00Z"],
    [NOW, "2026-11-20T14:00:00.123456789Z"],
    [1_500_000_000n, "1970-01-01T00:00:01.5Z"],
    [-1n, "1969-12-31T23:59:59.999999999Z"],
    [MAX, "2262-04-11T23:47:16.854775807Z"],
    [-(2n ** 63n), "1677-09-21T00:12:43.145224192Z"],
  ])("writes %d as %s", (timeNs, text) => {
    expect(formatTime(timeNs)).toBe(text);
  });

  test("what it writes reads back as the same time", () => {
    for (const timeNs of [0n, 1n, NOW, MAX]) expect(parseTime(formatTime(timeNs), NOW).timeNs).toBe(timeNs);
  });
});

describe("resolveProfileTime()", () => {
  const received = NOW;
  const believed = NOW - 60n * SECOND;
  const from2000 = 946_684_800n * SECOND;
  const ahead = received + 600n * SECOND;

  test.each([
    ["a believable time of its own", believed, undefined, { timeNs: believed, source: "profile" }],
    ["both times", believed, 5n, { timeNs: believed, source: "profile" }],
    ["the first believable moment", from2000, undefined, { timeNs: from2000, source: "profile" }],
    ["the last believable moment", ahead, undefined, { timeNs: ahead, source: "profile" }],
    ["no time of its own", 0n, believed, { timeNs: believed, source: "client" }],
    ["no time at all", 0n, undefined, { timeNs: received, source: "receipt" }],
    ["1999", from2000 - 1n, undefined, { timeNs: received, source: "receipt", claimedNs: from2000 - 1n }],
    ["a time ahead", ahead + 1n, undefined, { timeNs: received, source: "receipt", claimedNs: ahead + 1n }],
    [
      "Go's zero time",
      -6_795_364_578_871_345_152n,
      believed,
      { timeNs: believed, source: "client", claimedNs: -6_795_364_578_871_345_152n },
    ],
    ["two wild times", 1n, MAX, { timeNs: received, source: "receipt", claimedNs: MAX }],
  ] as const)("of a profile with %s", (_, profileNs, clientNs, resolved) => {
    expect(resolveProfileTime(profileNs, clientNs, received)).toEqual(resolved);
  });

  test.each([
    ["both times", believed, believed - 1n, { timeNs: believed - 1n, source: "client" }],
    ["a wild time of the client's", believed, 1n, { timeNs: believed, source: "profile" }],
    ["no time of the client's", believed, undefined, { timeNs: believed, source: "profile" }],
    ["no time of its own", 0n, believed, { timeNs: believed, source: "client" }],
  ] as const)("of a profile with %s, the client's first", (_, profileNs, clientNs, resolved) => {
    expect(resolveProfileTime(profileNs, clientNs, received, true)).toEqual(resolved);
  });
});
