// What every catalog promises of finding profiles: order, pages, intervals, cursors, matches.

import { describe, expect, test } from "vitest";
import { EVERYTHING } from "../../../src/model/selector.ts";
import { BASE_NS, label, newProfile } from "../../support/catalog-profile.ts";
import { type CatalogUnderTest, idOf, selector } from "../../support/catalog-under-test.ts";

export function findContract(under: CatalogUnderTest): void {
  describe("find()", () => {
    test("orders by id, newest or oldest first", async () => {
      const profiles = [5, 1, 3].map((second) => newProfile({ second }));
      await under.insert(...profiles);
      const [five, one, three] = profiles.map(idOf);
      expect(await under.find("cpu{}")).toEqual([five, three, one]);
      expect(await under.find("cpu{}", { order: "oldest" })).toEqual([one, three, five]);
    });

    test("pages over many services without repeating or missing, while others insert", async () => {
      const profiles = Array.from({ length: 60 }, (_, nth) =>
        newProfile({ service: `s${nth % 7}`, type: nth % 2 ? "cpu" : "heap", second: nth }),
      );
      await under.insert(...profiles);
      for (const order of ["newest", "oldest"] as const) {
        for (const text of ["{}", '{service=~"s[0-5]"}', '{service="s3"}', "heap{}"]) {
          const expected = await under.find(text, { order });
          const paged: string[] = [];
          for (let afterId: string | undefined; ; afterId = paged.at(-1)) {
            const page = await under.find(text, { order, limit: 7, maxSeq: 60, ...(afterId && { afterId }) });
            paged.push(...page);
            if (page.length < 7) break;
            await under.insert(
              newProfile({ service: "s3", second: 1000 }),
              newProfile({ service: "s3", second: -1000 }),
            );
          }
          expect(paged).toEqual(expected.filter((id) => paged.includes(id)));
          expect(new Set(paged).size).toBe(paged.length);
          expect(paged.length).toBe(profiles.filter((profile) => expected.includes(idOf(profile))).length);
        }
      }
    });

    test("takes a half-open interval to the nanosecond", async () => {
      const times = [0n, 1n, 999_999n, 1_000_000n, 1_000_001n, 2_500_000n].map((ns) => BASE_NS + ns);
      await under.insert(...times.map((timeNs) => newProfile({ timeNs })));
      const between = async (startNs: bigint, endNs: bigint, text = "{}") => {
        const found = await under.catalog.find({
          selector: selector(text),
          interval: { startNs: BASE_NS + startNs, endNs: BASE_NS + endNs },
          order: "oldest",
          limit: 10,
        });
        return found.map(({ timeNs }) => timeNs - BASE_NS).sort((a, b) => Number(a - b));
      };
      expect(await between(0n, 1n)).toEqual([0n]);
      expect(await between(1n, 1_000_000n)).toEqual([1n, 999_999n]);
      expect(await between(999_999n, 1_000_001n, "cpu{}")).toEqual([999_999n, 1_000_000n]);
      expect(await between(5n, 5n)).toEqual([]);
      expect(await between(9n, 5n)).toEqual([]);
      expect(await between(-(2n ** 70n), 2n ** 70n, '{nothing=""}')).toHaveLength(6);
    });

    test("reads times up to the end of int64", async () => {
      const last = newProfile({ timeNs: 2n ** 63n - 1n, receivedNs: 2n ** 63n - 1n });
      await under.insert(last, newProfile({ timeNs: 0n }));
      expect(await under.find("{}", { interval: { startNs: 2n ** 63n - 1n, endNs: 2n ** 63n } })).toEqual([idOf(last)]);
      expect((await under.catalog.get([idOf(last)]))[0]!.timeNs).toBe(2n ** 63n - 1n);
    });

    test("leaves out what was committed after maxSeq", async () => {
      const [a, b] = [newProfile({ second: 1 }), newProfile({ second: 2 })];
      await under.insert(a);
      await under.insert(b);
      for (const text of ["{}", '{service="auth"}', '{none=""}'])
        expect(await under.find(text, { maxSeq: 1 })).toEqual([idOf(a)]);
    });

    test("finds a few among many to the nanosecond and the commit, page by page", async () => {
      await under.insert(
        ...Array.from({ length: 3000 }, (_, nth) => newProfile({ second: nth % 100, labels: [label("n", `${nth}`)] })),
      );
      const rare = Array.from({ length: 40 }, (_, nth) =>
        newProfile({ timeNs: BASE_NS + 50_000_000_000n + BigInt(nth) * 100_000n, labels: [label("rare", "yes")] }),
      );
      await under.insert(...rare);
      const wanted = rare.slice(5, 25).map(idOf).sort();
      const interval = { startNs: rare[5]!.timeNs, endNs: rare[30]!.timeNs };
      for (const order of ["newest", "oldest"] as const) {
        const paged: string[] = [];
        for (let afterId: string | undefined; ; afterId = paged.at(-1)) {
          const more = { order, interval, maxSeq: 3025, limit: 3, ...(afterId && { afterId }) };
          const page = await under.find('{rare="yes"}', more);
          paged.push(...page);
          if (page.length < 3) break;
        }
        expect(paged).toEqual(order === "newest" ? wanted.toReversed() : wanted);
      }
      expect(await under.find('{rare="yes"}', { interval, limit: 1000 })).toHaveLength(25);
      expect((await under.catalog.count(selector('{rare="yes"}'), interval)).count).toBe(25);
      expect(
        (
          await under.catalog.mergeInputs({
            selector: selector('{rare="yes"}'),
            interval,
            limit: 9,
            strategy: "newest",
          })
        ).matched,
      ).toBe(25);
    });

    test("refuses a cursor that is no id", async () => {
      await under.insert(newProfile());
      await expect(under.find("{}", { afterId: "nonsense" })).rejects.toMatchObject({ kind: "invalid" });
    });

    test("matches repeated label names by any value, and negates by none", async () => {
      const two = newProfile({ labels: [label("zone", "a"), label("zone", "b")] });
      const none = newProfile({ labels: [label("other", "x")] });
      const empty = newProfile({ labels: [label("zone", "")] });
      await under.insert(two, none, empty);
      const matches = async (text: string) => new Set(await under.find(text));
      expect(await matches('{zone="a"}')).toEqual(new Set([idOf(two)]));
      expect(await matches('{zone="b",zone="a"}')).toEqual(new Set([idOf(two)]));
      expect(await matches('{zone!="a"}')).toEqual(new Set([idOf(none), idOf(empty)]));
      expect(await matches('{zone=""}')).toEqual(new Set([idOf(none), idOf(empty)]));
      expect(await matches('{zone=~"b|"}')).toEqual(new Set([idOf(two), idOf(none), idOf(empty)]));
      expect(await matches('{zone!~".+"}')).toEqual(new Set([idOf(none), idOf(empty)]));
      const present = {
        ...EVERYTHING,
        labels: [{ name: "zone", operator: "=" as const, value: "", mustExist: true as const }],
      };
      expect((await under.catalog.find({ selector: present, order: "newest", limit: 9 })).map(({ id }) => id)).toEqual([
        idOf(empty),
      ]);
    });
  });

  describe("get()", () => {
    test("answers in the order asked, undefined for what is not there or is no id", async () => {
      const [a, b] = [newProfile({ second: 1 }), newProfile({ second: 2 })];
      await under.insert(a, b);
      const found = await under.catalog.get([idOf(b), "0".repeat(26), "no id", idOf(a).toUpperCase(), idOf(b)]);
      expect(found.map((record) => record?.id)).toEqual([idOf(b), undefined, undefined, idOf(a), idOf(b)]);
    });
  });
}
