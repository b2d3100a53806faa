// Labels and service names as senders write them: what is kept, sorted, renamed, refused.

import { describe, expect, test } from "vitest";
import { DomainError } from "../../src/model/errors.ts";
import { canonicalLabels, checkService } from "../../src/model/labels.ts";
import { DEFAULT_LIMITS as limits } from "../../src/model/limits.ts";

const label = (name: string, value: string) => ({ name, value });

describe("canonicalLabels()", () => {
  test("sorts by name and value as UTF-8 bytes and keeps identical pairs once", () => {
    const sent = [label("b", "2"), label("a", "\u{10000}"), label("a", "\u{ffff}"), label("b", "2"), label("b", "1")];
    expect(canonicalLabels(sent, limits).labels).toEqual([
      label("a", "\u{ffff}"),
      label("a", "\u{10000}"),
      label("b", "1"),
      label("b", "2"),
    ]);
  });

  test("keeps repeated names and empty values", () => {
    const { labels, warnings } = canonicalLabels([label("a", "2"), label("a", ""), label("a", "1")], limits);
    expect(labels.map(({ value }) => value)).toEqual(["", "1", "2"]);
    expect(warnings).toEqual([]);
  });

  test.each(["service", "type", "__name__"])("keeps the reserved name %s as exported_… and warns", (name) => {
    const { labels, warnings } = canonicalLabels([label(name, "x")], limits);
    expect(labels).toEqual([label(`exported_${name}`, "x")]);
    expect(warnings).toEqual([`label "${name}" is reserved and was kept as "exported_${name}"`]);
  });

  test("sorts by the name that is kept", () => {
    const { labels } = canonicalLabels([label("type", "x"), label("f", "1")], limits);
    expect(labels.map(({ name }) => name)).toEqual(["exported_type", "f"]);
  });

  test("takes names and values of exactly the limit, counted in bytes", () => {
    const name = `${"é".repeat(127)}ab`;
    const value = "日".repeat(1365);
    expect(canonicalLabels([label(name, value)], limits).labels).toEqual([label(name, value)]);
  });

  test.each([
    ["no name", [label("", "x")], "a label without a name"],
    ["a name over 256 bytes", [label("é".repeat(129), "x")], "it has 258 bytes, at most 256 are allowed"],
    ["a value of 1 MB", [label("a", "x".repeat(1_000_000))], "its value has 1000000 bytes, at most 4096 are allowed"],
    ["NUL in a name", [label("a\0", "x")], "U+0000"],
    ["a line break in a value", [label("a", "x\ny")], 'label "a": its value holds the control character U+000a'],
    ["a lone surrogate in a name", [label("\ud800", "x")], "is not valid UTF-8"],
    ["a lone surrogate in a value", [label("a", "\udfff")], "its value is not valid UTF-8"],
    [
      "65 labels",
      Array.from({ length: 65 }, (_, at) => label(`l${at}`, "")),
      "65 labels: a profile may have at most 64",
    ],
    ["10⁴ labels", Array.from({ length: 10_000 }, (_, at) => label(`l${at}`, "")), "at most 64"],
  ])("refuses %s", (_, sent, message) => {
    const refused = () => canonicalLabels(sent, limits);
    expect(refused).toThrow(DomainError);
    expect(refused).toThrow(message);
  });

  test("keeps an error message short whatever was sent", () => {
    try {
      canonicalLabels([label("n".repeat(1_000_000), "x")], limits);
    } catch (error) {
      expect((error as Error).message.length).toBeLessThan(250);
    }
    expect.assertions(1);
  });
});

describe("checkService()", () => {
  test.each(["auth", "a/../../etc/passwd", "日本", "a b", "x".repeat(512)])("takes %j", (service) => {
    expect(checkService(service, limits)).toBe(service);
  });

  test.each([
    ["", "without a service"],
    ["x".repeat(513), "it has 513 bytes, at most 512 are allowed"],
    ["a\tb", "U+0009"],
    ["\ud800", "is not valid UTF-8"],
  ])("refuses %j", (service, message) => {
    expect(() => checkService(service, limits)).toThrow(message);
  });
});
