// What a PGO file is made of, and that the compiler sees in it what it sees in the profile, less what was to go.

import { describe, expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../../src/model/limits.ts";
import { type PgoEdges, pgoEdges, preprofileText } from "../../src/pgo/edges.ts";
import { type PgoOptions, PLAIN_PGO_OPTIONS, preparedEdges, preparePgo } from "../../src/pgo/prepare.ts";
import { decodeProfile } from "../../src/pprof/decode.ts";
import { encodeProfile } from "../../src/pprof/encode.ts";
import { generateCpuProfile } from "../support/pgo-generator.ts";
import { preprofiled } from "../support/preprofile.ts";
import { buildProfile, type FrameSpec, type LineSpec, type ProfileSpec } from "../support/profile-builder.ts";
import { Random } from "../support/random.ts";

const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
const seeds = (count: number) => Array.from({ length: count }, (_, nth) => SEED + nth);

const prepare = (raw: Uint8Array, options: Partial<PgoOptions> = {}) =>
  preparePgo(raw, { ...PLAIN_PGO_OPTIONS, ...options }, DEFAULT_LIMITS);
const edgesOf = (raw: Uint8Array) => pgoEdges(decodeProfile(raw, { encoding: "latin1" }));
const line = (name: string, at = 12n, startLine = 10n): LineSpec => ({ name, startLine, line: at });
const at = (address: bigint, ...lines: LineSpec[]): FrameSpec => ({ address, lines });
const sorted = (edges: PgoEdges) => preprofileText(edges);

/** Of edges alone, as text. */
function textOf(edges: PgoEdges, keep: (caller: string, callee: string) => boolean): string {
  return preprofileText({ ...edges, edges: edges.edges.filter(({ caller, callee }) => keep(caller, callee)) });
}

describe("the edges stay", () => {
  test("in recorded profiles, for every number of locations that is kept", () => {
    let compared = 0;
    for (const [name, raw] of preprofiled()) {
      if (!/cpu-\d|cpu\.pb/.test(name) || edgesOf(raw).refusal) continue;
      for (const keepLocations of [0, 2, 3, 4, 5, 9]) {
        const { bytes, edges } = prepare(raw, { keepLocations });
        expect(sorted(edgesOf(bytes)), `${name}, ${keepLocations}`).toBe(sorted(edgesOf(raw)));
        expect(sorted(edges)).toBe(sorted(edgesOf(raw)));
        compared++;
      }
    }
    expect(compared).toBeGreaterThanOrEqual(30);
  });

  test("in 300 invented profiles, for every number of locations that is kept", () => {
    for (const seed of seeds(300)) {
      const raw = generateCpuProfile(seed, { lacksStartLines: false, hasNegatives: false });
      const whole = prepare(raw);
      const [first] = decodeProfile(raw).sampleTypes;
      // With the columns the other way round the compiler reads the other of the two.
      const isSwapped = first!.type === "cpu";
      if (!isSwapped) expect(sorted(whole.edges), `seed ${seed}`).toBe(sorted(edgesOf(raw)));
      for (const keepLocations of [2, 3, 5]) {
        const { bytes } = prepare(raw, { keepLocations });
        expect(sorted(edgesOf(bytes)), `seed ${seed}, ${keepLocations}`).toBe(sorted(whole.edges));
      }
    }
  });

  test("and preparing again changes no byte", () => {
    for (const seed of seeds(100)) {
      const { bytes } = prepare(generateCpuProfile(seed), { keepLocations: 3 });
      expect(prepare(bytes, { keepLocations: 3 }).bytes, `seed ${seed}`).toEqual(bytes);
    }
  });
});

describe("calls that are left out", () => {
  const NO_INLINE = ["runtime.gopark", "main.größe", "memmove"];

  test("go from the edges, and every other edge keeps its weight, in 300 invented profiles", () => {
    let gone = 0;
    for (const seed of seeds(300)) {
      const raw = generateCpuProfile(seed);
      const before = prepare(raw).edges;
      const utf8 = (name: string) => Buffer.from(name, "latin1").toString("utf8");
      const isDropped = (name: string) => /json|func1$/.test(utf8(name));
      const expected = textOf(
        before,
        (caller, callee) => !NO_INLINE.includes(utf8(callee)) && !isDropped(caller) && !isDropped(callee),
      );
      const after = preparePgo(
        raw,
        { ...PLAIN_PGO_OPTIONS, noInline: NO_INLINE, drop: ["json", "func1$"], keepLocations: 5 },
        DEFAULT_LIMITS,
      );
      expect(sorted(after.edges), `seed ${seed}`).toBe(expected);
      expect(sorted(edgesOf(after.bytes)), `seed ${seed}`).toBe(expected);
      if (expected !== sorted(before)) gone++;
    }
    expect(gone).toBeGreaterThan(100);
  });

  test("leave a profile as it is where it has none of them, and the totals of one whose calls are all gone", () => {
    const raw = buildProfile({
      samples: [
        { stack: [at(1n, line("leaf")), at(2n, line("caller")), at(3n, line("main"))], values: [3, 30] },
        { stack: [at(4n, line("b")), at(5n, line("a")), at(3n, line("main"))], values: [4, 40] },
      ],
    });
    expect(prepare(raw, { noInline: ["absent"], drop: ["^absent$"] }).bytes).toEqual(prepare(raw).bytes);
    const { bytes, content } = prepare(raw, { noInline: ["leaf"] });
    expect(content).toMatchObject({ samples: 7n, cpuNs: 70n, edges: 1 });
    expect(
      decodeProfile(bytes)
        .samples.map(({ locationIds }) => locationIds.length)
        .sort(),
    ).toEqual([1, 3]);
  });

  test("part an inlined chain into a sample for each piece", () => {
    const chain = at(1n, line("d"), line("c"), line("b"), line("a"));
    const { edges } = prepare(buildProfile({ samples: [{ stack: [chain], values: [3, 30] }] }), { noInline: ["c"] });
    expect(edges.edges.map(({ caller, callee, weight }) => [caller, callee, weight])).toEqual([
      ["a", "b", 3n],
      ["c", "d", 3n],
    ]);
  });

  test("google/pprof's rules count what goes for the caller instead", () => {
    const raw = buildProfile({
      samples: [{ stack: [at(1n, line("lib.leaf")), at(2n, line("caller")), at(3n, line("main"))], values: [3, 30] }],
    });
    const { edges } = prepare(raw, { prune: [{ drop: "^lib[.]" }] });
    expect(edges.edges).toMatchObject([{ caller: "main", callee: "caller", weight: 3n }]);
  });
});

describe("the file", () => {
  const stack = [at(1n, line("leaf")), at(2n, line("caller"))];

  test("has samples/count and cpu/nanoseconds in that order, or the one that is there", () => {
    const of = (...sampleTypes: [string, string][]) => {
      const raw = buildProfile({ sampleTypes, samples: [{ stack, values: sampleTypes.map((_, nth) => nth + 1) }] });
      const { sampleTypes: types, samples } = decodeProfile(prepare(raw).bytes);
      return types.map(({ type }, nth) => `${type} ${samples[0]!.values[nth]}`).join(", ");
    };
    const count: [string, string] = ["samples", "count"];
    const cpu: [string, string] = ["cpu", "nanoseconds"];
    const wall: [string, string] = ["wall", "nanoseconds"];
    expect(of(cpu, count)).toBe("samples 2, cpu 1");
    expect(of(wall, count, cpu)).toBe("samples 2, cpu 3");
    expect(of(cpu)).toBe("cpu 1");
    expect(of(wall, count)).toBe("samples 2");
    expect(() => of(wall)).toThrow(
      "Cannot make a PGO profile of the columns wall/nanoseconds: the compiler reads samples/count and cpu/nanoseconds",
    );
  });

  test("keeps names, files, lines, addresses, mappings, period, time and duration, and drops the rest", () => {
    const mapping = { start: 0x1000n, limit: 0x9000n, file: "/app", buildId: "b1", hasFunctions: true };
    const fn = { name: "a.f[go.shape.int]", systemName: "sys", file: "/a.go", startLine: 10n, line: 12n, column: 3n };
    const raw = buildProfile({
      timeNs: 5n,
      durationNs: 7n,
      period: 9n,
      comments: ["a"],
      dropFrames: "x",
      keepFrames: "y",
      docUrl: "https://example.com",
      defaultSampleType: "samples",
      samples: [
        {
          stack: [
            { mapping, address: 0x1010n, lines: [fn] },
            { mapping, address: 0x1020n, lines: [line("b")] },
          ],
          values: [1, 10],
          labels: [["endpoint", "/a"]],
          numbers: [["n", 3n]],
        },
      ],
    });
    const { bytes } = prepare(raw);
    const expected = {
      ...decodeProfile(raw),
      comments: [],
      dropFrames: "",
      keepFrames: "",
      docUrl: "",
      defaultSampleType: "",
    };
    expected.samples[0]!.labels = [];
    expect({ ...decodeProfile(bytes), locations: [], functions: [], samples: [] }).toEqual({
      ...expected,
      locations: [],
      functions: [],
      samples: [],
    });
    const byAddress = (profile: ReturnType<typeof decodeProfile>) =>
      profile.locations.map(({ address, lines }) => [
        address,
        lines.map(({ functionId, ...place }) => {
          const { id: _, ...found } = profile.functions.find(({ id }) => id === functionId)!;
          return { ...found, ...place };
        }),
      ]);
    expect(byAddress(decodeProfile(bytes))).toEqual(byAddress(expected));
  });

  test("sums samples that became equal, under labels or after the cut", () => {
    const outer = (address: bigint) => [...stack, at(address, line("main"))];
    const raw = buildProfile({
      samples: [
        { stack: outer(3n), values: [1, 10], labels: [["endpoint", "/a"]] },
        { stack: outer(3n), values: [2, 20] },
        { stack: outer(4n), values: [4, 40] },
      ],
    });
    const values = (keepLocations: number) =>
      decodeProfile(prepare(raw, { keepLocations }).bytes).samples.map((sample) => sample.values);
    expect(values(0)).toEqual([
      [3n, 30n],
      [4n, 40n],
    ]);
    expect(values(2)).toEqual([[7n, 70n]]);
  });

  test("is the same bytes whatever the order of the samples, locations and functions", () => {
    for (const seed of seeds(60)) {
      const raw = generateCpuProfile(seed);
      const profile = decodeProfile(raw);
      const random = new Random(seed);
      profile.samples = random.shuffle(profile.samples);
      profile.locations = random.shuffle(profile.locations);
      profile.functions = random.shuffle(profile.functions);
      const options = { keepLocations: 3, noInline: ["memmove"], drop: ["gopark"] };
      expect(prepare(encodeProfile(profile), options).bytes, `seed ${seed}`).toEqual(prepare(raw, options).bytes);
    }
  });

  test("leaves out samples with a call from a frame without start line, with an unreadable name and with a negative value, and counts them", () => {
    const spec = (samples: ProfileSpec["samples"]) => buildProfile({ samples });
    const good = { stack, values: [5, 50] };
    const harmful = [
      { stack: [at(3n, line("leaf")), at(4n, { name: "caller", line: 400n })], values: [1, 10] },
      { stack: [at(5n, line("leaf")), at(6n)], values: [2, 20] },
      { stack: [at(7n, line("line\nbreak")), at(2n, line("caller"))], values: [1, 10] },
      { stack: [at(8n, line("long".repeat(20_000))), at(2n, line("caller"))], values: [1, 10] },
      { stack: [at(9n, line("less")), at(2n, line("caller"))], values: [1, -10] },
    ];
    const { bytes, content } = prepare(spec([good, ...harmful]));
    expect(bytes).toEqual(prepare(spec([good])).bytes);
    expect(content.leftOut).toEqual({ negative: 1, withoutStartLine: 2, unreadableName: 2 });
    expect(content.shareWithoutStartLine).toBeCloseTo(3 / 11);
  });

  test("keeps samples whose leaf alone has no start line, and those that make no call", () => {
    const samples = [
      { stack: [at(3n, { name: "leaf" }), at(2n, line("caller"))], values: [1, 10] },
      { stack: [at(4n, { name: "alone" })], values: [2, 20] },
    ];
    expect(prepare(buildProfile({ samples })).content).toMatchObject({ samples: 3n, edges: 1 });
  });

  test("has no sample where no call is left: such a file is taken for none, where it might be refused", () => {
    const raw = buildProfile({ timeNs: 5n, samples: [{ stack: ["leaf", "caller"], values: [1, 10] }] });
    const { bytes, content, edges } = prepare(raw);
    expect(decodeProfile(bytes).samples).toEqual([]);
    expect(edges).toMatchObject({ edges: [], refusal: undefined });
    expect(content).toMatchObject({ samples: 0n, edges: 0, shareWithoutStartLine: 1 });
  });

  test("does not come to be with sums beyond 2^62, nor with one location of a stack", () => {
    const raw = (value: bigint) =>
      buildProfile({
        samples: [
          { stack, values: [1n, value] },
          { stack, values: [1n, 1n] },
        ],
      });
    expect(prepare(raw(2n ** 62n - 1n)).content.cpuNs).toBe(2n ** 62n);
    expect(() => prepare(raw(2n ** 62n))).toThrow(
      expect.objectContaining({ kind: "too-large", message: expect.stringContaining("at most 2^62 are allowed") }),
    );
    expect(() => prepare(raw(1n), { keepLocations: 1 })).toThrow("the compiler looks at two");
  });
});

test("preparedEdges() are the edges of what is prepared", () => {
  for (const seed of seeds(30)) {
    const options = { ...PLAIN_PGO_OPTIONS, noInline: ["memmove"], keepLocations: 2 };
    const raw = generateCpuProfile(seed);
    expect(preparedEdges(raw, options, DEFAULT_LIMITS)).toEqual(preparePgo(raw, options, DEFAULT_LIMITS).edges);
  }
});
