// What a merge keeps, by example. That it equals google/pprof's, and does not depend on order and workers, is proven over
// generated and recorded sets in conformance/.

import { describe, expect, test } from "vitest";
import { DomainError } from "../../src/model/errors.ts";
import { DEFAULT_LIMITS } from "../../src/model/limits.ts";
import { decodeProfile } from "../../src/pprof/decode.ts";
import { Merger, type MergerOptions } from "../../src/pprof/merger.ts";
import type { Profile } from "../../src/pprof/profile.ts";
import { buildProfile, type MappingSpec, type ProfileSpec } from "../support/profile-builder.ts";

function mergeOf(raws: readonly Uint8Array[], options: MergerOptions = {}): Profile {
  const merger = new Merger(options);
  for (const [order, raw] of raws.entries()) merger.add(raw, order);
  return decodeProfile(merger.finish().bytes);
}

function merge(...specs: ProfileSpec[]): Profile {
  return mergeOf(specs.map((spec) => buildProfile(spec)));
}

function spec(change: Partial<ProfileSpec> = {}): ProfileSpec {
  return { samples: [{ stack: ["leaf", "main"], values: [1, 10] }], ...change };
}

function refusal(run: () => unknown): DomainError {
  try {
    run();
  } catch (error) {
    if (error instanceof DomainError) return error;
    throw error;
  }
  throw new Error("it was accepted");
}

/** Function names and values of each sample, leaf first. */
function rows({ samples, locations, functions }: Profile): unknown[] {
  const name = (id: bigint) => {
    const { lines } = locations.find((location) => location.id === id)!;
    return lines.map(({ functionId }) => functions.find((fn) => fn.id === functionId)!.name).join("+");
  };
  return samples.map(({ locationIds, values }) => [...locationIds.map(name), ...values]);
}

const APP: MappingSpec = { start: 0x400000n, limit: 0x500000n, file: "/bin/app", buildId: "app" };
const LIBRARY: MappingSpec = { start: 0x7f0000000000n, limit: 0x7f0000010000n, file: "/lib/c.so", buildId: "c" };

describe("values", () => {
  test("of equal stacks and labels add up; other stacks and labels are rows of their own", () => {
    const labelled = { stack: ["leaf", "main"], values: [2, 20], labels: [["user", "a"] as [string, string]] };
    const merged = merge(
      spec(),
      spec({ samples: [...spec().samples, labelled, { stack: ["main"], values: [4, 40] }] }),
    );
    expect(rows(merged)).toEqual([
      ["main", 4n, 40n],
      ["leaf", "main", 2n, 20n],
      ["leaf", "main", 2n, 20n],
    ]);
    expect(merged.samples.map(({ labels }) => labels.length)).toEqual([0, 0, 1]);
  });

  test("beyond 2^53 add up exactly and wrap as int64 does, which finish() tells", () => {
    const large = (value: bigint) =>
      buildProfile(spec({ samples: [{ stack: ["main"], values: [value, 2n ** 53n + 1n] }] }));
    const merger = new Merger();
    for (let order = 0; order < 3; order++) merger.add(large(2n ** 62n + 1n), order);
    const { totals, wrapped, bytes } = merger.finish();
    const sum = BigInt.asIntN(64, 3n * (2n ** 62n + 1n));
    expect([totals, wrapped]).toEqual([
      [sum, 3n * (2n ** 53n + 1n)],
      [true, false],
    ]);
    expect(decodeProfile(bytes).samples[0]!.values).toEqual(totals);
  });

  test("that cancel leave no row, and nothing that only such rows used", () => {
    const other = {
      stack: [{ mapping: LIBRARY, address: LIBRARY.start + 5n, lines: [{ name: "gone" }] }],
      values: [1, 1],
    };
    const cancel = { ...other, values: [-1, -1] };
    const merged = merge(spec({ mappings: [APP], samples: [...spec().samples, other] }), spec({ samples: [cancel] }));
    expect(rows(merged)).toEqual([["leaf", "main", 1n, 10n]]);
    expect(merged.mappings.map(({ buildId }) => buildId)).toEqual(["app"]);
    expect(merged.functions.map(({ name }) => name).sort()).toEqual(["leaf", "main"]);
  });

  test("of empty stacks are kept", () => {
    expect(rows(merge(spec({ samples: [{ stack: [], values: [1, 2] }] })))).toEqual([[1n, 2n]]);
  });
});

