// Times as people say them, against the local calendar of a zone with summer time.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  checkZone,
  formatLocalClock,
  parseLocalEnd,
  parseLocalTime,
  parseSaidDuration,
  zoneName,
} from "../../src/cli/local-time.ts";
import { windowOf } from "../../src/cli/selection-options.ts";

const zone = process.env.TZ;
beforeAll(() => {
  process.env.TZ = "Europe/Berlin";
});
afterAll(() => {
  if (zone === undefined) delete process.env.TZ;
  else process.env.TZ = zone;
});

const ns = (time: string) => BigInt(Date.parse(time)) * 1_000_000n;
/** A Wednesday, three days after the clocks went back. */
const NOW = ns("2026-10-28T15:30:00+01:00");

describe("parseLocalTime()", () => {
  test.each([
    ["2h", "2026-10-28T13:30:00+01:00"],
    ["2h ago", "2026-10-28T13:30:00+01:00"],
    ["2 hours ago", "2026-10-28T13:30:00+01:00"],
    ["1h30m", "2026-10-28T14:00:00+01:00"],
    ["1 day 2 hours ago", "2026-10-27T13:30:00+01:00"],
    ["4d", "2026-10-24T16:30:00+02:00"],
    ["now", "2026-10-28T15:30:00+01:00"],
    ["NOW-90s", "2026-10-28T15:28:30+01:00"],
    ["today", "2026-10-28T00:00:00+01:00"],
    ["yesterday", "2026-10-27T00:00:00+01:00"],
    ["yesterday 14:00", "2026-10-27T14:00:00+01:00"],
    ["  Yesterday   9:05 ", "2026-10-27T09:05:00+01:00"],
    ["wednesday", "2026-10-28T00:00:00+01:00"],
    ["thu", "2026-10-22T00:00:00+02:00"],
    ["Monday 9:30", "2026-10-26T09:30:00+01:00"],
    ["14:00", "2026-10-28T14:00:00+01:00"],
    ["14:00:05", "2026-10-28T14:00:05+01:00"],
    ["14:00Z", "2026-10-28T14:00:00Z"],
    ["2026-07-01", "2026-07-01T00:00:00+02:00"],
    ["2026-07-01 14:00", "2026-07-01T14:00:00+02:00"],
    ["20260701", "2026-07-01T00:00:00+02:00"],
    ["20260701 14:00", "2026-07-01T14:00:00+02:00"],
    ["0", "1970-01-01T00:00:00Z"],
    ["2026-11-20T14:00:00.25", "2026-11-20T14:00:00.25+01:00"],
    ["2026-11-20 14:00+05:30", "2026-11-20T14:00:00+05:30"],
    ["2026-11-20T14:00:00Z", "2026-11-20T14:00:00Z"],
    ["1795183200", "2026-11-20T14:00:00Z"],
  ])("reads %j", (text, time) => {
    expect(parseLocalTime(text, NOW).timeNs).toBe(ns(time));
  });

  test.each([
    "",
    "tomorrow",
    "h",
    "2 fortnights",
    "2x ago",
    "25:00",
    "14:60",
    "2026-02-30",
    "2026-13-01 10:00",
    "yesterday ago",
    "friday 14",
    "now-",
    "2026/11/20",
    "20261320",
    "10000000",
  ])("refuses %j, and says what there is", (text) => {
    expect(() => parseLocalTime(text, NOW)).toThrow(/^Cannot read time .*: write 2h \(ago\), 14:00, yesterday/);
  });

  test("refuses what lies before 1970", () => {
    expect(() => parseLocalTime("100w", ns("1971-01-01T00:00:00Z"))).toThrow("before 1970");
    expect(() => parseLocalTime("1969-12-31 10:00", NOW)).toThrow("between 1970-01-01 and 2262-04-11");
  });
});

test.each(["2026", "202611", "202611281400", "946684799"])("digits such as %s are no time of decades ago", (text) => {
  expect(() => parseLocalTime(text, NOW)).toThrow(`Cannot use time "${text}": as unix time it is `);
});

