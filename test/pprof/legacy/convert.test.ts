// Legacy formats against google/pprof's answers, recorded in test/testdata/legacy/digests.json; live in test/e2e/oracle-legacy.test.ts.

import { describe, expect, test } from "vitest";
import { DomainError } from "../../../src/model/errors.ts";
import { DEFAULT_LIMITS, type Limits } from "../../../src/model/limits.ts";
import { decodeProfile } from "../../../src/pprof/decode.ts";
import { convertLegacy } from "../../../src/pprof/legacy/convert.ts";
import { summarize } from "../../../src/pprof/summary.ts";
import { makeLegacyProfiles, readLegacyDigests, readLegacyProfiles } from "../../support/legacy-corpus.ts";
import { normalForm } from "../../support/normal-form.ts";

const profiles = readLegacyProfiles();
const digests = readLegacyDigests();
const convertText = (text: string, limits: Limits = DEFAULT_LIMITS) =>
  convertLegacy(Buffer.from(text, "latin1"), limits);
const limited = (limits: Partial<Limits>): Limits => ({ ...DEFAULT_LIMITS, ...limits });
/** A heap text of these lines. */
const heap = (...lines: string[]) => ["heap profile: 1: 1 [1: 1] @ heapprofile", ...lines, ""].join("\n");

test("the committed profiles are what the generator makes", () => {
  const committed = new Map(profiles.map(({ name, bytes }) => [name, Buffer.from(bytes).toString("base64")]));
  for (const { name, bytes } of makeLegacyProfiles()) {
    expect(committed.get(name), name).toBe(Buffer.from(bytes).toString("base64"));
  }
});

test.each(profiles.map(({ name, bytes }) => ({ name, bytes })))(
  "$name means what google/pprof reads in it",
  ({ name, bytes }) => {
    const converted = convertLegacy(bytes, DEFAULT_LIMITS);
    expect(converted && normalForm(converted).digest).toBe(digests[name]);
  },
);

test.each(profiles.map(({ name, bytes }) => ({ name, bytes })))(
  "$name is sound, and converts to the same bytes again",
  ({ bytes }) => {
    const converted = convertLegacy(bytes, DEFAULT_LIMITS)!;
    expect(summarize(converted, DEFAULT_LIMITS).sampleTypes.length).toBeGreaterThan(0);
    expect(convertLegacy(new Uint8Array(bytes), DEFAULT_LIMITS)).toEqual(converted);
  },
);

describe("convertLegacy() leaves to others", () => {
  test.each([
    ["nothing", ""],
    ["text", "hello\n"],
    ["zeros", "\0".repeat(100)],
    ["goroutines by name, debug=2", "goroutine 1 [running]:\nmain.main()\n\t/main.go:3 +0x1d\n"],
    ["a page", "<!doctype html>"],
    ["text inside an unknown field of a protobuf", "\xfa\x01\x2c\ngoroutine profile: total 1\n1 @ 0x10 0x20 0x3\n"],
    ["an unknown heap kind", "heap profile: 1: 1 [1: 1] @ heap_v3/1\n"],
    ["threads without an end", "--- threadz 1 ---\n--- Thread 1 (name: a/1) stack: ---\n 0x1\n"],
    ["contention with a foreign attribute", "--- mutex:\ncolor=red\n1 1 @ 0x1\n"],
  ])("%s", (_, text) => {
    expect(convertText(text)).toBeUndefined();
  });
});

describe("convertLegacy() refuses", () => {
  test.each([
    ["a heap line that is none", heap("garbage"), 'heap sample 1 is not "objects: bytes'],
    ["bytes in no objects", heap("0: 5 [0: 0] @ 0x1"), "heap sample 1 has 5 bytes in 0 objects"],
    ["an address of 17 digits", heap("1: 5 [0: 0] @ 0x12345678901234567"), "address of more than 64 bits"],
    ["a count over int64", heap("9223372036854775808: 5 [0: 0] @ 0x1"), "number of more than 64 bits"],
    ["a goroutine line that is none", "goroutine profile: total 1\n1 @ 1\n", "stack 1 of its goroutine text"],
    ["an octal number with an 8", "goroutine profile: total 1\n08 @ 0x1\n", "stack 1 of its goroutine text"],
    ["Java without a resolution", "--- heapz 1 ---\nformat = java\n 1 1 @ 0x1\n", "its samples have no type"],
    ["Java bytes in no objects", "--- heapz 1 ---\nresolution = bytes\n 1 0 @ 0x1\n", "1 bytes in 0 objects"],
  ])("%s", (_, text, message) => {
    const refused = () => convertText(text);
    expect(refused).toThrow(DomainError);
    expect(refused).toThrow(message);
  });

  test("a gperftools CPU profile that is cut inside a sample, naming the byte", () => {
    const whole = profiles.find(({ name }) => name === "gperftools-cpu-64-little.prof")!.bytes;
    expect(() => convertLegacy(whole.subarray(0, 48), DEFAULT_LIMITS)).toThrow("the one at byte 40");
  });
});

