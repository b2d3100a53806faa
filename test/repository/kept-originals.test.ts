import { expect, test } from "vitest";
import { parseProfileId } from "../../src/model/profile-id.ts";
import { KeptOriginals } from "../../src/repository/kept-originals.ts";
import type { Catalog } from "../../src/storage/catalog.ts";

const HOUR = 3_600_000_000_000n;
const ID = "0".repeat(26);

/** One segment, whose profiles were received at these hours, and are packed or not; tells how often it was read. */
function catalogOf(profiles: { atHour: number; packed: boolean }[]) {
  const seen = { reads: 0, released: 0 };
  const rows = profiles.map(({ atHour, packed }) => ({ id: ID, receivedNs: BigInt(atHour) * HOUR, packed }));
  const catalog = {
    segments: async () => [{ segmentId: 1, live: profiles.length }],
    profilesInSegment: async () => {
      seen.reads++;
      return rows;
    },
    releaseOriginals: async (ids: Uint8Array[]) => {
      expect(ids[0]).toEqual(parseProfileId(ID));
      seen.released += ids.length;
      return ids.length;
    },
  } as unknown as Catalog;
  return { catalog, seen };
}

async function releaseAt(originals: KeptOriginals, hours: readonly number[]): Promise<void> {
  for (const hour of hours) await originals.release(BigInt(hour) * HOUR, 100, () => {});
}

test("a segment is read again when its first profile may go, and not before", async () => {
  const { catalog, seen } = catalogOf([
    { atHour: 5, packed: true },
    { atHour: 9, packed: false },
  ]);
  const originals = new KeptOriginals(catalog, 100n * HOUR);
  await releaseAt(originals, [10, 11, 12, 50, 104]);
  expect(seen).toEqual({ reads: 1, released: 0 });
  await releaseAt(originals, [105]);
  expect(seen).toEqual({ reads: 2, released: 1 });
});

test("where bytes go when they are packed, a segment is read once: for what was packed before", async () => {
  const { catalog, seen } = catalogOf([
    { atHour: 5, packed: true },
    { atHour: 9, packed: false },
  ]);
  await releaseAt(new KeptOriginals(catalog, 0n), [10, 11, 12, 100]);
  expect(seen).toEqual({ reads: 1, released: 1 });
});
