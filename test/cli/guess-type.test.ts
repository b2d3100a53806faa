// The type that `push` reads out of a file.

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { guessType, isGoTrace, readSummary } from "../../src/cli/guess-type.ts";
import { DEFAULT_LIMITS as limits } from "../../src/model/limits.ts";
import { buildGzip } from "../support/profile-builder.ts";

const read = (path: string) => new Uint8Array(readFileSync(new URL(`../testdata/${path}`, import.meta.url)));
const withColumns = (...sampleTypes: [string, string][]) =>
  buildGzip({ sampleTypes, samples: [{ stack: ["main"], values: sampleTypes.map(() => 1) }] });

const typeOf = (bytes: Uint8Array, name: string) => guessType(readSummary(bytes, limits), name);

describe("guessType()", () => {
  test.each([
    ["recorded/go-cpu-1.pb.gz", "cpu"],
    ["recorded/go-heap-1.pb.gz", "heap"],
    ["recorded/go-allocs-1.pb.gz", "allocs"],
    ["recorded/go-block-1.pb.gz", "block"],
    ["recorded/go-mutex-1.pb.gz", "mutex"],
    ["recorded/go-goroutine-1.pb.gz", "goroutine"],
    ["recorded/go-threadcreate-1.pb.gz", "threadcreate"],
    ["recorded/go-heap-debug1.txt", "heap"],
    ["recorded/go-goroutine-debug1.txt", "goroutine"],
    ["recorded/go-mutex-debug1.txt", "mutex"],
    ["legacy/gperftools-cpu-64-little.prof", "cpu"],
    ["legacy/gperftools-heap.txt", "heap"],
  ])("%s is %s", (path, type) => {
    expect(typeOf(read(path), path)).toBe(type);
  });

  test.each([
    [
      "wall",
      [
        ["samples", "count"],
        ["wall", "nanoseconds"],
      ],
    ],
    [
      "heap",
      [
        ["objects", "count"],
        ["space", "bytes"],
      ],
    ],
    ["cpu", [["cpu", "nanoseconds"]]],
  ] as [string, [string, string][]][])("%s by its columns", (type, columns) => {
    expect(typeOf(withColumns(...columns), "any")).toBe(type);
  });

  test("knows what Parca's agent counts by the period", () => {
    const bytes = buildGzip({
      sampleTypes: [["samples", "count"]],
      periodType: ["cpu", "nanoseconds"],
      samples: [{ stack: ["main"], values: [1] }],
    });
    expect(typeOf(bytes, "any")).toBe("cpu");
  });

  test("isGoTrace() knows Go's execution traces, which are no profiles", () => {
    expect(isGoTrace(read("recorded/go-runtime.trace"))).toBe(true);
    expect(isGoTrace(read("recorded/go-cpu-1.pb.gz"))).toBe(false);
  });

  test("does not guess between block and mutex, nor at columns it does not know", () => {
    expect(() => typeOf(read("recorded/go-mutex-1.pb.gz"), "profile.pb.gz")).toThrow("--type mutex");
    expect(() => typeOf(withColumns(["stuff", "pieces"]), "any")).toThrow('columns "stuff": say it with --type');
  });

  test("says of a file that is no profile why it is none", () => {
    expect(() => typeOf(Buffer.from("# hello"), "README.md")).toThrow("This is no profile: it is text");
    expect(() => typeOf(Buffer.alloc(0), "empty")).toThrow("This is no profile: it is empty");
    expect(() => typeOf(Buffer.of(0xff, 0xfe, 0, 1), "any")).toThrow(/^This is no profile, or a damaged one: the /);
  });
});
