// The type that `push` reads out of a file.

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { guessType } from "../../src/cli/guess-type.ts";
import { DEFAULT_LIMITS as limits } from "../../src/model/limits.ts";
import { buildGzip } from "../support/profile-builder.ts";

const read = (path: string) => new Uint8Array(readFileSync(new URL(`../testdata/${path}`, import.meta.url)));
const withColumns = (...sampleTypes: [string, string][]) =>
  buildGzip({ sampleTypes, samples: [{ stack: ["main"], values: sampleTypes.map(() => 1) }] });

describe("guessType()", () => {
  test.each([
    ["recorded/go-cpu-1.pb.gz", "cpu"],
    ["recorded/go-heap-1.pb.gz", "heap"],
    ["recorded/go-allocs-1.pb.gz", "allocs"],
    ["recorded/go-block-1.pb.gz", "block"],
    ["recorded/go-mutex-1.pb.gz", "mutex"],
    ["recorded/go-goroutine-1.pb.gz", "goroutine"],
    ["recorded/go-threadcreate-1.pb.gz", "threadcreate"],
    ["recorded/go-runtime.trace", "trace"],
    ["recorded/go-heap-debug1.txt", "heap"],
    ["recorded/go-goroutine-debug1.txt", "goroutine"],
    ["recorded/go-mutex-debug1.txt", "mutex"],
    ["legacy/gperftools-cpu-64-little.prof", "cpu"],
    ["legacy/gperftools-heap.txt", "heap"],
  ])("%s is %s", (path, type) => {
    expect(guessType(read(path), path, limits)).toBe(type);
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
    expect(guessType(withColumns(...columns), "any", limits)).toBe(type);
  });

  test("does not guess between block and mutex, nor at columns it does not know", () => {
    expect(() => guessType(read("recorded/go-mutex-1.pb.gz"), "profile.pb.gz", limits)).toThrow("--type mutex");
    expect(() => guessType(withColumns(["stuff", "pieces"]), "any", limits)).toThrow(
      'columns "stuff": say it with --type',
    );
  });

  test("says of a file that is no profile why it is none", () => {
    expect(() => guessType(Buffer.from("# hello"), "README.md", limits)).toThrow("Cannot read the profile");
  });
});
