// Sums of packs that have totals: the same, whether they are read, reduced by what is left out, or added up.

import { expect, test } from "vitest";
import { addToMerger } from "../../src/pack/fold.ts";
import { hasSection } from "../../src/pack/format.ts";
import { sumProfiles, sumWeighted } from "../../src/pack/sum.ts";
import { Merger } from "../../src/pprof/merger.ts";
import { mergeSets } from "../support/merge-digests.ts";
import { Random } from "../support/random.ts";
import { byShape, decode, packOf } from "./packing.ts";

/** Sets repeated so often that totals pay. */
function* largeSets(): Generator<[name: string, raws: Uint8Array[]]> {
  for (const [name, raws] of mergeSets()) {
    if (name.startsWith("seed") && Number(name.slice(5)) % 7 !== 0) continue;
    const members = byShape(raws)[0]!.map((nth) => raws[nth]!);
    yield [name, Array.from({ length: 12 }, () => members).flat()];
  }
}

test("any choice of profiles sums and merges as by itself, with totals or without", () => {
  const random = new Random(5);
  let withTotals = 0;
  for (const [name, raws] of largeSets()) {
    const decoded = decode(packOf(raws));
    if (hasSection(decoded.pack, "totals")) withTotals++;
    for (const share of [1, 0.9, 0.4]) {
      const rows = raws.map((_, row) => row).filter(() => random.chance(share));
      const chosen = new Set(rows);
      const sums = sumProfiles(decoded, rows);
      expect(sums, name).toEqual(sumWeighted(decoded, (row) => Number(chosen.has(row))));
      if (rows.length === 0) continue;
      const [merger, loose] = [new Merger({}), new Merger({})];
      addToMerger(merger, decoded, { rows, orders: rows });
      for (const row of rows) loose.add(raws[row]!, row);
      const [merged, expected] = [merger.finish(), loose.finish()];
      expect(Buffer.compare(merged.bytes, expected.bytes), name).toBe(0);
      expect([merged.totals, merged.wrapped], name).toEqual([expected.totals, expected.wrapped]);
    }
  }
  expect(withTotals).toBeGreaterThan(20);
});
