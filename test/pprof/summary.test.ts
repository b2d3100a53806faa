// Each rule of the check by its name and place, and what the summary says. That the rules are google/pprof's is proven in
// conformance/ and by the oracle of test/e2e.

import { describe, expect, test } from "vitest";
import { DomainError } from "../../src/model/errors.ts";
import { DEFAULT_LIMITS, type Limits } from "../../src/model/limits.ts";
import { encodeProfile } from "../../src/pprof/encode.ts";
import { emptyProfile, type Profile } from "../../src/pprof/profile.ts";
import { summarize } from "../../src/pprof/summary.ts";
import { WireWriter } from "../../src/pprof/wire-writer.ts";

function profile(change: (profile: Profile) => void = () => {}): Profile {
  const made: Profile = {
    ...emptyProfile(),
    sampleTypes: [
      { type: "samples", unit: "count" },
      { type: "cpu", unit: "nanoseconds" },
    ],
    periodType: { type: "cpu", unit: "nanoseconds" },
    period: 10_000_000n,
    timeNs: 1_700_000_000_123_456_789n,
    durationNs: 1_000_000_000n,
    samples: [
      { locationIds: [1n, 2n], values: [1n, 10n], labels: [{ key: "endpoint", str: "/", num: 0n, unit: "" }] },
      { locationIds: [], values: [2n, -3n], labels: [{ key: "bytes", str: "", num: 5n, unit: "kb" }] },
    ],
    mappings: [
      { ...mapping(1n), buildId: "abc" },
      { ...mapping(2n), buildId: "" },
      { ...mapping(3n), buildId: "abc" },
      { ...mapping(4n), buildId: "def" },
    ],
    locations: [1n, 2n].map((id) => ({
      id,
      mappingId: 1n,
      address: 0x401000n + id,
      lines: [{ functionId: 7n, line: id, column: 0n }],
      isFolded: false,
    })),
    functions: [{ id: 7n, name: "main", systemName: "main", file: "main.go", startLine: 1n }],
  };
  change(made);
  return made;
}

function mapping(id: bigint): Profile["mappings"][number] {
  const has = { hasFunctions: true, hasFilenames: true, hasLineNumbers: true, hasInlineFrames: true };
  return { id, start: 0x400000n, limit: 0x500000n, offset: 0n, file: "/bin/app", buildId: "", ...has };
}

function refusal(raw: Uint8Array, limits: Limits = DEFAULT_LIMITS): DomainError {
  try {
    summarize(raw, limits);
  } catch (error) {
    if (error instanceof DomainError) return error;
    throw error;
  }
  throw new Error("it was accepted");
}

/** A good profile with the fields of `write` behind it: what is there twice appends or replaces. */
function withFields(write: (out: WireWriter) => void): Uint8Array {
  const out = new WireWriter();
  out.bytes(encodeProfile(profile()));
  write(out);
  return out.finish();
}

function withMessage(field: number, numbers: Record<number, number>): Uint8Array {
  return withFields((out) => {
    const start = out.open(field);
    for (const [number, value] of Object.entries(numbers)) {
      out.tag(Number(number), 0);
      out.varint(value);
    }
    out.close(start);
  });
}

