// What every catalog promises of what it takes in: order, whole records, and what it recognises as a retry.

import { describe, expect, test } from "vitest";
import { EVERYTHING } from "../../../src/model/selector.ts";
import { BASE_NS, label, newProfile } from "../../support/catalog-profile.ts";
import { type CatalogUnderTest, idOf } from "../../support/catalog-under-test.ts";

export function insertContract(under: CatalogUnderTest): void {
  describe("insert()", () => {
    test("answers records in the order given, with ascending seq", async () => {
      const profiles = [3, 1, 2].map((second) => newProfile({ second }));
      const outcomes = await under.insert(...profiles);
      expect(outcomes.map(({ record }) => record.id)).toEqual(profiles.map(idOf));
      expect(outcomes.map(({ record }) => record.seq)).toEqual([1, 2, 3]);
      expect(outcomes.every(({ alreadyExisted }) => !alreadyExisted)).toBe(true);
    });

    test("of nothing answers nothing", async () => {
      expect(await under.insert()).toEqual([]);
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
      const [outcome] = await under.insert(profile);
      const [stored] = await under.catalog.get([idOf(profile)]);
      const { id: _, sampleLabelKeys: _keys, ...fields } = profile;
      expect(stored).toEqual({ ...fields, id: idOf(profile), seq: 1, sizeBytes: 12_345 });
      expect(outcome!.record).toEqual(stored);
    });

    test("keeps opaque bytes, which have neither shape nor totals", async () => {
      const profile = newProfile({ type: "trace", shape: null });
      await under.insert(profile);
      const [stored] = await under.catalog.get([idOf(profile)]);
      expect(stored!.shape).toBeUndefined();
      expect(stored!.totals).toEqual([]);
      expect("externalId" in stored! || "submitter" in stored! || "claimedTimeNs" in stored!).toBe(false);
    });

    test("answers the first record for the same id, also within one batch", async () => {
      const first = newProfile({ content: "same" });
      const again = { ...newProfile({ content: "same" }), durationNs: 1n };
      const [a, b] = await under.insert(first, again);
      const [c] = await under.insert(again);
      expect([a, b, c].map((outcome) => outcome!.alreadyExisted)).toEqual([false, true, true]);
      expect(b!.record).toEqual(a!.record);
      expect(c!.record).toEqual(a!.record);
      expect((await under.catalog.statistics()).profiles).toBe(1);
    });

    test("gives no seq to what was there", async () => {
      const first = newProfile({ content: "same" });
      const outcomes = await under.insert(first, first, newProfile({ second: 9 }));
      expect(outcomes.map(({ record }) => record.seq)).toEqual([1, 1, 2]);
    });

    test("recognises a request id for a day of receipts, not longer", async () => {
      const day = 86_400n * 1_000_000_000n;
      const at = (receivedNs: bigint) => newProfile({ requestId: "r1", receivedNs, content: `${receivedNs}` });
      const [first] = await under.insert(at(BASE_NS));
      const [retry] = await under.insert(at(BASE_NS + day));
      const [late] = await under.insert(at(BASE_NS + 2n * day + 1n));
      expect(retry).toEqual({ record: first!.record, alreadyExisted: true });
      expect(late!.alreadyExisted).toBe(false);
    });

    test("stores again what a request id named, when that was deleted meanwhile", async () => {
      const [first] = await under.insert(newProfile({ requestId: "r1" }));
      await under.catalog.delete([first!.record.id]);
      const [again] = await under.insert(newProfile({ requestId: "r1", second: 2 }));
      expect(again!.alreadyExisted).toBe(false);
      const [retry] = await under.insert(newProfile({ requestId: "r1", second: 3 }));
      expect(retry!.record.id).toBe(again!.record.id);
    });

    test("remembers a request id also where the profile was there already", async () => {
      const [first] = await under.insert(newProfile({ content: "same" }));
      await under.insert(newProfile({ content: "same", requestId: "late" }));
      const [retry] = await under.insert(newProfile({ second: 5, requestId: "late" }));
      expect(retry).toEqual({ record: first!.record, alreadyExisted: true });
    });

    test("takes the same digest and series within ten minutes as a retry, where the time is that of the receipt", async () => {
      const minute = 60n * 1_000_000_000n;
      const at = (receivedNs: bigint, more = {}) =>
        newProfile({ timeNs: receivedNs, receivedNs, timeSource: "receipt", content: "same", ...more });
      const [first] = await under.insert(at(BASE_NS));
      const [retry] = await under.insert(at(BASE_NS + 10n * minute));
      const [otherSeries] = await under.insert(at(BASE_NS + minute, { labels: [label("a", "b")] }));
      const [otherBytes] = await under.insert(at(BASE_NS + minute, { content: "other" }));
      const [late] = await under.insert(at(BASE_NS + 10n * minute + 1n));
      expect(retry).toEqual({ record: first!.record, alreadyExisted: true });
      expect([otherSeries, otherBytes, late].map((outcome) => outcome!.alreadyExisted)).toEqual([false, false, false]);
    });

    test("stores the same digest twice where the profile says its own time", async () => {
      const outcomes = await under.insert(newProfile({ content: "same" }), newProfile({ content: "same", second: 1 }));
      expect(outcomes.map(({ alreadyExisted }) => alreadyExisted)).toEqual([false, false]);
    });

    test("is in every answer that starts after it resolved, from many writers at once", async () => {
      await Promise.all(
        Array.from({ length: 20 }, async (_, writer) => {
          for (let nth = 0; nth < 5; nth++) {
            const profile = newProfile({ labels: [label("writer", `${writer}`)], second: nth });
            await under.insert(profile);
            expect(await under.find(`{writer="${writer}"}`)).toHaveLength(nth + 1);
            expect((await under.catalog.get([idOf(profile)]))[0]!.id).toBe(idOf(profile));
          }
        }),
      );
      const found = await under.catalog.find({ selector: EVERYTHING, order: "newest", limit: 1000 });
      expect(new Set(found.map(({ seq }) => seq)).size).toBe(100);
    });
  });
}
