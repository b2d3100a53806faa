// What every catalog promises of its lists: services, types, labels, series; and of its statistics.

import { beforeEach, describe, expect, test } from "vitest";
import { seriesKey } from "../../../src/storage/series-key.ts";
import { BASE_NS, label, newProfile } from "../../support/catalog-profile.ts";
import { type CatalogUnderTest, idOf, list, seconds, selector } from "../../support/catalog-under-test.ts";

export function listsContract(under: CatalogUnderTest): void {
  describe("lists", () => {
    beforeEach(async () => {
      await under.insert(
        newProfile({ service: "b", second: 1, labels: [label("v", "1"), label("v", "2"), label("zone", "x")] }),
        newProfile({ service: "b", second: 2, labels: [label("v", "1"), label("v", "2"), label("zone", "x")] }),
        newProfile({ service: "a", second: 3, type: "heap", labels: [label("v", "2")] }),
        newProfile({ service: "\ufffd", second: 4, labels: [] }),
        newProfile({ service: "\u{1f600}", second: 5, labels: [label("version", "9")] }),
      );
    });

    test("services() and types() count profiles and sort by UTF-8 bytes", async () => {
      expect(await under.catalog.services(list())).toEqual([
        { name: "a", profiles: 1 },
        { name: "b", profiles: 2 },
        { name: "\ufffd", profiles: 1 },
        { name: "\u{1f600}", profiles: 1 },
      ]);
      expect(await under.catalog.types(list())).toEqual([
        { name: "cpu", profiles: 4 },
        { name: "heap", profiles: 1 },
      ]);
    });

    test("are cut by prefix, place and limit", async () => {
      expect(await under.catalog.services(list({ after: "a", limit: 1 }))).toEqual([{ name: "b", profiles: 2 }]);
      expect(await under.catalog.labelNames(list({ prefix: "v" }))).toEqual([
        { name: "v", profiles: 3 },
        { name: "version", profiles: 1 },
      ]);
      expect(await under.catalog.labelValues("v", list({ after: "1" }))).toEqual([{ name: "2", profiles: 3 }]);
      expect(await under.catalog.labelValues("none", list())).toEqual([]);
      expect(await under.catalog.services(list({ limit: 0 }))).toEqual([]);
    });

    test("are narrowed by selector and interval", async () => {
      expect(await under.catalog.services(list({ selector: selector('{v="2"}'), interval: seconds(2, 4) }))).toEqual([
        { name: "a", profiles: 1 },
        { name: "b", profiles: 1 },
      ]);
      expect(await under.catalog.labelValues("v", list({ interval: seconds(1, 2) }))).toEqual([
        { name: "1", profiles: 1 },
        { name: "2", profiles: 1 },
      ]);
      expect(
        await under.catalog.labelNames(
          list({ interval: { startNs: BASE_NS + 1_000_000_001n, endNs: BASE_NS + 2_000_000_000n } }),
        ),
      ).toEqual([]);
      expect(await under.catalog.types(list({ interval: seconds(100, 200) }))).toEqual([]);
      expect(await under.catalog.types(list({ interval: seconds(5, 1) }))).toEqual([]);
    });

    test("series() answers each label set once with its times, and pages by key", async () => {
      const all = await under.catalog.series(list());
      expect(all.map(({ service, type, profiles }) => [service, type, profiles])).toEqual([
        ["a", "heap", 1],
        ["b", "cpu", 2],
        ["\ufffd", "cpu", 1],
        ["\u{1f600}", "cpu", 1],
      ]);
      expect(all[1]).toMatchObject({
        labels: [label("v", "1"), label("v", "2"), label("zone", "x")],
        firstNs: BASE_NS + 1_000_000_000n,
        lastNs: BASE_NS + 2_000_000_000n,
      });
      const paged: string[] = [];
      for (let after: string | undefined; ; after = paged.at(-1)) {
        const page = await under.catalog.series(list({ limit: 3, ...(after && { after }) }));
        paged.push(...page.map(seriesKey));
        if (page.length < 3) break;
      }
      expect(paged).toEqual(all.map(seriesKey));
      expect(await under.catalog.series(list({ prefix: "b", interval: seconds(2, 9) }))).toMatchObject([
        { profiles: 1, firstNs: BASE_NS + 2_000_000_000n },
      ]);
      await expect(under.catalog.series(list({ after: "nonsense" }))).rejects.toMatchObject({ kind: "invalid" });
    });

    test("statistics() counts what is there", async () => {
      expect(await under.catalog.statistics()).toEqual({
        profiles: 5,
        series: 4,
        services: 4,
        sizeBytes: 4500,
        maxSeq: 5,
      });
    });

    test("a page of series beside deletions is whole, and each of its series has its times", async () => {
      const doomed = Array.from({ length: 8 }, (_, at) =>
        newProfile({ service: "doomed", second: at, type: `t${at}` }),
      );
      const kept = newProfile({ service: "kept", second: 9 });
      await under.insert(kept);
      for (let round = 0; round < 50; round++) {
        await under.insert(...doomed);
        const deleting = doomed.map((profile) => under.catalog.delete([idOf(profile)]));
        const series = await under.catalog.series(list({ selector: selector('{service=~"doomed|kept"}'), limit: 9 }));
        await Promise.all(deleting);
        expect(series.map(({ service }) => service)).toContain("kept");
        for (const { firstNs, lastNs } of series) expect([firstNs, lastNs].every((ns) => ns >= BASE_NS)).toBe(true);
      }
    });
  });
}