describe("a profile is refused", () => {
  test.each<[string, (profile: Profile) => void]>([
    [
      "mapping 2 has the id 1, which another one has too",
      ({ mappings }) => {
        mappings[1]!.id = 1n;
      },
    ],
    [
      "mapping 3 has no id, or the reserved id 0",
      ({ mappings }) => {
        mappings[2]!.id = 0n;
      },
    ],
    [
      "function 2 has the id 7, which another one has too",
      ({ functions }) => {
        functions.push({ ...functions[0]! });
      },
    ],
    [
      "function 1 has no id, or the reserved id 0",
      ({ functions }) => {
        functions[0]!.id = 0n;
      },
    ],
    [
      "location 2 has the id 1, which another one has too",
      ({ locations }) => {
        locations[1]!.id = 1n;
      },
    ],
    [
      "location 1 has no id, or the reserved id 0",
      ({ locations }) => {
        locations[0]!.id = 0n;
      },
    ],
    [
      "is in a function that the profile does not have",
      ({ locations }) => {
        locations[1]!.lines[0]!.functionId = 8n;
      },
    ],
    [
      "is in a function that the profile does not have",
      ({ locations }) => {
        locations[1]!.lines[0]!.functionId = 0n;
      },
    ],
    [
      "sample 2 refers to location 3, which",
      ({ samples }) => {
        samples[1]!.locationIds = [1n, 3n];
      },
    ],
    [
      "sample 2 refers to location 0, which",
      ({ samples }) => {
        samples[1]!.locationIds = [0n];
      },
    ],
    [
      "sample 1 refers to location 18446744073709551615, which",
      ({ samples }) => {
        samples[0]!.locationIds = [2n ** 64n - 1n];
      },
    ],
    [
      "sample 2 has 1 values, its sample types are 2",
      ({ samples }) => {
        samples[1]!.values = [1n];
      },
    ],
    [
      "sample 1 has 3 values, its sample types are 2",
      ({ samples }) => {
        samples[0]!.values = [1n, 2n, 3n];
      },
    ],
    [
      "it has samples but no sample type",
      (made) => {
        made.sampleTypes = [];
      },
    ],
    [
      "location 3 has the id 11400714819323198485, which another one has too",
      ({ locations }) => {
        locations[0]!.id = 11400714819323198485n;
        locations.push({ ...locations[0]! });
      },
    ],
  ])("because %s", (message, change) => {
    const error = refusal(encodeProfile(profile(change)));
    expect([error.kind, error.message]).toEqual(["invalid", expect.stringContaining(message)]);
    expect(error.message).toMatch(/^Cannot read the profile: /);
  });

  test.each([
    ["it is empty", new Uint8Array(0)],
    ["it has no string table", Uint8Array.of(0x50, 1)],
    ["its string table does not begin with the empty string", Uint8Array.of(0x32, 1, 65)],
    ["it has a second time at byte", withFields((out) => out.integer(9, 1n))],
    ["sample type 3 refers to a string that is not among its", withMessage(1, { 1: 99 })],
    ["the period type refers to a string", withMessage(11, { 2: 99 })],
    ["mapping 5 refers to a string", withMessage(3, { 1: 9, 6: 99 })],
    ["function 2 refers to a string", withMessage(5, { 1: 9, 3: 99 })],
    ["drop_frames refers to a string", withFields((out) => out.number(7, 99))],
    ["keep_frames refers to a string", withFields((out) => out.integer(8, -1n))],
    ["default_sample_type refers to a string", withFields((out) => out.number(14, 99))],
    ["doc_url refers to a string", withFields((out) => out.integer(15, 2n ** 40n))],
    ["comment 1 refers to a string", withFields((out) => out.number(13, 99))],
    [
      "a label of sample 3 refers to a string",
      withFields((out) => out.bytes(Uint8Array.of(0x12, 4, 0x1a, 2, 0x10, 99))),
    ],
    ["wire type 3, which profiles do not use", withFields((out) => out.bytes(Uint8Array.of(0x83, 1)))],
    ["has wire type 0, which does not fit it", withFields((out) => out.bytes(Uint8Array.of(0x10, 1)))],
  ])("because %s", (message, raw) => {
    const error = refusal(raw);
    expect([error.kind, error.message]).toEqual(["invalid", expect.stringContaining(message)]);
  });

  test("at whatever byte it is cut, or is accepted as the shorter profile it is", () => {
    const raw = encodeProfile(profile());
    for (let length = 0; length < raw.length; length++) {
      try {
        summarize(raw.subarray(0, length), DEFAULT_LIMITS);
      } catch (error) {
        expect((error as DomainError).kind).toBe("invalid");
      }
    }
  });

  test.each([
    ["samples", { samples: 1 }, "it has more than the 1 samples allowed"],
    ["frames", { framesPerStack: 1 }, "sample 1 has more than 1 frames"],
    ["rows of a table", { tableRows: 3 }, "more than the 3 mappings allowed"],
    ["lines", { tableRows: 30 }, "more than 30 lines"],
  ])("for more %s than the limit", (what, limits, message) => {
    const raw = encodeProfile(
      profile(({ locations }) => {
        if (what === "lines") locations[0]!.lines = Array.from({ length: 40 }, () => locations[0]!.lines[0]!);
      }),
    );
    const error = refusal(raw, { ...DEFAULT_LIMITS, ...limits });
    expect([error.kind, error.subject]).toEqual(["too-large", "body"]);
    expect(error.message).toContain(message);
  });
});

