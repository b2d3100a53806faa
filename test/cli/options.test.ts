// What the command line reads: addresses, labels, local times, repeated options.

import { describe, expect, test } from "vitest";
import { parseAddress } from "../../src/cli/address.ts";
import { parseLabel } from "../../src/cli/label-option.ts";
import { formatLocalTime, parseLocalTime } from "../../src/cli/local-time.ts";
import { repeated } from "../../src/cli/repeated.ts";

describe("parseAddress()", () => {
  test.each([
    ["127.0.0.1:10100", { host: "127.0.0.1", port: 10100 }],
    ["localhost:0", { host: "localhost", port: 0 }],
    ["[::1]:65535", { host: "::1", port: 65535 }],
    ["0.0.0.0:80", { host: "0.0.0.0", port: 80 }],
    ["[::]:80", { host: "::", port: 80 }],
    ["[1:2:3:4:5:6:7:8]:80", { host: "1:2:3:4:5:6:7:8", port: 80 }],
    ["[fe80::1:2]:80", { host: "fe80::1:2", port: 80 }],
  ])("reads %s", (text, address) => {
    expect(parseAddress(text)).toEqual(address);
  });

  test.each([
    "",
    "10100",
    ":10100",
    "host",
    "host:",
    "host:x",
    "host:65536",
    "host:070",
    "*:80",
    "-a:80",
    "[::1::]:80",
    "[1:2]:80",
    " a:80",
    "::1:80",
    "a b:80",
    "http://a:80",
  ])("refuses %j", (text) => {
    expect(() => parseAddress(text)).toThrow("write HOST:PORT");
  });
});

describe("parseLabel()", () => {
  test.each([
    ["a=b", { name: "a", value: "b" }],
    ["a=", { name: "a", value: "" }],
    ["a=b=c", { name: "a", value: "b=c" }],
  ])("reads %s", (text, label) => {
    expect(parseLabel(text)).toEqual(label);
  });

  test.each(["", "a", "=b"])("refuses %j", (text) => {
    expect(() => parseLabel(text)).toThrow("write name=value");
  });
});

describe("in a zone that is not UTC", () => {
  const zone = process.env.TZ;
  const inBerlin = (run: () => void) => {
    process.env.TZ = "Europe/Berlin";
    try {
      run();
    } finally {
      if (zone === undefined) delete process.env.TZ;
      else process.env.TZ = zone;
    }
  };

  test("a zoneless time is the local clock's, in summer and in winter", () => {
    inBerlin(() => {
      expect(parseLocalTime("2026-11-20T14:00:00", 0n)).toEqual({
        timeNs: 1_795_179_600_000_000_000n,
        precision: "second",
      });
      expect(parseLocalTime("2026-07-01T14:00:00.5", 0n).timeNs).toBe(1_782_907_200_500_000_000n);
      expect(parseLocalTime("2026-11-20T14:00:00Z", 0n).timeNs).toBe(1_795_183_200_000_000_000n);
      expect(parseLocalTime("1795183200", 0n).timeNs).toBe(1_795_183_200_000_000_000n);
    });
  });

  test("formatLocalTime() prints the zone, and its text reads back as the same second", () => {
    inBerlin(() => {
      expect(formatLocalTime(1_795_183_200_000_000_000n)).toBe("2026-11-20T15:00:00+01:00");
      expect(formatLocalTime(1_782_907_200_000_000_000n)).toBe("2026-07-01T14:00:00+02:00");
      expect(parseLocalTime(formatLocalTime(1_795_183_200_000_000_000n), 0n).timeNs).toBe(1_795_183_200_000_000_000n);
    });
    process.env.TZ = "America/St_Johns";
    expect(formatLocalTime(1_795_183_200_000_000_000n)).toBe("2026-11-20T10:30:00-03:30");
    if (zone === undefined) delete process.env.TZ;
    else process.env.TZ = zone;
  });
});

test("repeated() replaces the default with the first one and adds the others", () => {
  const parse = repeated(Number);
  expect(parse("1", [9])).toEqual([1]);
  expect(parse("2", [1])).toEqual([1, 2]);
});
