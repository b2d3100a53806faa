// A pack of profiles that were moved out of other packs is the pack of what was uploaded.

import { describe, expect, test } from "vitest";
import type { DecodedPack } from "../../src/pack/decoded-pack.ts";
import { PackBuilder } from "../../src/pack/pack-builder.ts";
import { KIND } from "../../src/pack/pack-profiles.ts";
import { mergeSets } from "../support/merge-digests.ts";
import { byShape, decode, entryOf, packOf, shapeOf } from "./packing.ts";
import { answersOf } from "./reading.ts";

/** Profiles of one shape, in two packs, by turns. */
function inTwo(raws: readonly Uint8Array[]): { from: DecodedPack; row: number }[] {
  const halves = [0, 1].map((half) => raws.filter((_, nth) => nth % 2 === half));
  const packs = halves.map((half) => (half.length > 0 ? decode(packOf(half, {}, shapeOf(raws[0]!))) : undefined));
  return raws.map((_, nth) => ({ from: packs[nth % 2]!, row: Math.floor(nth / 2) }));
}

/** Those that have no rows there are added as they were sent, as the packer does. */
function movedPack(raws: readonly Uint8Array[], places = inTwo(raws)): { bytes: Uint8Array; moved: number } {
  const builder = new PackBuilder({ service: "api", type: "cpu", shape: shapeOf(raws[0]!) });
  let moved = 0;
  raws.forEach((raw, nth) => {
    const { from, row } = places[nth]!;
    if (from.profiles.kinds[row] !== KIND.rows) {
      builder.add(entryOf(raw, nth), raw);
      return;
    }
    builder.move(entryOf(raw, nth), from, row);
    moved++;
  });
  return { bytes: builder.finish().bytes, moved };
}

describe("moved profiles", () => {
  test("of every generated and recorded set answer as those that were added", () => {
    let moved = 0;
    for (const [name, raws] of mergeSets()) {
      for (const group of byShape(raws)) {
        const members = group.map((nth) => raws[nth]!);
        const pack = movedPack(members);
        moved += pack.moved;
        const [own, expected] = [pack.bytes, packOf(members)];
        // Rows may be numbered otherwise, where two locations differ in their lines alone.
        const { profiles, merge } = answersOf(expected);
        expect(answersOf(own), name).toMatchObject({ profiles, merge });
        expect(decode(own).profiles, name).toEqual(decode(expected).profiles);
      }
    }
    expect(moved).toBeGreaterThan(1000);
  });

  test("of Go's runtime make the same pack, byte for byte", () => {
    const recorded = [...mergeSets()].filter(([name]) => name.startsWith("recorded go-"));
    expect(recorded.length).toBeGreaterThan(0);
    for (const [name, raws] of recorded) {
      for (const group of byShape(raws)) {
        const members = group.map((nth) => raws[nth]!);
        expect(Buffer.compare(movedPack(members).bytes, packOf(members)), name).toBe(0);
      }
    }
  });
});
