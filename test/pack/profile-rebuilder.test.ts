// Every profile comes out of a pack as it went in, byte for byte, or the pack says that it is damaged: in the order of the pack, in any other,
// and alone.

import { expect, test } from "vitest";
import { ProfileRebuilder } from "../../src/pack/profile-rebuilder.ts";
import { mergeSets } from "../support/merge-digests.ts";
import { Random } from "../support/random.ts";
import { byShape, decode, packOf } from "./packing.ts";
import { heapsBySpace } from "./sorted-heaps.ts";

const SEED = 20_260_921;

/** Profiles of one shape each, with the name of what they are, and the pack of them. */
const GROUPS = [
  ...[...mergeSets()].flatMap(([name, raws]) =>
    byShape(raws).map((group): [string, Uint8Array[]] => [name, group.map((nth) => raws[nth]!)]),
  ),
  ["heaps sorted by space", heapsBySpace(20)] as const,
  ["more of them than a block", heapsBySpace(70)] as const,
].map(([name, members]) => ({ name, members, pack: decode(packOf(members)) }));

test("every generated and recorded profile comes back as it was written, in the order of the pack", () => {
  for (const { name, members, pack } of GROUPS) {
    const rebuilder = new ProfileRebuilder(pack);
    for (const [row, raw] of members.entries())
      expect(Buffer.compare(rebuilder.rebuild(row), raw), `${name}, ${row}`).toBe(0);
  }
});

test("… and in any order, some of them again", () => {
  const random = new Random(SEED);
  for (const { name, members, pack } of GROUPS) {
    const rebuilder = new ProfileRebuilder(pack);
    const rows = members.map((_, row) => row);
    for (const row of random.shuffle([...rows, ...rows.slice(0, 10)])) {
      expect(Buffer.compare(rebuilder.rebuild(row), members[row]!), `seed ${SEED}, ${name}, ${row}`).toBe(0);
    }
  }
});

test("… and alone, as a download reads it", () => {
  for (const { name, members, pack } of GROUPS) {
    for (const [row, raw] of members.entries()) {
      expect(Buffer.compare(new ProfileRebuilder(pack).rebuild(row), raw), `${name}, ${row}`).toBe(0);
    }
  }
});
