// What every catalog promises of a merge's inputs: their order, and which remain where a limit cuts.

import { describe, expect, test } from "vitest";
import { formatProfileId } from "../../../src/model/profile-id.ts";
import { BASE_NS, label, newProfile } from "../../support/catalog-profile.ts";
import { type CatalogUnderTest, idOf, selector } from "../../support/catalog-under-test.ts";

export function mergeInputsContract(under: CatalogUnderTest): void {
  describe("mergeInputs()", () => {
    const inputs = (text: string, limit = 100, strategy: "newest" | "spread" | "most_cpu" = "newest") =>
      under.catalog.mergeInputs({ selector: selector(text), limit, strategy });

    test("answers in the order of time and id, with the shapes that occur", async () => {
      const profiles = [
        newProfile({ timeNs: BASE_NS + 7n, service: "b" }),
        newProfile({ timeNs: BASE_NS + 3n }),
        newProfile({ timeNs: BASE_NS + 3n, service: "c", type: "trace", shape: null }),
        newProfile({ second: -5 }),
      ];
      await under.insert(...profiles);
      const found = await inputs("{}");
      expect(found.matched).toBe(4);
      const order = profiles
        .toSorted((a, b) => Number(a.timeNs - b.timeNs) || (idOf(a) < idOf(b) ? -1 : 1))
        .map(({ id, timeNs, digest, locator }) => ({ id: formatProfileId(id), timeNs, digest, locator }));
      expect(found.inputs.map(({ id, timeNs, digest, locator }) => ({ id, timeNs, digest, locator }))).toEqual(order);
      expect(found.inputs.map(({ shapeId }) => found.shapes.get(shapeId)?.columns[1]?.type ?? "opaque").sort()).toEqual(
        ["cpu", "cpu", "cpu", "opaque"],
      );
    });

    test("of nothing is empty", async () => {
      expect(await inputs('{service="nobody"}')).toEqual({ inputs: [], shapes: new Map(), matched: 0, sets: [] });
    });

    test("newest keeps the latest and counts all", async () => {
      await under.insert(
        ...Array.from({ length: 20 }, (_, second) => newProfile({ second, service: `s${second % 3}` })),
      );
      const { inputs: kept, matched } = await inputs("{}", 4);
      expect(matched).toBe(20);
      expect(kept.map(({ timeNs }) => Number((timeNs - BASE_NS) / 1_000_000_000n))).toEqual([16, 17, 18, 19]);
    });

    test("most_cpu keeps the largest of the cpu column, else of the first, compared as int64", async () => {
      const shape = { columns: [{ type: "inuse", unit: "bytes" }], periodType: { type: "", unit: "" } };
      const wide = {
        columns: [..."abcde"].map((type) => ({ type, unit: "" })).concat({ type: "cpu", unit: "ns" }),
        periodType: { type: "", unit: "" },
      };
      const totals: [bigint[], object][] = [
        [[2n ** 62n, 5n], {}],
        [[0n, 2n ** 60n + 1n], {}],
        [[2n ** 60n + 2n], { shape }],
        [[-1n], { shape }],
        [[9n, 9n, 9n, 9n, 9n, 2n ** 60n + 3n], { shape: wide }],
      ];
      const profiles = totals.map(([values, more], second) => newProfile({ second, totals: values, ...more }));
      await under.insert(...profiles);
      const best = async (limit: number) =>
        (await inputs("{}", limit, "most_cpu")).inputs.map(({ id }) =>
          profiles.findIndex((profile) => idOf(profile) === id),
        );
      expect(await best(1)).toEqual([4]);
      expect(await best(2)).toEqual([2, 4]);
      expect(await best(3)).toEqual([1, 2, 4]);
      expect(await best(4)).toEqual([0, 1, 2, 4]);
    });

    test("spread takes evenly from instances and over time", async () => {
      const of = (count: number, more: (nth: number) => object) =>
        Array.from({ length: count }, (_, nth) => newProfile({ second: nth, ...more(nth) }));
      await under.insert(
        ...of(100, () => ({ labels: [label("instance", "i"), label("pod", "ignored")] })),
        ...of(10, () => ({ labels: [label("pod", "p")] })),
        ...of(2, () => ({ submitter: "10.0.0.1" })),
      );
      const { inputs: kept, matched } = await inputs("{}", 22, "spread");
      expect(matched).toBe(112);
      const records = await under.catalog.get(kept.map(({ id }) => id));
      const shares = records.map((record) => record!.labels[0]?.name ?? "submitter");
      expect(
        [
          shares.filter((name) => name === "submitter"),
          shares.filter((name) => name === "pod"),
          shares.filter((name) => name === "instance"),
        ].map(({ length }) => length),
      ).toEqual([2, 10, 10]);
      const times = records
        .filter((record) => record!.labels[0]?.name === "instance")
        .map((record) => Number((record!.timeNs - BASE_NS) / 1_000_000_000n));
      expect(times).toEqual([5, 15, 25, 35, 45, 55, 65, 75, 85, 95]);
    });

    test("by ids answers each that is there once, in canonical order", async () => {
      const [a, b] = [newProfile({ second: 2 }), newProfile({ second: 1 })];
      await under.insert(a, b);
      const found = await under.catalog.mergeInputsByIds([idOf(a), "0".repeat(26), idOf(b), idOf(a), "no id"]);
      expect(found.inputs.map(({ id }) => id)).toEqual([idOf(b), idOf(a)]);
      expect(found.matched).toBe(2);
    });
  });
}
