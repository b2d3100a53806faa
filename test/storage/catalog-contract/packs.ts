// What every catalog promises of packs: which profiles are loose, what covers the others, and that each is in one place at any moment.

import { describe, expect, test } from "vitest";
import { parseProfileId } from "../../../src/model/profile-id.ts";
import { EVERYTHING } from "../../../src/model/selector.ts";
import type { PackFile, PackRun, PackRunRequest } from "../../../src/storage/pack-catalog.ts";
import { BASE_NS, label, newProfile } from "../../support/catalog-profile.ts";
import { type CatalogUnderTest, idOf, seconds, selector } from "../../support/catalog-under-test.ts";

const HOUR_NS = 3_600_000_000_000n;
const START_NS = (BASE_NS / HOUR_NS) * HOUR_NS;

export function packsContract(under: CatalogUnderTest): void {
  describe("packs", () => {
    async function begin(more: Partial<PackRunRequest> = {}): Promise<PackRun> {
      const [hour] = await under.catalog.looseHours();
      const { serviceId, typeId, shapeId } = hour!;
      const window = { level: "hour" as const, startNs: START_NS, endNs: START_NS + HOUR_NS, seqFrom: 1 };
      return under.catalog.beginPack({ serviceId, typeId, shapeId, ...window, ...more });
    }

    async function file(profiles: number): Promise<PackFile> {
      return { packId: await under.catalog.nextPackId(), profiles, sizeBytes: 10 * profiles };
    }

    async function settle(setId: number, release = true): Promise<void> {
      for (let afterId: Uint8Array | undefined; ; ) {
        afterId = await under.catalog.settlePackSet({ setId, release, ...(afterId && { afterId }) });
        if (afterId === undefined) return;
      }
    }

    async function pack(profiles: number, more: Partial<PackRunRequest> = {}, replaces: number[] = []) {
      const { runId } = await begin(more);
      const { seqs } = await under.catalog.packRows(runId);
      return (await under.catalog.switchPackSet({ runId, packs: [await file(profiles)], seqs, replaces })).setId!;
    }

    const cover = (text = "{}") => under.catalog.coverage({ selector: selector(text), limit: 1000 });
    const looseIds = async (text = "{}") => (await cover(text)).inputs.map(({ id }) => id);
    const some = (count: number, more = {}) =>
      Array.from({ length: count }, (_, second) => newProfile({ second, ...more }));

    test("looseHours() counts what could be packed by service, type, shape and hour of start", async () => {
      await under.insert(
        newProfile({ second: 1 }),
        newProfile({ second: 3 }),
        newProfile({ second: 3600 }),
        newProfile({ service: "b" }),
        newProfile({ type: "trace", shape: null }),
      );
      const hours = (await under.catalog.looseHours()).map((hour) => ({
        service: under.catalog.packNames(hour).service,
        startNs: hour.startNs,
        profiles: hour.profiles,
        sizeBytes: hour.sizeBytes,
        received: [hour.firstReceivedNs - BASE_NS, hour.lastReceivedNs - BASE_NS].map(Number),
      }));
      expect(hours.sort((a, b) => b.profiles - a.profiles || a.service.localeCompare(b.service))).toMatchObject([
        { service: "auth", startNs: START_NS, profiles: 2, sizeBytes: 1800, received: [6e9, 8e9] },
        { service: "auth", startNs: START_NS + HOUR_NS, profiles: 1 },
        { service: "b", startNs: START_NS, profiles: 1 },
      ]);
    });

    test("usage() tells of each service and type what its profiles and packs take, through packing and deletion", async () => {
      const [v1, v2] = [label("v", "1"), label("v", "2")];
      await under.insert(
        newProfile({ second: 1, labels: [v1] }),
        newProfile({ second: 3, labels: [v1] }),
        newProfile({ second: 9, labels: [v2] }),
        newProfile({ second: 2, service: "a", type: "heap" }),
      );
      const [one] = await under.catalog.find({ selector: EVERYTHING, order: "oldest", limit: 1 });
      const { sizeBytes } = one!;
      const plain = { packedProfiles: 0, packBytes: 0, originalBytes: sizeBytes, sentBytes: sizeBytes };
      const msOf = (second: number) => ((BASE_NS + BigInt(second) * 1_000_000_000n) / 1_000_000n) * 1_000_000n;
      const other = { ...plain, service: "a", type: "heap", profiles: 1, series: 1, firstNs: msOf(2), lastNs: msOf(2) };
      const mine = { service: "auth", type: "cpu", profiles: 3, series: 2, firstNs: msOf(1), lastNs: msOf(9) };
      const loose = {
        ...mine,
        packedProfiles: 0,
        packBytes: 0,
        originalBytes: 3 * sizeBytes,
        sentBytes: 3 * sizeBytes,
      };
      expect(await under.catalog.usage()).toEqual([other, loose]);
      const [hour] = (await under.catalog.looseHours()).filter(({ profiles }) => profiles === 3);
      const setId = await pack(3, { ...hour!, endNs: START_NS + HOUR_NS });
      expect((await under.catalog.usage())[1]).toEqual({ ...loose, packedProfiles: 3, packBytes: 30 });
      await settle(setId);
      const packed = { ...loose, packedProfiles: 3, packBytes: 30, originalBytes: 0 };
      expect((await under.catalog.usage())[1]).toEqual(packed);
      await under.catalog.delete([one!.id]);
      expect((await under.catalog.usage())[1]).toEqual({
        ...packed,
        profiles: 2,
        packedProfiles: 2,
        sentBytes: 2 * sizeBytes,
        firstNs: msOf(3),
      });
      await under.insert(newProfile({ second: 4, labels: [v2] }));
      expect((await under.catalog.usage())[1]).toMatchObject({
        profiles: 3,
        packedProfiles: 2,
        originalBytes: sizeBytes,
      });
    });

    test("packRows() answers a run's profiles by series, time and id, and none that came after it began", async () => {
      const [v1, v2] = [label("v", "1"), label("v", "2")];
      const profiles = [
        newProfile({ second: 5, labels: [v1] }),
        newProfile({ second: 9, labels: [v2] }),
        newProfile({ second: 2, labels: [v1] }),
        newProfile({ second: 4000 }),
        newProfile({ second: 3, service: "other" }),
      ];
      await under.insert(...profiles);
      const { runId, coversSeq } = await begin();
      expect(coversSeq).toBe(5);
      await under.insert(newProfile({ second: 6, labels: [v1] }));
      const rows = await under.catalog.packRows(runId);
      const expected = [profiles[2]!, profiles[0]!, profiles[1]!];
      expect(rows.count).toBe(3);
      expect(Buffer.from(rows.ids)).toEqual(Buffer.concat(expected.map(({ id }) => id)));
      expect(Buffer.from(rows.digests)).toEqual(Buffer.concat(expected.map(({ digest }) => digest)));
      expect([...rows.timesNs]).toEqual(expected.map(({ timeNs }) => timeNs));
      expect([...rows.receivedNs]).toEqual(expected.map(({ receivedNs }) => receivedNs));
      expect([...rows.seqs]).toEqual([3, 1, 2]);
      expect(Array.from(rows.series, (at) => rows.labelSets[at])).toEqual([[v1], [v1], [v2]]);
      expect([...rows.locators]).toEqual(
        expected.flatMap(({ locator }) => [locator.segmentId, locator.offset, locator.sizeBytes]),
      );
    });

    test("a switch takes its profiles from loose to packed at once, before their rows are marked", async () => {
      const profiles = some(5);
      await under.insert(...profiles);
      expect((await cover()).sets).toEqual([]);
      const setId = await pack(5);
      const late = newProfile({ second: 7 });
      await under.insert(late);
      const coverage = await cover();
      expect(coverage.inputs.map(({ id }) => id)).toEqual([idOf(late)]);
      expect(coverage.loose).toBe(1);
      expect(coverage.sets).toMatchObject([
        { setId, level: "hour", startNs: START_NS, endNs: START_NS + HOUR_NS, seqFrom: 1, coversSeq: 5 },
      ]);
      expect(coverage.sets[0]!.packs).toMatchObject([{ profiles: 5, sizeBytes: 50 }]);
      expect(await looseIds('{service="nobody"}')).toEqual([]);
      await settle(setId);
      expect(await looseIds()).toEqual([idOf(late)]);
      expect((await under.catalog.looseHours()).map(({ profiles: loose }) => loose)).toEqual([1]);
    });

    test("packed profiles are listed, read and counted as before, and their bytes as sent are free", async () => {
      const profiles = some(150);
      await under.insert(...profiles);
      const before = await under.catalog.find({ selector: EVERYTHING, order: "newest", limit: 500 });
      await settle(await pack(150));
      const after = await under.catalog.find({ selector: EVERYTHING, order: "newest", limit: 500 });
      expect(after.map(({ packed, rebuilt, locator, ...record }) => record)).toEqual(
        before.map(({ locator, ...record }) => record),
      );
      expect(after.every(({ packed, rebuilt, locator }) => packed && rebuilt && locator.segmentId === 0)).toBe(true);
      expect((await under.catalog.segments()).map(({ live }) => live)).toEqual([0]);
      expect((await under.catalog.count(EVERYTHING)).count).toBe(150);
      expect(await under.catalog.statistics()).toMatchObject({ profiles: 150, sizeBytes: 0 });
      expect(await under.catalog.packStatistics()).toEqual({ sets: 1, packs: 1, profiles: 150, sizeBytes: 1500 });
    });

    test("originals may be kept, and given up later", async () => {
      const profiles = some(3);
      await under.insert(...profiles);
      await settle(await pack(3), false);
      const [kept] = await under.catalog.get([idOf(profiles[0]!)]);
      expect(kept).toMatchObject({ packed: true, locator: profiles[0]!.locator });
      expect(await looseIds()).toEqual([]);
      await under.insert(newProfile({ second: 9 }));
      const ids = (await under.catalog.profilesInSegment(1, 10)).map(({ id }) => parseProfileId(id)!);
      expect(await under.catalog.releaseOriginals(ids)).toBe(3);
      expect(await under.catalog.releaseOriginals(ids)).toBe(0);
      expect((await under.catalog.segments()).map(({ live }) => live)).toEqual([1]);
      expect((await under.catalog.get([idOf(profiles[0]!)]))[0]).toMatchObject({ rebuilt: true });
    });

    test("a profile deleted while it is packed is deleted from the new set", async () => {
      const profiles = some(4);
      await under.insert(...profiles);
      const { runId } = await begin();
      const rows = await under.catalog.packRows(runId);
      await under.catalog.delete([idOf(profiles[1]!)]);
      const { setId } = await under.catalog.switchPackSet({
        runId,
        packs: [await file(rows.count)],
        seqs: rows.seqs,
        replaces: [],
      });
      expect([...(await cover()).sets[0]!.deleted]).toEqual([2]);
      await under.catalog.delete([idOf(profiles[2]!)]);
      await settle(setId!);
      await under.catalog.delete([idOf(profiles[0]!)]);
      expect([...(await cover()).sets[0]!.deleted]).toEqual([1, 2, 3]);
      expect((await under.catalog.statistics()).profiles).toBe(1);
    });

    test("a profile sent again after its deletion from a pack is loose", async () => {
      const profile = newProfile();
      await under.insert(profile, newProfile({ second: 1 }));
      await settle(await pack(2));
      await under.catalog.delete([idOf(profile)]);
      await under.insert(profile);
      const coverage = await cover();
      expect(coverage.inputs.map(({ id, seq }) => [id, seq])).toEqual([[idOf(profile), 3]]);
      expect([...coverage.sets[0]!.deleted]).toEqual([1]);
    });

    test("a deletion during a run is one of the new set where its profile is in the packs", async () => {
      const profiles = some(3);
      await under.insert(...profiles);
      const { runId } = await begin();
      await under.catalog.delete([idOf(profiles[0]!)]);
      const { seqs } = await under.catalog.packRows(runId);
      expect([...seqs]).toEqual([2, 3]);
      await under.catalog.delete([idOf(profiles[1]!)]);
      await under.catalog.switchPackSet({ runId, packs: [await file(2)], seqs, replaces: [] });
      expect([...(await cover()).sets[0]!.deleted]).toEqual([2]);
      expect((await under.catalog.packStatistics()).profiles).toBe(1);
    });

    test("what is set aside stays loose, whatever covers its time", async () => {
      const profiles = some(3);
      await under.insert(...profiles);
      const { runId } = await begin();
      await under.catalog.setAside([profiles[1]!.id, new Uint8Array(16)]);
      const { count, seqs } = await under.catalog.packRows(runId);
      expect(count).toBe(2);
      const { setId } = await under.catalog.switchPackSet({ runId, packs: [await file(2)], seqs, replaces: [] });
      expect(await looseIds()).toEqual([idOf(profiles[1]!)]);
      await settle(setId!);
      expect(await looseIds()).toEqual([idOf(profiles[1]!)]);
      expect(await under.catalog.looseHours()).toEqual([]);
      await under.catalog.delete([idOf(profiles[1]!)]);
      expect((await cover()).sets[0]!.deleted).toHaveLength(0);
    });

    test("a set replaces others in the same commit: their packs are free, and what came since is covered", async () => {
      await under.insert(...some(3));
      const hourSet = await pack(3);
      await settle(hourSet);
      const late = newProfile({ second: 3 });
      await under.insert(late);
      const { packs } = (await cover()).sets[0]!;
      const dayNs = 24n * HOUR_NS;
      const day = {
        level: "day" as const,
        startNs: (START_NS / dayNs) * dayNs,
        endNs: (START_NS / dayNs + 1n) * dayNs,
      };
      const { runId, coversSeq } = await begin(day);
      const { count, seqs } = await under.catalog.packRows(runId);
      expect(count).toBe(4);
      expect(coversSeq).toBe(4);
      const change = { runId, packs: [await file(4)], seqs, replaces: [hourSet] };
      const { setId, freed } = await under.catalog.switchPackSet(change);
      expect(freed).toEqual(packs.map(({ packId }) => packId));
      expect(await looseIds()).toEqual([]);
      expect((await cover()).sets.map((set) => set.setId)).toEqual([setId]);
      expect((await under.catalog.packSets({ unsettled: true })).map((set) => set.setId)).toEqual([setId]);
      await settle(setId!);
      expect(await under.catalog.packSets({ unsettled: true })).toEqual([]);
      expect((await under.catalog.get([idOf(late)]))[0]).toMatchObject({ rebuilt: true });
    });

    test("a switch over profiles that another set holds, or of a set that is gone, is a conflict and changes nothing", async () => {
      await under.insert(...some(3));
      const setId = await pack(3);
      const before = await under.catalog.packSets({});
      for (const replaces of [[], [setId, setId + 99]]) {
        await under.insert(newProfile({ second: 4 }));
        const { runId } = await begin();
        const { seqs } = await under.catalog.packRows(runId);
        const change = { runId, packs: [await file(4)], seqs, replaces };
        await expect(under.catalog.switchPackSet(change)).rejects.toMatchObject({
          kind: "conflict",
        });
        await under.catalog.abandonPack(runId);
        expect(await under.catalog.packSets({})).toEqual(before);
      }
      const none = new Float64Array(0);
      await expect(
        under.catalog.switchPackSet({ runId: 99, packs: [], seqs: none, replaces: [] }),
      ).rejects.toMatchObject({
        kind: "conflict",
      });
    });

    test("a set without profiles left goes without a successor", async () => {
      const [profile] = some(1);
      await under.insert(profile!);
      const setId = await pack(1);
      await settle(setId);
      await under.catalog.delete([idOf(profile!)]);
      expect((await under.catalog.packSets({ deletedShare: 0.25 })).map((set) => set.setId)).toEqual([setId]);
      const { serviceId, typeId, shapeId, level, startNs, endNs } = (await under.catalog.packSets({}))[0]!;
      const run = await under.catalog.beginPack({ serviceId, typeId, shapeId, level, startNs, endNs, seqFrom: 1 });
      const change = { runId: run.runId, packs: [], seqs: new Float64Array(0), replaces: [setId] };
      const switched = await under.catalog.switchPackSet(change);
      expect(switched).toEqual({ freed: [1] });
      expect(await under.catalog.packSets({})).toEqual([]);
      expect(await under.catalog.packIds()).toEqual({ named: [], unnamed: [1] });
      await under.catalog.forgetPacks([1]);
      expect(await under.catalog.packIds()).toEqual({ named: [], unnamed: [] });
    });

    test("a number of a pack is unnamed until a switch names it, and again when its set goes; skipped numbers are not given", async () => {
      await under.insert(...some(1));
      const [first, second] = [await under.catalog.nextPackId(), await under.catalog.nextPackId()];
      expect([first, second]).toEqual([1, 2]);
      expect(await under.catalog.packIds()).toEqual({ named: [], unnamed: [1, 2] });
      const setId = await pack(1);
      expect(await under.catalog.packIds()).toEqual({ named: [3], unnamed: [1, 2] });
      await under.catalog.forgetPacks([2]);
      await under.catalog.skipPackIds(7);
      await pack(1, {}, [setId]);
      expect(await under.catalog.packIds()).toEqual({ named: [8], unnamed: [1, 3] });
      await under.catalog.skipPackIds(5);
      expect(await under.catalog.nextPackId()).toBe(9);
    });

    test("the version changes with each insert, removal and switch of packs, and with nothing else", async () => {
      const seen = new Set<string>();
      const isNew = () => {
        const { version } = under.catalog;
        const fresh = !seen.has(version);
        seen.add(version);
        return fresh;
      };
      const profiles = some(5);
      await under.insert(...profiles);
      expect(isNew()).toBe(true);
      await under.insert(profiles[0]!);
      expect(isNew()).toBe(false);
      await under.catalog.delete([idOf(profiles[0]!)]);
      expect(isNew()).toBe(true);
      await under.insert(profiles[0]!);
      expect(isNew()).toBe(true);
      const setId = await pack(5);
      expect(isNew()).toBe(true);
      await settle(setId);
      await under.catalog.delete([]);
      expect(isNew()).toBe(false);
      await under.catalog.deleteSelection(selector("{}"), undefined, Number.MAX_SAFE_INTEGER, 2);
      expect(isNew()).toBe(true);
    });

    test("the fingerprint of a selection changes with its profiles and sets, and with nothing else", async () => {
      const query = { selector: selector('{service="auth"}'), interval: seconds(0, 100), limit: 1000 };
      const seen = new Set<string>();
      const isNew = async () => {
        const fingerprint = await under.catalog.coverageFingerprint(query);
        expect((await under.catalog.coverage(query)).fingerprint).toBe(fingerprint);
        const fresh = !seen.has(fingerprint);
        seen.add(fingerprint);
        return fresh;
      };
      const profiles = some(5);
      await under.insert(...profiles);
      expect(await isNew()).toBe(true);
      await under.insert(newProfile({ second: 200 }), newProfile({ service: "other" }));
      expect(await isNew()).toBe(false);
      await under.insert(newProfile({ second: 50 }));
      expect(await isNew()).toBe(true);
      await under.catalog.delete([idOf(profiles[0]!)]);
      expect(await isNew()).toBe(true);
      const setId = await pack(5);
      expect(await isNew()).toBe(true);
      await settle(setId);
      expect(await isNew()).toBe(false);
      await under.catalog.delete([idOf(profiles[1]!)]);
      expect(await isNew()).toBe(true);
    });

    test("a copy of bytes that were given up meanwhile is garbage", async () => {
      const profiles = some(2);
      await under.insert(...profiles);
      await settle(await pack(2));
      const moves = profiles.map((profile, nth) => ({
        id: idOf(profile),
        to: { segmentId: 7, offset: nth * 1000, sizeBytes: 900 },
      }));
      expect(await under.catalog.relocate(moves)).toEqual([]);
      expect((await under.catalog.segments()).find(({ segmentId }) => segmentId === 7)).toMatchObject({ live: 0 });
    });

    test("a merge that is cut, or of ids, is told which inputs are in packs alone, and the sets that have them", async () => {
      const profiles = some(4);
      await under.insert(...profiles);
      const setId = await pack(4);
      await settle(setId);
      await under.insert(newProfile({ second: 8 }));
      const cut = await under.catalog.mergeInputs({ selector: EVERYTHING, limit: 2, strategy: "newest" });
      expect(cut.inputs.map(({ seq, locator }) => [seq, locator.segmentId])).toEqual([
        [4, 0],
        [5, 1],
      ]);
      expect(cut.sets.map((set) => set.setId)).toEqual([setId]);
      const named = await under.catalog.mergeInputsByIds([idOf(profiles[2]!)]);
      expect(named.inputs.map(({ seq }) => seq)).toEqual([3]);
      expect(named.sets.map((set) => set.setId)).toEqual([setId]);
    });
  });
}