describe("what every answer about a profile repeats is bounded", () => {
  test.each<[string, Partial<Profile>]>([
    ["more than 64 sample types", { sampleTypes: Array(65).fill({ type: "a", unit: "b" }) }],
    ["more than 256 bytes: 257", { sampleTypes: [{ type: "a".repeat(257), unit: "b" }] }],
    ["more than 256 bytes: 258", { periodType: { type: "a", unit: "ä".repeat(129) } }],
  ])("%s are refused", (message, fields) => {
    const error = refusal(encodeProfile({ ...emptyProfile(), ...fields }));
    expect([error.kind, error.message]).toEqual(["too-large", expect.stringContaining(message)]);
  });

  test("only the first 256 keys of sample labels are indexed, and none that is longer than a label's name", () => {
    const label = (key: string) => ({ key, str: "x", num: 0n, unit: "" });
    const keys = ["k".repeat(257), ...Array.from({ length: 300 }, (_, at) => `key ${at}`)];
    const raw = encodeProfile(profile(({ samples }) => samples[0]!.labels.splice(0, 9, ...keys.map(label))));
    expect(summarize(raw, DEFAULT_LIMITS).sampleLabelKeys).toEqual(keys.slice(1, 257));
  });
});

describe("a summary", () => {
  test("says what the profile says", () => {
    expect(summarize(encodeProfile(profile()), DEFAULT_LIMITS)).toEqual({
      sampleTypes: [
        { type: "samples", unit: "count", total: 3n, wrapped: false },
        { type: "cpu", unit: "nanoseconds", total: 7n, wrapped: false },
      ],
      periodType: { type: "cpu", unit: "nanoseconds" },
      period: 10_000_000n,
      timeNs: 1_700_000_000_123_456_789n,
      durationNs: 1_000_000_000n,
      sampleCount: 2,
      functionCount: 1,
      locationCount: 2,
      buildIds: ["abc", "def"],
      sampleLabelKeys: ["endpoint", "bytes"],
      defaultSampleType: "",
    });
  });

  test("of a profile without samples counts none, and is no error", () => {
    const summary = summarize(
      encodeProfile({ ...emptyProfile(), sampleTypes: [{ type: "a", unit: "b" }] }),
      DEFAULT_LIMITS,
    );
    expect(summary.sampleCount).toBe(0);
    expect(summary.sampleTypes).toEqual([{ type: "a", unit: "b", total: 0n, wrapped: false }]);
  });

  test("adds values beyond 2^53 exactly, negative ones too", () => {
    const raw = encodeProfile(
      profile(({ samples }) => {
        samples[0]!.values = [2n ** 62n + 1n, -(2n ** 63n)];
        samples[1]!.values = [2n ** 61n + 5n, 2n ** 54n + 1n];
      }),
    );
    const [first, second] = summarize(raw, DEFAULT_LIMITS).sampleTypes;
    expect(first).toMatchObject({ total: 2n ** 62n + 2n ** 61n + 6n, wrapped: false });
    expect(second).toMatchObject({ total: -(2n ** 63n) + 2n ** 54n + 1n, wrapped: false });
  });

  test("wraps as int64 does and says so, but not where the sum comes back into range", () => {
    const column = (...values: bigint[]) =>
      values.map((value) => ({ locationIds: [], values: [value, 0n], labels: [] }));
    const total = (...values: bigint[]) => {
      const raw = encodeProfile(
        profile((made) => {
          made.samples = column(...values);
        }),
      );
      return summarize(raw, DEFAULT_LIMITS).sampleTypes[0];
    };
    expect(total(2n ** 63n - 1n, 1n)).toMatchObject({ total: -(2n ** 63n), wrapped: true });
    expect(total(-(2n ** 63n), -1n)).toMatchObject({ total: 2n ** 63n - 1n, wrapped: true });
    expect(total(2n ** 63n - 1n, 1n, -1n)).toMatchObject({ total: 2n ** 63n - 1n, wrapped: false });
    expect(total(...Array(4).fill(2n ** 62n))).toMatchObject({ total: 0n, wrapped: true });
  });

  test("takes a location whose mapping is missing as one without, as google/pprof does", () => {
    const raw = encodeProfile(
      profile(({ locations }) => {
        locations[0]!.mappingId = 99n;
      }),
    );
    expect(summarize(raw, DEFAULT_LIMITS).locationCount).toBe(2);
  });

  test("does not depend on what was read before", () => {
    const raw = encodeProfile(profile());
    const first = summarize(raw, DEFAULT_LIMITS);
    expect(() => summarize(raw.subarray(0, 50), DEFAULT_LIMITS)).toThrow(DomainError);
    summarize(encodeProfile(emptyProfile()), DEFAULT_LIMITS);
    expect(summarize(raw, DEFAULT_LIMITS)).toEqual(first);
  });
});