describe("columns", () => {
  const cpu: [string, string] = ["cpu", "nanoseconds"];
  const samples: [string, string] = ["samples", "count"];

  test("in another order are summed by name; the earliest profile's order is the result's, whoever was added first", () => {
    const early = buildProfile(spec());
    const late = buildProfile(spec({ sampleTypes: [cpu, samples], samples: [{ stack: ["main"], values: [70, 7] }] }));
    const merger = new Merger();
    merger.add(late, 1);
    merger.add(early, 0);
    const merged = decodeProfile(merger.finish().bytes);
    expect(merged.sampleTypes.map(({ type }) => type)).toEqual(["samples", "cpu"]);
    expect(rows(merged)).toEqual([
      ["main", 7n, 70n],
      ["leaf", "main", 1n, 10n],
    ]);
    expect(merger.finish().totals).toEqual([8n, 80n]);
  });

  test("of one name are the n-th of each profile", () => {
    const twice = (first: number, second: number) =>
      spec({ sampleTypes: [cpu, cpu], samples: [{ stack: ["main"], values: [first, second] }] });
    expect(rows(merge(twice(1, 2), twice(10, 20)))).toEqual([["main", 11n, 22n]]);
  });

  test("asked for are projected on; what is zero in them is dropped, and a default type that is not among them", () => {
    const heap = spec({
      sampleTypes: [
        ["alloc", "bytes"],
        ["inuse", "bytes"],
      ],
      samples: [
        { stack: ["kept"], values: [5, 3] },
        { stack: ["freed"], values: [9, 0] },
      ],
      defaultSampleType: "alloc",
    });
    const other = spec({ sampleTypes: [["inuse", "bytes"]], samples: [{ stack: ["kept"], values: [4] }] });
    const merged = mergeOf(
      [heap, other].map((one) => buildProfile(one)),
      { columns: [{ type: "inuse", unit: "bytes" }] },
    );
    expect(merged.sampleTypes).toEqual([{ type: "inuse", unit: "bytes" }]);
    expect(rows(merged)).toEqual([["kept", 7n]]);
    expect(merged.defaultSampleType).toBe("");
  });

  test.each<[string, ProfileSpec, MergerOptions]>([
    ["another column", spec({ sampleTypes: [cpu, ["samples", "n"]] }), {}],
    ["a column less", spec({ sampleTypes: [cpu], samples: [] }), {}],
    ["a column more", spec({ sampleTypes: [cpu, samples, cpu], samples: [] }), {}],
    ["another period type", spec({ periodType: ["wall", "nanoseconds"] }), {}],
    ["no period type", spec({ periodType: null }), {}],
    [
      "one of the columns asked for missing",
      spec({ sampleTypes: [samples], samples: [] }),
      { columns: [{ type: "cpu", unit: "nanoseconds" }] },
    ],
  ])("a profile with %s is a conflict and changes nothing", (_, odd, options) => {
    const merger = new Merger(options);
    merger.add(buildProfile(spec({ comments: ["kept"] })), 1);
    const before = merger.finish();
    const partial = new Merger();
    partial.add(buildProfile({ ...odd, comments: ["odd"] }), 0);
    for (const run of [
      () => merger.add(buildProfile({ ...odd, comments: ["odd"] }), 0),
      () => merger.absorb(partial.partial()),
    ]) {
      expect(refusal(run).kind).toBe("conflict");
      expect(merger.finish()).toEqual(before);
    }
  });

  test("names in a conflict are told", () => {
    const merger = new Merger();
    merger.add(buildProfile(spec()), 0);
    const error = refusal(() => merger.add(buildProfile(spec({ sampleTypes: [cpu, ["größe", "B"]] })), 1));
    expect(error.message).toContain("cpu/nanoseconds, größe/B into samples/count, cpu/nanoseconds");
  });
});

test("a damaged profile is invalid and changes nothing", () => {
  const merger = new Merger();
  merger.add(buildProfile(spec()), 0);
  const before = merger.finish();
  const damaged = buildProfile(spec({ samples: [{ stack: ["new"], values: [5, 5] }, ...spec().samples] }));
  // The last sample loses its location: those before it were read and interned by then.
  const raw = Buffer.concat([damaged, Buffer.from([0x12, 4, 0x0a, 2, 0xff, 0x7f])]);
  expect(refusal(() => merger.add(raw, 1)).kind).toBe("invalid");
  expect(merger.finish()).toEqual(before);
  expect(merger.profiles).toBe(1);
});

