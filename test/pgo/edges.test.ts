// The edge map of the Go compiler: its rules one by one, and whole maps against digests of what `go tool preprofile` prints of them
// (test/support/preprofile.ts; test/e2e/oracle-pgo.test.ts asks the tool itself).

import { describe, expect, test } from "vitest";
import { hotEdges, type PgoEdges, pgoEdges, preprofileText } from "../../src/pgo/edges.ts";
import { decodeProfile } from "../../src/pprof/decode.ts";
import { digestOf, preprofiled, readPreprofileDigests } from "../support/preprofile.ts";
import { buildProfile, type FrameSpec, type LineSpec, type ProfileSpec } from "../support/profile-builder.ts";

const line = (name: string, at = 12n, startLine = 10n): LineSpec => ({ name, startLine, line: at });

/** Innermost line first; of another address each time. */
let address = 0n;
function frame(...lines: LineSpec[]): FrameSpec {
  address += 16n;
  return { address, lines };
}

function edgesOf(samples: ProfileSpec["samples"], spec: Partial<ProfileSpec> = {}): PgoEdges {
  return pgoEdges(decodeProfile(buildProfile({ ...spec, samples }), { encoding: "latin1" }));
}

const listed = ({ edges }: PgoEdges) =>
  edges.map(({ caller, callee, offset, weight }) => `${caller} > ${callee} @${offset} = ${weight}`);

test("whole maps are those of go tool preprofile, of recorded, foreign and invented profiles", () => {
  const digests = readPreprofileDigests();
  let accepted = 0;
  for (const [name, raw] of preprofiled()) {
    const edges = pgoEdges(decodeProfile(raw, { encoding: "latin1" }));
    const own = edges.refusal ?? digestOf(Buffer.from(preprofileText(edges), "latin1"));
    expect({ [name]: own }).toEqual({ [name]: digests[name] });
    if (edges.edges.length > 0) accepted++;
  }
  expect(accepted).toBeGreaterThanOrEqual(50);
});

describe("a sample", () => {
  test("counts for the calls within and between its two innermost locations alone", () => {
    const leaf = frame(line("leaf"), line("inlined", 13n));
    const caller = frame(line("caller", 14n));
    const edges = edgesOf([{ stack: [leaf, caller, frame(line("main"))], values: [3, 30] }]);
    expect(listed(edges)).toEqual(["caller > inlined @4 = 3", "inlined > leaf @3 = 3"]);
    expect(edges.totalWeight).toBe(6n);
  });

  test("of one location counts for the calls that were inlined into it, and one of one frame or none for nothing", () => {
    const samples = [
      { stack: [frame(line("a"), line("b"))], values: [1, 10] },
      { stack: [frame(line("alone"))], values: [1, 10] },
      { stack: [], values: [1, 10] },
    ];
    expect(listed(edgesOf(samples))).toEqual(["b > a @2 = 1"]);
  });

  test("counts once for a call that a recursion has twice", () => {
    const both = frame(line("odd"), line("even"));
    expect(listed(edgesOf([{ stack: [both, both], values: [5, 50] }]))).toEqual([
      "even > odd @2 = 5",
      "odd > even @2 = 5",
    ]);
  });

  test("counts for no call from a frame to itself, which a direct recursion at one address is", () => {
    const self = frame(line("fib"));
    expect(listed(edgesOf([{ stack: [self, self], values: [5, 50] }]))).toEqual([]);
    expect(listed(edgesOf([{ stack: [self, frame(line("fib"))], values: [5, 50] }]))).toEqual(["fib > fib @2 = 5"]);
  });

  test("without a value counts for nothing", () => {
    const stack = [frame(line("a")), frame(line("b"))];
    expect(edgesOf([{ stack, values: [0, 50] }]).refusal).toBe("no-start-line");
  });
});

