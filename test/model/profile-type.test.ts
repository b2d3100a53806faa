// Type names, profile-type ids of other systems, and what a column's numbers are.

import { describe, expect, test } from "vitest";
import { aggregationOf, checkTypeName, isTypeName, parseTypeReference } from "../../src/model/profile-type.ts";

test.each(["cpu", "heap", "_x", "A1_", "x".repeat(64)])("%j is a type name", (name) => {
  expect(isTypeName(name)).toBe(true);
  expect(checkTypeName(name)).toBe(name);
});

test.each(["", "1cpu", "c-pu", "c.pu", "é", "cpu\n", "x".repeat(65), "a:b"])("%j is no type name", (name) => {
  expect(isTypeName(name)).toBe(false);
  expect(() => checkTypeName(name)).toThrow("one word of letters, digits and _");
});

describe("parseTypeReference()", () => {
  test.each([
    ["heap", { types: ["heap"] }],
    ["memory", { types: ["memory"] }],
    [
      "memory:inuse_space:bytes:space:bytes",
      { types: ["heap", "allocs"], column: { type: "inuse_space", unit: "bytes" } },
    ],
    [
      "process_cpu:cpu:nanoseconds:cpu:nanoseconds:delta",
      { types: ["cpu"], column: { type: "cpu", unit: "nanoseconds" } },
    ],
    [
      "goroutines:goroutine:count:goroutine:count",
      { types: ["goroutine"], column: { type: "goroutine", unit: "count" } },
    ],
    ["mine:a:b:c:d", { types: ["mine"], column: { type: "a", unit: "b" } }],
  ])("reads %s", (text, reference) => {
    expect(parseTypeReference(text)).toEqual(reference);
  });

  test.each(["", "a:b", "a:b:c:d", "a:b:c:d:e:f", "a::c:d:e", "1:b:c:d:e", "a:b:c:d:e:delta:x"])(
    "refuses %j",
    (text) => {
      expect(() => parseTypeReference(text)).toThrow("Cannot read profile type");
    },
  );
});

describe("aggregationOf()", () => {
  test.each([
    ["cpu", "samples", "delta"],
    ["cpu", "cpu", "delta"],
    ["heap", "inuse_space", "gauge"],
    ["heap", "alloc_space", "cumulative"],
    ["allocs", "alloc_objects", "cumulative"],
    ["block", "delay", "cumulative"],
    ["mutex", "contentions", "cumulative"],
    ["goroutine", "goroutine", "gauge"],
    ["goroutine", "anything", "gauge"],
    ["threadcreate", "threadcreate", "gauge"],
    ["wall", "wall", "delta"],
    ["mine", "stuff", "delta"],
  ] as const)("%s's column %s is %s", (type, column, aggregation) => {
    expect(aggregationOf(type, { type: column, unit: "count" })).toBe(aggregation);
  });
});