describe("addresses", () => {
  const at = (mapping: MappingSpec, address: bigint, name = "f") =>
    spec({ samples: [{ stack: [{ mapping, address, lines: [{ name }] }], values: [1, 1] }] });

  test("count from the start of their mapping, so that position-independent code is one", () => {
    const moved = { ...LIBRARY, start: 0x550000000000n, limit: 0x550000010000n };
    const merged = merge(at(LIBRARY, LIBRARY.start + 0x123n), at(moved, moved.start + 0x123n));
    expect(rows(merged)).toEqual([["f", 2n, 2n]]);
    expect(merged.locations[0]!.address).toBe(LIBRARY.start + 0x123n);
  });

  test("beyond 2^53 stay what they are", () => {
    const kernel = { start: 0xffffffff81000000n, limit: 0xffffffffff000000n, file: "[kernel.kallsyms]_text" };
    const merged = merge(at(kernel, 0xffffffff81000123n), at(kernel, 0xffffffff81000124n, "g"));
    expect(merged.locations.map(({ address }) => address)).toEqual([0xffffffff81000123n, 0xffffffff81000124n]);
    expect(merged.mappings[0]).toMatchObject({ start: kernel.start, limit: kernel.limit });
  });

  test("below the start of their mapping, and starts above their limit, wrap as in google/pprof", () => {
    const odd = { ...APP, start: 0x500000n, limit: 0x400000n };
    expect(merge(at(odd, 0x1000n)).locations[0]!.address).toBe(0x1000n);
  });

  test("of equal value are one location only with equal lines", () => {
    const line = (line: bigint, column: bigint) =>
      spec({ samples: [{ stack: [{ address: 5n, lines: [{ name: "f", line, column }] }], values: [1, 1] }] });
    expect(merge(line(1n, 1n), line(1n, 2n), line(2n, 1n), line(1n, 1n)).locations).toHaveLength(3);
    const folded = (folded: boolean) => spec({ samples: [{ stack: [{ address: 5n, folded }], values: [1, 1] }] });
    expect(merge(folded(true), folded(false)).locations).toHaveLength(2);
  });
});

describe("mappings", () => {
  const use = (mapping: MappingSpec) => [{ stack: [{ mapping, address: mapping.start + 1n }], values: [1, 1] }];

  test("the first mapping of the first profile that has any stays first, used or not", () => {
    const merged = merge(spec(), spec({ mappings: [LIBRARY, APP], samples: use(APP) }), spec({ samples: use(APP) }));
    expect(merged.mappings.map(({ buildId }) => buildId)).toEqual(["c", "app"]);
  });

  test("others that no row uses are left out", () => {
    const merged = merge(spec({ mappings: [APP, LIBRARY] }));
    expect(merged.mappings.map(({ buildId }) => buildId)).toEqual(["app"]);
  });

  test("of equal size in pages, offset and build id are one; the earliest profile that uses it has the word", () => {
    const early = { ...LIBRARY, start: 0x1000n, limit: 0x11000n, file: "/early.so", hasFunctions: true };
    const later = { ...LIBRARY, limit: LIBRARY.limit - 5n, file: "/later.so" };
    const unused = { ...LIBRARY, file: "/unused.so" };
    const raws = [
      spec({ mappings: [APP, unused] }),
      spec({ mappings: [APP], samples: use(early) }),
      spec({ mappings: [APP], samples: use(later) }),
    ].map((one) => buildProfile(one));
    const merger = new Merger();
    for (const order of [2, 0, 1]) merger.add(raws[order]!, order);
    const merged = decodeProfile(merger.finish().bytes);
    expect(merged.mappings).toHaveLength(2);
    expect(merged.mappings[1]).toMatchObject({
      file: "/early.so",
      start: 0x1000n,
      limit: 0x11000n,
      hasFunctions: true,
    });
    expect(merged.locations.at(-1)!.address).toBe(0x1001n);
  });

  test("without build id are told apart by file, and without either are one", () => {
    const bare = (start: bigint, file = "") => ({ start, limit: start + 0x1000n, file });
    expect(merge(spec({ samples: [...use(bare(0x1000n, "a")), ...use(bare(0x1000n, "b"))] })).mappings).toHaveLength(2);
    expect(merge(spec({ samples: [...use(bare(0x1000n)), ...use(bare(0x9000n))] })).mappings).toHaveLength(1);
  });
});