describe("edges", () => {
  const call = (caller: LineSpec, callee: string, weight: number) => ({
    stack: [frame(line(callee)), frame(caller)],
    values: [weight, weight * 10],
  });

  test("are one by caller, callee and offset, whatever the address, and begin before their function where //line says so", () => {
    const samples = [
      call(line("a", 12n, 10n), "b", 1),
      call(line("a", 22n, 20n), "b", 2),
      call(line("a", 5n, 10n), "b", 4),
    ];
    expect(listed(edgesOf(samples))).toEqual(["a > b @-5 = 4", "a > b @2 = 3"]);
  });

  test("of one weight are in the order of bytes, where UTF-16 has another", () => {
    const samples = ["𝕏", "\ue000", "z", "a"].map((name) => call(line(name), "b", 1));
    const { edges } = edgesOf(samples);
    const names = edges.map(({ caller }) => Buffer.from(caller, "latin1").toString());
    expect(names).toEqual(["a", "z", "\ue000", "𝕏"]);
  });

  test("are hot as long as they do not exceed 99 % of the weight, and the one with which they do is too", () => {
    const weights = [900, 90, 5, 3, 2];
    const edges = edgesOf(weights.map((weight, at) => call(line("a"), `callee${at}`, weight)));
    expect(hotEdges(edges).map(({ weight }) => Number(weight))).toEqual([900, 90, 5]);
    expect(hotEdges(edgesOf([]))).toEqual([]);
  });

  test("weigh what the first of samples/count and cpu/nanoseconds says", () => {
    const stack = [frame(line("a")), frame(line("b"))];
    const of = (sampleTypes: [string, string][]) =>
      edgesOf([{ stack, values: sampleTypes.map((_, at) => at + 1) }], { sampleTypes }).edges[0]?.weight;
    const count: [string, string] = ["samples", "count"];
    const cpu: [string, string] = ["cpu", "nanoseconds"];
    const other: [string, string] = ["alloc", "bytes"];
    expect([of([count, cpu]), of([cpu, count]), of([other, cpu]), of([other])]).toEqual([1n, 1n, 2n, undefined]);
  });

  test("whose sums pass int64 say so and wrap as the compiler's do", () => {
    const stack = [frame(line("a")), frame(line("b"))];
    const edges = edgesOf([
      { stack, values: [2n ** 63n - 1n, 0n] },
      { stack: [...stack, frame(line("c"))], values: [2n, 0n] },
    ]);
    expect(edges).toMatchObject({ isWrapped: true, totalWeight: -(2n ** 63n) + 1n });
  });
});

describe("a profile", () => {
  const stack = [frame({ name: "a" }), frame({ name: "b" })];

  test("without samples is taken for none, whatever its columns are", () => {
    expect(edgesOf([], { sampleTypes: [["alloc", "bytes"]] })).toMatchObject({ edges: [], refusal: undefined });
  });

  test("with neither column is refused, and one in which nothing says where functions begin", () => {
    expect(edgesOf([{ stack, values: [1] }], { sampleTypes: [["alloc", "bytes"]] }).refusal).toBe("no-column");
    expect(edgesOf([{ stack, values: [1, 10] }]).refusal).toBe("no-start-line");
  });

  test("tells the weight of calls from frames that do not say where their function begins", () => {
    const lacking = frame({ name: "caller", line: 400n });
    const samples = [
      { stack: [frame(line("a")), lacking], values: [3, 30] },
      { stack: [frame({ name: "leaf without it" }), frame(line("b"))], values: [1, 10] },
    ];
    const edges = edgesOf(samples);
    expect(edges).toMatchObject({ misplacedWeight: 3n, totalWeight: 4n, refusal: undefined });
    expect(listed(edges)[0]).toBe("caller > a @400 = 3");
  });

  test("with a line break in a name is none that go build can hand over to the compiler", () => {
    expect(edgesOf([{ stack: [frame(line("a\nb")), frame(line("c"))], values: [1, 10] }]).refusal).toBe(
      "unreadable-name",
    );
  });
});
