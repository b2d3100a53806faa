// What verification says of packs whose profiles are not those of the catalog. Reading them is pack-check.ts's; packs.test.ts has the whole.

import { expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../../src/model/limits.ts";
import { formatProfileId } from "../../src/model/profile-id.ts";
import type { CheckAnswer } from "../../src/repository/pack-check.ts";
import { verifyPacks } from "../../src/repository/pack-verify.ts";
import type { Catalog, StoredProfile } from "../../src/storage/catalog.ts";
import type { PackSet } from "../../src/storage/pack-catalog.ts";

const SHAPE = { columns: [{ type: "cpu", unit: "ns" }], periodType: { type: "", unit: "" } };

const idOf = (seq: number) => new Uint8Array(16).fill(seq);
const nameOf = (seq: number) => formatProfileId(idOf(seq));

function setOf(packs: number, deleted: readonly number[] = []): PackSet {
  return {
    ...{ setId: 1, serviceId: 1, typeId: 1, shapeId: 1, level: "hour", startNs: 0n, endNs: 10n, seqFrom: 1 },
    coversSeq: 9,
    packs: Array.from({ length: packs }, (_, at) => ({ packId: at + 1, profiles: 2, sizeBytes: 1 })),
    deleted: Float64Array.from(deleted),
  };
}

function row(seq: number, digest = seq): StoredProfile {
  return {
    id: nameOf(seq),
    seq,
    digest: new Uint8Array(32).fill(digest),
    packed: true,
    shape: SHAPE,
  } as unknown as StoredProfile;
}

function answer(...seqs: number[]): CheckAnswer {
  return {
    profiles: seqs.length,
    seqs: Float64Array.from(seqs),
    ids: Buffer.concat(seqs.map(idOf)),
    digests: Buffer.concat(seqs.map((seq) => new Uint8Array(32).fill(seq))),
    isDone: true,
  };
}

/** The catalog has these rows; each pack gives these answers, undefined: it is gone. */
function verify(rows: StoredProfile[], packs: (CheckAnswer | undefined)[], sets = [setOf(packs.length)]) {
  const catalog = {
    packSets: async ({ setIds }: { setIds?: number[] }) =>
      setIds ? (sets.at(-1)?.packs.length ? sets.slice(-1) : []) : [sets[0]!],
    packNames: () => ({ service: "auth", type: "cpu", shape: SHAPE }),
    get: async (ids: string[]) => ids.map((id) => rows.find((each) => each.id === id)),
    find: async ({ afterId, limit, maxSeq }: { afterId?: string; limit: number; maxSeq: number }) => {
      const found = rows.filter(({ seq }) => seq <= maxSeq);
      return found.slice(found.findIndex(({ id }) => id === afterId) + 1).slice(0, limit);
    },
  } as unknown as Catalog;
  const read = async ({ packId }: { packId: number }) => packs[packId - 1] && [packs[packId - 1]!];
  return verifyPacks({ catalog, limits: { ...DEFAULT_LIMITS, pageSizeMax: 2 }, read, tell: () => {} });
}

const rows = [1, 2, 3, 4].map((seq) => row(seq));

test("the profiles of the catalog are all there, and nothing else", async () => {
  expect(await verify(rows, [answer(1, 2), answer(3, 4)])).toEqual({
    packs: 2,
    profiles: 4,
    damaged: [],
    damagedPacks: 0,
  });
});

test("one that the catalog does not have, has with other bytes, or has at another seq, is named, and so is one that is there twice", async () => {
  const strange = (packId: number, id: string) => ({
    damagedPacks: 1,
    damaged: [{ packId, detail: `1 of its profiles are not those that the catalog names: ${id}` }],
  });
  expect(await verify(rows, [answer(1, 2), answer(3, 4, 5)])).toMatchObject(strange(2, nameOf(5)));
  expect(await verify([...rows.slice(0, 3), row(4, 7)], [answer(1, 2), answer(3, 4)])).toMatchObject(
    strange(2, nameOf(4)),
  );
  const again = { ...row(4), seq: 8 };
  expect(await verify([...rows.slice(0, 3), again], [answer(1, 2), answer(3, 4)])).toMatchObject(strange(2, nameOf(4)));
  expect(await verify(rows, [answer(1, 2), answer(2, 3, 4)])).toMatchObject(strange(2, nameOf(2)));
});

test("one that was deleted is none too many, also while packs are read, or where the set was replaced meanwhile", async () => {
  const packs = [answer(1, 2), answer(3, 4)];
  const sound = { damagedPacks: 0, damaged: [] };
  expect(await verify(rows.slice(1), packs, [setOf(2, [1])])).toMatchObject(sound);
  expect(await verify(rows.slice(1), packs, [setOf(2), setOf(2, [1])])).toMatchObject(sound);
  expect(await verify(rows.slice(1), packs, [setOf(2), setOf(0)])).toMatchObject(sound);
});

test("those that no pack has are counted and named, page by page; what is loose or of another set is no loss", async () => {
  const loose = { ...row(5), packed: undefined } as unknown as StoredProfile;
  const later = row(12);
  const missing = {
    packId: 1,
    detail: expect.stringContaining(
      `2 profiles that the catalog names are in none of its packs: ${nameOf(3)} ${nameOf(4)}`,
    ),
  };
  expect(await verify([...rows, loose, later], [answer(1, 2), answer()])).toMatchObject({
    packs: 2,
    profiles: 2,
    damagedPacks: 1,
    damaged: [missing],
  });
});

test("what a damaged pack has is not said to be missing too, and a pack that was replaced is left out", async () => {
  const damaged = { ...answer(3), damage: "section heads is damaged" };
  expect(await verify(rows, [answer(1, 2), damaged])).toMatchObject({
    packs: 2,
    damagedPacks: 1,
    damaged: [{ packId: 2, detail: "section heads is damaged" }],
  });
  expect(await verify(rows, [answer(1, 2), undefined])).toEqual({
    packs: 1,
    profiles: 2,
    damaged: [],
    damagedPacks: 0,
  });
});