describe("header fields", () => {
  const times = (...timesNs: bigint[]) => merge(...timesNs.map((timeNs) => spec({ timeNs }))).timeNs;

  test("time is the least, but a 0 counts as smaller until something follows it, as in google/pprof", () => {
    expect(times(7n, 5n, 9n)).toBe(5n);
    expect(times(5n, 0n)).toBe(0n);
    expect(times(5n, 0n, 7n)).toBe(7n);
    expect(times(0n, 2n ** 60n + 1n, 2n ** 60n)).toBe(2n ** 60n);
  });

  test("period is the largest, durations add up", () => {
    const merged = merge(
      spec({ period: 5n, durationNs: 2n ** 60n }),
      spec({ period: 9n, durationNs: 1n }),
      spec({ period: 7n, durationNs: 2n }),
    );
    expect([merged.period, merged.durationNs]).toEqual([9n, 2n ** 60n + 3n]);
  });

  test("comments are one list without repetition, in canonical order, whatever the order of adds", () => {
    const raws = [
      ["b", "a", "b"],
      ["c", "a"],
      ["a", "d"],
    ].map((comments) => buildProfile(spec({ comments })));
    const merger = new Merger();
    for (const order of [2, 1, 0]) merger.add(raws[order]!, order);
    expect(decodeProfile(merger.finish().bytes).comments).toEqual(["b", "a", "c", "d"]);
  });

  test("frames are the first profile's even if it has none; doc URL and default type are the first there is", () => {
    const second = spec({ dropFrames: "x", keepFrames: "y", docUrl: "url", defaultSampleType: "cpu" });
    const third = spec({ docUrl: "other", defaultSampleType: "samples" });
    expect(merge(spec(), second, third)).toMatchObject({
      dropFrames: "",
      keepFrames: "",
      docUrl: "url",
      defaultSampleType: "cpu",
    });
    expect(merge(second, spec())).toMatchObject({ dropFrames: "x", keepFrames: "y" });
  });
});

describe("labels", () => {
  const labelled = (labels: [string, string][], numbers: [string, bigint, string?][] = []) =>
    spec({ samples: [{ stack: ["main"], values: [1, 1], labels, numbers }] });

  test("in another order of keys are the same, in another order of one key's values are not", () => {
    expect(
      merge(
        labelled([
          ["a", "1"],
          ["b", "2"],
        ]),
        labelled([
          ["b", "2"],
          ["a", "1"],
        ]),
      ).samples,
    ).toHaveLength(1);
    expect(
      merge(
        labelled([
          ["a", "1"],
          ["a", "2"],
        ]),
        labelled([
          ["a", "2"],
          ["a", "1"],
        ]),
      ).samples,
    ).toHaveLength(2);
  });

  test("with numbers are told apart by number and unit", () => {
    const numbers = [[["n", 1n]], [["n", 1n, "b"]], [["n", 2n]], [["n", -(2n ** 63n)]], [["n", 1n]]] as [
      string,
      bigint,
      string?,
    ][][];
    expect(merge(...numbers.map((one) => labelled([], one))).samples).toHaveLength(4);
  });

  test("are written texts first, then numbers, each by key; rows of one stack by their labels", () => {
    const merged = merge(
      labelled(
        [
          ["b", "2"],
          ["a", "9"],
        ],
        [
          ["z", -1n],
          ["y", 1n, "ms"],
        ],
      ),
      labelled([]),
      labelled([["b", "1"]]),
      labelled([], [["z", -2n]]),
      labelled([], [["z", 1n]]),
    );
    const text = merged.samples.map(({ labels }) =>
      labels.map(({ key, str, num, unit }) => `${key}=${str || `${num}${unit}`}`).join(" "),
    );
    expect(text).toEqual(["", "a=9 b=2 y=1ms z=-1", "b=1", "z=-2", "z=1"]);
  });

  test("that sort as bytes do may hold any byte", () => {
    const merged = merge(
      labelled([["k", "a\0"]]),
      labelled([["k", "a"]]),
      labelled([["k", "a\x01"]]),
      labelled([["k", "é"]]),
    );
    expect(merged.samples.map(({ labels }) => labels[0]!.str)).toEqual(["a", "a\0", "a\x01", "é"]);
  });
});