describe("convertLegacy() is bounded:", () => {
  const map = (...lines: string[]) => heap("1: 1 [1: 1] @ 0x9", "MAPPED_LIBRARIES:", ...lines);
  test.each([
    ["bytes", "x".repeat(11), { legacyBytes: 10 }, "more than 10 bytes"],
    ["samples", heap("1: 1 [1: 1] @ 0x1", "1: 1 [1: 1] @ 0x1"), { samples: 1 }, "more than 1 samples"],
    ["frames", heap("1: 1 [1: 1] @ 0x1 0x2"), { framesPerStack: 1 }, "more than 1 frames"],
    ["addresses", heap("1: 1 [1: 1] @ 0x1 0x2"), { legacyLocations: 1 }, "more than 1 addresses"],
    ["a line", heap(`1: 1 [1: 1] @${" ".repeat(65_536)}`), {}, "more than 65535 bytes"],
    ["assignments", map("a=1", "b=1", "c=1"), { legacyAssignments: 2 }, "more than 2 assignments"],
    [
      "what assignments multiply to",
      map("a=xxxxxxxxxx", ...Array<string>(20).fill("a=$a$a"), "z=$a".repeat(9000)),
      {},
      "more than 65535 bytes",
    ],
    [
      "comparisons with mappings",
      map("2-3 r-xp /a", "4-5 r-xp /b"),
      { legacyMappingChecks: 1 },
      "more than 1 comparisons",
    ],
  ])("%s", (_, text, limits, message) => {
    const refused = () => convertText(text, limited(limits));
    expect(refused).toThrow(DomainError);
    expect(refused).toThrow(message);
  });

  test("a CPU sample that claims 2^60 frames allocates nothing", () => {
    const words = new BigUint64Array([0n, 3n, 0n, 1n, 0n, 1n, 2n ** 60n, 1n]);
    expect(() => convertLegacy(new Uint8Array(words.buffer), DEFAULT_LIMITS)).toThrow("in the middle");
  });

  // With a pattern that backtracks each of these takes minutes.
  test.each([
    ["digits in a heap line", heap("1".repeat(65_000))],
    ["digits in a contention line", `--- mutex:\n${"1".repeat(65_000)}\n`],
    ["pairs in a contention line", `--- mutex:\n${"1 ".repeat(32_000)}\n`],
    ["hexadecimal digits in a memory map", map("a".repeat(65_000))],
    ["spaces in a memory map", map(`1-2${" ".repeat(65_000)}`)],
    ["thread names", `--- threadz 1 ---\n${"--- Thread a (name: ".repeat(3000)}\n`],
    ["words in a Java attribute", `--- heapz 1 ---\n${"a ".repeat(1_000_000)}\n`],
    ["digits in a Java sample", `--- heapz 1 ---\nresolution = bytes\n${"1".repeat(1_000_000)}\n`],
    ["brackets in a Java name", `--- heapz 1 ---\nresolution = bytes\n1 1 @ 0x1\n0x1 ${"a (b:1".repeat(300_000)})\n`],
  ])("%s cost linear time", (_, text) => {
    try {
      convertText(text);
    } catch (error) {
      expect(error).toBeInstanceOf(DomainError);
    }
  });
});

describe("details of the formats", () => {
  const profileOf = (text: string) => decodeProfile(convertText(text)!);

  test("addresses of callers point into their calls, and a leaf that stands twice stands once", () => {
    const { locations } = profileOf("goroutine profile: total 1\n1 @ 0x10 0x20\n");
    expect(locations.map(({ address }) => address)).toEqual([0xfn, 0x1fn]);
    const threads = "--- Thread 1 (name: a/1) stack: ---\n 0x10\n 0x10\n 0x20\n--- Memory map: ---\n";
    const { samples } = profileOf(threads);
    expect(samples[0]!.locationIds.length).toBe(2);
  });

  test("a sampled heap is scaled up by the chance of being sampled", () => {
    const text = "heap profile: 1: 1024 [1: 1024] @ heap/1048576\n1: 1024 [1: 1024] @ 0x1\n";
    const [sample] = profileOf(text).samples;
    expect(sample!.values).toEqual([512n, 524800n]);
    expect(sample!.labels).toEqual([{ key: "bytes", str: "", num: 1024n, unit: "" }]);
  });

  test("names that are not UTF-8 keep their bytes", () => {
    const converted = convertText("goroutine profile: total 1\n1 @ 0x2\n---\nMAPPED_LIBRARIES:\n0-10 r-xp /caf\xe9\n")!;
    expect(Buffer.from(converted).includes(Buffer.from("/caf\xe9", "latin1"))).toBe(true);
  });

  test("the main program stands first among the mappings, and adjacent parts are one", () => {
    const text = heap(
      "1: 1 [1: 1] @ 0x1001",
      "MAPPED_LIBRARIES:",
      "1-2 r-xp /lib/a.so.1",
      "1000-2000 r-xp /bin/main",
      "2000-3000 r-xp /bin/main",
      "9-a rw-p /data",
    );
    expect(profileOf(text).mappings.map(({ start, limit, file }) => [start, limit, file])).toEqual([
      [0x1000n, 0x3000n, "/bin/main"],
      [1n, 2n, "/lib/a.so.1"],
    ]);
  });
});