describe("parseLocalEnd()", () => {
  test.each([
    ["yesterday", "2026-10-28T00:00:00+01:00"],
    ["sunday", "2026-10-26T00:00:00+01:00"], // 25 hours long
    ["2026-03-29", "2026-03-30T00:00:00+02:00"], // 23 hours long
    ["20260329", "2026-03-30T00:00:00+02:00"],
    ["14:00", "2026-10-28T14:00:00+01:00"],
    ["14:00:05", "2026-10-28T14:00:06+01:00"],
    ["2h", "2026-10-28T13:30:00+01:00"],
    ["2026-11-20T14:00:00Z", "2026-11-20T14:00:00Z"],
  ])("of %j is %s", (text, time) => {
    expect(parseLocalEnd(text, NOW)).toBe(ns(time));
  });
});

test("parseSaidDuration() reads units and words", () => {
  expect(parseSaidDuration("2h")).toBe(7_200_000_000_000n);
  expect(parseSaidDuration("90 minutes")).toBe(5_400_000_000_000n);
  expect(parseSaidDuration("1 day 6 hours")).toBe(108_000_000_000_000n);
  expect(() => parseSaidDuration("some time")).toThrow("Cannot read duration");
  expect(() => parseSaidDuration("PT2H")).toThrow('Cannot read duration "PT2H"');
});

describe("the zone of TZ", () => {
  const inZone = (TZ: string, run: () => void) => {
    process.env.TZ = TZ;
    try {
      run();
    } finally {
      process.env.TZ = "Europe/Berlin";
    }
  };

  test.each([
    "Berlin",
    "europe/berlin",
    "GMT+2",
    "UTC0",
    "CET-1CEST",
    "MST7MDT,M3.2.0,M11.1.0",
    "<+03>-3",
    "+02:00",
    ":/etc/localtime",
    "/usr/share/zoneinfo/Europe/Berlin",
  ])("%s is refused: Node takes it for UTC, for another one, or knows no name for it", (TZ) => {
    inZone(TZ, () => {
      expect(() => checkZone()).toThrow(`Cannot use the time zone TZ=${TZ}: write a name such as Europe/Berlin`);
    });
  });

  test.each([
    ["", "UTC"],
    ["UTC", "UTC"],
    ["GMT", "UTC"],
    ["Europe/Berlin", "Europe/Berlin"],
    [":Europe/Berlin", "Europe/Berlin"],
    ["Etc/GMT+2", "Etc/GMT+2"],
    ["EST5EDT", "America/New_York"],
  ])("%j is %s, and the clock is that zone's", (TZ, zone) => {
    inZone(TZ, () => {
      checkZone();
      const clock = new Intl.DateTimeFormat("sv", { timeZone: zone, dateStyle: "short", timeStyle: "medium" });
      expect([zoneName(), formatLocalClock(NOW)]).toEqual([zone, clock.format(Number(NOW / 1_000_000n))]);
    });
  });
});

describe("a window in which nothing can lie is refused, and what it would have been is said", () => {
  test.each([
    [{ from: "2026-11-28", to: "2026-11-27" }, "2026-11-28T00:00:00+01:00", "2026-11-28T00:00:00+01:00"],
    [{ from: "20261128", to: "20261126" }, "2026-11-28T00:00:00+01:00", "2026-11-27T00:00:00+01:00"],
    [{ from: "14:00", to: "14:00" }, "2026-10-28T14:00:00+01:00", "2026-10-28T14:00:00+01:00"],
    [{ from: "1h", to: "2h" }, "2026-10-28T14:30:00+01:00", "2026-10-28T13:30:00+01:00"],
    [{ from: "16:00" }, "2026-10-28T16:00:00+01:00", "2026-10-28T15:30:00+01:00"],
    [{ last: "0s" }, "2026-10-28T15:30:00+01:00", "2026-10-28T15:30:00+01:00"],
    [{ to: "0" }, "1970-01-01T01:00:00+01:00", "1970-01-01T01:00:00+01:00"],
    // The first is in the hour that summer time leaves out.
    [{ from: "2026-03-29 02:30", to: "2026-03-29 03:30" }, "2026-03-29T03:30:00+02:00", "2026-03-29T03:30:00+02:00"],
  ])("%j", (options, from, to) => {
    expect(() => windowOf(options, NOW)).toThrow(
      `Cannot look into an empty window: it would begin at ${from} and end at ${to} (zone Europe/Berlin)`,
    );
  });

  test("a day is none", () => {
    expect(windowOf({ from: "20261027", to: "20261027" }, NOW)).toEqual({
      startNs: ns("2026-10-27T00:00:00+01:00"),
      endNs: ns("2026-10-28T00:00:00+01:00"),
    });
  });
});