test("strings that are not UTF-8 pass through byte by byte and stay apart", () => {
  const raw = Buffer.from(buildProfile(spec({ samples: [{ stack: ["xxxx"], values: [1, 1] }] })));
  const name = raw.indexOf("xxxx");
  const named = (...bytes: number[]) => {
    const copy = Buffer.from(raw);
    copy.set(bytes, name);
    return copy;
  };
  const merger = new Merger();
  merger.add(named(0xff, 0xfe, 0xc0, 0x80), 0);
  merger.add(named(0xff, 0xfe, 0xc0, 0x81), 1);
  const { bytes, samples } = merger.finish();
  expect(samples).toBe(2);
  expect(Buffer.from(bytes).includes(Buffer.from([0xff, 0xfe, 0xc0, 0x80]))).toBe(true);
});

describe("several Mergers", () => {
  test("that saw nothing give and absorb nothing", () => {
    const merger = new Merger();
    merger.absorb(new Merger().partial());
    expect(merger.profiles).toBe(0);
    merger.add(buildProfile(spec()), 0);
    const alone = merger.finish();
    merger.absorb(new Merger().partial());
    expect(merger.finish()).toEqual(alone);
    const late = new Merger();
    late.absorb(merger.partial());
    expect(late.finish()).toEqual(alone);
  });

  test("know of sums that wrapped in one of them", () => {
    const huge = buildProfile(spec({ samples: [{ stack: ["main"], values: [2n ** 63n - 1n, -(2n ** 63n)] }] }));
    const [first, second] = [new Merger(), new Merger()];
    first.add(huge, 0);
    first.add(huge, 1);
    second.add(buildProfile(spec()), 2);
    second.absorb(first.partial());
    expect(second.finish().wrapped).toEqual([true, true]);
  });

  test("project on the same columns, though profiles have them in other places", () => {
    const options = { columns: [{ type: "cpu", unit: "nanoseconds" }] };
    const swapped = spec({
      sampleTypes: [
        ["cpu", "nanoseconds"],
        ["samples", "count"],
      ],
      samples: [{ stack: ["main"], values: [5, 1] }],
    });
    const [first, second] = [new Merger(options), new Merger(options)];
    first.add(buildProfile(spec()), 1);
    second.add(buildProfile(swapped), 0);
    first.absorb(second.partial());
    expect(rows(decodeProfile(first.finish().bytes))).toEqual([
      ["main", 5n],
      ["leaf", "main", 10n],
    ]);
    expect(first.finish().totals).toEqual([15n]);
  });

  test("hand over a block that may be transferred", () => {
    const merger = new Merger();
    merger.add(buildProfile(spec()), 0);
    const partial = merger.partial();
    expect(structuredClone(partial, { transfer: [partial.buffer] }).byteOffset).toBe(0);
    expect(partial).toHaveLength(0);
  });
});

describe("limits", () => {
  const many = (samples: number) =>
    buildProfile(
      spec({ samples: Array.from({ length: samples }, (_, at) => ({ stack: [`f${at}`], values: [1, 1] })) }),
    );

  test("a result that is too large is refused with the way out", () => {
    const merger = new Merger({ limits: { ...DEFAULT_LIMITS, resultBytes: 100_000 } });
    merger.add(many(10), 0);
    const small = new Merger({ limits: { ...DEFAULT_LIMITS, resultBytes: 100 } });
    expect(refusal(() => small.add(many(10), 0))).toMatchObject({ kind: "too-large", subject: "result" });
    expect(merger.finish().samples).toBe(10);
  });

  test("memory is bounded by its own count", () => {
    const merger = new Merger({ limits: { ...DEFAULT_LIMITS, resultBytes: 200_000 } });
    const error = refusal(() => {
      for (let order = 0; order < 100; order++) merger.add(many(100 * (order + 1)), order);
    });
    expect([error.kind, error.subject]).toEqual(["too-large", "result"]);
    expect(error.message).toContain("800000 bytes");
  });

  test("a finish without a profile is a bug of the caller", () => {
    expect(() => new Merger().finish()).toThrow("no profiles");
  });
});
