// Verification reads as downloads do, too: a profile that comes out right in turn and wrong alone must not pass.

import { hash } from "node:crypto";
import { afterEach, expect, test, vi } from "vitest";
import { OrderReader } from "../../src/pack/orders.ts";
import { BLOCK_PROFILES } from "../../src/pack/pack-profiles.ts";
import { SourcePack } from "../../src/repository/source-pack.ts";
import { packOf, readerOf } from "../pack/packing.ts";
import { buildProfile } from "../support/profile-builder.ts";

afterEach(() => vi.restoreAllMocks());

const COUNT = BLOCK_PROFILES * 2 + 10;
const RAWS = Array.from({ length: COUNT }, (_, nth) =>
  buildProfile({
    timeNs: BigInt(nth + 1),
    samples: [
      { stack: ["main"], values: [1, 2] },
      { stack: ["idle"], values: [nth, 3] },
    ],
  }),
);

function openSource(): SourcePack {
  const bytes = packOf(RAWS);
  return new SourcePack({ sizeBytes: bytes.length, read: readerOf(bytes), [Symbol.dispose]: () => {} });
}

test("every profile is written again in turn", () => {
  using source = openSource();
  for (const [row, raw] of RAWS.entries())
    expect(Buffer.compare(source.verify(row), hash("sha256", raw, "buffer"))).toBe(0);
});

test("one whose order needs that the profiles before it were read does not pass", () => {
  const rows = OrderReader.prototype.rows;
  const read = new WeakMap<OrderReader, number>();
  vi.spyOn(OrderReader.prototype, "rows").mockImplementation(function (this: OrderReader, place) {
    const before = read.get(this) ?? 0;
    read.set(this, before + 1);
    const order = rows.call(this, place);
    return before === place ? order : order?.toReversed();
  });
  using source = openSource();
  const inTurn = Array.from(RAWS, (_, row) => source.rebuild(row).length);
  expect(inTurn).toHaveLength(COUNT);
  using other = openSource();
  const refused = RAWS.flatMap((_, row) => {
    try {
      other.verify(row);
      return [];
    } catch {
      return [row];
    }
  });
  expect(refused).toEqual([BLOCK_PROFILES - 1, 2 * BLOCK_PROFILES - 1, COUNT - 1]);
});
