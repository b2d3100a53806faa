// What every catalog promises of segments: their bytes, what is moved between them, and that they can be forgotten.

import { describe, expect, test } from "vitest";
import { frameEnd } from "../../../src/storage/frame.ts";
import { newProfile } from "../../support/catalog-profile.ts";
import { type CatalogUnderTest, idOf } from "../../support/catalog-under-test.ts";

export function segmentsContract(under: CatalogUnderTest): void {
  describe("segments", () => {
    const at = (segmentId: number, offset: number, more = {}) =>
      newProfile({ locator: { segmentId, offset, sizeBytes: 100 }, second: offset, ...more });

    test("know their live and dead bytes and where their last frame ends", async () => {
      const profiles = [at(1, 50), at(1, 900), at(2, 60)];
      await under.insert(...profiles);
      await under.catalog.delete([idOf(profiles[1]!)]);
      expect(await under.catalog.segments()).toEqual([
        { segmentId: 1, bytes: 200, deadBytes: 100, live: 1 },
        { segmentId: 2, bytes: 100, deadBytes: 0, live: 1 },
      ]);
      expect(await under.catalog.segmentEnds()).toEqual(
        new Map([
          [1, frameEnd(profiles[1]!.locator)],
          [2, frameEnd(profiles[2]!.locator)],
        ]),
      );
    });

    test("count the bytes of a duplicate as dead, but not the same bytes said twice", async () => {
      const first = at(1, 50);
      await under.insert(first);
      await under.insert({ ...first, locator: { segmentId: 1, offset: 500, sizeBytes: 100 } });
      await under.insert(first);
      expect(await under.catalog.segments()).toEqual([{ segmentId: 1, bytes: 200, deadBytes: 100, live: 1 }]);
    });

    test("relocate() moves rows to their copies and leaves out what was deleted meanwhile", async () => {
      const profiles = [at(1, 300), at(1, 200), at(1, 100)];
      await under.insert(...profiles);
      const ids = (await under.catalog.profilesInSegment(1, 2)).map(({ id }) => id);
      expect(ids).toEqual([idOf(profiles[2]!), idOf(profiles[1]!)]);
      await under.catalog.delete([ids[0]!]);
      const to = (offset: number) => ({ segmentId: 7, offset, sizeBytes: 100 });
      expect(await under.catalog.relocate(ids.map((id, nth) => ({ id, to: to(nth * 200) })))).toEqual([ids[1]]);
      expect((await under.catalog.get([ids[1]!]))[0]!.locator).toEqual(to(200));
      expect(await under.catalog.segments()).toEqual([
        { segmentId: 1, bytes: 300, deadBytes: 200, live: 1 },
        { segmentId: 7, bytes: 200, deadBytes: 100, live: 1 },
      ]);
      expect((await under.catalog.profilesInSegment(7, 9)).map(({ id }) => id)).toEqual([ids[1]]);
      expect(await under.catalog.profilesInSegment(99, 9)).toEqual([]);
    });

    test("forgetSegment() refuses one with live profiles, and forgets an absent one", async () => {
      const profile = at(1, 50);
      await under.insert(profile);
      await expect(under.catalog.forgetSegment(1)).rejects.toMatchObject({ kind: "conflict" });
      await under.catalog.delete([idOf(profile)]);
      await under.catalog.forgetSegment(1);
      await under.catalog.forgetSegment(99);
      expect(await under.catalog.segments()).toEqual([]);
    });
  });
}
