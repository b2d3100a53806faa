import { describe, expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../../src/model/limits.ts";
import { EVERYTHING } from "../../src/model/selector.ts";
import type { Shape } from "../../src/model/shape.ts";
import { planMerge } from "../../src/repository/planner.ts";
import type { Catalog, MergeInput, MergeInputs } from "../../src/storage/catalog.ts";

const CPU_PERIOD = { type: "cpu", unit: "nanoseconds" };
const SAMPLES = { type: "samples", unit: "count" };
const CPU = { type: "cpu", unit: "nanoseconds" };
const SPACE = { type: "inuse_space", unit: "bytes" };
const SHAPES: Record<number, Shape> = {
  1: { columns: [SAMPLES, CPU], periodType: CPU_PERIOD },
  2: { columns: [CPU, SAMPLES], periodType: CPU_PERIOD },
  3: { columns: [CPU], periodType: CPU_PERIOD },
  4: { columns: [SPACE], periodType: { type: "space", unit: "bytes" } },
};

/** A catalog that holds one profile per shape id given, oldest first; their ids are a, b, c, … */
function catalogOf(shapeIds: number[], matched = shapeIds.length): Catalog {
  const inputs: MergeInput[] = shapeIds.map((shapeId, at) => ({
    id: String.fromCharCode(97 + at),
    timeNs: BigInt(at),
    digest: new Uint8Array(32),
    serviceId: 1,
    typeId: 1,
    shapeId,
    seq: at + 1,
    locator: { segmentId: 1, offset: at, sizeBytes: 1 },
  }));
  const shapes = new Map(Object.entries(SHAPES).map(([id, shape]) => [Number(id), shape]));
  const answer = (kept: MergeInput[]): MergeInputs => ({ inputs: kept, shapes, matched, sets: [] });
  return {
    mergeInputs: async ({ limit }: { limit: number }) => answer(inputs.slice(-limit)),
    coverage: async ({ limit }: { limit: number }) => ({
      inputs: matched > limit ? [] : inputs,
      shapes,
      loose: matched,
      sets: [],
      fingerprint: "",
    }),
    mergeInputsByIds: async (ids: string[]) => answer(inputs.filter(({ id }) => ids.includes(id))),
  } as unknown as Catalog;
}

const everything = { selector: EVERYTHING };
const idsOf = ({ inputs }: { inputs: readonly MergeInput[] }) => inputs.map(({ id }) => id).join("");

describe("planMerge()", () => {
  test("takes the same columns in another order as the same shape, and the newest profile's order", async () => {
    const plan = await planMerge(catalogOf([1, 2]), everything, {}, DEFAULT_LIMITS);
    expect([idsOf(plan), plan.columns, plan.skipped]).toEqual(["ab", [CPU, SAMPLES], []]);
  });

  test("lets the newest shape win and counts the others with their shapes", async () => {
    const plan = await planMerge(catalogOf([1, 4, 4, 1]), everything, {}, DEFAULT_LIMITS);
    expect(idsOf(plan)).toBe("ad");
    expect(plan.skipped).toEqual([
      {
        reason: "shape",
        count: 2,
        ids: ["b", "c"],
        detail: "2 × samples/count cpu/nanoseconds per cpu/nanoseconds, 2 × inuse_space/bytes per space/bytes",
      },
    ]);
  });

  test("counts what is no pprof as traces, apart from other shapes", async () => {
    const plan = await planMerge(catalogOf([1, 0, 4, 0, 1]), everything, {}, DEFAULT_LIMITS);
    expect(idsOf(plan)).toBe("ae");
    expect(plan.skipped).toMatchObject([
      { reason: "shape", count: 1, ids: ["c"] },
      { reason: "trace", count: 2, ids: ["b", "d"] },
    ]);
  });

  test("says whose limit cut: the caller's or that of every merge", async () => {
    const cut = async (maxProfiles: number) => {
      const limits = { ...DEFAULT_LIMITS, mergeProfiles: 2 };
      const plan = await planMerge(catalogOf([1, 1], 3), { ...everything, maxProfiles }, {}, limits);
      return plan.skipped[0]?.detail;
    };
    expect(await cut(2)).toMatch(/^max_profiles is 2/);
    expect(await cut(3)).toMatch(/^a merge takes at most 2/);
  });

  test("a column asked for twice fits no profile that has it once", async () => {
    await expect(
      planMerge(catalogOf([1, 1]), everything, { columns: [CPU, CPU] }, DEFAULT_LIMITS),
    ).rejects.toMatchObject({
      kind: "conflict",
    });
  });

  test("projects every shape that has the column asked for", async () => {
    const plan = await planMerge(catalogOf([1, 2, 3, 4]), everything, { columns: [CPU] }, DEFAULT_LIMITS);
    expect([idsOf(plan), plan.columns]).toEqual(["abc", [CPU]]);
    expect(plan.skipped[0]).toMatchObject({ reason: "shape", count: 1, ids: ["d"] });
  });

  test("answers conflict, naming shapes and counts, where no profile has the column", async () => {
    await expect(planMerge(catalogOf([1, 1]), everything, { columns: [SPACE] }, DEFAULT_LIMITS)).rejects.toMatchObject({
      kind: "conflict",
      message: expect.stringContaining("2 × samples/count cpu/nanoseconds"),
    });
  });

  test("answers conflict where ids that were named do not fit together", async () => {
    const selection = { selector: EVERYTHING, ids: ["a", "b"] };
    await expect(planMerge(catalogOf([1, 4]), selection, {}, DEFAULT_LIMITS)).rejects.toMatchObject({
      kind: "conflict",
    });
  });

  test("answers conflict under strict where a selector finds different shapes", async () => {
    const strict = planMerge(catalogOf([1, 4]), everything, {}, DEFAULT_LIMITS, true);
    await expect(strict).rejects.toMatchObject({ kind: "conflict" });
  });

  test("reads ids in either case", async () => {
    const id = "01m7xzym5jfw72bd4gqjvpeme5";
    const asked: string[][] = [];
    const catalog = catalogOf([1]);
    catalog.mergeInputsByIds = async (ids) => {
      asked.push([...ids]);
      const { inputs, ...rest } = await catalog.mergeInputs({ selector: EVERYTHING, limit: 1, strategy: "newest" });
      return { ...rest, inputs: inputs.map((input) => ({ ...input, id })) };
    };
    const selection = { selector: EVERYTHING, ids: [id, id.toUpperCase()] };
    const plan = await planMerge(catalog, selection, {}, DEFAULT_LIMITS);
    expect(asked).toEqual([[id]]);
    expect(plan.skipped).toMatchObject([{ reason: "duplicate", count: 1, ids: [id] }]);
  });

  test("counts a repeated id once and names it, and names absent ones", async () => {
    const selection = { selector: EVERYTHING, ids: ["a", "x", "a"] };
    const plan = await planMerge(catalogOf([1, 1]), selection, {}, DEFAULT_LIMITS);
    expect(idsOf(plan)).toBe("a");
    expect(plan.skipped).toMatchObject([
      { reason: "duplicate", count: 1, ids: ["a"] },
      { reason: "absent", count: 1, ids: ["x"] },
    ]);
  });

  test("counts what max_profiles leaves out, and refuses more than the limit where it was not asked for", async () => {
    const plan = await planMerge(catalogOf([1, 1, 1]), { ...everything, maxProfiles: 2 }, {}, DEFAULT_LIMITS);
    expect([idsOf(plan), plan.skipped]).toMatchObject(["bc", [{ reason: "limit", count: 1 }]]);
    const limits = { ...DEFAULT_LIMITS, mergeProfiles: 2 };
    await expect(planMerge(catalogOf([1, 1, 1]), everything, {}, limits)).rejects.toMatchObject({
      kind: "too-large",
      subject: "result",
      message: expect.stringMatching(/3 profiles.*2 are allowed.*max_profiles/),
    });
  });

  test("answers not-found where nothing matches", async () => {
    await expect(planMerge(catalogOf([]), everything, {}, DEFAULT_LIMITS)).rejects.toMatchObject({
      kind: "not-found",
    });
  });
});
