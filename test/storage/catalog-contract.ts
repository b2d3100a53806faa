// What every catalog promises. A driver's test file calls this with a way to open one; durable drivers have tests of their own besides.

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../../src/model/limits.ts";
import { formatProfileId } from "../../src/model/profile-id.ts";
import { EVERYTHING, parseSelector, type Selector } from "../../src/model/selector.ts";
import type { Catalog, ListQuery, NewProfile } from "../../src/storage/catalog.ts";
import { frameEnd } from "../../src/storage/frame.ts";
import { seriesKey } from "../../src/storage/series-key.ts";
import { BASE_NS, label, newProfile } from "../support/catalog-profile.ts";

const selector = (text: string): Selector => parseSelector(text, DEFAULT_LIMITS);
const idOf = ({ id }: NewProfile) => formatProfileId(id);
const list = (query: Partial<ListQuery> = {}): ListQuery => ({
  selector: EVERYTHING,
  prefix: "",
  limit: 100,
  ...query,
});
const seconds = (from: number, to: number) => ({
  startNs: BASE_NS + BigInt(from) * 1_000_000_000n,
  endNs: BASE_NS + BigInt(to) * 1_000_000_000n,
});

export function catalogContract(
  driver: string,
  open: () => Promise<{ catalog: Catalog; close: () => Promise<void> }>,
): void {
  describe(`${driver} catalog`, () => {
    let catalog: Catalog;
    let close: () => Promise<void>;
    beforeEach(async () => {
      ({ catalog, close } = await open());
    });
    afterEach(() => close());

    const insert = (...profiles: NewProfile[]) => catalog.insert(profiles);
    const find = async (text: string, more: Partial<Parameters<Catalog["find"]>[0]> = {}) => {
      const found = await catalog.find({ selector: selector(text), order: "newest", limit: 100, ...more });
      return found.map(({ id }) => id);
    };

    describe("insert()", () => {
      test("answers records in the order given, with ascending seq", async () => {
        const profiles = [3, 1, 2].map((second) => newProfile({ second }));
        const outcomes = await insert(...profiles);
        expect(outcomes.map(({ record }) => record.id)).toEqual(profiles.map(idOf));
        expect(outcomes.map(({ record }) => record.seq)).toEqual([1, 2, 3]);
        expect(outcomes.every(({ alreadyExisted }) => !alreadyExisted)).toBe(true);
      });

      test("of nothing answers nothing", async () => {
        expect(await insert()).toEqual([]);
      });

      test("keeps every field of a profile, as its own answer and as a later one", async () => {
        const profile = newProfile({
          service: "päth/to svc",
          type: "heap",
          labels: [label("version", "1.0"), label("zone", "\u{1f600}"), label("zone", "a")],
          timeSource: "client",
          claimedTimeNs: -(2n ** 63n),
          durationNs: 2n ** 63n - 1n,
          receivedNs: 2n ** 62n + 1n,
          sampleCount: 1_000_000,
          shape: {
            columns: ["a", "b", "c", "d", "e", "f"].map((type) => ({ type, unit: "count" })),
            periodType: { type: "space", unit: "bytes" },
          },
          totals: [2n ** 63n - 1n, -(2n ** 63n), 0n, 2n ** 53n + 1n, -(2n ** 53n) - 1n, 7n],
          externalId: "their-id",
          submitter: "10.0.0.7",
          locator: { segmentId: 3, offset: 2 ** 33, sizeBytes: 12_345 },
        });
        const [outcome] = await insert(profile);
        const [stored] = await catalog.get([idOf(profile)]);
        const { id: _, sampleLabelKeys: _keys, ...fields } = profile;
        expect(stored).toEqual({ ...fields, id: idOf(profile), seq: 1, sizeBytes: 12_345 });
        expect(outcome!.record).toEqual(stored);
      });

      test("keeps opaque bytes, which have neither shape nor totals", async () => {
        const profile = newProfile({ type: "trace", shape: null });
        await insert(profile);
        const [stored] = await catalog.get([idOf(profile)]);
        expect(stored!.shape).toBeUndefined();
        expect(stored!.totals).toEqual([]);
        expect("externalId" in stored! || "submitter" in stored! || "claimedTimeNs" in stored!).toBe(false);
      });

      test("answers the first record for the same id, also within one batch", async () => {
        const first = newProfile({ content: "same" });
        const again = { ...newProfile({ content: "same" }), durationNs: 1n };
        const [a, b] = await insert(first, again);
        const [c] = await insert(again);
        expect([a, b, c].map((outcome) => outcome!.alreadyExisted)).toEqual([false, true, true]);
        expect(b!.record).toEqual(a!.record);
        expect(c!.record).toEqual(a!.record);
        expect((await catalog.statistics()).profiles).toBe(1);
      });

      test("gives no seq to what was there", async () => {
        const first = newProfile({ content: "same" });
        const outcomes = await insert(first, first, newProfile({ second: 9 }));
        expect(outcomes.map(({ record }) => record.seq)).toEqual([1, 1, 2]);
      });

      test("recognises a request id for a day of receipts, not longer", async () => {
        const day = 86_400n * 1_000_000_000n;
        const at = (receivedNs: bigint) => newProfile({ requestId: "r1", receivedNs, content: `${receivedNs}` });
        const [first] = await insert(at(BASE_NS));
        const [retry] = await insert(at(BASE_NS + day));
        const [late] = await insert(at(BASE_NS + 2n * day + 1n));
        expect(retry).toEqual({ record: first!.record, alreadyExisted: true });
        expect(late!.alreadyExisted).toBe(false);
      });

      test("stores again what a request id named, when that was deleted meanwhile", async () => {
        const [first] = await insert(newProfile({ requestId: "r1" }));
        await catalog.delete([first!.record.id]);
        const [again] = await insert(newProfile({ requestId: "r1", second: 2 }));
        expect(again!.alreadyExisted).toBe(false);
        const [retry] = await insert(newProfile({ requestId: "r1", second: 3 }));
        expect(retry!.record.id).toBe(again!.record.id);
      });

      test("remembers a request id also where the profile was there already", async () => {
        const [first] = await insert(newProfile({ content: "same" }));
        await insert(newProfile({ content: "same", requestId: "late" }));
        const [retry] = await insert(newProfile({ second: 5, requestId: "late" }));
        expect(retry).toEqual({ record: first!.record, alreadyExisted: true });
      });

      test("takes the same digest and series within ten minutes as a retry, where the time is that of the receipt", async () => {
        const minute = 60n * 1_000_000_000n;
        const at = (receivedNs: bigint, more = {}) =>
          newProfile({ timeNs: receivedNs, receivedNs, timeSource: "receipt", content: "same", ...more });
        const [first] = await insert(at(BASE_NS));
        const [retry] = await insert(at(BASE_NS + 10n * minute));
        const [otherSeries] = await insert(at(BASE_NS + minute, { labels: [label("a", "b")] }));
        const [otherBytes] = await insert(at(BASE_NS + minute, { content: "other" }));
        const [late] = await insert(at(BASE_NS + 10n * minute + 1n));
        expect(retry).toEqual({ record: first!.record, alreadyExisted: true });
        expect([otherSeries, otherBytes, late].map((outcome) => outcome!.alreadyExisted)).toEqual([
          false,
          false,
          false,
        ]);
      });

      test("stores the same digest twice where the profile says its own time", async () => {
        const outcomes = await insert(newProfile({ content: "same" }), newProfile({ content: "same", second: 1 }));
        expect(outcomes.map(({ alreadyExisted }) => alreadyExisted)).toEqual([false, false]);
      });

      test("is in every answer that starts after it resolved, from many writers at once", async () => {
        await Promise.all(
          Array.from({ length: 20 }, async (_, writer) => {
            for (let nth = 0; nth < 5; nth++) {
              const profile = newProfile({ labels: [label("writer", `${writer}`)], second: nth });
              await insert(profile);
              expect(await find(`{writer="${writer}"}`)).toHaveLength(nth + 1);
              expect((await catalog.get([idOf(profile)]))[0]!.id).toBe(idOf(profile));
            }
          }),
        );
        const found = await catalog.find({ selector: EVERYTHING, order: "newest", limit: 1000 });
        expect(new Set(found.map(({ seq }) => seq)).size).toBe(100);
      });
    });

    describe("find()", () => {
      test("orders by id, newest or oldest first", async () => {
        const profiles = [5, 1, 3].map((second) => newProfile({ second }));
        await insert(...profiles);
        const [five, one, three] = profiles.map(idOf);
        expect(await find("cpu{}")).toEqual([five, three, one]);
        expect(await find("cpu{}", { order: "oldest" })).toEqual([one, three, five]);
      });

      test("pages over many services without repeating or missing, while others insert", async () => {
        const profiles = Array.from({ length: 60 }, (_, nth) =>
          newProfile({ service: `s${nth % 7}`, type: nth % 2 ? "cpu" : "heap", second: nth }),
        );
        await insert(...profiles);
        for (const order of ["newest", "oldest"] as const) {
          for (const text of ["{}", '{service=~"s[0-5]"}', '{service="s3"}', "heap{}"]) {
            const expected = await find(text, { order });
            const paged: string[] = [];
            for (let afterId: string | undefined; ; afterId = paged.at(-1)) {
              const page = await find(text, { order, limit: 7, maxSeq: 60, ...(afterId && { afterId }) });
              paged.push(...page);
              if (page.length < 7) break;
              await insert(newProfile({ service: "s3", second: 1000 }), newProfile({ service: "s3", second: -1000 }));
            }
            expect(paged).toEqual(expected.filter((id) => paged.includes(id)));
            expect(new Set(paged).size).toBe(paged.length);
            expect(paged.length).toBe(profiles.filter((profile) => expected.includes(idOf(profile))).length);
          }
        }
      });

      test("takes a half-open interval to the nanosecond", async () => {
        const times = [0n, 1n, 999_999n, 1_000_000n, 1_000_001n, 2_500_000n].map((ns) => BASE_NS + ns);
        await insert(...times.map((timeNs) => newProfile({ timeNs })));
        const between = async (startNs: bigint, endNs: bigint, text = "{}") => {
          const found = await catalog.find({
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
        await insert(last, newProfile({ timeNs: 0n }));
        expect(await find("{}", { interval: { startNs: 2n ** 63n - 1n, endNs: 2n ** 63n } })).toEqual([idOf(last)]);
        expect((await catalog.get([idOf(last)]))[0]!.timeNs).toBe(2n ** 63n - 1n);
      });

      test("leaves out what was committed after maxSeq", async () => {
        const [a, b] = [newProfile({ second: 1 }), newProfile({ second: 2 })];
        await insert(a);
        await insert(b);
        for (const text of ["{}", '{service="auth"}', '{none=""}'])
          expect(await find(text, { maxSeq: 1 })).toEqual([idOf(a)]);
      });

      test("finds a few among many to the nanosecond and the commit, page by page", async () => {
        await insert(
          ...Array.from({ length: 3000 }, (_, nth) =>
            newProfile({ second: nth % 100, labels: [label("n", `${nth}`)] }),
          ),
        );
        const rare = Array.from({ length: 40 }, (_, nth) =>
          newProfile({ timeNs: BASE_NS + 50_000_000_000n + BigInt(nth) * 100_000n, labels: [label("rare", "yes")] }),
        );
        await insert(...rare);
        const wanted = rare.slice(5, 25).map(idOf).sort();
        const interval = { startNs: rare[5]!.timeNs, endNs: rare[30]!.timeNs };
        for (const order of ["newest", "oldest"] as const) {
          const paged: string[] = [];
          for (let afterId: string | undefined; ; afterId = paged.at(-1)) {
            const more = { order, interval, maxSeq: 3025, limit: 3, ...(afterId && { afterId }) };
            const page = await find('{rare="yes"}', more);
            paged.push(...page);
            if (page.length < 3) break;
          }
          expect(paged).toEqual(order === "newest" ? wanted.toReversed() : wanted);
        }
        expect(await find('{rare="yes"}', { interval, limit: 1000 })).toHaveLength(25);
        expect((await catalog.count(selector('{rare="yes"}'), interval)).count).toBe(25);
        expect(
          (await catalog.mergeInputs({ selector: selector('{rare="yes"}'), interval, limit: 9, strategy: "newest" }))
            .matched,
        ).toBe(25);
      });

      test("refuses a cursor that is no id", async () => {
        await insert(newProfile());
        await expect(find("{}", { afterId: "nonsense" })).rejects.toMatchObject({ kind: "invalid" });
      });

      test("matches repeated label names by any value, and negates by none", async () => {
        const two = newProfile({ labels: [label("zone", "a"), label("zone", "b")] });
        const none = newProfile({ labels: [label("other", "x")] });
        const empty = newProfile({ labels: [label("zone", "")] });
        await insert(two, none, empty);
        const matches = async (text: string) => new Set(await find(text));
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
        expect((await catalog.find({ selector: present, order: "newest", limit: 9 })).map(({ id }) => id)).toEqual([
          idOf(empty),
        ]);
      });
    });

    describe("get()", () => {
      test("answers in the order asked, undefined for what is not there or is no id", async () => {
        const [a, b] = [newProfile({ second: 1 }), newProfile({ second: 2 })];
        await insert(a, b);
        const found = await catalog.get([idOf(b), "0".repeat(26), "no id", idOf(a).toUpperCase(), idOf(b)]);
        expect(found.map((record) => record?.id)).toEqual([idOf(b), undefined, undefined, idOf(a), idOf(b)]);
      });
    });

    describe("mergeInputs()", () => {
      const inputs = (text: string, limit = 100, strategy: "newest" | "spread" | "most_cpu" = "newest") =>
        catalog.mergeInputs({ selector: selector(text), limit, strategy });

      test("answers in the order of time and id, with the shapes that occur", async () => {
        const profiles = [
          newProfile({ timeNs: BASE_NS + 7n, service: "b" }),
          newProfile({ timeNs: BASE_NS + 3n }),
          newProfile({ timeNs: BASE_NS + 3n, service: "c", type: "trace", shape: null }),
          newProfile({ second: -5 }),
        ];
        await insert(...profiles);
        const found = await inputs("{}");
        expect(found.matched).toBe(4);
        const order = profiles
          .toSorted((a, b) => Number(a.timeNs - b.timeNs) || (idOf(a) < idOf(b) ? -1 : 1))
          .map(({ id, timeNs, digest, locator }) => ({ id: formatProfileId(id), timeNs, digest, locator }));
        expect(found.inputs.map(({ id, timeNs, digest, locator }) => ({ id, timeNs, digest, locator }))).toEqual(order);
        expect(
          found.inputs.map(({ shapeId }) => found.shapes.get(shapeId)?.columns[1]?.type ?? "opaque").sort(),
        ).toEqual(["cpu", "cpu", "cpu", "opaque"]);
      });

      test("of nothing is empty", async () => {
        expect(await inputs('{service="nobody"}')).toEqual({ inputs: [], shapes: new Map(), matched: 0 });
      });

      test("newest keeps the latest and counts all", async () => {
        await insert(...Array.from({ length: 20 }, (_, second) => newProfile({ second, service: `s${second % 3}` })));
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
        await insert(...profiles);
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
        await insert(
          ...of(100, () => ({ labels: [label("instance", "i"), label("pod", "ignored")] })),
          ...of(10, () => ({ labels: [label("pod", "p")] })),
          ...of(2, () => ({ submitter: "10.0.0.1" })),
        );
        const { inputs: kept, matched } = await inputs("{}", 22, "spread");
        expect(matched).toBe(112);
        const records = await catalog.get(kept.map(({ id }) => id));
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
        await insert(a, b);
        const found = await catalog.mergeInputsByIds([idOf(a), "0".repeat(26), idOf(b), idOf(a), "no id"]);
        expect(found.inputs.map(({ id }) => id)).toEqual([idOf(b), idOf(a)]);
        expect(found.matched).toBe(2);
      });
    });

    describe("deletion", () => {
      test("delete() removes from every answer at once and answers the locators", async () => {
        const [a, b] = [
          newProfile({ labels: [label("v", "1")] }),
          newProfile({ labels: [label("v", "2")], second: 1 }),
        ];
        await insert(a, b);
        expect(await catalog.delete([idOf(a), idOf(a), "0".repeat(26), "no id"])).toEqual([a.locator]);
        expect(await catalog.get([idOf(a)])).toEqual([undefined]);
        expect(await find("{}")).toEqual([idOf(b)]);
        expect(await find('{v="1"}')).toEqual([]);
        expect(await catalog.labelValues("v", list())).toEqual([{ name: "2", profiles: 1 }]);
        expect(await catalog.count(EVERYTHING)).toEqual({ count: 1, sizeBytes: 900, maxSeq: 2 });
        expect(await catalog.delete([idOf(a)])).toEqual([]);
      });

      test("a profile sent again after its deletion is new, with a new seq", async () => {
        const profile = newProfile();
        await insert(profile);
        await catalog.delete([idOf(profile)]);
        const [again] = await insert(profile);
        expect(again).toMatchObject({ alreadyExisted: false, record: { seq: 2 } });
        expect(await find("{}")).toEqual([idOf(profile)]);
      });

      test("deleteSelection() works in slices, up to maxSeq, and spares the rest", async () => {
        await insert(
          ...Array.from({ length: 10 }, (_, second) => newProfile({ second, labels: [label("v", `${second % 2}`)] })),
        );
        const { count, maxSeq } = await catalog.count(selector('{v="1"}'), seconds(0, 8));
        expect([count, maxSeq]).toEqual([4, 10]);
        await insert(newProfile({ second: 1, labels: [label("v", "1")] }));
        const sizes: number[] = [];
        for (;;) {
          const freed = await catalog.deleteSelection(selector('{v="1"}'), seconds(0, 8), maxSeq, 3);
          sizes.push(freed.length);
          if (freed.length === 0) break;
        }
        expect(sizes).toEqual([3, 1, 0]);
        expect((await catalog.statistics()).profiles).toBe(7);
      });

      test("count() adds the sizes of an interval's profiles", async () => {
        await insert(
          ...[1, 2, 3, 4].map((second) =>
            newProfile({
              second,
              service: `s${second % 2}`,
              locator: { segmentId: 1, offset: second * 1000, sizeBytes: 10 ** second },
            }),
          ),
        );
        expect(await catalog.count(EVERYTHING, seconds(2, 4))).toEqual({ count: 2, sizeBytes: 1100, maxSeq: 4 });
        expect(await catalog.count(selector('{service="s0"}'), seconds(2, 4))).toEqual({
          count: 1,
          sizeBytes: 100,
          maxSeq: 4,
        });
        expect(await catalog.count(selector('{x!=""}'))).toEqual({ count: 0, sizeBytes: 0, maxSeq: 4 });
      });
    });

    describe("lists", () => {
      beforeEach(async () => {
        await insert(
          newProfile({ service: "b", second: 1, labels: [label("v", "1"), label("v", "2"), label("zone", "x")] }),
          newProfile({ service: "b", second: 2, labels: [label("v", "1"), label("v", "2"), label("zone", "x")] }),
          newProfile({ service: "a", second: 3, type: "heap", labels: [label("v", "2")] }),
          newProfile({ service: "\ufffd", second: 4, labels: [] }),
          newProfile({ service: "\u{1f600}", second: 5, labels: [label("version", "9")] }),
        );
      });

      test("services() and types() count profiles and sort by UTF-8 bytes", async () => {
        expect(await catalog.services(list())).toEqual([
          { name: "a", profiles: 1 },
          { name: "b", profiles: 2 },
          { name: "\ufffd", profiles: 1 },
          { name: "\u{1f600}", profiles: 1 },
        ]);
        expect(await catalog.types(list())).toEqual([
          { name: "cpu", profiles: 4 },
          { name: "heap", profiles: 1 },
        ]);
      });

      test("are cut by prefix, place and limit", async () => {
        expect(await catalog.services(list({ after: "a", limit: 1 }))).toEqual([{ name: "b", profiles: 2 }]);
        expect(await catalog.labelNames(list({ prefix: "v" }))).toEqual([
          { name: "v", profiles: 3 },
          { name: "version", profiles: 1 },
        ]);
        expect(await catalog.labelValues("v", list({ after: "1" }))).toEqual([{ name: "2", profiles: 3 }]);
        expect(await catalog.labelValues("none", list())).toEqual([]);
        expect(await catalog.services(list({ limit: 0 }))).toEqual([]);
      });

      test("are narrowed by selector and interval", async () => {
        expect(await catalog.services(list({ selector: selector('{v="2"}'), interval: seconds(2, 4) }))).toEqual([
          { name: "a", profiles: 1 },
          { name: "b", profiles: 1 },
        ]);
        expect(await catalog.labelValues("v", list({ interval: seconds(1, 2) }))).toEqual([
          { name: "1", profiles: 1 },
          { name: "2", profiles: 1 },
        ]);
        expect(
          await catalog.labelNames(
            list({ interval: { startNs: BASE_NS + 1_000_000_001n, endNs: BASE_NS + 2_000_000_000n } }),
          ),
        ).toEqual([]);
        expect(await catalog.types(list({ interval: seconds(100, 200) }))).toEqual([]);
        expect(await catalog.types(list({ interval: seconds(5, 1) }))).toEqual([]);
      });

      test("series() answers each label set once with its times, and pages by key", async () => {
        const all = await catalog.series(list());
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
          const page = await catalog.series(list({ limit: 3, ...(after && { after }) }));
          paged.push(...page.map(seriesKey));
          if (page.length < 3) break;
        }
        expect(paged).toEqual(all.map(seriesKey));
        expect(await catalog.series(list({ prefix: "b", interval: seconds(2, 9) }))).toMatchObject([
          { profiles: 1, firstNs: BASE_NS + 2_000_000_000n },
        ]);
        await expect(catalog.series(list({ after: "nonsense" }))).rejects.toMatchObject({ kind: "invalid" });
      });

      test("statistics() counts what is there", async () => {
        expect(await catalog.statistics()).toEqual({ profiles: 5, series: 4, services: 4, sizeBytes: 4500, maxSeq: 5 });
      });
    });

    describe("segments", () => {
      const at = (segmentId: number, offset: number, more = {}) =>
        newProfile({ locator: { segmentId, offset, sizeBytes: 100 }, second: offset, ...more });

      test("know their live and dead bytes and where their last frame ends", async () => {
        const profiles = [at(1, 50), at(1, 900), at(2, 60)];
        await insert(...profiles);
        await catalog.delete([idOf(profiles[1]!)]);
        expect(await catalog.segments()).toEqual([
          { segmentId: 1, bytes: 200, deadBytes: 100, live: 1 },
          { segmentId: 2, bytes: 100, deadBytes: 0, live: 1 },
        ]);
        expect(await catalog.segmentEnds()).toEqual(
          new Map([
            [1, frameEnd(profiles[1]!.locator)],
            [2, frameEnd(profiles[2]!.locator)],
          ]),
        );
      });

      test("count the bytes of a duplicate as dead, but not the same bytes said twice", async () => {
        const first = at(1, 50);
        await insert(first);
        await insert({ ...first, locator: { segmentId: 1, offset: 500, sizeBytes: 100 } });
        await insert(first);
        expect(await catalog.segments()).toEqual([{ segmentId: 1, bytes: 200, deadBytes: 100, live: 1 }]);
      });

      test("relocate() moves rows to their copies and leaves out what was deleted meanwhile", async () => {
        const profiles = [at(1, 300), at(1, 200), at(1, 100)];
        await insert(...profiles);
        const ids = (await catalog.profilesInSegment(1, 2)).map(({ id }) => id);
        expect(ids).toEqual([idOf(profiles[2]!), idOf(profiles[1]!)]);
        await catalog.delete([ids[0]!]);
        const to = (offset: number) => ({ segmentId: 7, offset, sizeBytes: 100 });
        expect(await catalog.relocate(ids.map((id, nth) => ({ id, to: to(nth * 200) })))).toEqual([ids[1]]);
        expect((await catalog.get([ids[1]!]))[0]!.locator).toEqual(to(200));
        expect(await catalog.segments()).toEqual([
          { segmentId: 1, bytes: 300, deadBytes: 200, live: 1 },
          { segmentId: 7, bytes: 200, deadBytes: 100, live: 1 },
        ]);
        expect((await catalog.profilesInSegment(7, 9)).map(({ id }) => id)).toEqual([ids[1]]);
        expect(await catalog.profilesInSegment(99, 9)).toEqual([]);
      });

      test("forgetSegment() refuses one with live profiles, and forgets an absent one", async () => {
        const profile = at(1, 50);
        await insert(profile);
        await expect(catalog.forgetSegment(1)).rejects.toMatchObject({ kind: "conflict" });
        await catalog.delete([idOf(profile)]);
        await catalog.forgetSegment(1);
        await catalog.forgetSegment(99);
        expect(await catalog.segments()).toEqual([]);
      });
    });
  });
}
