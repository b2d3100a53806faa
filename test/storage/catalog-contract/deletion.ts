// What every catalog promises of deletion, and of the count that is taken before it.

import { describe, expect, test } from "vitest";
import { EVERYTHING } from "../../../src/model/selector.ts";
import { label, newProfile } from "../../support/catalog-profile.ts";
import { type CatalogUnderTest, idOf, list, seconds, selector } from "../../support/catalog-under-test.ts";

export function deletionContract(under: CatalogUnderTest): void {
  describe("deletion", () => {
    test("delete() removes from every answer at once and answers how many there were", async () => {
      const [a, b] = [newProfile({ labels: [label("v", "1")] }), newProfile({ labels: [label("v", "2")], second: 1 })];
      await under.insert(a, b);
      expect(await under.catalog.delete([idOf(a), idOf(a), "0".repeat(26), "no id"])).toBe(1);
      expect(await under.catalog.get([idOf(a)])).toEqual([undefined]);
      expect(await under.find("{}")).toEqual([idOf(b)]);
      expect(await under.find('{v="1"}')).toEqual([]);
      expect(await under.catalog.labelValues("v", list())).toEqual([{ name: "2", profiles: 1 }]);
      expect(await under.catalog.count(EVERYTHING)).toEqual({ count: 1, sizeBytes: 900, maxSeq: 2 });
      expect(await under.catalog.delete([idOf(a)])).toBe(0);
    });

    test("a profile sent again after its deletion is new, with a new seq", async () => {
      const profile = newProfile();
      await under.insert(profile);
      await under.catalog.delete([idOf(profile)]);
      const [again] = await under.insert(profile);
      expect(again).toMatchObject({ alreadyExisted: false, record: { seq: 2 } });
      expect(await under.find("{}")).toEqual([idOf(profile)]);
    });

    test("deleteSelection() works in slices, up to maxSeq, and spares the rest", async () => {
      await under.insert(
        ...Array.from({ length: 10 }, (_, second) => newProfile({ second, labels: [label("v", `${second % 2}`)] })),
      );
      const { count, maxSeq } = await under.catalog.count(selector('{v="1"}'), seconds(0, 8));
      expect([count, maxSeq]).toEqual([4, 10]);
      await under.insert(newProfile({ second: 1, labels: [label("v", "1")] }));
      const sizes: number[] = [];
      for (;;) {
        const deleted = await under.catalog.deleteSelection(selector('{v="1"}'), seconds(0, 8), maxSeq, 3);
        sizes.push(deleted);
        if (deleted === 0) break;
      }
      expect(sizes).toEqual([3, 1, 0]);
      expect((await under.catalog.statistics()).profiles).toBe(7);
    });

    test("count() adds the sizes of an interval's profiles", async () => {
      await under.insert(
        ...[1, 2, 3, 4].map((second) =>
          newProfile({
            second,
            service: `s${second % 2}`,
            locator: { segmentId: 1, offset: second * 1000, sizeBytes: 10 ** second },
          }),
        ),
      );
      expect(await under.catalog.count(EVERYTHING, seconds(2, 4))).toEqual({ count: 2, sizeBytes: 1100, maxSeq: 4 });
      expect(await under.catalog.count(selector('{service="s0"}'), seconds(2, 4))).toEqual({
        count: 1,
        sizeBytes: 100,
        maxSeq: 4,
      });
      expect(await under.catalog.count(selector('{x!=""}'))).toEqual({ count: 0, sizeBytes: 0, maxSeq: 4 });
    });
  });
}
